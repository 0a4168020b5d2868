//! How one observation changes the picture.

use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_gtid::GtidSet;

use crate::coordinate::{Coordinate, enriched, shrank};
use crate::errant::Errant;
use crate::facts::{Applier, Facts, Family, Receiver};
use crate::observation::{Observation, Outcome, WriteProbe};
use crate::server::ServerName;
use crate::topology::{Reachability, Server, Topology};

#[cfg(test)]
mod tests;

impl From<&Outcome> for Reachability {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Answered(_) => Self::Reachable,
            Outcome::Refused | Outcome::Lost => Self::Gone,
            Outcome::Silent | Outcome::NoConnection => Self::Silent,
            Outcome::TooManyConnections | Outcome::AccessDenied { .. } | Outcome::Failed { .. } => {
                Self::Closed
            }
        }
    }
}

impl Topology {
    /// Takes one observation into the picture; one that was begun before the newest of its server
    /// is ignored. Answers whether it was taken.
    pub fn observe(&mut self, seen: &Observation) -> bool {
        let newest = match self.servers.get(&seen.server) {
            Some(server) => server.looked_at(),
            None => return false,
        };
        if newest.is_some_and(|newest| seen.begun < newest) {
            return false;
        }
        let mut seen = seen.clone();
        if let Outcome::Answered(facts) = &mut seen.outcome {
            self.leave_out_foreign(&seen.server, &mut facts.executed);
            if let Some(link) = &mut facts.link {
                self.leave_out_foreign(&seen.server, &mut link.received);
            }
            self.count_own_log(&seen.server, facts);
            self.name_all_held(facts);
        }
        if let Some(server) = self.servers.get_mut(&seen.server) {
            server.take(&seen);
        }
        self.at = self.at.max(seen.ended);
        self.compare_with_primary(&seen.server);
        self.remember(&seen.server);
        self.measure(&seen);
        true
    }

    /// Takes a write probe into the picture.
    pub fn write_probed(&mut self, probe: &WriteProbe) {
        if let Some(server) = self.servers.get_mut(&probe.server) {
            let newest = server.write.as_ref().map_or(Timestamp::ZERO, |(at, _)| *at);
            if probe.at >= newest {
                server.write = Some((probe.at, probe.outcome.clone()));
                self.at = self.at.max(probe.at);
            }
        }
    }

    /// Looks for errant transactions whenever the primary answers: only what was seen before can
    /// be compared, since a replica receives while the primary is being asked.
    fn compare_with_primary(&mut self, seen: &ServerName) {
        if self.record.primary.as_ref() != Some(seen) {
            return;
        }
        let Some((begun, facts)) = self
            .servers
            .get(seen)
            .filter(|primary| primary.reachability == Reachability::Reachable)
            .and_then(|primary| primary.facts.clone())
        else {
            return;
        };
        for server in self.servers.values_mut() {
            let earlier = server.snapshot_at(begun);
            if let Some(look) = earlier.filter(|_| server.member.name != *seen) {
                let errant = Errant::between(&look.executed, &facts);
                server.errant = Some((look.begun, errant));
            }
        }
    }
}

impl Topology {
    /// Lets a set of one server name what the others know of the history that it shares with them.
    /// A MariaDB server that was given its data by hand names only the newest transaction of them,
    /// and could not be compared with what a reign began with. The others are asked for what they
    /// said last, whenever that was, and so is the record.
    pub fn tell(&self, set: &mut GtidSet) {
        let looks = self.servers.values().filter_map(Server::facts);
        let told = looks.map(|facts| &facts.executed);
        for told in told.chain(&self.record.baseline) {
            set.learn_from(told);
        }
        if let Some(equal) = &self.record.began_at {
            *set = enriched(set, equal);
        }
    }

    /// Counts the own log of a server that also has a source, where it holds more than copies of
    /// what came from there: all of it on the primary, and on a former primary that was not
    /// attached since; up to where the record knows it on others.
    fn count_own_log(&self, server: &ServerName, facts: &mut Facts) {
        let (Some(own), Some(uuid)) = (facts.own_log(), facts.server_uuid.as_deref()) else {
            return;
        };
        if facts.link.is_none() {
            return;
        }
        let is_primary = self.record.primary.as_ref() == Some(server);
        let recorded = self.record.began_at.as_ref();
        let recorded = recorded.and_then(|equal| Coordinate::of(equal, uuid));
        let counted = match recorded.and_then(|at| at.in_log_of(uuid)) {
            _ if is_primary => own,
            Some(_) if !self.record.joined.contains(server) => own,
            Some(known) if own.contains(&known) => known,
            Some(_) | None => return,
        };
        let with = |set: &GtidSet| set.union(&counted).unwrap_or_else(|_| set.clone());
        facts.executed = with(&facts.executed);
        if let Some(link) = &mut facts.link {
            link.received = with(&link.received);
        }
    }

