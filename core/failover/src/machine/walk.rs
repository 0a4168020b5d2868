//! Walking a plan: groups of steps, their answers, undo, the election in the middle, the end.

use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_topology::{Record, ServerName};

use super::Manager;
use crate::analysis::lost_data;
use crate::bugs::Bug;
use crate::effect::{Effect, Output};
use crate::elect::elect;
use crate::event::Action;
use crate::hook::prepend;
use crate::operation::{Run, StepState};
use crate::pause::Unacknowledged;
use crate::phase::Trigger;
use crate::plan::{Draft, failover, place_of, step};
use crate::step::{OnFailure, OperationId, Plan, Purpose, Step, StepResult};

/// Whoever runs a step ends it at its limit; after this much longer the machine stops waiting.
pub(super) const STEP_GRACE: Duration = Duration::from_secs(2);

impl Manager {
    /// Starts a plan.
    pub(super) fn begin(&mut self, mut plan: Plan, requested: bool, actions: &mut Vec<Action>) {
        let id = self.next_operation();
        prepend(self.view(), id, requested, &mut plan);
        self.history.last_operation = id;
        if matches!(plan.purpose, Purpose::Failover { .. }) {
            self.condemned = true;
        }
        self.trigger(Trigger::Begin, None, actions);
        actions.push(Action::Begin {
            operation: id,
            plan: plan.clone(),
        });
        self.run = Some(Run::new(id, plan, self.now, requested));
        self.walk(actions);
    }

    /// Takes the answer of a step; answers of steps that do not run are ignored.
    pub(super) fn step_done(&mut self, id: OperationId, index: usize, result: StepResult) {
        let Some(run) = &mut self.run else { return };
        let state = run.operation.states.get(index);
        let Some(StepState::Running { since }) = state.filter(|_| run.operation.id == id) else {
            return;
        };
        let since = *since;
        let step = run.operation.plan.steps[index].clone();
        let result = checked(&step.effect, result);
        run.operation.states[index] = StepState::Ended {
            since,
            until: self.now,
            result: result.clone(),
        };
        match result {
            StepResult::Done(output) => self.succeeded(step.effect, output),
            StepResult::Failed(reason) => self.failed(&step, &reason),
            StepResult::TimedOut if self.bugs.has(Bug::TimeoutIsSuccess) => {
                self.succeeded(step.effect, Output::Done);
            }
            StepResult::TimedOut => self.failed(&step, "it ran out of time"),
        }
    }

    fn succeeded(&mut self, effect: Effect, mut output: Output) {
        let waited = matches!(effect, Effect::AwaitApplied { .. });
        if let Output::Held(held) = &mut output
            && !waited
        {
            if let Some(server) = place_of(&effect) {
                self.topology.leave_out_foreign(server, held);
            }
            self.topology.tell(held);
        }
        let Some(run) = &mut self.run else { return };
        match (effect, output) {
            (Effect::Record { record }, _) => self.recorded(record),
            (Effect::Wish { server, wish }, _) => {
                self.history.wishes.insert(server, *wish);
                self.grant_wishes();
            }
            (Effect::EndProcess { .. }, _) => run.revoked.ended = true,
            (Effect::StopReceiver { server }, Output::Held(held)) => {
                run.revoked.held.insert(server, held);
            }
            (Effect::Demote { .. }, Output::Held(held)) => run.demoted = Some(held),
            (Effect::ApplyTail { .. }, Output::Said(what)) => run.is_complete(&what),
            (Effect::Rewind { server, .. }, Output::Impossible(reason)) => {
                let failure = format!("{server} cannot be rewound: {reason}");
                run.failure = Some((OnFailure::Replan, failure));
                self.stubborn.insert(server, reason);
            }
            (Effect::Reseed { server, .. }, _) => {
                self.stubborn.remove(&server);
            }
            (Effect::AwaitApplied { server, .. }, Output::Held(held)) => {
                run.reached.insert(server, held);
            }
            (
                Effect::StopReceiver { .. }
                | Effect::Demote { .. }
                | Effect::Fence { .. }
                | Effect::Publish { .. }
                | Effect::RunHook { .. }
                | Effect::Drain { .. }
                | Effect::ApplyReceived { .. }
                | Effect::AwaitApplied { .. }
                | Effect::Attach { .. }
                | Effect::AwaitAttached { .. }
                | Effect::AwaitClients { .. }
                | Effect::EnableSemiSync { .. }
                | Effect::DropAddress { .. }
                | Effect::TakeAddress { .. }
                | Effect::OpenWrites { .. }
                | Effect::ReleaseProved { .. }
                | Effect::StopReplication { .. }
                | Effect::AwaitIdle { .. }
                | Effect::Restart { .. }
                | Effect::CloseRing { .. }
                | Effect::ForgetSource { .. }
                | Effect::SaveErrant { .. }
                | Effect::ApplyTail { .. }
                | Effect::Rewind { .. },
                _,
            ) => {}
        }
    }

