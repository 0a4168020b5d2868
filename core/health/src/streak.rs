//! Counts answers: so many failures in a row are needed to go down, so many passes to come up.
//!
//! Invariants:
//! - the first answer of all decides at once, whatever the counts;
//! - an answer that agrees with the verdict ends the streak against it.

use std::time::Duration;

use mainstay_clock::Timestamp;

/// What is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    /// It works.
    Up,
    /// It does not.
    Down,
}

/// How often to look, and how many answers it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Between two looks while nothing changes.
    pub interval: Duration,
    /// Between two looks while answers speak against the verdict.
    pub retry_interval: Duration,
    /// A look that takes longer has failed.
    pub limit: Duration,
    /// Failures in a row that make it down; at least 1.
    pub fall: u32,
    /// Passes in a row that make it up; at least 1.
    pub rise: u32,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(2),
            retry_interval: Duration::from_secs(1),
            limit: Duration::from_secs(2),
            fall: 3,
            rise: 2,
        }
    }
}

/// The answers to one probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Streak {
    timing: Timing,
    verdict: Verdict,
    against: u32,
    due: Timestamp,
}

impl Streak {
    /// Nobody has looked; the first look is due `now`.
    pub fn new(timing: Timing, now: Timestamp) -> Self {
        Self {
            timing,
            verdict: Verdict::Unknown,
            against: 0,
            due: now,
        }
    }

    /// What is known.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// When to look next.
    pub fn due(&self) -> Timestamp {
        self.due
    }

    /// How long a look may take.
    pub fn limit(&self) -> Duration {
        self.timing.limit
    }

    /// Takes other timing for what comes; what is known stays.
    pub fn set_timing(&mut self, timing: Timing) {
        self.timing = timing;
    }

    /// Takes an answer. Gives the new verdict where it changes.
    pub fn answer(&mut self, now: Timestamp, passed: bool) -> Option<Verdict> {
        let says = if passed { Verdict::Up } else { Verdict::Down };
        let needed = match self.verdict {
            Verdict::Unknown => 1,
            Verdict::Up => self.timing.fall,
            Verdict::Down => self.timing.rise,
        };
        if says == self.verdict {
            self.against = 0;
        } else {
            self.against += 1;
        }
        let changes = self.against >= needed.max(1);
        if changes {
            self.verdict = says;
            self.against = 0;
        }
        let pause = if self.against == 0 {
            self.timing.interval
        } else {
            self.timing.retry_interval
        };
        self.due = now + pause;
        changes.then_some(says)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streak(fall: u32, rise: u32) -> Streak {
        let timing = Timing {
            interval: Duration::from_secs(6),
            retry_interval: Duration::from_secs(3),
            fall,
            rise,
            ..Timing::default()
        };
        Streak::new(timing, Timestamp::ZERO)
    }

    fn changes(streak: &mut Streak, answers: &str) -> Vec<Option<Verdict>> {
        let passed = answers.chars().map(|answer| answer == '+');
        passed
            .map(|passed| streak.answer(Timestamp::ZERO, passed))
            .collect()
    }

    #[test]
    fn the_first_answer_decides_at_once() {
        for (answer, verdict) in [("+", Verdict::Up), ("-", Verdict::Down)] {
            let mut one = streak(5, 5);
            assert_eq!(one.verdict(), Verdict::Unknown);
            assert_eq!(changes(&mut one, answer), [Some(verdict)]);
        }
    }

    #[test]
    fn an_answer_that_agrees_ends_the_streak_against() {
        let mut one = streak(3, 2);
        changes(&mut one, "+--+--");
        assert_eq!(one.verdict(), Verdict::Up);
        assert_eq!(changes(&mut one, "-"), [Some(Verdict::Down)]);
        assert_eq!(changes(&mut one, "+-+"), [None, None, None]);
        assert_eq!(changes(&mut one, "+"), [Some(Verdict::Up)]);
    }

    #[test]
    fn a_doubt_is_looked_into_sooner() {
        let mut one = streak(2, 1);
        let at = Timestamp::from_millis(1_000);
        one.answer(at, true);
        assert_eq!(one.due(), at + Duration::from_secs(6));
        one.answer(at, false);
        assert_eq!(one.due(), at + Duration::from_secs(3));
        one.answer(at, false);
        assert_eq!(one.due(), at + Duration::from_secs(6), "it is down now");
    }

    #[test]
    fn a_count_of_zero_is_one() {
        let mut one = streak(0, 0);
        assert_eq!(
            changes(&mut one, "+-+"),
            [Some(Verdict::Up), Some(Verdict::Down), Some(Verdict::Up)]
        );
    }
}
