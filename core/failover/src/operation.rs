//! One run of a plan: which steps have run, which run now, and what they answered.

use std::collections::BTreeMap;

use mainstay_clock::Timestamp;
use mainstay_gtid::GtidSet;
use mainstay_topology::ServerName;

use crate::effect::Effect;
use crate::plan::failover::Revoked;
use crate::step::{Certificate, OnFailure, OperationId, Plan, Purpose, Step, StepResult};

/// How far one step is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepState {
    /// Not run yet.
    Waiting,
    /// Runs.
    Running {
        /// Since when.
        since: Timestamp,
    },
    /// Has ended.
    Ended {
        /// When it was begun.
        since: Timestamp,
        /// When it ended.
        until: Timestamp,
        /// How.
        result: StepResult,
    },
    /// Will not run: the operation took another way.
    Skipped,
}

/// A plan that runs or has just run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its id in the journal.
    pub id: OperationId,
    /// Its plan, as far as it is known.
    pub plan: Plan,
    /// How far each step of the plan is; as long as `plan.steps`.
    pub states: Vec<StepState>,
    /// When it was begun.
    pub began: Timestamp,
}

/// An operation with what only the machine needs to know of it.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) operation: Operation,
    /// An operator asked for it: that the primary is alive is no reason to stop.
    pub(crate) requested: bool,
    /// What the replicas answered when they were stopped.
    pub(crate) revoked: Revoked,
    /// What the primary had executed when it was demoted.
    pub(crate) demoted: Option<GtidSet>,
    /// Without GTIDs: where servers stood, in all logs that they know of, when a wait had ended.
    pub(crate) reached: BTreeMap<ServerName, GtidSet>,
    /// The proof, once somebody was elected.
    pub(crate) certificate: Option<Certificate>,
    /// The failure that decides, as soon as the group has ended.
    pub(crate) failure: Option<(OnFailure, String)>,
    /// Why the steps done are being undone.
    pub(crate) undoing: Option<String>,
}

impl Run {
    pub(crate) fn new(id: OperationId, plan: Plan, began: Timestamp, requested: bool) -> Self {
        let states = vec![StepState::Waiting; plan.steps.len()];
        Self {
            operation: Operation {
                id,
                plan,
                states,
                began,
            },
            requested,
            revoked: Revoked::default(),
            demoted: None,
            reached: BTreeMap::new(),
            certificate: None,
            failure: None,
            undoing: None,
        }
    }

    /// Whether an operator changes a server other than the primary.
    pub(crate) fn is_change(&self) -> bool {
        matches!(self.operation.plan.purpose, Purpose::Change { .. })
    }

    /// The steps that run now, with the moment they were begun.
    pub(crate) fn running(&self) -> impl Iterator<Item = (usize, &Step, Timestamp)> {
        let steps = self.operation.plan.steps.iter();
        let states = self.operation.states.iter();
        steps
            .zip(states)
            .enumerate()
            .filter_map(|(index, (step, state))| match state {
                StepState::Running { since } => Some((index, step, *since)),
                StepState::Waiting | StepState::Ended { .. } | StepState::Skipped => None,
            })
    }

    /// The steps of the next group, if any waits.
    pub(crate) fn next_group(&self) -> Vec<usize> {
        let waiting = || {
            let states = self.operation.states.iter().enumerate();
            states
                .filter(|(_, state)| **state == StepState::Waiting)
                .map(|(index, _)| index)
        };
        let group = |index: usize| self.operation.plan.steps[index].group;
        let Some(first) = waiting().map(group).min() else {
            return Vec::new();
        };
        waiting().filter(|index| group(*index) == first).collect()
    }

    /// The number after the last group.
    pub(crate) fn last_group(&self) -> u32 {
        let groups = self.operation.plan.steps.iter().map(|step| step.group);
        groups.max().unwrap_or_default()
    }

    /// Adds steps to the end of the plan.
    pub(crate) fn extend(&mut self, steps: Vec<Step>) {
        let states = &mut self.operation.states;
        states.extend(steps.iter().map(|_| StepState::Waiting));
        self.operation.plan.steps.extend(steps);
    }

    /// Gives up the steps that have not run; answers what takes back those that have, newest
    /// first. A step that failed may have done its work all the same, so it is taken back too.
    pub(crate) fn turn_back(&mut self) -> Vec<Effect> {
        let mut undo = Vec::new();
        for (step, state) in self
            .operation
            .plan
            .steps
            .iter()
            .zip(&mut self.operation.states)
        {
            match state {
                StepState::Waiting => *state = StepState::Skipped,
                StepState::Running { .. } | StepState::Ended { .. } => {
                    undo.extend(step.undo.clone());
                }
                StepState::Skipped => {}
            }
        }
        undo.reverse();
        undo
    }

    /// The old primary's disk was read to its end: whatever it had acknowledged is in its log, and
    /// what was in its log is on its successor now.
    pub(crate) fn is_complete(&mut self, what: &str) {
        if let Some(certificate) = &mut self.certificate {
            certificate.lossless = true;
            certificate.reason = format!("nothing acknowledged is missing: {what}");
        }
    }

    /// Adds to the proof what could not be done after the election.
    pub(crate) fn is_incomplete(&mut self, why: &str) {
        if let Some(certificate) = &mut self.certificate {
            certificate.reason = format!("{}; {why}", certificate.reason);
        }
    }

    /// Leaves out the wait for a replica that could not be attached: writes would wait for it too.
    pub(crate) fn do_not_await(&mut self, replica: &ServerName) {
        let steps = self.operation.plan.steps.iter();
        for (step, state) in steps.zip(&mut self.operation.states) {
            let awaits = matches!(
                &step.effect,
                Effect::AwaitAttached { server, .. } if server == replica
            );
            if awaits && *state == StepState::Waiting {
                *state = StepState::Skipped;
            }
        }
    }

    /// Whether all that runs may go on while something else is done: it takes long, and touches
    /// only a server that nothing depends on.
    pub(crate) fn is_interruptible(&self) -> bool {
        self.running().all(|(_, step, _)| {
            matches!(
                step.effect,
                Effect::SaveErrant { .. }
                    | Effect::Rewind { .. }
                    | Effect::Reseed { .. }
                    | Effect::StopReplication { .. }
            )
        })
    }
}
