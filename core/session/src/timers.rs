//! One coarse timer per connection. A timer may ring early: its owner then looks at its own
//! deadline again, so that moving a deadline later, which each query does, costs nothing.

use std::collections::BTreeSet;

use mainstay_clock::Timestamp;

use crate::op::ConnId;

/// The timers of one machine.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    queue: BTreeSet<(Timestamp, ConnId)>,
    /// By number: every statement looks at one of them, and the numbers are dense.
    clients: Vec<Option<Timestamp>>,
    servers: Vec<Option<Timestamp>>,
}

impl Timers {
    /// Rings for `who` at `at` or earlier.
    pub(crate) fn arm(&mut self, who: ConnId, at: Timestamp) {
        let place = self.place(who);
        match place {
            Some(armed) if *armed <= at => return,
            Some(_) | None => {}
        }
        if let Some(armed) = place.replace(at) {
            self.queue.remove(&(armed, who));
        }
        self.queue.insert((at, who));
    }

    pub(crate) fn disarm(&mut self, who: ConnId) {
        if let Some(at) = self.place(who).take() {
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
        *self.place(who) = None;
        Some(who)
    }

    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.queue.first().map(|&(at, _)| at)
    }

    fn place(&mut self, who: ConnId) -> &mut Option<Timestamp> {
        let (places, number) = match who {
            ConnId::Client(number) => (&mut self.clients, number as usize),
            ConnId::Server(number) => (&mut self.servers, number as usize),
        };
        if places.len() <= number {
            places.resize(number + 1, None);
        }
        &mut places[number]
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
