//! The machine: answers of probes in, tables and changes out.
//!
//! Invariants:
//! - each real server has at most one probe under way;
//! - no table before every probed real server has been looked at once, so that a restart does not
//!   send everybody to the first that answers;
//! - the same answers give the same tables.

use std::net::SocketAddr;

use mainstay_clock::Timestamp;
use mainstay_health::{Streak, Verdict};

use crate::{Destination, Entry, RealServer, Table, VirtualServer};

/// A real server, by its place and the place of its virtual server in the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RealId {
    /// Of the virtual server.
    pub virtual_server: usize,
    /// Of the real one in it.
    pub real_server: usize,
}

/// What a probe found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// Whether it passed.
    pub passed: bool,
    /// The weight that a script set.
    pub weight: Option<u32>,
}

/// What happens to the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Time has passed.
    Tick,
    /// A probe has ended.
    Answered {
        /// Whose.
        id: RealId,
        /// How.
        answer: Answer,
    },
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Look at a real server, and bring the answer back.
    Probe(RealId),
    /// Tell people, and run what they asked for.
    Tell(Change),
    /// Put this in force instead of what was.
    Apply(Table),
}

/// What has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A real server serves again, or for the first time.
    Up(RealId),
    /// A real server is out.
    Down(RealId),
    /// A virtual server has enough real servers.
    QuorumUp(usize),
    /// It has not.
    QuorumDown(usize),
}

#[derive(Debug)]
struct Real {
    spec: RealServer,
    /// `None` where nothing is probed.
    streak: Option<Streak>,
    weight: u32,
    under_way: bool,
}

impl Real {
    fn verdict(&self) -> Verdict {
        self.streak.as_ref().map_or(Verdict::Up, Streak::verdict)
    }
}

#[derive(Debug)]
struct Service {
    spec: VirtualServer,
    reals: Vec<Real>,
    quorum: Option<bool>,
}

/// The machine.
#[derive(Debug)]
pub struct Balancer {
    services: Vec<Service>,
    applied: Option<Table>,
}

impl Balancer {
    /// Nothing is known; the first probes are due `now`.
    pub fn new(servers: Vec<VirtualServer>, now: Timestamp) -> Self {
        let real = |spec: &RealServer| Real {
            streak: spec.probe.is_some().then(|| Streak::new(spec.timing, now)),
            weight: spec.weight,
            under_way: false,
            spec: spec.clone(),
        };
        let service = |spec: VirtualServer| Service {
            reals: spec.real_servers.iter().map(real).collect(),
            quorum: None,
            spec,
        };
        Self {
            services: servers.into_iter().map(service).collect(),
            applied: None,
        }
    }

    /// A virtual server's settings.
    ///
    /// # Panics
    /// If the machine has no such virtual server: it gave the number out itself.
    pub fn virtual_server(&self, at: usize) -> &VirtualServer {
        &self.services[at].spec
    }

    /// A real server's settings.
    ///
    /// # Panics
    /// If the machine has no such real server: it gave the number out itself.
    pub fn real_server(&self, id: RealId) -> &RealServer {
        &self.services[id.virtual_server].reals[id.real_server].spec
    }

    /// What is known of a real server, and its weight.
    pub fn state(&self, id: RealId) -> Option<(Verdict, u32)> {
        let service = self.services.get(id.virtual_server)?;
        let real = service.reals.get(id.real_server)?;
        Some((real.verdict(), real.weight))
    }

    /// Whether a virtual server has enough real servers; `None` before all were looked at.
    pub fn quorum(&self, virtual_server: usize) -> Option<bool> {
        self.services.get(virtual_server)?.quorum
    }

    /// What was last put in force.
    pub fn applied(&self) -> Option<&Table> {
        self.applied.as_ref()
    }

    /// When the next probe is due that is not under way.
    pub fn deadline(&self) -> Option<Timestamp> {
        let reals = self.services.iter().flat_map(|service| &service.reals);
        let idle = reals.filter(|real| !real.under_way);
        idle.filter_map(|real| Some(real.streak.as_ref()?.due()))
            .min()
    }

