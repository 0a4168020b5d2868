//! What a step carries that is known only when it is about to run.

use mainstay_gtid::GtidSet;
use mainstay_topology::{Record, Routes, Server};

use super::Manager;
use crate::effect::{Effect, Start};
use crate::operation::Run;
use crate::plan::step;
use crate::readers::{draining, readers};
use crate::step::{Purpose, Step};

impl Manager {
    /// A step with what is known only now: the version of routes, and what a demoted primary had
    /// executed.
    pub(super) fn filled(&mut self, planned: &Step) -> Step {
        let demoted = self.run.as_ref().and_then(|run| run.demoted.clone());
        let ahead = self.ahead();
        let left = self.left();
        let effect = match (planned.effect.clone(), demoted) {
            (Effect::Publish { routes }, _) => Effect::Publish {
                routes: self.filled_routes(routes),
            },
            (Effect::AwaitApplied { server, .. }, Some(transactions)) => Effect::AwaitApplied {
                server,
                transactions,
            },
            (
                Effect::AwaitApplied {
                    server,
                    transactions,
                },
                None,
            ) => Effect::AwaitApplied {
                server,
                transactions: ahead.iter().fold(transactions, |all, more| {
                    all.union(more).expect("a cluster is of one family")
                }),
            },
            // Of a server that leaves: whatever it can have acknowledged.
            (Effect::Record { record }, None) if !left.is_empty() => Effect::Record {
                record: Record {
                    baseline: record.baseline.map(|baseline| {
                        left.iter().fold(baseline, |all, more| {
                            all.union(more).expect("a cluster is of one family")
                        })
                    }),
                    ..record
                },
            },
            (Effect::Record { record }, held) => Effect::Record {
                record: self.begun(Record {
                    baseline: held.or_else(|| record.baseline.clone()),
                    ..record
                }),
            },
            (Effect::DropAddress { server, .. }, _) => {
                let epoch = self.record().epoch;
                Effect::DropAddress { server, epoch }
            }
            (Effect::TakeAddress { server, .. }, _) => {
                let epoch = self.record().epoch;
                Effect::TakeAddress { server, epoch }
            }
            (effect, _) => self.placed(effect),
        };
        let step = step(self.view(), effect, planned.group, planned.on_failure);
        Step {
            undo: planned.undo.clone(),
            ..step
        }
    }

    /// An attachment with the state in which the reign began.
    fn placed(&self, mut effect: Effect) -> Effect {
        if let Effect::Attach {
            start: Some(Start { equal, .. }),
            ..
        } = &mut effect
            && let Some(began_at) = &self.record().began_at
        {
            equal.clone_from(began_at);
        }
        effect
    }

    /// A record of a new reign with the state in which it begins, where the new primary has said in
    /// this operation how far its own log and its source's go.
    fn begun(&self, mut record: Record) -> Record {
        if record.primary == self.record().primary {
            record.began_at.clone_from(&self.record().began_at);
            let demotes = self.run.as_ref().is_some_and(|run| run.demoted.is_some());
            if demotes && record.began_at.is_some() {
                record.baseline.clone_from(&record.began_at);
            }
            return record;
        }
        let reached = self.run.as_ref().zip(record.primary.as_ref());
        let reached = reached.and_then(|(run, primary)| run.reached.get(primary));
        if let Some(reached) = reached {
            // It has applied all that it must hold; older logs say nothing more than these.
            record.began_at = Some(reached.clone());
            record.baseline = Some(reached.clone());
        }
        record
    }

    /// What the next primary of a switchover must hold besides what was planned: what the present
    /// one was seen to have executed meanwhile, since nothing may be left to wait for when the gate
    /// is closed; and what the replicas that move behind it hold, since MariaDB refuses those that
    /// are ahead of their source.
    fn ahead(&self) -> Vec<GtidSet> {
        let Some(run) = &self.run else {
            return Vec::new();
        };
        match &run.operation.plan.purpose {
            Purpose::Switchover { .. } => {
                let executed = self.view().primary().and_then(Server::answered);
                let executed = executed.map(|facts| facts.executed.clone());
                let held = run.revoked.held.values().cloned();
                executed.into_iter().chain(held).collect()
            }
            Purpose::Change { .. } => self.left(),
            Purpose::Failover { .. }
            | Purpose::Establish { .. }
            | Purpose::Rejoin { .. }
            | Purpose::Rewind { .. }
            | Purpose::Reseed { .. } => Vec::new(),
        }
    }

    /// What servers held that an operator takes out of the record, when they were stopped.
    fn left(&self) -> Vec<GtidSet> {
        let run = self.run.as_ref().filter(|run| run.is_change());
        run.map(|run| run.revoked.held.values().cloned().collect())
            .unwrap_or_default()
    }

    fn filled_routes(&mut self, planned: Routes) -> Routes {
        let view = self.view();
        let before = self.routes.as_ref();
        let changes = self.run.as_ref().is_some_and(Run::is_change);
        let planned = match before.filter(|_| changes) {
            // A change of another server says nothing about whether the primary serves.
            Some(before) => Routes {
                writer: before.writer.clone(),
                hold_writes: before.hold_writes,
                ..planned
            },
            None => planned,
        };
        let routes = Routes {
            epoch: view.record().epoch,
            readers: readers(view, before.map(|routes| routes.readers.as_slice())),
            draining: draining(view),
            ..planned
        };
        self.history.routes_version += 1;
        let routes = Routes {
            version: self.history.routes_version,
            ..routes
        };
        self.routes = Some(routes.clone());
        routes
    }
}
