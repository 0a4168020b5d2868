//! How many answers a source gets: a bucket for each network, as the addresses of a flood with a
//! forged source are all of one victim.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// More sources than this at the same time are a flood, and the oldest of them are forgotten.
const SOURCES_MAX: usize = 16_384;

/// Buckets of all sources.
#[derive(Debug)]
pub(crate) struct Limiter {
    per_second: u32,
    buckets: HashMap<IpAddr, Bucket>,
}

#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Limiter {
    pub(crate) fn new(per_second: u32) -> Self {
        let buckets = HashMap::new();
        Self {
            per_second,
            buckets,
        }
    }

    /// Whether this source gets another answer.
    pub(crate) fn allows(&mut self, now: Instant, source: IpAddr) -> bool {
        if self.per_second == 0 {
            return true;
        }
        let full = f64::from(self.per_second);
        if self.buckets.len() >= SOURCES_MAX {
            // A bucket that would be full again is as good as none.
            let second = Duration::from_secs(1);
            self.buckets
                .retain(|_, bucket| now.duration_since(bucket.at) < second);
        }
        if self.buckets.len() >= SOURCES_MAX {
            self.buckets.clear();
        }
        let bucket = self.buckets.entry(network(source)).or_insert(Bucket {
            left: full,
            at: now,
        });
        let gained = now.duration_since(bucket.at).as_secs_f64() * full;
        bucket.left = (bucket.left + gained).min(full);
        bucket.at = now;
        let allowed = bucket.left >= 1.0;
        if allowed {
            bucket.left -= 1.0;
        }
        allowed
    }
}

/// The /24 or /56 of an address: what one customer has.
fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => IpAddr::V4((ip.to_bits() & 0xffff_ff00).into()),
        IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() & !(u128::MAX >> 56)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_gets_so_many_answers_a_second_and_others_do_not_suffer() {
        let mut limiter = Limiter::new(2);
        let now = Instant::now();
        let [flood, same, other] = [[192, 0, 2, 1], [192, 0, 2, 9], [198, 51, 100, 1]];
        assert!(limiter.allows(now, flood.into()));
        assert!(limiter.allows(now, same.into()));
        assert!(!limiter.allows(now, flood.into()));
        assert!(limiter.allows(now, other.into()));
        let later = now + Duration::from_millis(500);
        assert!(limiter.allows(later, flood.into()));
        assert!(!limiter.allows(later, flood.into()));
    }

    #[test]
    fn zero_is_no_limit_and_sources_are_bounded() {
        let now = Instant::now();
        let mut open = Limiter::new(0);
        assert!((0..1_000).all(|_| open.allows(now, [192, 0, 2, 1].into())));
        let mut limiter = Limiter::new(1);
        for number in 0..40_000_u32 {
            limiter.allows(now, IpAddr::V4((number << 8).into()));
        }
        assert!(limiter.buckets.len() <= SOURCES_MAX);
    }
}
