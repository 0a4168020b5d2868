//! A scenario on stage: its acts happen at their times, and at its end what it expects is checked.

use std::time::Duration;

use mainstay_topology::Applier;

use super::faults::Fault;
use super::{Happening, World};
use crate::gtids::Transaction;
use crate::scenario::{Act, Disk, Expectation, Hindrance, PRIMARY};
use crate::server::Life;

/// The name under which a scenario fails.
const NAME: &str = "what_the_scenario_expects";
const SLOW_MS: u64 = 150;
/// How long the manager is away when it is struck after a step.
const PAUSE: Duration = Duration::from_millis(1_500);

impl World {
    /// Schedules the acts of the scenario, if there is one.
    pub(super) fn raise_the_curtain(&mut self) -> bool {
        let Some(scenario) = &self.options.scenario else {
            return false;
        };
        let acts: Vec<u64> = scenario.acts.iter().map(|(at, _)| *at).collect();
        for (index, at) in acts.into_iter().enumerate() {
            self.after(Duration::from_millis(at), Happening::Act(index));
        }
        true
    }

    pub(super) fn act_now(&mut self, index: usize) {
        let scenario = self.options.scenario.as_ref();
        let act = scenario.map(|scenario| scenario.acts[index].1.clone());
        if let Some(act) = act {
            self.act(&act);
        }
    }

    /// A step has ended: the moment of what happens after each step, if this is the one.
    pub(super) fn step_has_ended(&mut self) {
        self.steps += 1;
        let due = self.options.at_step == Some(self.steps) && self.peace.is_none();
        let scenario = self.options.scenario.as_ref().filter(|_| due);
        if let Some(act) = scenario.and_then(|scenario| scenario.each_step.clone()) {
            self.acted_at_step = true;
            self.act(&act);
        }
    }

    fn act(&mut self, act: &Act) {
        let primary = self.recorded_primary().unwrap_or(0);
        let who = |server: &usize| if *server == PRIMARY { primary } else { *server };
        match act {
            Act::Kill(server) => self.crash(who(server)),
            Act::Start(server) => {
                let incarnation = self.servers[who(server)].incarnation;
                self.restart(who(server), incarnation);
            }
            Act::Hang(server) => self.hang(who(server)),
            Act::Continue(server) => self.wake(who(server)),
            Act::Stop(server) => self.shut_down(who(server)),
            Act::Cut(cuts) => {
                for (from, to) in cuts {
                    self.network.cut(*from, *to);
                }
                self.say(|| format!("network  is cut: {cuts:?}"));
            }
            Act::Heal => {
                let cuts = self.network.cuts();
                self.heal_paths(&cuts);
            }
            Act::KillManager => self.act_on_manager(Self::end_manager, Happening::StartManager),
            Act::StartManager => self.start_manager(),
            Act::PauseManager => {
                let over = Happening::Mend(Box::new(Fault::Manager));
                self.checks.faults_that_last += 1;
                self.act_on_manager(|world| drop(world.pause_manager()), over);
            }
            Act::WakeManager => self.wake_manager(),
            Act::Door(server, door) => self.servers[who(server)].door = *door,
            Act::Disk(server, disk) => self.change_disk(who(server), *disk),
            Act::Applier(server, hindrance) => self.hinder(who(server), *hindrance),
            Act::StopReceiver(server) => self.stop_receiver(who(server)),
            Act::Ask(request) => self.request(request.clone()),
            Act::Network(slow_ms) => self.network.slow_ms = *slow_ms,
            Act::Clock(server, seconds) => self.servers[who(server)].clock_s = *seconds,
            Act::Unprotect(server) => {
                self.switch_waiting_off(who(server));
            }
            Act::Writable(server) => {
                let server = who(server);
                self.servers[server].tampered = true;
                self.servers[server].memory.writable = true;
                self.tell(server, || "is made writable by hand".to_owned());
            }
            Act::Empty(server) => {
                self.crash(who(server));
                self.empty(who(server));
            }
            Act::Copy(server) => {
                self.crash(who(server));
                self.copy_of_next(who(server));
            }
            Act::Errant(server) => self.write_errantly(who(server)),
            Act::Purge(server) => {
                self.servers[who(server)].purged = self.servers[who(server)].log.len();
                self.tell(who(server), || "has purged its binary logs".to_owned());
            }
            Act::Forget(server) => {
                if let Some(link) = &mut self.servers[who(server)].link {
                    link.relay.clear();
                }
                self.tell(who(server), || "has lost its relay log".to_owned());
            }
        }
    }

