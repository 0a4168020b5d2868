//! What holds automatic operations back: an operator's pause, and a failover that nobody has
//! acknowledged.
//!
//! Invariants:
//! - neither holds back what an operator asks for, what cuts off a second writer, what keeps the
//!   record true, or the rest of an operation that was begun;
//! - an unacknowledged failover holds back only one for a primary that is silent, which may be the
//!   same trouble again; never one for a primary whose process is gone, or that has lost data.

use std::fmt;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_topology::Reachability;

use crate::finding::{Finding, Problem};
use crate::step::OperationId;
use crate::view::View;

/// An operator wants no automatic operation to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// What for.
    pub reason: String,
    /// Who wants it.
    pub by: String,
    /// When it ends by itself, in milliseconds since 1970 (UTC).
    pub until_ms: Option<u64>,
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "automatic operations are paused by {}", self.by)?;
        if !self.reason.is_empty() {
            write!(f, " ({})", self.reason)?;
        }
        Ok(())
    }
}

/// An automatic failover that nobody has acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unacknowledged {
    /// Which.
    pub operation: OperationId,
    /// Until when it may hold another one back.
    pub until: Timestamp,
}

impl Unacknowledged {
    /// From the journal of the process before: its clock begins at zero.
    pub fn ended_before(operation: OperationId, age: Duration, pause: Duration) -> Option<Self> {
        let left = pause.checked_sub(age).filter(|left| !left.is_zero())?;
        Some(Self {
            operation,
            until: Timestamp::ZERO + left,
        })
    }
}

/// Why no failover for a dead primary begins by itself, if something holds it back.
pub(crate) fn holds_failover(view: View<'_>) -> Option<String> {
    if !view.policy.auto_failover {
        return Some("auto_failover is off; run `mainstay failover`".to_owned());
    }
    if let Some(pause) = view.paused {
        return Some(format!(
            "{pause}; run `mainstay failover`, or `mainstay resume`"
        ));
    }
    let silent = view
        .primary()
        .is_some_and(|primary| primary.reachability == Reachability::Silent);
    let last = unacknowledged(view).filter(|_| silent)?;
    Some(format!(
        "its process may live, and the failover of operation {} was not acknowledged within \
         failover_pause; run `mainstay acknowledge`, or `mainstay failover`",
        last.operation.0
    ))
}

/// The failover that holds another one back now.
fn unacknowledged(view: View<'_>) -> Option<Unacknowledged> {
    view.unacknowledged.filter(|last| view.now < last.until)
}

/// What is to be said about it.
pub(crate) fn findings(view: View<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(pause) = view.paused {
        let pause = pause.to_string();
        found.push(Finding::of_cluster(Problem::Paused { pause }));
    }
    if let Some(last) = unacknowledged(view) {
        let operation = last.operation.0;
        found.push(Finding::of_cluster(Problem::Unacknowledged { operation }));
    }
    found
}

/// The finding of a pause, in English.
pub(crate) fn of_pause(pause: &str) -> String {
    format!(
        "{pause}: a dead primary is not replaced and nothing is repaired; `mainstay resume` ends it"
    )
}

/// The finding of a failover that nobody has acknowledged, in English.
pub(crate) fn of_unacknowledged(operation: u64) -> String {
    format!(
        "the failover of operation {operation} is not acknowledged: another one is held back if \
         the primary falls silent, not if its process ends; `mainstay acknowledge` lets it go"
    )
}
