//! Changes that an operator asks for: stop and start replication, move a replica, gather replicas,
//! maintenance, decommission, restart.
//!
//! Invariants:
//! - the wish is stored first, so that nothing undoes the change behind the operator's back;
//! - a server that no longer acknowledges leaves the record in the same plan: it is stopped,
//!   another recorded replica holds all it held, and only then the record is written without it.
//!   The new baseline has all that it can have acknowledged;
//! - a change that would leave commits without the acknowledgements they need is refused.

use std::collections::BTreeMap;

use mainstay_topology::{Errant, Maintenance, Record, Server, ServerName, Target, Wish};

use super::establish::{attach, attach_as, receives};
use super::rejoin::baseline;
use super::{Draft, publish};
use crate::effect::Effect;
use crate::event::Change;
use crate::shape::unfitness;
use crate::step::{OnFailure, Plan, Purpose};
use crate::view::{View, target};

mod guard;

/// The wishes in force.
pub(crate) type Wishes = BTreeMap<ServerName, Wish>;

/// The plan of a change, or why it cannot be made now.
pub(crate) fn plan(
    view: View<'_>,
    wishes: &Wishes,
    (name, change): (&ServerName, &Change),
) -> Result<Plan, String> {
    let server = view.topology.server(name);
    let server = server.ok_or_else(|| format!("{name} is not a server of this cluster"))?;
    let mut making = Making {
        view,
        wishes,
        draft: Draft::new(view),
    };
    match change {
        Change::Stop => making.stop(server)?,
        Change::Start => making.start(server)?,
        Change::Move { under } => making.move_under(server, under)?,
        Change::Regroup => making.regroup(server)?,
        Change::Maintain(maintenance) => making.maintain(server, maintenance)?,
        Change::Serve => making.serve(server)?,
        Change::Decommission => making.decommission(server)?,
        Change::Restart => making.restart(server)?,
    }
    let purpose = Purpose::Change {
        server: name.clone(),
        change: change.name(),
        under: match change {
            Change::Move { under } => Some(under.clone()),
            Change::Stop
            | Change::Start
            | Change::Regroup
            | Change::Maintain(_)
            | Change::Serve
            | Change::Decommission
            | Change::Restart => None,
        },
    };
    Ok(making.draft.finish(purpose, view.record().epoch))
}

struct Making<'a> {
    view: View<'a>,
    wishes: &'a Wishes,
    draft: Draft<'a>,
}

impl<'a> Making<'a> {
    fn stop(&mut self, server: &Server) -> Result<(), String> {
        self.spare(server, "be stopped")?;
        if server.link().is_none() {
            return Err(format!("{} replicates from nobody", server.name()));
        }
        self.wish(server, |wish| wish.stopped = true);
        self.leave(server)?;
        let effect = Effect::StopReplication {
            server: server.name().clone(),
        };
        self.draft.next(effect, OnFailure::Replan);
        Ok(())
    }

    fn start(&mut self, server: &Server) -> Result<(), String> {
        self.not_primary(server, "be started as a replica")?;
        let source = self.present_source(server)?;
        if self.is_wished(server, |wish| wish.stopped) {
            self.wish(server, |wish| wish.stopped = false);
        }
        self.place(server, source)
    }

    fn move_under(&mut self, server: &Server, under: &ServerName) -> Result<(), String> {
        let name = server.name();
        self.not_primary(server, "replicate from another")?;
        let source = self.view.topology.server(under);
        let source = source.ok_or_else(|| format!("{under} is not a server of this cluster"))?;
        if source.name() == name {
            return Err(format!("{name} cannot replicate from itself"));
        }
        let primary = self.is_primary(source);
        if !primary {
            self.fit_as_source(source, server)?;
            self.spare(server, &format!("move under {under}"))?;
        }
        let source_name = source.name().clone();
        self.wish(server, |wish| {
            wish.source = (!primary).then_some(source_name);
            wish.stopped = false;
        });
        self.place(server, source)
    }

