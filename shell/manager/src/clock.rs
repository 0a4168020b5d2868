//! The one clock of a manager: monotonic for decisions, by the wall for people.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mainstay_clock::Timestamp;
use tokio::time::Instant;

/// A clock whose wall time never jumps: it was read once, and the monotonic time is added.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    origin: Instant,
    origin_us: u64,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH);
        let origin_us = wall.unwrap_or_default().as_micros();
        Self {
            origin: Instant::now(),
            origin_us: u64::try_from(origin_us).unwrap_or(u64::MAX),
        }
    }

    pub(crate) fn now(self) -> Timestamp {
        let elapsed = self.origin.elapsed().as_nanos();
        Timestamp::from_nanos(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }

    /// Microseconds since 1970 at this moment.
    pub(crate) fn wall_us(self, at: Timestamp) -> u64 {
        self.origin_us + at.as_nanos() / 1_000
    }

    /// The moment for a timer.
    pub(crate) fn instant(self, at: Timestamp) -> Instant {
        self.origin + Duration::from_nanos(at.as_nanos())
    }
}
