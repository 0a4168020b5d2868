//! What came of many seeds.

use std::collections::BTreeMap;
use std::fmt;

use crate::{Summary, Violation};

/// Sums over many seeds.
#[derive(Debug, Default)]
pub struct Totals {
    /// How many were lived.
    pub seeds: u64,
    /// Those in which an invariant did not hold, lowest seed first.
    pub failed: Vec<(u64, Violation)>,
    acknowledged: u64,
    epochs: u64,
    happenings: u64,
    seconds: f64,
    faults: BTreeMap<&'static str, u64>,
}

impl Totals {
    /// Adds one seed.
    pub fn add(&mut self, summary: Summary) {
        self.seeds += 1;
        self.acknowledged += summary.acknowledged;
        self.epochs += summary.epochs;
        self.happenings += summary.happenings;
        self.seconds += summary
            .ended
            .since(mainstay_clock::Timestamp::ZERO)
            .as_secs_f64();
        for (kind, count) in summary.faults {
            *self.faults.entry(kind).or_default() += count;
        }
        if let Some(violation) = summary.violation {
            self.failed.push((summary.seed, violation));
            self.failed.sort_by_key(|(seed, _)| *seed);
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} seeds: {:.1} hours of virtual time, {} happenings, {} epochs, \
             {} acknowledged writes",
            self.seeds,
            self.seconds / 3600.0,
            self.happenings,
            self.epochs,
            self.acknowledged
        )?;
        let faults: Vec<String> = self
            .faults
            .iter()
            .map(|(kind, count)| format!("{kind} {count}"))
            .collect();
        write!(f, "faults: {}", faults.join(", "))
    }
}
