//! How long silence means that no router is Active.

use std::time::Duration;

use crate::packet::Version;

/// Lower priorities wait longer, so that one router steps forward: in version 2 a share of a
/// second (RFC 3768 §6.1), in version 3 of the interval (RFC 9568 §6.1).
pub fn skew(version: Version, priority: u8, interval: Duration) -> Duration {
    let span = match version {
        Version::V2 => Duration::from_secs(1),
        Version::V3 => interval,
    };
    span * (256 - u32::from(priority)) / 256
}

/// Silence after which a Backup router becomes Active: three intervals of the Active router and
/// the skew (RFC 9568 §6.1, `Active_Down_Interval`).
pub fn active_down(version: Version, priority: u8, interval: Duration) -> Duration {
    interval * 3 + skew(version, priority, interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formulae_give_what_was_measured_of_keepalived() {
        let millis = |version, interval| {
            let interval = Duration::from_millis(interval);
            active_down(version, 90, interval).as_micros()
        };
        assert_eq!(millis(Version::V2, 1_000), 3_648_437);
        assert_eq!(millis(Version::V3, 100), 364_843);
        assert_eq!(millis(Version::V3, 10), 36_484);
    }
}
