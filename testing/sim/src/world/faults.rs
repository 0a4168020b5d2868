//! What strikes: crashes, hangs, cuts, the manager's own death, full doors, slow disks, stuck
//! appliers, and operators. Those that are more than a switch are in `disturbances`.

use mainstay_failover::{Change, Request};
use mainstay_topology::{Applier, Maintenance, ServerName};

use super::{Happening, World};
use crate::message::End;
use crate::mood::KINDS;
use crate::server::{Door, Life};

/// A fault that lasts, and what ends it.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// A process is stopped.
    Hang(usize),
    /// Directions of paths are cut.
    Cut(Vec<(End, End)>),
    /// A server lets nobody in.
    Door(usize),
    /// A server's disk is slow.
    Disk(usize),
    /// A server's disk hangs.
    DiskHangs(usize),
    /// Every path is slow.
    Network,
    /// The manager's process is stopped.
    Manager,
    /// A server's clock is wrong.
    Clock(usize),
    /// A server claims to be another one.
    Twin(usize),
    /// A replica's applier is slow, or waits for a lock.
    Applier(usize),
    /// Something that ends by itself.
    Passing,
}

/// Names of the kinds, in the order of the mood's weights.
const NAMES: [&str; KINDS] = [
    "primary killed",
    "server killed",
    "primary hangs",
    "server hangs",
    "server isolated",
    "server cut off from the manager",
    "servers cut off from each other",
    "network partitioned",
    "manager killed",
    "server lets nobody in",
    "slow disk",
    "applier stuck or slow",
    "operator asks",
    "operator stops replication",
    "disk hangs",
    "slow network",
    "manager cut off",
    "manager hangs",
    "clock jumps",
    "server dies in a statement",
    "server told to stop",
    "waiting switched off by hand",
    "all servers killed",
    "more fails during an operation",
    "server replaced by an empty one",
    "server replaced by a copy of another",
];

impl World {
    pub(super) fn strike(&mut self) {
        if self.peace.is_some() {
            return;
        }
        let pause = self.mood.pause(&mut self.random);
        self.after(pause, Happening::Strike);
        let lasts = self.checks.faults_that_last > 0;
        if self.is_recovering() || self.mood.faults == 0 || (self.mood.one_at_a_time && lasts) {
            return;
        }
        self.mood.faults -= 1;
        let total = self.mood.weights.iter().sum();
        let mut at = self.random.below(total);
        let mut kind = 0;
        while at >= self.mood.weights[kind] {
            at -= self.mood.weights[kind];
            kind += 1;
        }
        *self.faults.entry(NAMES[kind]).or_default() += 1;
        let fault = self.strike_with(kind);
        self.checks.faults_that_last += 1;
        let ends = if self.random.permille(300) {
            self.random.millis(10, 600)
        } else {
            self.random.millis(300, 7_000)
        };
        self.after(ends, Happening::Mend(Box::new(fault)));
    }

    fn strike_with(&mut self, kind: usize) -> Fault {
        let any = self.random.index(self.servers.len());
        let primary = self.recorded_primary().unwrap_or(any);
        let either = [primary, any][self.random.index(2)];
        match kind {
            0 => self.kill(primary),
            1 => self.kill(any),
            2 => self.stop_process(primary),
            3 => self.stop_process(any),
            4 => self.isolate(any),
            5 => self.cut_between(&[End::Manager], &[End::Server(any)]),
            6 => {
                let other = (any + 1) % self.servers.len();
                self.cut_between(&[End::Server(any)], &[End::Server(other)])
            }
            7 => self.partition(),
            8 => {
                self.kill_manager();
                Fault::Passing
            }
            9 => {
                let door = [Door::TooManyConnections, Door::AccessDenied][self.random.index(2)];
                self.servers[any].door = door;
                self.tell(any, || format!("lets nobody in: {door:?}"));
                Fault::Door(any)
            }
            10 => {
                self.servers[any].slow_ms = self.random.below(800);
                self.tell(any, || "has a slow disk".to_owned());
                Fault::Disk(any)
            }
            11 => self.disturb_applier(any),
            12 => self.ask_something(any),
            13 => self.stop_replication(any),
            14 => self.hang_disk(either),
            15 => self.slow_network(),
            16 => {
                let servers: Vec<End> = (0..self.servers.len()).map(End::Server).collect();
                self.cut_between(&[End::Manager], &servers)
            }
            17 => self.pause_manager(),
            18 => self.jump_clock(any),
            19 => {
                let statements = self.random.below(8) as u32;
                self.servers[any].dies_after = Some(statements);
                self.tell(any, || {
                    format!("will die after {statements} more statements")
                });
                Fault::Passing
            }
            20 => self.tell_to_stop(either),
            21 => self.switch_waiting_off(primary),
            22 => {
                for server in 0..self.servers.len() {
                    self.kill(server);
                }
                Fault::Passing
            }
            23 => {
                self.ambush = true;
                Fault::Passing
            }
            24 => self.replace_by_empty(any),
            _ => self.replace_by_copy(any),
        }
    }

    pub(super) fn recorded_primary(&self) -> Option<usize> {
        self.store
            .record
            .primary
            .as_ref()
            .map(|name| self.index(name))
    }

    pub(super) fn kill(&mut self, server: usize) -> Fault {
        let incarnation = self.servers[server].incarnation;
        self.crash(server);
        let pause = self.random.millis(50, 6_000);
        self.after(pause, Happening::Restart(server, incarnation));
        Fault::Passing
    }

    pub(super) fn stop_process(&mut self, server: usize) -> Fault {
        self.hang(server);
        Fault::Hang(server)
    }