    /// Everybody that is clean and reachable goes under one source.
    fn regroup(&mut self, source: &'a Server) -> Result<(), String> {
        let primary = self.is_primary(source);
        let moves: Vec<&Server> = self
            .view
            .topology
            .others()
            .filter(|server| server.name() != source.name() && self.view.facts(server).is_some())
            .filter(|server| !server.wish.is_off())
            .filter(|server| self.view.errant(server).is_some_and(Errant::is_clean))
            .filter(|server| {
                let at = server.link().map(|link| &link.source);
                at.is_some() && at != Some(&source.member.address)
            })
            .collect();
        if moves.is_empty() {
            return Err(format!(
                "no clean replica replicates from another server than {}",
                source.name()
            ));
        }
        if !primary {
            let left = self.acknowledging(|one| moves.iter().all(|moved| moved.name() != one));
            self.enough(left, "that moves them away")?;
        }
        for server in moves {
            if !primary {
                self.fit_as_source(source, server)?;
            }
            let name = source.name().clone();
            self.wish(server, |wish| wish.source = (!primary).then_some(name));
            self.place(server, source)?;
        }
        Ok(())
    }

    fn maintain(&mut self, server: &Server, maintenance: &Maintenance) -> Result<(), String> {
        let primary = self.is_primary(server);
        if primary {
            return Err(format!(
                "{} is the primary: move it first, by `mainstay switchover`",
                server.name()
            ));
        }
        let maintenance = maintenance.clone();
        if self.view.facts(server).is_none() {
            // Nothing can be done to it; it is left alone from now on.
            self.wish(server, |wish| wish.maintenance = Some(maintenance));
            return Ok(());
        }
        let joined = self.is_joined(server);
        if joined {
            self.spare(server, "go into maintenance")?;
        }
        self.wish(server, |wish| wish.maintenance = Some(maintenance));
        self.drain(server);
        if joined {
            let follows = receives(server)
                .then(|| self.present_source(server))
                .transpose()?;
            self.leave(server)?;
            if let Some(source) = follows {
                let effect = attach_as(server, source, false);
                self.draft.next(effect, OnFailure::Replan);
            }
        }
        Ok(())
    }

    fn serve(&mut self, server: &Server) -> Result<(), String> {
        let off = |wish: &Wish| wish.maintenance.is_some() || wish.retired;
        if !self.is_wished(server, off) {
            return Err(format!("{} is not in maintenance", server.name()));
        }
        self.wish(server, |wish| {
            wish.maintenance = None;
            wish.retired = false;
        });
        Ok(())
    }

    fn decommission(&mut self, server: &Server) -> Result<(), String> {
        let name = server.name();
        self.spare(server, "be decommissioned")?;
        let follower = self.view.topology.others().find(|other| {
            other.name() != name
                && other
                    .link()
                    .is_some_and(|link| link.source == server.member.address)
        });
        if let Some(follower) = follower {
            return Err(format!(
                "{0} replicates from {name}: move it first, by `mainstay move {0} --under {1}`",
                follower.name(),
                self.view
                    .primary()
                    .map_or("PRIMARY", |one| one.name().as_str())
            ));
        }
        self.wish(server, |wish| wish.retired = true);
        if self.view.facts(server).is_none() {
            if self.is_joined(server) {
                return Err(format!(
                    "{name} does not answer, and may hold acknowledged transactions: bring it \
                     back first"
                ));
            }
            return Ok(());
        }
        self.drain(server);
        self.leave(server)?;
        let server = name.clone();
        self.draft
            .next(Effect::ForgetSource { server }, OnFailure::Replan);
        Ok(())
    }

    /// Of a server in maintenance: its process is ended, and it is waited for until it is back and
    /// has caught up.
    fn restart(&mut self, server: &Server) -> Result<(), String> {
        let name = server.name();
        self.not_primary(server, "be restarted")?;
        if !self.is_wished(server, |wish| wish.maintenance.is_some()) {
            return Err(format!(
                "{name} is in service: `mainstay maintenance on {name}` first"
            ));
        }
        if self.is_joined(server) {
            return Err(format!("{name} still acknowledges; try again in a second"));
        }
        let source = self.present_source(server)?;
        for effect in [
            Effect::StopReplication {
                server: name.clone(),
            },
            Effect::Restart {
                server: name.clone(),
            },
            attach_as(server, source, false),
            Effect::AwaitAttached {
                server: name.clone(),
                source: target(source),
            },
        ] {
            self.draft.next(effect, OnFailure::Replan);
        }
        Ok(())
    }

