//! The thread: waits for sockets, commands and deadlines, asks the machines, does what they say.

mod acting;
mod handing;
mod looking;
mod reload;

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use mainstay_clock::Timestamp;
use mainstay_vrrp::{Event, Group, Packet, State};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::config::{Config, Vip};
use crate::error::VipError;
use crate::guard::Guard;
use crate::handle::{Command, Shared};
use crate::held::{Held, left};
use crate::kernel::{Changes, Kernel};
use crate::links::Links;
use crate::notify::Notifier;
use crate::port::{Arrival, Port};
use crate::status::VipStatus;
use crate::sys;
use crate::vmac::Vmac;

/// An interface that cannot be used now is tried again after so long.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// One floating address and what it needs.
#[derive(Debug)]
struct Kept {
    config: Vip,
    /// The key of its group.
    group: String,
    /// The addresses are on the interface.
    holds: bool,
    vmac: Option<Vmac>,
}

/// The thread's state.
#[derive(Debug)]
pub(crate) struct Keeper {
    config: Config,
    shared: Arc<Shared>,
    origin: Instant,
    kernel: Kernel,
    changes: Changes,
    links: Links,
    ports: BTreeMap<String, Port>,
    groups: BTreeMap<String, Group>,
    kept: BTreeMap<String, Kept>,
    held: Held,
    notifier: Notifier,
    /// When addresses are renewed and interfaces are tried again.
    look_at: Timestamp,
}

/// How a turn ends.
enum After {
    Turn,
    Stop,
    Leave,
}

impl Keeper {
    pub(crate) fn new(config: Config, shared: Arc<Shared>) -> Result<Self, VipError> {
        let refused = |what| move |reason| VipError::Refused { what, reason };
        let mut kernel = Kernel::open().map_err(refused("a netlink socket"))?;
        let changes = Changes::open().map_err(refused("a netlink socket"))?;
        let links = kernel.links().map_err(refused("the list of interfaces"))?;
        if let Some(link) = links.named("lo") {
            Port::open(link).map_err(refused("a raw socket"))?;
        }
        let before = left(&config.state).map_err(|reason| VipError::State {
            path: config.state.clone(),
            reason,
        })?;
        let goes_on = handing::clean(&mut kernel, &before, config.goes_on);
        let guard = config.guard.clone().map(Guard::new);
        let mut keeper = Self {
            held: Held::new(config.state.clone(), guard),
            notifier: Notifier::start().map_err(VipError::Thread)?,
            config: Config {
                vips: Vec::new(),
                ..config.clone()
            },
            shared,
            origin: Instant::now(),
            kernel,
            changes,
            links,
            ports: BTreeMap::new(),
            groups: BTreeMap::new(),
            kept: BTreeMap::new(),
            look_at: Timestamp::ZERO,
        };
        keeper.held.tell();
        let now = keeper.now();
        keeper.reload(now, config);
        if goes_on {
            keeper.go_on(now, &before);
        }
        keeper.publish();
        Ok(keeper)
    }

    pub(crate) fn run(mut self, commands: &Receiver<Command>) {
        if let Some(priority) = self.config.realtime_priority
            && let Err(error) = sys::realtime(priority)
        {
            tracing::warn!(%error, "no real-time priority for floating addresses (CAP_SYS_NICE)");
        }
        loop {
            self.wait();
            match self.turn(commands) {
                After::Turn => {}
                After::Stop => return self.stop(),
                After::Leave => return self.leave(),
            }
        }
    }

    fn now(&self) -> Timestamp {
        let nanos = self.origin.elapsed().as_nanos();
        Timestamp::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Until something comes, or a deadline.
    fn wait(&self) {
        let deadlines = self.groups.values().filter_map(Group::deadline);
        let deadline = deadlines
            .chain([self.look_at])
            .min()
            .unwrap_or(self.look_at);
        let timeout = deadline.since(self.now());
        let timeout = Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(timeout.subsec_nanos()),
        };
        let sockets = self.ports.values().flat_map(Port::sockets);
        let fds = [self.shared.wake.as_fd(), self.changes.as_fd()];
        let mut fds: Vec<_> = fds
            .into_iter()
            .chain(sockets)
            .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
            .collect();
        // Interrupted or not: the turn looks at everything.
        let _ = poll(&mut fds, Some(&timeout));
    }

