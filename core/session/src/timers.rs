//! One coarse timer per connection. A timer may ring early: its owner then looks at its own
//! deadline again, so that moving a deadline later, which each query does, costs nothing.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_clock::Timestamp;

use crate::op::ConnId;

/// The timers of one machine.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    queue: BTreeSet<(Timestamp, ConnId)>,
    armed: BTreeMap<ConnId, Timestamp>,
}

impl Timers {
    /// Rings for `who` at `at` or earlier.
    pub(crate) fn arm(&mut self, who: ConnId, at: Timestamp) {
        if let Some(&armed) = self.armed.get(&who) {
            if armed <= at {
                return;
            }
            self.queue.remove(&(armed, who));
        }
        self.armed.insert(who, at);
        self.queue.insert((at, who));
    }

    pub(crate) fn disarm(&mut self, who: ConnId) {
        if let Some(at) = self.armed.remove(&who) {
            self.queue.remove(&(at, who));
        }
    }

    /// Takes one connection whose timer rings.
    pub(crate) fn next_due(&mut self, now: Timestamp) -> Option<ConnId> {
        let &(at, who) = self.queue.first()?;
        if at > now {
            return None;
        }
        self.queue.pop_first();
        self.armed.remove(&who);
        Some(who)
    }

    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.queue.first().map(|&(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_moves_only_to_the_earlier() {
        let mut timers = Timers::default();
        let who = ConnId::Client(1);
        timers.arm(who, Timestamp::from_millis(20));
        timers.arm(who, Timestamp::from_millis(30));
        assert_eq!(timers.deadline(), Some(Timestamp::from_millis(20)));
        timers.arm(who, Timestamp::from_millis(10));
        assert_eq!(timers.next_due(Timestamp::from_millis(9)), None);
        assert_eq!(timers.next_due(Timestamp::from_millis(10)), Some(who));
        assert_eq!(timers.deadline(), None);
    }
}