    /// What strikes after a step ends by itself; at a time, another line says when.
    fn act_on_manager(&mut self, strike: impl FnOnce(&mut Self), over: Happening) {
        strike(self);
        if self.options.at_step.is_some() {
            self.after(PAUSE, over);
        }
    }

    fn change_disk(&mut self, server: usize, disk: Disk) {
        match disk {
            Disk::Hangs => {
                self.hang_disk(server);
            }
            Disk::Slow => self.servers[server].slow_ms = SLOW_MS,
            Disk::Well => {
                self.servers[server].slow_ms = 0;
                self.free_disk(server);
            }
        }
    }

    fn hinder(&mut self, server: usize, hindrance: Hindrance) {
        if let Hindrance::Free = hindrance {
            return self.free_applier(server);
        }
        if let Some(link) = &mut self.servers[server].link {
            match hindrance {
                Hindrance::Blocked => link.blocked = true,
                Hindrance::Slow => link.slow_ms = SLOW_MS,
                Hindrance::Stopped => {
                    link.applier = Applier::Stopped;
                    link.applying = false;
                }
                Hindrance::Free => {}
            }
        }
        self.tell(server, || format!("applier: {hindrance:?}"));
    }

    /// Somebody with all privileges writes to a server that is not the primary.
    fn write_errantly(&mut self, server: usize) {
        let write = self.ledger.open();
        let one = &mut self.servers[server];
        if one.life != Life::Up {
            return;
        }
        let transaction = Transaction {
            origin: one.id,
            number: one.next_number(),
            write,
        };
        let done = one.append(transaction);
        self.tell(server, || {
            format!("is written to behind the manager: write {write}")
        });
        self.after_append(server, done);
    }

    /// Checks what the scenario expects.
    pub(super) fn drop_the_curtain(&mut self) {
        let Some(scenario) = &self.options.scenario else {
            return;
        };
        let unmet = scenario.expected.iter().find_map(|one| self.unmet(one));
        if let Some(why) = unmet {
            self.fail(NAME, why);
        }
    }

    /// Why an expectation is not met, if it is not.
    fn unmet(&self, expected: &Expectation) -> Option<String> {
        let machine = self.manager.as_ref().map(|shell| &shell.machine);
        let writers: Vec<&str> = self
            .servers
            .iter()
            .filter(|one| one.life == Life::Up && one.memory.writable)
            .map(|one| one.name().as_str())
            .collect();
        let primary = self.recorded_primary();
        let primary = primary.map_or("nobody", |index| self.servers[index].name().as_str());
        match expected {
            Expectation::Writer(names) => {
                let right = names.iter().any(|name| name == primary) && writers.contains(&primary);
                (!right).then(|| format!("{names:?} should write; it is {primary} of {writers:?}"))
            }
            Expectation::NoWriter => {
                let serves = writers.contains(&primary) && self.is_reached(primary);
                serves.then(|| format!("nobody should write, and {primary} does"))
            }
            Expectation::Epoch(epoch) => {
                let found = self.store.record.epoch.0;
                (found != *epoch).then(|| format!("epoch {epoch} should be recorded, not {found}"))
            }
            Expectation::Phase(phase) => {
                let found = machine.map_or("dead", |machine| machine.phase().name());
                (found != phase).then(|| format!("the manager should be {phase}, it is {found}"))
            }
            Expectation::Finding(text) => {
                let findings = machine.map(mainstay_failover::Manager::findings);
                let texts: Vec<String> = findings
                    .unwrap_or_default()
                    .iter()
                    .map(ToString::to_string)
                    .collect();
                let found = texts.iter().any(|one| one.contains(text));
                (!found).then(|| format!("{text:?} should be found, found is {texts:?}"))
            }
            Expectation::Said(text) => {
                (!self.trace.says(text)).then(|| format!("the story should say {text:?}"))
            }
            Expectation::Unsaid(text) => self
                .trace
                .says(text)
                .then(|| format!("the story should not say {text:?}")),
            Expectation::PauseBelow(limit) => {
                let found = self.ledger.longest_pause(self.now).as_millis();
                (found >= u128::from(*limit))
                    .then(|| format!("{found} ms went by without an acknowledged write"))
            }
        }
    }

    fn is_reached(&self, name: &str) -> bool {
        let index = self
            .servers
            .iter()
            .position(|one| one.name().as_str() == name);
        index.is_some_and(|index| {
            (0..self.clients.proxies.len()).any(|proxy| {
                let (proxy, server) = (
                    crate::message::End::Proxy(proxy),
                    crate::message::End::Server(index),
                );
                self.network.is_open(proxy, server)
            })
        })
    }
}
