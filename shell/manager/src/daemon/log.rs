//! What the loop logs: one line for each end of a step or an operation, and for each finding that
//! came or went.

use std::mem::discriminant;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_failover::{Certificate, Finding, OperationId, Output, Purpose, StepResult};

use crate::journal;

/// A finding that is seen again after less than this has never been away: some are seen at every
/// other look only.
const AWAY_MIN: Duration = Duration::from_secs(2);

/// The findings that were logged and are not over, with the time at which each was seen last.
#[derive(Default)]
pub(super) struct Known(Vec<(Finding, Timestamp)>);

impl Known {
    pub(super) fn log(&mut self, now: Timestamp, findings: &[Finding]) {
        let (found, over) = self.changes(now, findings);
        for finding in found {
            tracing::warn!(%finding, "found");
        }
        for finding in over {
            tracing::info!(%finding, "no longer");
        }
    }

    /// What is new, and what is over.
    fn changes(&mut self, now: Timestamp, findings: &[Finding]) -> (Vec<Finding>, Vec<Finding>) {
        let mut found = Vec::new();
        for finding in findings {
            let known = self.0.iter_mut().find(|(known, _)| same(known, finding));
            if let Some((_, seen)) = known {
                *seen = now;
            } else {
                found.push(finding.clone());
                self.0.push((finding.clone(), now));
            }
        }
        let over = self
            .0
            .extract_if(.., |(_, seen)| now.passed(*seen, AWAY_MIN));
        (found, over.map(|(finding, _)| finding).collect())
    }
}

/// A finding whose evidence has changed, such as its number of milliseconds, is the same one.
fn same(one: &Finding, other: &Finding) -> bool {
    one.subject == other.subject && discriminant(&one.problem) == discriminant(&other.problem)
}

pub(super) fn step_end(operation: OperationId, step: usize, result: &StepResult) {
    let (operation, step) = (operation.0, step + 1);
    match result {
        StepResult::Done(Output::Said(what)) => tracing::info!(operation, step, %what, "step done"),
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

#[cfg(test)]
mod tests {
    use mainstay_failover::Problem;
    use mainstay_topology::ServerName;

    use super::*;

    fn lag(lag_ms: u64) -> Finding {
        Finding::of_server(&ServerName::new("db2"), Problem::Lagging { lag_ms })
    }

    fn at(now_ms: u64) -> Timestamp {
        Timestamp::from_millis(now_ms)
    }

    #[test]
    fn a_finding_is_told_once_whatever_its_numbers() {
        let mut known = Known::default();
        let none = (Vec::new(), Vec::new());
        assert_eq!(known.changes(at(0), &[lag(5)]), (vec![lag(5)], Vec::new()));
        assert_eq!(known.changes(at(100), &[lag(6)]), none);
    }

    #[test]
    fn a_finding_is_over_when_it_stays_away() {
        let mut known = Known::default();
        let none = (Vec::new(), Vec::new());
        known.changes(at(0), &[lag(5)]);
        assert_eq!(known.changes(at(1_000), &[]), none);
        assert_eq!(known.changes(at(1_500), &[lag(5)]), none);
        assert_eq!(known.changes(at(3_499), &[]), none);
        assert_eq!(known.changes(at(3_500), &[]), (Vec::new(), vec![lag(5)]));
        assert_eq!(known.changes(at(3_501), &[]), none);
    }
}
