//! What the loop logs: one line for each end of a step or an operation, and for each finding that
//! came or went.

use std::mem::discriminant;

use mainstay_failover::{Certificate, Finding, OperationId, Purpose, StepResult};

use crate::journal;

/// A finding whose evidence has changed, such as its number of milliseconds, is the same one.
pub(super) fn changes(before: &[Finding], now: &[Finding]) {
    for finding in now.iter().filter(|finding| !among(before, finding)) {
        tracing::warn!(%finding, "found");
    }
    for finding in before.iter().filter(|finding| !among(now, finding)) {
        tracing::info!(%finding, "no longer");
    }
}

fn among(findings: &[Finding], wanted: &Finding) -> bool {
    findings.iter().any(|finding| {
        finding.subject == wanted.subject
            && discriminant(&finding.problem) == discriminant(&wanted.problem)
    })
}

pub(super) fn step_end(operation: OperationId, step: usize, result: &StepResult) {
    let (operation, step) = (operation.0, step + 1);
    match result {
        StepResult::Done(_) => tracing::debug!(operation, step, "step done"),
        StepResult::Failed(reason) => tracing::warn!(operation, step, %reason, "step failed"),
        StepResult::TimedOut => tracing::warn!(operation, step, "step ran out of time"),
    }
}

pub(super) fn finish(
    operation: OperationId,
    purpose: &Purpose,
    outcome: &Result<(), String>,
    certificate: Option<&Certificate>,
) {
    let (operation, purpose) = (operation.0, journal::purpose(purpose));
    match outcome {
        Ok(()) => tracing::info!(operation, %purpose, "operation done"),
        Err(reason) => tracing::warn!(operation, %purpose, %reason, "operation failed"),
    }
    if let Some(certificate) = certificate {
        let proof = journal::certificate_text(certificate);
        tracing::info!(operation, %proof, "certificate");
    }
}