    pub(super) fn isolate(&mut self, server: usize) -> Fault {
        let others = self.ends();
        let others: Vec<End> = others
            .into_iter()
            .filter(|end| *end != End::Server(server))
            .collect();
        self.cut_between(&[End::Server(server)], &others)
    }

    fn partition(&mut self) -> Fault {
        let (mut here, mut there) = (Vec::new(), Vec::new());
        for end in self.ends() {
            if self.random.permille(500) {
                here.push(end);
            } else {
                there.push(end);
            }
        }
        self.cut_between(&here, &there)
    }

    fn ends(&self) -> Vec<End> {
        let servers = (0..self.servers.len()).map(End::Server);
        let proxies = (0..self.clients.proxies.len()).map(End::Proxy);
        let others = [End::Manager, End::SideDoor];
        servers.chain(proxies).chain(others).collect()
    }

    /// Cuts both directions, or one of them.
    fn cut_between(&mut self, here: &[End], there: &[End]) -> Fault {
        let directions = self.random.below(4);
        let mut cuts = Vec::new();
        for a in here {
            for b in there {
                if directions != 0 {
                    cuts.push((*a, *b));
                }
                if directions != 1 {
                    cuts.push((*b, *a));
                }
            }
        }
        for (from, to) in &cuts {
            self.network.cut(*from, *to);
        }
        self.say(|| format!("network  is cut between {here:?} and {there:?} ({directions})"));
        Fault::Cut(cuts)
    }

    fn disturb_applier(&mut self, server: usize) -> Fault {
        let blocked = self.random.permille(500);
        let slow_ms = 20 + self.random.below(300);
        if let Some(link) = &mut self.servers[server].link {
            link.blocked = blocked;
            link.slow_ms = slow_ms;
            self.tell(server, || format!("applies slowly; blocked: {blocked}"));
        }
        Fault::Applier(server)
    }

    pub(super) fn ask_something(&mut self, server: usize) -> Fault {
        let to = self.servers[server].name().clone();
        let request = match self.random.below(12) {
            0 | 1 => Request::Failover,
            2 | 3 => Request::Switchover { to: None },
            4..=7 => Request::Switchover { to: Some(to) },
            _ => self.some_change(to),
        };
        self.request(request);
        Fault::Passing
    }

    fn some_change(&mut self, server: ServerName) -> Request {
        let other = self.random.below(self.servers.len() as u64);
        let under = self.servers[other as usize].name().clone();
        let change = match self.random.below(12) {
            0..=2 => Change::Maintain(Maintenance::default()),
            3 | 4 => Change::Serve,
            5 => Change::Stop,
            6 => Change::Start,
            7 | 8 => Change::Move { under },
            9 => Change::Regroup,
            10 => Change::Decommission,
            _ => Change::Restart,
        };
        Request::Change { server, change }
    }

    fn stop_replication(&mut self, server: usize) -> Fault {
        if self.servers[server].life == Life::Up {
            self.tell(server, || {
                "is stopped by an operator: STOP REPLICA".to_owned()
            });
            self.stop_receiver(server);
            if let Some(link) = &mut self.servers[server].link {
                link.applier = Applier::Stopped;
                link.applying = false;
            }
        }
        Fault::Passing
    }

    pub(super) fn mend(&mut self, fault: &Fault) {
        self.checks.faults_that_last -= 1;
        match fault {
            Fault::Hang(server) => self.wake(*server),
            Fault::Cut(cuts) => self.heal_paths(cuts),
            Fault::Door(server) => self.servers[*server].door = Door::Open,
            Fault::Disk(server) => self.servers[*server].slow_ms = 0,
            Fault::DiskHangs(server) => self.free_disk(*server),
            Fault::Network => self.network.slow_ms = 0,
            Fault::Manager => self.wake_manager(),
            Fault::Clock(server) => self.servers[*server].clock_s = 0,
            Fault::Twin(server) => self.name_apart(*server),
            Fault::Applier(server) => self.free_applier(*server),
            Fault::Passing => {}
        }
    }

    pub(super) fn heal_paths(&mut self, cuts: &[(End, End)]) {
        self.say(|| "network  heals".to_owned());
        for (from, to) in cuts {
            for envelope in self.network.heal(*from, *to) {
                // At once: what was sent later is under way already and must not overtake it.
                self.at(self.now, Happening::Arrive(Box::new(envelope)));
            }
        }
    }

    pub(super) fn free_applier(&mut self, server: usize) {
        if let Some(link) = &mut self.servers[server].link {
            link.blocked = false;
            link.slow_ms = 0;
        }
        if self.servers[server].life == Life::Up {
            self.check_waits(server);
            self.start_applying(server);
        }
    }

    /// All faults stop: from here on the cluster must heal.
    pub(super) fn make_peace(&mut self) {
        self.drop_the_curtain();
        self.peace = Some(self.now);
        self.say(|| "all faults stop".to_owned());
        let cuts = self.network.cuts();
        self.heal_paths(&cuts);
        for server in 0..self.servers.len() {
            self.servers[server].door = Door::Open;
            self.servers[server].slow_ms = 0;
            self.servers[server].clock_s = 0;
            self.servers[server].dies_after = None;
            self.free_disk(server);
            self.name_apart(server);
            self.free_applier(server);
            self.wake(server);
            let incarnation = self.servers[server].incarnation;
            self.at(self.now, Happening::Restart(server, incarnation));
        }
        self.network.slow_ms = 0;
        self.ambush = false;
        self.wake_manager();
        if !self.store.wishes.is_empty() {
            self.say(|| "operator  takes all wishes back".to_owned());
            self.kill_manager();
            self.store.wishes.clear();
        }
        self.at(self.now, Happening::StartManager);
        let policy = self.policy();
        if let Some(shell) = &mut self.manager {
            shell.machine.set_policy(policy);
        }
        self.at(self.now, Happening::LookAround);
    }
}
