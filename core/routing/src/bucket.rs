//! Token buckets: so much a second, and a second's worth at once.

use std::time::Duration;

use mainstay_clock::Timestamp;

/// What a user, a rule or a hostgroup may use; `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Connections at the same time: of a user those of its clients, else those to servers.
    pub connections_max: Option<usize>,
    /// Statements a second.
    pub queries_per_second: Option<u64>,
    /// Bytes a second, of statements and of replies.
    pub bytes_per_second: Option<u64>,
}

impl Limits {
    /// One of `workers` shares of the rates.
    #[must_use]
    pub fn shared(self, workers: usize) -> Self {
        let workers = u64::try_from(workers).unwrap_or(1).max(1);
        let share = |rate: Option<u64>| rate.map(|rate| rate.div_ceil(workers));
        Self {
            connections_max: self.connections_max,
            queries_per_second: share(self.queries_per_second),
            bytes_per_second: share(self.bytes_per_second),
        }
    }
}

/// What is left of a limit. It may go below nothing: what a statement costs is known when it has
/// ended.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    /// Tokens times 10^9, so that nothing is lost between two close moments.
    level: i128,
    at: Timestamp,
}

const SCALE: i128 = 1_000_000_000;

impl Bucket {
    /// A full one.
    pub fn full(rate: u64, now: Timestamp) -> Self {
        Self {
            level: i128::from(rate) * SCALE,
            at: now,
        }
    }

    /// Takes tokens out, however few there are.
    pub fn take(&mut self, tokens: u64, rate: u64, now: Timestamp) {
        self.fill(rate, now);
        self.level -= i128::from(tokens) * SCALE;
    }

    /// How long until there is a token: nothing when there is one.
    pub fn wait(&mut self, rate: u64, now: Timestamp) -> Duration {
        self.fill(rate, now);
        let missing = SCALE.min(i128::from(rate).max(1) * SCALE) - self.level;
        if missing <= 0 {
            return Duration::ZERO;
        }
        let nanos = missing / i128::from(rate).max(1) + 1;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    fn fill(&mut self, rate: u64, now: Timestamp) {
        let passed = now.since(self.at).as_nanos();
        let passed = i128::try_from(passed).unwrap_or(i128::MAX / SCALE);
        let full = i128::from(rate) * SCALE;
        self.level = (self.level + passed.saturating_mul(i128::from(rate))).min(full);
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_second_of_tokens_is_there_at_once_and_then_they_come_evenly() {
        let at = Timestamp::from_millis;
        let mut bucket = Bucket::full(10, at(0));
        for _ in 0..10 {
            assert_eq!(bucket.wait(10, at(0)), Duration::ZERO);
            bucket.take(1, 10, at(0));
        }
        let wait = bucket.wait(10, at(0));
        assert!(wait > Duration::from_millis(99) && wait < Duration::from_millis(101));
        assert_eq!(bucket.wait(10, at(101)), Duration::ZERO);
        bucket.take(1, 10, at(101));
        assert_ne!(bucket.wait(10, at(101)), Duration::ZERO);
        assert_eq!(bucket.wait(10, at(100_000)), Duration::ZERO);
    }

    #[test]
    fn a_debt_is_paid_before_anything_is_given() {
        let at = Timestamp::from_millis;
        let mut bucket = Bucket::full(1_000, at(0));
        bucket.take(5_000, 1_000, at(0));
        let wait = bucket.wait(1_000, at(0));
        assert!(wait >= Duration::from_secs(4) && wait < Duration::from_millis(4_010));
    }

    proptest! {
        #[test]
        fn no_more_is_given_than_the_rate_and_one_second_allow(
            rate in 1_u64..1_000,
            steps in prop::collection::vec(0_u64..50, 1..300),
        ) {
            let (mut now, mut given) = (Timestamp::ZERO, 0_u64);
            let mut bucket = Bucket::full(rate, now);
            for step in steps {
                now = now + Duration::from_millis(step);
                if bucket.wait(rate, now).is_zero() {
                    bucket.take(1, rate, now);
                    given += 1;
                }
            }
            let allowed = rate + rate * now.as_millis() / 1_000 + 1;
            prop_assert!(given <= allowed);
        }
    }
}
