//! The machine: probes in, routes out. It decides anew after every probe, and forgets nothing that
//! a later decision needs: who was the writer last, and who was passed over.
//!
//! Invariants:
//! - at most one server is the writer, and a server is it only while it says that it is writable;
//! - the epoch grows whenever another server becomes the writer, and never shrinks;
//! - a server that the operator has taken out is neither writer nor reader.

use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_topology::{Epoch, Intent, Reachability, Routes, ServerName};

use crate::judge::{Verdict, judge};
use crate::policy::{Policy, Terms};
use crate::probed::Probed;
use crate::server::Server;
use crate::state::{Admission, Part, ServerState};

/// The decision of a proxy that is alone.
#[derive(Debug, Clone)]
pub struct Alone {
    policy: Policy,
    servers: Vec<Server>,
    /// The writer of the present reign, even when it is not written to now.
    last: Option<ServerName>,
    verdict: Verdict,
    routes: Routes,
}

impl Alone {
    /// Nothing is known of these servers yet. `epoch` is that of the routes that were in force
    /// before, zero when there were none.
    pub fn new(policy: Policy, servers: Vec<Terms>, epoch: Epoch) -> Self {
        Self {
            policy,
            servers: servers.into_iter().map(Server::new).collect(),
            last: None,
            verdict: Verdict::default(),
            routes: Routes {
                epoch,
                ..Routes::default()
            },
        }
    }

    /// The routes in force.
    pub fn routes(&self) -> &Routes {
        &self.routes
    }

    /// Other settings: what is known of servers that stay is kept.
    pub fn change(&mut self, now: Timestamp, policy: Policy, servers: Vec<Terms>) -> bool {
        self.policy = policy;
        let mut before = std::mem::take(&mut self.servers);
        for terms in servers {
            let same = before.iter().position(|known| {
                let (known, new) = (&known.terms.member, &terms.member);
                known.name == new.name && known.address == new.address
            });
            self.servers.push(match same {
                Some(place) => before.swap_remove(place).under(terms),
                None => Server::new(terms),
            });
        }
        self.decide(now)
    }

    /// Takes up what a probe saw; true when the routes are others now.
    pub fn observe(&mut self, now: Timestamp, server: &ServerName, probed: Probed) -> bool {
        let Some(found) = self.servers.iter_mut().find(|one| one.name() == server) else {
            return false;
        };
        found.take(now, probed);
        found.forget_unless_reached(self.policy);
        self.decide(now)
    }

    fn decide(&mut self, now: Timestamp) -> bool {
        self.verdict = judge(&self.servers, self.last.as_ref(), self.policy);
        let writer = self.verdict.writer.clone();
        let mut epoch = self.routes.epoch;
        // With its reign its connections end, also those in the middle of something.
        if self.is_out(self.last.as_ref()) {
            self.last = None;
            epoch = epoch.next();
        }
        if writer.is_some() && writer != self.last {
            epoch = epoch.next();
            self.last.clone_from(&writer);
        }
        if writer.is_some() {
            for server in &mut self.servers {
                let other = writer.as_ref() != Some(server.name());
                server.passed_over |= other && server.is_writable(self.policy);
                server.passed_over &= other;
            }
        }
        let states = self.states(now);
        let chosen = |wanted: fn(&ServerState) -> bool| {
            let pairs = self.servers.iter().zip(&states);
            pairs.filter(move |(_, state)| wanted(state))
        };
        let mut next = Routes {
            epoch,
            version: self.routes.version,
            writer: chosen(|one| one.part == Part::Writer)
                .map(|(server, _)| server.target())
                .next(),
            readers: chosen(|one| one.part == Part::Reader && one.admission == Admission::Open)
                .map(|(server, _)| server.target())
                .collect(),
            draining: chosen(|one| one.admission == Admission::Draining)
                .map(|(server, _)| server.target())
                .collect(),
            hold_writes: false,
        };
        let changed = next != self.routes;
        if changed {
            next.version += 1;
            self.routes = next;
        }
        changed
    }

    /// All servers as they are now.
    pub fn states(&self, now: Timestamp) -> Vec<ServerState> {
        self.servers
            .iter()
            .map(|one| self.state(now, one))
            .collect()
    }

    fn state(&self, now: Timestamp, server: &Server) -> ServerState {
        let read_only = server.read_only(self.policy);
        let is_writer = self.verdict.writer.as_ref() == Some(server.name());
        let follows_writer = self.last().is_some_and(|writer| server.follows(writer));
        let part = match read_only {
            _ if is_writer => Part::Writer,
            Some(true) => Part::Reader,
            Some(false) if follows_writer => Part::Reader,
            Some(false) | None => Part::Unknown,
        };
        let lag = server.lag(now, self.verdict.writer.is_some());
        let reason = self.reason(server, part, lag);
        let admission = match (server.terms.intent, reason) {
            (Intent::Draining, _) => Admission::Draining,
            (Intent::Out, _) => Admission::Ejected("the operator has taken it out".to_owned()),
            (Intent::InService, None) => Admission::Open,
            (Intent::InService, Some(reason)) => Admission::Ejected(reason),
        };
        let noted = self
            .verdict
            .notes
            .iter()
            .find(|(name, _)| name == server.name());
        let comment = match (&admission, noted) {
            (_, Some((_, note))) => note.clone(),
            (Admission::Ejected(reason), None) => reason.clone(),
            (Admission::Open | Admission::Draining, None) => {
                server.trouble.clone().unwrap_or_default()
            }
        };
        ServerState {
            name: server.name().clone(),
            address: server.terms.member.address.clone(),
            part,
            reachability: server.reachability,
            admission,
            intent: server.terms.intent,
            read_only,
            latency: server.latency,
            lag,
            comment,
        }
    }

    /// Why a server that is in service is not used; `None` when it is.
    fn reason(&self, server: &Server, part: Part, lag: Option<Duration>) -> Option<String> {
        let trouble = || match &server.trouble {
            Some(trouble) => format!(": {trouble}"),
            None => String::new(),
        };
        if server.reachability == Reachability::Unknown {
            return Some("it was not looked at yet".to_owned());
        }
        if !server.is_reached(self.policy) {
            return Some(format!("it is not reached{}", trouble()));
        }
        match part {
            Part::Writer => None,
            Part::Unknown if server.read_only(self.policy).is_none() => {
                Some(format!("whether it is read-only is not known{}", trouble()))
            }
            Part::Unknown => Some("read_only=0, and it is not the writer".to_owned()),
            Part::Reader => {
                if let (Some(max), Some(latency)) = (server.terms.latency_max, server.latency)
                    && latency > max
                {
                    return Some(format!("a ping took {latency:.1?}, more than {max:?}"));
                }
                let max = server.terms.lag_max?;
                match lag {
                    Some(lag) if lag <= max => None,
                    Some(lag) => Some(format!("it is {lag:.0?} behind, more than {max:?}")),
                    None if server.follows_nobody() => {
                        Some("it is read-only and replicates from nobody".to_owned())
                    }
                    None => Some(format!("how far it is behind is not known{}", trouble())),
                }
            }
        }
    }

    fn is_out(&self, name: Option<&ServerName>) -> bool {
        let mut servers = self.servers.iter();
        let found = servers.find(|one| Some(one.name()) == name);
        found.is_some_and(|one| one.terms.intent == Intent::Out)
    }

    /// The writer, also while it is not written to.
    fn last(&self) -> Option<&Server> {
        let name = self.last.as_ref()?;
        self.servers.iter().find(|one| one.name() == name)
    }
}
