//! What the primary had executed, and when that was seen: by it the lag of a replica is measured in
//! milliseconds, where servers count whole seconds and cannot tell a pause from being level. The
//! manager's heartbeat row moves the primary on when nobody else does.
//!
//! What comes out is proved: a replica that lacks what the primary had so long ago is at least so
//! far behind. It says nothing finer than the pauses between looks and between heartbeats.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_gtid::GtidSet;

use crate::server::{Epoch, ServerName};

/// Marks that are kept; of what is older, the last one stays true.
const MARKS_MAX: usize = 64;
/// Marks are not closer than this.
const APART: Duration = Duration::from_millis(100);

/// What one primary had.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    of: Option<(Epoch, ServerName)>,
    /// When the look had ended, and what it saw; the newest at the end.
    seen: VecDeque<(Timestamp, Arc<GtidSet>)>,
}

impl Marks {
    /// The primary of this reign was looked at.
    pub(crate) fn note(
        &mut self,
        (epoch, primary): (Epoch, &ServerName),
        ended: Timestamp,
        executed: &GtidSet,
    ) {
        let same = |(of, name): &(Epoch, ServerName)| *of == epoch && name == primary;
        if !self.of.as_ref().is_some_and(same) {
            self.of = Some((epoch, primary.clone()));
            self.seen.clear();
        }
        let is_near = |(at, last): &(Timestamp, Arc<GtidSet>)| {
            ended.since(*at) < APART || **last == *executed
        };
        if self.seen.back().is_some_and(is_near) {
            return;
        }
        if self.seen.len() == MARKS_MAX {
            self.seen.pop_front();
        }
        self.seen.push_back((ended, Arc::new(executed.clone())));
    }

    /// How far a server is behind at least that was looked at from `begun` on.
    pub(crate) fn behind(&self, begun: Timestamp, executed: &GtidSet) -> Duration {
        let newest_first = self.seen.iter().rev();
        let lacked = newest_first.take_while(|(_, had)| !executed.contains(had));
        lacked
            .last()
            .map_or(Duration::ZERO, |(at, _)| begun.since(*at))
    }
}

#[cfg(test)]
mod tests {
    use mainstay_gtid::Family;

    use super::*;

    fn set(last: u64) -> GtidSet {
        GtidSet::parse(Family::Mariadb, &format!("0-1-{last}")).expect("a set")
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// One transaction each 500 ms, each seen at once.
    fn marks() -> Marks {
        let (mut marks, name) = (Marks::default(), ServerName::new("db1"));
        for step in 1..=10 {
            marks.note((Epoch(1), &name), at(step * 500), &set(step));
        }
        marks
    }

    #[test]
    fn a_replica_is_behind_since_the_first_thing_that_it_lacks() {
        let marks = marks();
        let behind = |last| marks.behind(at(5_200), &set(last)).as_millis();
        assert_eq!([behind(10), behind(9), behind(4)], [0, 200, 2_700]);
    }

    #[test]
    fn what_the_primary_did_after_the_look_began_counts_for_nothing() {
        assert_eq!(marks().behind(at(4_700), &set(9)), Duration::ZERO);
    }

    #[test]
    fn another_reign_begins_with_no_marks() {
        let mut marks = marks();
        marks.note((Epoch(2), &ServerName::new("db2")), at(6_000), &set(10));
        assert_eq!(marks.behind(at(6_500), &set(10)), Duration::ZERO);
        assert_eq!(marks.behind(at(6_500), &set(1)).as_millis(), 500);
    }

    #[test]
    fn the_number_of_marks_has_an_end() {
        let (mut marks, name) = (Marks::default(), ServerName::new("db1"));
        for step in 1..1_000 {
            marks.note((Epoch(1), &name), at(step * 10), &set(step));
        }
        assert_eq!(marks.seen.len(), MARKS_MAX);
    }
}