    fn turn(&mut self, commands: &Receiver<Command>) -> After {
        let mut bytes = [0; 8];
        let _ = rustix::io::read(self.shared.wake.as_fd(), &mut bytes);
        if self.changes.drain() {
            self.look(self.now());
        }
        self.hear();
        let after = self.obey(commands);
        let now = self.now();
        let due: Vec<_> = self
            .groups
            .iter()
            .filter(|(_, group)| group.deadline().is_some_and(|at| now >= at))
            .map(|(key, _)| key.clone())
            .collect();
        for key in due {
            let actions = self.groups.get_mut(&key).map(|group| group.timer(now));
            self.act_all(actions.unwrap_or_default());
        }
        if now >= self.look_at {
            self.renew(now);
            self.look(now);
        }
        self.publish();
        after
    }

    /// Everything that has come to the ports.
    fn hear(&mut self) {
        let arrivals: Vec<_> = self
            .ports
            .values()
            .flat_map(|port| {
                port.receive()
                    .into_iter()
                    .map(|arrival| (port.name.clone(), arrival))
            })
            .collect();
        for (interface, arrival) in arrivals {
            let now = self.now();
            match arrival {
                Arrival::Packet(packet) => self.packet(now, &interface, packet),
                Arrival::Claim(address, hardware) => {
                    self.claim_of_other(now, &interface, (address, hardware));
                }
            }
        }
    }

    /// Gives a packet to the router of its number.
    fn packet(&mut self, now: Timestamp, interface: &str, packet: Packet) {
        let Some(number) = packet.bytes.get(1).copied() else {
            return;
        };
        let six = packet.source.is_ipv6();
        let wanted = self.kept.iter().find(|(_, kept)| {
            let config = &kept.config;
            config.interface == interface
                && config.policy.id.get() == number
                && config.is_six() == six
        });
        if let Some(name) = wanted.map(|(name, _)| name.clone()) {
            self.event(now, &name, &Event::Packet(packet));
        }
    }

    fn obey(&mut self, commands: &Receiver<Command>) -> After {
        loop {
            let now = self.now();
            match commands.try_recv() {
                Ok(Command::Track(vip, name, verdict, done)) => {
                    self.event(now, &vip, &Event::Track { name, verdict });
                    self.publish();
                    let _ = done.send(());
                }
                Ok(Command::Claim(vip, done)) => {
                    self.event(now, &vip, &Event::Claim);
                    self.publish();
                    let _ = done.send(self.state(&vip));
                }
                Ok(Command::Reload(config)) => self.reload(now, *config),
                Ok(Command::Stop) | Err(TryRecvError::Disconnected) => return After::Stop,
                Ok(Command::Leave) => return After::Leave,
                Err(TryRecvError::Empty) => return After::Turn,
            }
        }
    }

    fn state(&self, name: &str) -> State {
        let group = self
            .kept
            .get(name)
            .and_then(|kept| self.groups.get(&kept.group));
        let mut routers = group.into_iter().flat_map(Group::routers);
        let found = routers.find(|(own, _)| *own == name);
        found.map(|(_, router)| router.state()).unwrap_or_default()
    }

    /// Tells a router what has happened, and does what it says.
    fn event(&mut self, now: Timestamp, name: &str, event: &Event) {
        let Some(kept) = self.kept.get(name) else {
            return;
        };
        let group = self.groups.get_mut(&kept.group);
        let actions = group.map(|group| group.handle(now, name, event));
        self.act_all(actions.unwrap_or_default());
    }

    fn stop(mut self) {
        let now = self.now();
        let names: Vec<_> = self.kept.keys().cloned().collect();
        // All of them first: another host may have them at once, and files can wait.
        for name in &names {
            self.event(now, name, &Event::Stop);
        }
        for name in names {
            self.remove(now, &name);
        }
        self.publish();
    }

    fn publish(&self) {
        let now = self.now();
        let status = self.groups.values().flat_map(Group::routers);
        let status = status.filter_map(|(name, router)| {
            let config = &self.kept.get(name)?.config;
            Some(VipStatus {
                name: name.to_owned(),
                interface: config.interface.clone(),
                id: router.id().get(),
                version: router.policy().version,
                priority: (router.policy().priority, router.priority()),
                addresses: config.addresses.clone(),
                state: router.state(),
                since: now.since(router.since()),
                reason: router.reason().to_owned(),
                active: router.heard().map(|heard| (heard.source, heard.priority)),
                group: config.group.clone(),
                tracks: router
                    .tracks()
                    .map(|(name, verdict)| (name.to_owned(), verdict))
                    .collect(),
                findings: router.findings().map(ToString::to_string).collect(),
                problems: router.problems().collect(),
                counters: router.counters(),
            })
        });
        let mut status: Vec<_> = status.collect();
        status.sort_by(|a, b| a.name.cmp(&b.name));
        self.shared.publish(status);
    }
}
