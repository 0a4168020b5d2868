//! From one event to the next decision: phases, probes, routes.

use std::time::Duration;

use mainstay_topology::{Reachability, Routes, Server, Target};

use super::Manager;
use crate::analysis::{findings, lost_data};
use crate::decide::{Decision, decide, failover_plan};
use crate::event::Action;
use crate::pause::holds_failover;
use crate::phase::{Phase, Trigger, next};
use crate::plan::establish::{is_alone, missing};
use crate::plan::rejoin::{Need, need};
use crate::readers::{draining, readers};
use crate::verdict::{Verdict, judge};
use crate::view::target;

/// Time between two looks at everything while the primary is doubtful.
const SUSPECT_INTERVAL: Duration = Duration::from_millis(50);
/// The longest wait after an operation for servers that have stopped answering meanwhile.
pub(super) const COOLING_MAX: Duration = Duration::from_secs(1);

impl Manager {
    /// Goes on as far as possible.
    pub(super) fn drive(&mut self, actions: &mut Vec<Action>) {
        self.expire_steps();
        self.walk(actions);
        if self.phase == Phase::Cooling {
            if !self.has_cooled() {
                return;
            }
            self.trigger(Trigger::Settled, None, actions);
        }
        if self.topology.primary().is_some_and(is_alive) {
            self.condemned = false;
        }
        let verdict = judge(self.view());
        self.findings = findings(self.view(), &verdict);
        self.probe_if_doubtful(&verdict, actions);
        match &self.run {
            None => {
                let decision = decide(self.view(), &verdict);
                self.follow(decision, &verdict, actions);
                if verdict == Verdict::Well && self.run.is_none() {
                    self.compare(actions);
                }
            }
            Some(run) if run.is_interruptible() => {
                let dead = matches!(verdict, Verdict::Dead { .. });
                let held = holds_failover(self.view()).is_some();
                if dead && !held && failover_plan(self.view()).is_ok() {
                    let reason = "the primary died; this is done again later".to_owned();
                    self.finish(Err(reason), actions);
                } else {
                    self.publish_changes(&verdict, actions);
                }
            }
            Some(_) => {}
        }
    }

    fn follow(&mut self, decision: Decision, verdict: &Verdict, actions: &mut Vec<Action>) {
        let dead = matches!(verdict, Verdict::Dead { .. });
        match decision {
            Decision::Rest => {
                if *verdict != Verdict::Unknown {
                    self.trigger(Trigger::Well, None, actions);
                }
            }
            Decision::Suspect(evidence) => self.trigger(Trigger::Unwell, Some(evidence), actions),
            Decision::Stuck(reason) => self.halt(dead, reason, actions),
            Decision::Begin(plans) => {
                let held = |manager: &Self, plan: &crate::step::Plan| {
                    let why = manager.backoff.holds(&plan.purpose, manager.now);
                    why.map(str::to_owned)
                };
                let ready = plans.iter().find(|plan| held(self, plan).is_none());
                match (ready, plans.first()) {
                    (Some(plan), _) => {
                        let trigger = if dead { Trigger::Dead } else { Trigger::Well };
                        let evidence = evidence(verdict);
                        self.trigger(trigger, evidence, actions);
                        self.publish_changes(verdict, actions);
                        self.begin(plan.clone(), false, actions);
                        return;
                    }
                    (None, Some(first)) if dead => {
                        let reason = held(self, first).unwrap_or_default();
                        self.halt(dead, reason, actions);
                    }
                    (None, _) => self.trigger(Trigger::Well, None, actions),
                }
            }
        }
        self.publish_changes(verdict, actions);
    }

    fn halt(&mut self, dead: bool, reason: String, actions: &mut Vec<Action>) {
        if self.phase == Phase::Halted {
            if self.halted != reason {
                let phase = Phase::Halted.name();
                actions.push(Action::Enter {
                    phase,
                    reason: reason.clone(),
                });
            }
        } else {
            if dead {
                self.trigger(Trigger::Dead, None, actions);
            }
            self.trigger(Trigger::Stuck, Some(reason.clone()), actions);
        }
        self.halted = reason;
    }