    /// Attaches a server to a source: under the primary it acknowledges, elsewhere it does not.
    fn place(&mut self, server: &Server, source: &'a Server) -> Result<(), String> {
        let name = server.name();
        if self.view.facts(server).is_none() {
            return Err(format!("{name} does not answer"));
        }
        match self.view.errant(server) {
            Some(errant) if errant.is_clean() => {}
            Some(errant) => {
                return Err(format!(
                    "{name} has transactions the primary lacks: {errant}"
                ));
            }
            None => {
                return Err(format!(
                    "{name} must be compared with the primary first; try again"
                ));
            }
        }
        let acknowledges = self.is_primary(source)
            && !self.is_wished(server, |wish| wish.maintenance.is_some())
            && server.member.part.acknowledges != Some(false)
            && (server.wish.is_off() || unfitness(self.view, server).is_none());
        if acknowledges {
            self.join(server, source);
        } else {
            self.leave(server)?;
            if !self.is_primary(source)
                && let Some(facts) = server.facts()
            {
                let effect = Effect::AwaitApplied {
                    server: source.name().clone(),
                    transactions: facts.held().clone(),
                };
                self.draft.next(effect, OnFailure::Replan);
            }
            let effect = attach_as(server, source, false);
            self.draft.next(effect, OnFailure::Replan);
        }
        let effect = Effect::AwaitAttached {
            server: name.clone(),
            source: Target {
                name: source.name().clone(),
                address: source.member.address.clone(),
            },
        };
        self.draft.next(effect, OnFailure::Replan);
        Ok(())
    }

    /// Recorded first: from then on it may acknowledge.
    fn join(&mut self, server: &Server, primary: &Server) {
        let name = server.name().clone();
        if receives(server) {
            let server = name.clone();
            let stop = Effect::StopReceiver {
                server: server.clone(),
            };
            self.draft.next(stop, OnFailure::Replan);
            self.draft
                .next(Effect::ApplyReceived { server }, OnFailure::Replan);
        }
        let mut record = self.record();
        record.joined.insert(name);
        record.baseline = baseline(self.view, &[server]);
        if self.view.must_store(&record) {
            self.draft
                .next(Effect::Record { record }, OnFailure::Replan);
        }
        self.draft.next(attach(server, primary), OnFailure::Replan);
    }

    /// Takes a server out of the record; the machine puts in what it held when it was stopped.
    fn leave(&mut self, server: &Server) -> Result<(), String> {
        let (Some(primary), true) = (self.view.primary(), self.is_joined(server)) else {
            return Ok(());
        };
        let facts = self.view.facts(server);
        let facts = facts.ok_or_else(|| format!("{} does not answer", server.name()))?;
        let other = self.view.topology.others().find(|other| {
            other.name() != server.name()
                && self.view.facts(other).is_some()
                && self.view.is_attached(other)
                && self.view.errant(other).is_some_and(Errant::is_clean)
        });
        let other = other.ok_or_else(|| {
            format!(
                "no other replica could hold what {} may have acknowledged",
                server.name()
            )
        })?;
        let stop = Effect::StopReceiver {
            server: server.name().clone(),
        };
        self.draft.then();
        self.draft.push_undoable(stop, attach(server, primary));
        let catch_up = Effect::AwaitApplied {
            server: other.name().clone(),
            transactions: facts.held().clone(),
        };
        self.draft.next(catch_up, OnFailure::Undo);
        let mut record = self.record();
        record.joined.remove(server.name());
        let held = facts.held().clone();
        record.baseline = match record.baseline {
            Some(set) => set.union(&held).ok(),
            None => Some(held),
        };
        self.draft
            .next(Effect::Record { record }, OnFailure::Replan);
        Ok(())
    }

    /// The record as the steps before have left it.
    fn record(&self) -> Record {
        let records = self.draft.steps.iter().rev();
        let mut records = records.filter_map(|step| match &step.effect {
            Effect::Record { record } => Some(record.clone()),
            _ => None,
        });
        records.next().unwrap_or_else(|| self.view.record().clone())
    }

    /// New reads go elsewhere, and those under way end. Writes go where they go now: the machine
    /// puts that in.
    fn drain(&mut self, server: &Server) {
        let Some(primary) = self.view.primary() else {
            return;
        };
        let routes = publish(Some(target(primary)), !self.view.established);
        self.draft.next(routes, OnFailure::Undo);
        let server = server.name().clone();
        self.draft
            .next(Effect::AwaitIdle { server }, OnFailure::Undo);
    }

    fn wish(&mut self, server: &Server, change: impl FnOnce(&mut Wish)) {
        let name = server.name();
        let before = self.wishes.get(name).cloned().unwrap_or_default();
        let mut wish = before.clone();
        change(&mut wish);
        let effect = |wish: Wish| Effect::Wish {
            server: name.clone(),
            wish: Box::new(wish),
        };
        self.draft.then();
        self.draft.push_undoable(effect(wish), effect(before));
    }
}
