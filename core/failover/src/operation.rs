//! One run of a plan: which steps have run, which run now.

use mainstay_clock::Timestamp;

use crate::step::{OperationId, Plan, StepResult};

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
    /// Will not run: the operation ended before.
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
