//! Patience after failures: the same plan is not run again at once.

use std::time::Duration;

use mainstay_clock::Timestamp;

use crate::step::Purpose;

/// The first wait; each failure in a row doubles it.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// Purposes that failed, and until when they wait.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    held: Vec<Held>,
}

#[derive(Debug)]
struct Held {
    purpose: Purpose,
    failures: u32,
    until: Timestamp,
    reason: String,
}

impl Backoff {
    /// Why a purpose waits, if it does.
    pub(super) fn holds(&self, purpose: &Purpose, now: Timestamp) -> Option<&str> {
        self.held
            .iter()
            .find(|held| held.purpose == *purpose && held.until > now)
            .map(|held| held.reason.as_str())
    }

    /// Takes a failure into account.
    pub(super) fn failed(&mut self, purpose: &Purpose, now: Timestamp, reason: String) {
        let before = self.held.iter().find(|held| held.purpose == *purpose);
        let failures = before.map_or(0, |held| held.failures);
        self.succeeded(purpose);
        let wait = FIRST.saturating_mul(1 << failures.min(10)).min(LONGEST);
        self.held.push(Held {
            purpose: purpose.clone(),
            failures: failures + 1,
            until: now + wait,
            reason,
        });
    }

    /// Forgets the failures of a purpose.
    pub(super) fn succeeded(&mut self, purpose: &Purpose) {
        self.held.retain(|held| held.purpose != *purpose);
    }

    /// Lets everything be tried again at once; the failures still count.
    pub(super) fn clear(&mut self) {
        for held in &mut self.held {
            held.until = Timestamp::ZERO;
        }
    }

    /// When the next wait ends.
    pub(super) fn next_end(&self, now: Timestamp) -> Option<Timestamp> {
        self.held
            .iter()
            .map(|held| held.until)
            .filter(|until| *until > now)
            .min()
    }
}
