//! Operations of the journal, with their time line.

use serde::{Deserialize, Serialize};

/// One operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OperationView {
    /// Its number.
    pub id: u64,
    /// Why it existed.
    pub purpose: String,
    /// The reign in which it was to end.
    pub epoch: u64,
    /// How it ended.
    pub outcome: OperationOutcome,
    /// Why it failed.
    pub failure: Option<String>,
    /// When it began.
    pub began_at_ms: u64,
    /// How long it took, when it has ended.
    pub took_ms: Option<f64>,
    /// For how long the proxies had no writer: from the first suspicion that led to a failover, or
    /// the hold of writes of a switchover, to the next writer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writes_held_ms: Option<f64>,
    /// The proof after a failover.
    pub certificate: Option<String>,
    /// What happened, in order of time.
    pub timeline: Vec<MomentView>,
}

/// How an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OperationOutcome {
    /// It has not ended.
    Running,
    /// It did what it was for.
    Done,
    /// It did not.
    Failed,
}

/// One line of a time line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MomentView {
    /// What kind of thing happened.
    pub kind: MomentKind,
    /// When, by the wall clock.
    pub at_ms: u64,
    /// When, from the beginning of the operation; negative for what led to it.
    pub from_ms: f64,
    /// When it ended, from the beginning of the operation; only of a step that has ended.
    pub until_ms: Option<f64>,
    /// The server that it was done to, if it was one.
    pub server: Option<String>,
    /// The sentence of the step, or the phase and why it was entered.
    pub text: String,
    /// `done`, `timed out`, or why the step failed.
    pub outcome: Option<String>,
    /// What it had to say, if it ended well: of a hook what it has printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

/// What a line of a time line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MomentKind {
    /// The manager went into another phase.
    Phase,
    /// A step of the plan.
    Step,
}
