//! Patience after failures: the same plan is not run again at once.

use std::time::Duration;

use mainstay_clock::Timestamp;

use crate::step::{Plan, Purpose};

/// The first wait; each failure in a row doubles it.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// A plan that is made again within this time after its success has not helped.
const HELPED: Duration = Duration::from_mins(1);

/// Purposes that failed, and until when they wait.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    held: Vec<Held>,
    /// The last success of each purpose: its sentences, and when it ended.
    done: Vec<(Purpose, Vec<String>, Timestamp)>,
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

    /// Takes a success into account. Doing the same again and again is a failure too: it would
    /// keep servers and journal busy for nothing.
    pub(super) fn done(&mut self, plan: &Plan, now: Timestamp) {
        let sentences: Vec<String> = plan
            .steps
            .iter()
            .map(|step| step.sentence.clone())
            .collect();
        let again = self.done.iter().any(|(purpose, before, at)| {
            *purpose == plan.purpose && *before == sentences && now.since(*at) < HELPED
        });
        if again {
            let reason = "it was done and did not help".to_owned();
            self.failed(&plan.purpose, now, reason);
        } else {
            self.succeeded(&plan.purpose);
        }
        self.done.retain(|(purpose, _, _)| *purpose != plan.purpose);
        self.done.push((plan.purpose.clone(), sentences, now));
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
    fn succeeded(&mut self, purpose: &Purpose) {
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
