//! The report of a drill: what is printed as JSON, and the sums over its rounds.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cluster::{Fault, TimelineEntry};

/// One round.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Round {
    /// What was done.
    pub fault: Fault,
    /// The longest time that one writer waited from one OK to the next.
    pub write_gap_ms: f64,
    /// The longest time that one reader waited from one result to the next.
    pub read_gap_ms: f64,
    /// Errors that clients received, by code.
    pub client_errors: BTreeMap<u16, u64>,
    /// Writes that were answered with OK.
    pub acknowledged: u64,
    /// Acknowledged writes that some server does not hold afterwards.
    pub missing: u64,
    /// The same by server.
    pub missing_by_server: BTreeMap<String, u64>,
    /// Writes without an OK that are there all the same.
    pub unacknowledged_present: u64,
    /// Writes acknowledged by a server after another had begun to acknowledge.
    pub two_writers: u64,
    /// The primary before and after.
    pub from: Option<String>,
    /// The primary afterwards.
    pub to: Option<String>,
    /// What the manager did, step by step.
    pub timeline: Vec<TimelineEntry>,
}

/// Median and maximum over the rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The median.
    pub p50: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let p50 = match values.len() {
            0 => 0.0,
            n if n % 2 == 1 => values[n / 2],
            n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
        };
        Self {
            p50,
            max: values.last().copied().unwrap_or(0.0),
        }
    }
}

/// The sums over all rounds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// How many rounds.
    pub rounds: usize,
    /// Over the rounds.
    pub write_gap_ms: Spread,
    /// Over the rounds.
    pub read_gap_ms: Spread,
    /// Total by code.
    pub client_errors: BTreeMap<u16, u64>,
    /// Total.
    pub acknowledged: u64,
    /// Total.
    pub missing: u64,
    /// Total.
    pub unacknowledged_present: u64,
    /// Total.
    pub two_writers: u64,
}

/// All rounds and their sums.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Round by round.
    pub rounds: Vec<Round>,
    /// Over all of them.
    pub summary: Summary,
}

impl Report {
    /// Sums the rounds.
    pub fn new(rounds: Vec<Round>) -> Self {
        let mut client_errors = BTreeMap::new();
        for (code, count) in rounds.iter().flat_map(|round| &round.client_errors) {
            *client_errors.entry(*code).or_insert(0) += count;
        }
        let total = |field: fn(&Round) -> u64| rounds.iter().map(field).sum();
        let summary = Summary {
            rounds: rounds.len(),
            write_gap_ms: Spread::of(rounds.iter().map(|round| round.write_gap_ms).collect()),
            read_gap_ms: Spread::of(rounds.iter().map(|round| round.read_gap_ms).collect()),
            client_errors,
            acknowledged: total(|round| round.acknowledged),
            missing: total(|round| round.missing),
            unacknowledged_present: total(|round| round.unacknowledged_present),
            two_writers: total(|round| round.two_writers),
        };
        Self { rounds, summary }
    }

    /// True when nothing acknowledged is missing and never two servers acknowledged at once.
    pub fn kept_the_promise(&self) -> bool {
        self.summary.missing == 0 && self.summary.two_writers == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(write_gap_ms: f64, missing: u64) -> Round {
        Round {
            fault: Fault::KillPrimary,
            write_gap_ms,
            read_gap_ms: 1.0,
            client_errors: BTreeMap::from([(2013, 2)]),
            acknowledged: 10,
            missing,
            missing_by_server: BTreeMap::new(),
            unacknowledged_present: 1,
            two_writers: 0,
            from: None,
            to: None,
            timeline: Vec::new(),
        }
    }

    #[test]
    fn the_summary_adds_up_and_takes_the_median() {
        let report = Report::new(vec![round(10.0, 0), round(30.0, 0), round(20.0, 0)]);
        assert_eq!(
            report.summary.write_gap_ms,
            Spread {
                p50: 20.0,
                max: 30.0
            }
        );
        assert_eq!(report.summary.client_errors, BTreeMap::from([(2013, 6)]));
        assert_eq!(report.summary.acknowledged, 30);
        assert!(report.kept_the_promise());
    }

    #[test]
    fn one_missing_write_breaks_the_promise() {
        assert!(!Report::new(vec![round(1.0, 0), round(1.0, 1)]).kept_the_promise());
    }
}