    /// Leaves out of a server's set what its other sources wrote.
    pub fn leave_out_foreign(&self, server: &ServerName, set: &mut GtidSet) {
        if let Some(server) = self.server(server) {
            server.member.part.foreign.strip(set);
        }
    }

    /// How far a replica is behind, or what the primary has.
    fn measure(&mut self, seen: &Observation) {
        let Some(server) = self.servers.get_mut(&seen.server) else {
            return;
        };
        let Outcome::Answered(facts) = &seen.outcome else {
            return;
        };
        if self.record.primary.as_ref() == Some(&seen.server) {
            server.behind = Duration::ZERO;
            let reign = (self.record.epoch, &seen.server);
            self.marks.note(reign, seen.ended, &facts.executed);
        } else {
            server.behind = self.marks.behind(seen.begun, &facts.executed);
        }
    }

    fn name_all_held(&self, facts: &mut Facts) {
        facts.executed = facts.executed.clone().executed_by(facts.server_id);
        self.tell(&mut facts.executed);
        if let Some(link) = &mut facts.link {
            // What it has received and not applied yet need not lie on its own line.
            link.received.learn_from(&facts.executed);
            self.tell(&mut link.received);
        }
    }

    /// A server that may have forgotten something is trusted again once it holds everything that
    /// the primary had executed when it was looked at after the server's return.
    fn remember(&mut self, seen: &ServerName) {
        let primary = self.primary().and_then(|primary| primary.facts.clone());
        let (Some((begun, primary)), Some(server)) = (primary, self.servers.get_mut(seen)) else {
            return;
        };
        let holds = server
            .answered()
            .is_some_and(|facts| facts.held().contains(&primary.executed));
        if holds && server.forgot.is_some_and(|since| begun >= since) {
            server.forgot = None;
        }
    }
}

impl Server {
    fn take(&mut self, seen: &Observation) {
        let reachability = Reachability::from(&seen.outcome);
        if self.reachability != reachability {
            self.reachability = reachability;
            self.since = seen.ended;
        }
        self.last = Some((seen.begun, seen.outcome.clone()));
        if self.forgets(&seen.outcome) {
            self.forgot = Some(seen.ended);
        }
        if let Outcome::Answered(facts) = &seen.outcome {
            if hears(self.facts(), facts) {
                self.heard_at = Some(seen.ended);
            }
            self.before = self.snapshot();
            self.facts = Some((seen.begun, (**facts).clone()));
            self.facts_ended = seen.ended;
        }
    }
}

impl Server {
    /// MariaDB's received and not yet applied transactions do not survive the end of its process,
    /// and nobody's survive when what it holds has shrunk. A MariaDB replica whose applier does not
    /// run when it is seen for the first time may have been started again before that.
    fn forgets(&self, outcome: &Outcome) -> bool {
        let before = self.facts();
        // Where a server keeps its place without GTIDs, relay logs may be dropped at its start too.
        let drops_relay_logs =
            |facts: &Facts| facts.version.family == Family::Mariadb || facts.positions.is_some();
        match (outcome, before) {
            (Outcome::Answered(facts), None) => {
                let applier = facts.link.as_ref().map(|link| link.applier);
                drops_relay_logs(facts) && applier != Some(Applier::Running)
            }
            (Outcome::Answered(facts), Some(before)) if facts.positions.is_some() => {
                shrank(before.held(), facts.held())
            }
            (Outcome::Answered(facts), Some(before)) => !facts.held().contains(before.held()),
            (Outcome::Refused, Some(before)) => drops_relay_logs(before),
            (
                Outcome::Refused
                | Outcome::Lost
                | Outcome::Silent
                | Outcome::NoConnection
                | Outcome::TooManyConnections
                | Outcome::AccessDenied { .. }
                | Outcome::Failed { .. },
                _,
            ) => false,
        }
    }
}

/// Whether a replica heard its source between two looks. A first look, a new source and a receiver
/// that has just connected count: silence must be seen, not assumed.
fn hears(before: Option<&Facts>, now: &Facts) -> bool {
    let Some(link) = &now.link else {
        return false;
    };
    if link.receiver != Receiver::Running {
        return false;
    }
    before
        .and_then(|facts| facts.link.as_ref())
        .is_none_or(|old| {
            old.source != link.source
                || old.receiver != Receiver::Running
                || old.heard != link.heard
        })
}