    /// Moves to the phase that the table names, if it names one.
    pub(super) fn trigger(
        &mut self,
        trigger: Trigger,
        reason: Option<String>,
        actions: &mut Vec<Action>,
    ) {
        if let Some((phase, why)) = next(self.phase, trigger) {
            self.phase = phase;
            actions.push(Action::Enter {
                phase: phase.name(),
                reason: reason.unwrap_or_else(|| why.to_owned()),
            });
        }
    }

    fn probe_if_doubtful(&mut self, verdict: &Verdict, actions: &mut Vec<Action>) {
        if !matches!(verdict, Verdict::Doubtful { .. }) {
            self.next_probe = None;
            return;
        }
        if self.next_probe.is_none_or(|due| due <= self.now) {
            self.probe_all(actions);
            self.next_probe = Some(self.now + SUSPECT_INTERVAL);
        } else if let Some(witness) = self.stale_witness.take() {
            actions.push(Action::Probe(witness));
        }
    }

    /// Asks the primary at once when a server waits for a comparison with it.
    fn compare(&mut self, actions: &mut Vec<Action>) {
        let view = self.view();
        let waits = |server: &Server| need(view, server) == Need::Comparison;
        let Some(primary) = view.primary() else {
            return;
        };
        let asked = self.compared + SUSPECT_INTERVAL > self.now;
        if !asked && view.topology.others().any(waits) {
            actions.push(Action::Probe(primary.name().clone()));
            self.compared = self.now;
        }
    }

    pub(super) fn probe_all(&self, actions: &mut Vec<Action>) {
        let names = self.topology.servers.keys().cloned();
        actions.extend(names.map(Action::Probe));
    }

    /// Whether every server that can be expected to answer was looked at since the last operation.
    fn has_cooled(&self) -> bool {
        let seen = |server: &Server| {
            server
                .looked_at()
                .is_some_and(|begun| begun >= self.settled)
                || server.reachability != Reachability::Reachable
        };
        self.topology.servers.values().all(seen) || self.now >= self.settled + COOLING_MAX
    }

    /// Tells the proxies what has changed outside of plans: the writer once it is known to serve,
    /// readers whenever they come or go.
    fn publish_changes(&mut self, verdict: &Verdict, actions: &mut Vec<Action>) {
        let view = self.view();
        let serves = *verdict == Verdict::Well
            && view.primary_facts().is_some()
            && missing(view).is_none()
            && lost_data(view).is_none();
        let before = self.routes.as_ref();
        let readers = readers(view, before.map(|routes| routes.readers.as_slice()));
        let closed =
            *verdict == Verdict::Well && view.primary_facts().is_some_and(|facts| facts.read_only);
        let alone = closed && is_alone(view) && view.doubtful.is_none();
        let routes = if serves || self.established || alone {
            Routes {
                epoch: view.record().epoch,
                version: 0,
                writer: view.primary().map(target),
                readers,
                draining: draining(view),
                hold_writes: closed,
            }
        } else if let Some(before) = before {
            // A writer of another reign is none in this one, nor is one whose reign may be over.
            let reigns = |writer: &Target| {
                Some(&writer.name) == view.record().primary.as_ref() && view.doubtful.is_none()
            };
            Routes {
                epoch: view.record().epoch,
                writer: before.writer.clone().filter(reigns),
                readers,
                ..before.clone()
            }
        } else {
            return;
        };
        self.established |= serves;
        if let Some(routes) = self.publish(&routes) {
            actions.push(Action::Publish(routes));
        }
    }

    /// Gives routes their version and remembers them; `None` when they say nothing new.
    pub(super) fn publish(&mut self, routes: &Routes) -> Option<Routes> {
        let version = |version: u64| Routes {
            version,
            ..routes.clone()
        };
        if let Some(before) = &self.routes
            && version(before.version) == *before
        {
            return None;
        }
        self.history.routes_version += 1;
        let routes = version(self.history.routes_version);
        self.routes = Some(routes.clone());
        Some(routes)
    }
}

/// Whether a server was alive when it was last looked at.
fn is_alive(server: &Server) -> bool {
    match server.reachability {
        Reachability::Reachable | Reachability::Closed => true,
        Reachability::Gone | Reachability::Silent | Reachability::Unknown => false,
    }
}

fn evidence(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Dead { evidence } => Some(evidence.clone()),
        Verdict::Unknown | Verdict::Well | Verdict::Alive | Verdict::Doubtful { .. } => None,
    }
}