    fn recorded(&mut self, record: Record) {
        assert!(
            record.epoch >= self.topology.record.epoch,
            "epochs only grow: a smaller one in a plan could bring back a revoked primary"
        );
        if record.primary != self.topology.record.primary {
            // Comparisons were made with another primary, and so was the verdict; what was seen
            // so far was seen in another reign.
            self.settled = self.now;
            for server in self.topology.servers.values_mut() {
                server.errant = None;
                // The new baseline has all that they could have acknowledged before.
                server.forgot = None;
            }
            self.condemned = false;
            self.slow.clear();
            self.stubborn.clear();
            self.established = false;
        }
        self.doubtful = None;
        self.stored = true;
        self.topology.record = record;
    }

    fn failed(&mut self, step: &Step, reason: &str) {
        if let Effect::Record { record } = &step.effect {
            // The answer was lost, perhaps not the record.
            if record.epoch == self.topology.record.epoch {
                self.stored = false;
            } else if !self.bugs.has(Bug::IgnoreDoubtful) {
                self.doubtful = Some(record.clone());
            }
        }
        if let Effect::ApplyReceived { server } = &step.effect {
            self.slow.insert(server.clone());
        }
        let Some(run) = &mut self.run else { return };
        if let Effect::Attach { server, .. } = &step.effect {
            run.do_not_await(server);
        }
        if let Effect::ApplyTail { from, .. } = &step.effect {
            run.is_incomplete(&format!(
                "the disk of {from} was not read to its end: {reason}"
            ));
        }
        if step.on_failure != OnFailure::Continue && run.failure.is_none() {
            let sentence = step.sentence.trim_end_matches('.');
            run.failure = Some((step.on_failure, format!("{sentence}: {reason}")));
        }
    }

    /// Ends steps whose answer is overdue.
    pub(super) fn expire_steps(&mut self) {
        let Some(run) = &self.run else { return };
        let id = run.operation.id;
        let overdue: Vec<usize> = run
            .running()
            .filter(|(_, step, since)| self.now >= *since + step.limit + STEP_GRACE)
            .map(|(index, _, _)| index)
            .collect();
        for index in overdue {
            self.step_done(id, index, StepResult::TimedOut);
        }
    }

    /// Goes on to the next group once the present one has ended.
    pub(super) fn walk(&mut self, actions: &mut Vec<Action>) {
        let Some(run) = &mut self.run else { return };
        if run.running().next().is_some() {
            return;
        }
        match (run.failure.take(), run.undoing.take()) {
            (Some((_, reason)), Some(first)) => {
                let reason = format!("{first}; undoing it failed: {reason}");
                return self.finish(Err(reason), actions);
            }
            (Some((OnFailure::Undo, reason)), None) => self.turn_back(reason),
            (Some((OnFailure::Replan | OnFailure::Continue, reason)), None) => {
                return self.finish(Err(reason), actions);
            }
            (None, undoing) => run.undoing = undoing,
        }
        let Some(run) = &self.run else { return };
        let group = run.next_group();
        if !group.is_empty() {
            self.run_group(&group, actions);
        } else if let Some(reason) = run.undoing.clone() {
            self.finish(Err(format!("{reason}; it was undone")), actions);
        } else if run.operation.plan.continues {
            self.hold_election(actions);
        } else {
            self.finish(Ok(()), actions);
        }
    }

    fn turn_back(&mut self, reason: String) {
        let Some(run) = &mut self.run else { return };
        let mut undo = run.turn_back();
        // Who has left the record in the meantime would acknowledge unrecorded.
        let joined = &self.topology.record.joined;
        undo.retain(|effect| acknowledging(effect).is_none_or(|server| joined.contains(server)));
        let first = run.last_group() + 1;
        run.undoing = Some(reason);
        let steps = (first..)
            .zip(undo)
            .map(|(group, effect)| step(self.view(), effect, group, OnFailure::Replan))
            .collect();
        if let Some(run) = &mut self.run {
            run.extend(steps);
        }
    }

