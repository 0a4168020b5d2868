//! When the addresses are announced: at once, again, and then on schedule.

use std::time::Duration;

use mainstay_clock::Timestamp;

use crate::policy::Announcements;

/// After a quarrel no more often than this.
const QUARREL_INTERVAL: Duration = Duration::from_secs(1);

/// The announcements still to be made by an Active router.
#[derive(Debug, Clone, Default)]
pub(crate) struct Announcer {
    again: Option<Timestamp>,
    refresh: Option<Timestamp>,
    burst: Option<Timestamp>,
}

impl Announcer {
    /// It has become Active: how many at once.
    pub(crate) fn begin(&mut self, now: Timestamp, policy: &Announcements) -> u8 {
        self.burst = Some(now);
        self.again = Some(now + policy.again_after);
        self.refresh = policy.refresh.map(|every| now + policy.again_after + every);
        policy.count
    }

    /// Another host spoke for the addresses: the network must be told again.
    pub(crate) fn quarrel(&mut self, now: Timestamp, policy: &Announcements) -> Option<u8> {
        if self
            .burst
            .is_some_and(|at| !now.passed(at, QUARREL_INTERVAL))
        {
            return None;
        }
        Some(self.begin(now, policy))
    }

    /// What is due.
    pub(crate) fn due(&mut self, now: Timestamp, policy: &Announcements) -> Option<u8> {
        if self.again.is_some_and(|at| now >= at) {
            self.again = None;
            return Some(policy.count);
        }
        if self.refresh.is_some_and(|at| now >= at) {
            self.refresh = policy.refresh.map(|every| now + every);
            return Some(1);
        }
        None
    }

    /// It is no longer Active.
    pub(crate) fn end(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        [self.again, self.refresh].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announcements_come_at_once_after_five_seconds_and_every_minute() {
        let policy = Announcements::default();
        let mut announcer = Announcer::default();
        let mut counts = vec![(0, announcer.begin(Timestamp::ZERO, &policy))];
        while let Some(at) = announcer.deadline().filter(|at| at.as_millis() <= 130_000) {
            let count = announcer.due(at, &policy).expect("it is due");
            counts.push((at.as_millis() / 1_000, count));
        }
        assert_eq!(counts, [(0, 5), (5, 5), (65, 1), (125, 1)]);
    }

    #[test]
    fn a_quarrel_is_answered_at_most_once_a_second() {
        let policy = Announcements::default();
        let mut announcer = Announcer::default();
        announcer.begin(Timestamp::ZERO, &policy);
        let at = Timestamp::from_millis;
        assert_eq!(announcer.quarrel(at(999), &policy), None);
        assert_eq!(announcer.quarrel(at(1_000), &policy), Some(5));
        assert_eq!(announcer.quarrel(at(1_001), &policy), None);
    }
}