    /// Takes what happens, and says what is to be done.
    pub fn handle(&mut self, now: Timestamp, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        if let Event::Answered { id, answer } = event {
            actions.extend(self.answered(now, id, answer).map(Action::Tell));
        }
        for (virtual_server, service) in self.services.iter_mut().enumerate() {
            for (real_server, real) in service.reals.iter_mut().enumerate() {
                let due = real
                    .streak
                    .as_ref()
                    .is_some_and(|streak| streak.due() <= now);
                if due && !real.under_way {
                    real.under_way = true;
                    actions.push(Action::Probe(RealId {
                        virtual_server,
                        real_server,
                    }));
                }
            }
        }
        if self.is_settled() {
            actions.extend(self.quorums().into_iter().map(Action::Tell));
            let table = self.table();
            if self.applied.as_ref() != Some(&table) {
                self.applied = Some(table.clone());
                actions.push(Action::Apply(table));
            }
        }
        actions
    }

    fn answered(&mut self, now: Timestamp, id: RealId, answer: Answer) -> Option<Change> {
        let service = self.services.get_mut(id.virtual_server)?;
        let real = service.reals.get_mut(id.real_server)?;
        real.under_way = false;
        if answer.passed {
            real.weight = answer.weight.unwrap_or(real.spec.weight);
        }
        match real.streak.as_mut()?.answer(now, answer.passed)? {
            Verdict::Up => Some(Change::Up(id)),
            Verdict::Down => Some(Change::Down(id)),
            Verdict::Unknown => None,
        }
    }

    /// Whether everything has been looked at.
    fn is_settled(&self) -> bool {
        let mut reals = self.services.iter().flat_map(|service| &service.reals);
        reals.all(|real| real.verdict() != Verdict::Unknown)
    }

    fn quorums(&mut self) -> Vec<Change> {
        let services = self.services.iter_mut().enumerate();
        services
            .filter_map(|(at, service)| {
                let has = service.has_quorum();
                let changed = service.quorum.replace(has) != Some(has);
                let change = if has {
                    Change::QuorumUp
                } else {
                    Change::QuorumDown
                };
                changed.then(|| change(at))
            })
            .collect()
    }

    fn table(&self) -> Table {
        Table {
            entries: self.services.iter().map(Service::entry).collect(),
        }
    }
}

impl Service {
    fn has_quorum(&self) -> bool {
        let up = self
            .reals
            .iter()
            .filter(|real| real.verdict() == Verdict::Up);
        let weight = up.fold(0_u32, |sum, real| sum.saturating_add(real.weight));
        let quorum = &self.spec.quorum;
        match self.quorum {
            Some(true) => weight >= quorum.weight.saturating_sub(quorum.hysteresis).max(1),
            Some(false) => weight >= quorum.weight.saturating_add(quorum.hysteresis),
            None => weight >= quorum.weight,
        }
    }

    fn entry(&self) -> Entry {
        let spec = &self.spec;
        let sorry = spec.sorry_server.filter(|_| self.quorum == Some(false));
        let destinations = match sorry {
            Some(address) => vec![Destination { address, weight: 1 }],
            None => self.reals.iter().filter_map(Real::destination).collect(),
        };
        let dead = self.reals.iter().filter_map(Real::dead);
        Entry {
            name: spec.name.clone(),
            address: spec.address,
            protocol: spec.protocol,
            scheduler: spec.scheduler,
            forwarding: spec.forwarding.clone(),
            persistence: spec.persistence,
            destinations,
            dead: dead.collect(),
        }
    }
}

impl Real {
    fn destination(&self) -> Option<Destination> {
        let address = self.spec.address;
        match self.verdict() {
            Verdict::Up => Some(Destination {
                address,
                weight: self.weight,
            }),
            Verdict::Down if self.spec.inhibit_on_failure => {
                Some(Destination { address, weight: 0 })
            }
            Verdict::Down | Verdict::Unknown => None,
        }
    }

    fn dead(&self) -> Option<SocketAddr> {
        let is_dead = self.verdict() == Verdict::Down && !self.spec.inhibit_on_failure;
        is_dead.then_some(self.spec.address)
    }
}

#[cfg(test)]
mod tests;
