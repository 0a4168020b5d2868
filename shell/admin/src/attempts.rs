//! Failed logins: counted for each address, and slowed.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// After the first failure; each further one doubles it.
const FIRST_DELAY: Duration = Duration::from_millis(100);
const DELAY_MAX: Duration = Duration::from_secs(10);

/// After so long without a failure an address begins anew.
const FORGIVEN_AFTER: Duration = Duration::from_mins(15);

/// Addresses remembered: somebody with many could fill the memory.
const ADDRESSES_MAX: usize = 4096;

/// Failures by address.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<BTreeMap<IpAddr, (u32, Instant)>>);

impl Attempts {
    /// A login failed: how long its answer waits, and how often that was.
    pub(crate) fn failed(&self, address: IpAddr, now: Instant) -> (Duration, u32) {
        let mut known = self.known();
        known.retain(|_, (_, last)| now.saturating_duration_since(*last) < FORGIVEN_AFTER);
        if known.len() >= ADDRESSES_MAX && !known.contains_key(&address) {
            return (DELAY_MAX, 1);
        }
        let entry = known.entry(address).or_insert((0, now));
        *entry = (entry.0.saturating_add(1), now);
        (delay(entry.0), entry.0)
    }

    /// A login succeeded.
    pub(crate) fn succeeded(&self, address: IpAddr) {
        self.known().remove(&address);
    }

    /// All are forgiven.
    pub(crate) fn forget(&self) {
        self.known().clear();
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<IpAddr, (u32, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn delay(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(10);
    (FIRST_DELAY * 2_u32.pow(doublings)).min(DELAY_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_of_an_address_makes_its_next_answer_slower() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let one: IpAddr = [127, 0, 0, 1].into();
        let delays: Vec<_> = (0..9)
            .map(|_| attempts.failed(one, now).0.as_millis())
            .collect();
        assert_eq!(
            delays,
            [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]
        );
        let other: IpAddr = [127, 0, 0, 2].into();
        assert_eq!(attempts.failed(other, now), (FIRST_DELAY, 1));
        attempts.succeeded(one);
        assert_eq!(attempts.failed(one, now), (FIRST_DELAY, 1));
        let later = now + FORGIVEN_AFTER;
        assert_eq!(attempts.failed(other, later), (FIRST_DELAY, 1));
    }
}