    fn run_group(&mut self, group: &[usize], actions: &mut Vec<Action>) {
        if self.is_needless(group) {
            let reason = "the primary answers again; its replicas were not disturbed".to_owned();
            return self.finish(Err(reason), actions);
        }
        for &index in group {
            let Some(run) = &self.run else { return };
            let id = run.operation.id;
            let step = self.filled(&run.operation.plan.steps[index].clone());
            if let Some(run) = &mut self.run {
                run.operation.plan.steps[index] = step.clone();
                run.operation.states[index] = StepState::Running { since: self.now };
            }
            actions.push(Action::Run {
                operation: id,
                step: index,
                what: Box::new(step),
            });
        }
    }

    /// Whether the dead primary has answered before anything was done to its replicas.
    fn is_needless(&self, group: &[usize]) -> bool {
        let Some(run) = &self.run else { return false };
        let failover = matches!(run.operation.plan.purpose, Purpose::Failover { .. });
        let stops = |index: &usize| {
            let effect = &run.operation.plan.steps[*index].effect;
            matches!(
                effect,
                Effect::StopReceiver { .. } | Effect::EndProcess { .. }
            )
        };
        failover
            && !run.requested
            && group.iter().any(stops)
            && failover::is_back(self.view(), run.operation.began)
            && lost_data(self.view()).is_none()
    }

    /// The replicas have answered: decides who is promoted, and adds the steps for it.
    fn hold_election(&mut self, actions: &mut Vec<Action>) {
        let Some(run) = &self.run else { return };
        let ballot = failover::ballot(self.view(), &run.revoked);
        let won = ballot
            .ok_or_else(|| "there is no primary".to_owned())
            .and_then(|ballot| elect(&ballot).map(|won| (ballot, won)));
        let (ballot, won) = match won {
            Ok(won) => won,
            Err(reason) => return self.finish(Err(format!("no failover: {reason}")), actions),
        };
        let view = self.view();
        let certificate = failover::certificate(view, &ballot, &won);
        let mut draft = Draft::after(view, run.last_group());
        failover::continuation(&mut draft, view, &run.revoked, (&ballot, &won));
        let steps = draft.steps;
        if let Some(run) = &mut self.run {
            run.extend(steps);
            run.certificate = Some(certificate);
            run.operation.plan.continues = false;
        }
        self.walk(actions);
    }

    /// Ends the operation. What was seen so far counts no more.
    pub(super) fn finish(&mut self, outcome: Result<(), String>, actions: &mut Vec<Action>) {
        let Some(run) = self.run.take() else { return };
        let plan = run.operation.plan;
        match &outcome {
            Ok(()) => self.backoff.done(&plan, self.now),
            Err(reason) => self.backoff.failed(&plan.purpose, self.now, reason.clone()),
        }
        let certificate = run.certificate.filter(|_| outcome.is_ok()).map(Box::new);
        if let (Purpose::Failover { .. }, Ok(())) = (&plan.purpose, &outcome) {
            // Whoever asked for it knows of it.
            let alone = !run.requested && !self.policy.failover_pause.is_zero();
            self.history.unacknowledged = alone.then_some(Unacknowledged {
                operation: run.operation.id,
                until: self.now + self.policy.failover_pause,
            });
        }
        actions.push(Action::Finish {
            operation: run.operation.id,
            purpose: plan.purpose,
            outcome,
            certificate,
        });
        self.settled = self.now;
        self.compared = Timestamp::ZERO;
        self.next_probe = None;
        let primary = self.topology.record.primary.clone();
        self.established = self.routes.as_ref().is_some_and(|routes| {
            let writer = routes.writer.as_ref().map(|target| &target.name);
            writer == primary.as_ref() && writer.is_some() && !routes.hold_writes
        });
        self.trigger(Trigger::End, None, actions);
        self.probe_all(actions);
    }

    /// Closes an operation that the last process has left open: the record decides what follows.
    pub(super) fn close_interrupted(&mut self, actions: &mut Vec<Action>) {
        if let Some((operation, purpose)) = self.history.interrupted.take() {
            let outcome = "interrupted: the manager stopped; what is left is planned anew";
            actions.push(Action::Finish {
                operation,
                purpose,
                outcome: Err(outcome.to_owned()),
                certificate: None,
            });
        }
    }
}

/// The server that acknowledges from this step on.
fn acknowledging(effect: &Effect) -> Option<&ServerName> {
    let Effect::Attach { server, manner, .. } = effect else {
        return None;
    };
    (manner.acknowledges == Some(true)).then_some(server)
}

/// A step that must say what a server holds has failed when it does not.
fn checked(effect: &Effect, result: StepResult) -> StepResult {
    let answers = matches!(effect, Effect::StopReceiver { .. } | Effect::Demote { .. });
    if answers && result == StepResult::Done(Output::Done) {
        return StepResult::Failed("it did not say what the server holds".to_owned());
    }
    result
}
