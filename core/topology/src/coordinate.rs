//! A place in a binary log, by which servers replicate that do not use GTIDs.
//!
//! The rest of the product reasons with sets. So a place is carried as one: all that the log of one
//! server holds up to there, under that server's uuid and a tag of its own. What a replica holds is
//! then compared, joined and recorded like transactions with GTIDs; what a set of one log says
//! about a set of another is known only from an equivalence that was recorded (see
//! [`crate::Record::began_at`]).

use std::fmt;

use mainstay_gtid::mysql::{Origin, Tag, Uuid};
use mainstay_gtid::{Family, GtidSet};

/// Marks what is a place in a log, and never a GTID.
const TAG: &str = "log_position";

/// Bits of the position in its file: 64 GiB.
const POSITION_BITS: u32 = 36;

/// The end of an event: a file of a log, by its number, and the position in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Coordinate {
    file: u32,
    position: u64,
}

impl Coordinate {
    /// From the name of the file, as in `binlog.000003`, and the position.
    pub fn parse(log: &str, position: u64) -> Option<Self> {
        let (_, number) = log.rsplit_once('.')?;
        let file: u32 = number.parse().ok()?;
        let fits = file > 0 && file < 1 << (63 - POSITION_BITS) && position < 1 << POSITION_BITS;
        fits.then_some(Self { file, position })
    }

    /// The name of the file, in a log whose files begin with `base`.
    pub fn log_name(self, base: &str) -> String {
        format!("{base}.{:06}", self.file)
    }

    /// The position in the file.
    pub fn position(self) -> u64 {
        self.position
    }

    /// All that the log of this server holds up to here.
    pub fn in_log_of(self, uuid: &str) -> Option<GtidSet> {
        let number = u64::from(self.file) << POSITION_BITS | self.position;
        let text = format!("{uuid}:{TAG}:1-{number}");
        GtidSet::parse(Family::Mysql, &text).ok()
    }

    /// The beginnings of the files from this one to that of `end`.
    pub fn files_to(self, end: Self) -> impl Iterator<Item = Self> + Clone {
        (self.file..=end.file).map(|file| Self { file, position: 0 })
    }

    /// How far a set goes in the log of this server.
    pub fn of(set: &GtidSet, uuid: &str) -> Option<Self> {
        let uuid = Uuid::parse(uuid)?;
        let mut parts = parts(set);
        parts.find_map(|(of, at)| (of == uuid).then_some(at))
    }

    fn from_number(number: u64) -> Self {
        Self {
            file: (number >> POSITION_BITS) as u32,
            position: number & ((1 << POSITION_BITS) - 1),
        }
    }
}

impl fmt::Display for Coordinate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}:{}", self.file, self.position)
    }
}

/// Whether a set is one of places in logs.
pub fn is_of_positions(set: &GtidSet) -> bool {
    parts(set).next().is_some()
}

/// A set as people read places: the first part of a server's uuid, file and position.
pub fn shown(set: &GtidSet) -> String {
    let one = |(uuid, at): (Uuid, Coordinate)| {
        let uuid = uuid.to_string();
        format!("{}… {at}", uuid.split('-').next().unwrap_or_default())
    };
    parts(set).map(one).collect::<Vec<_>>().join(", ")
}

/// How far a set goes in each log that it knows.
pub(crate) fn parts(set: &GtidSet) -> impl Iterator<Item = (Uuid, Coordinate)> {
    let set = match set {
        GtidSet::Mysql(set) => Some(set),
        GtidSet::Mariadb(_) => None,
    };
    let tag = Tag::parse(TAG);
    set.into_iter()
        .flat_map(mainstay_gtid::mysql::MysqlSet::iter)
        .filter(move |(origin, _)| origin.tag == tag)
        .filter_map(|(origin, intervals): (&Origin, _)| {
            let last = intervals.last()?.last();
            Some((origin.uuid, Coordinate::from_number(last)))
        })
}

/// What `set` is known to hold besides, when `equal` names one state of the data in several logs:
/// a set that goes as far as there in one of these logs went through that state.
#[must_use]
pub fn enriched(set: &GtidSet, equal: &GtidSet) -> GtidSet {
    let passed = parts(equal).any(|(uuid, at)| {
        let mut own = parts(set);
        own.any(|(of, reached)| of == uuid && reached >= at)
    });
    if passed {
        set.union(equal).unwrap_or_else(|_| set.clone())
    } else {
        set.clone()
    }
}

/// Whether a set goes less far than before in a log that both know: a log that only one of them
/// knows says nothing about the other.
pub(crate) fn shrank(before: &GtidSet, now: &GtidSet) -> bool {
    parts(before).any(|(uuid, at)| parts(now).any(|(of, reached)| of == uuid && reached < at))
}

/// Whether all of `wanted` is in `set` as far as both know the same logs; `None` when they know
/// none in common.
pub fn reaches(set: &GtidSet, wanted: &GtidSet) -> Option<bool> {
    let mut common = None;
    for (uuid, at) in parts(wanted) {
        let own = parts(set).find(|(of, _)| *of == uuid);
        if let Some((_, reached)) = own {
            common = Some(common.unwrap_or(true) && reached >= at);
        }
    }
    common
}

/// Where a replica goes on that stands exactly at `stands`, in the log of the server with this
/// uuid: at the same place if it is in that log already, else where `equal` says that both are the
/// same.
/// `None` when nobody knows: it is behind or beyond that place.
pub fn start_in(stands: &GtidSet, equal: &GtidSet, uuid: &str) -> Option<Coordinate> {
    if let Some(here) = Coordinate::of(stands, uuid) {
        return Some(here);
    }
    let same = parts(equal).any(|(of, at)| {
        let mut own = parts(stands);
        own.any(|(uuid, reached)| uuid == of && reached == at)
    });
    Coordinate::of(equal, uuid).filter(|_| same)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa";
    const B: &str = "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb";

    fn at(file: u32, position: u64) -> Coordinate {
        Coordinate { file, position }
    }

    fn set(uuid: &str, file: u32, position: u64) -> GtidSet {
        at(file, position).in_log_of(uuid).expect("a set")
    }

    fn both(one: &GtidSet, other: &GtidSet) -> GtidSet {
        one.union(other).expect("one family")
    }

    #[test]
    fn a_place_survives_the_way_through_a_set_and_its_text() {
        let place = Coordinate::parse("mysql-bin.000012", 1_073_741_999).expect("a place");
        assert_eq!(place, at(12, 1_073_741_999));
        let set = place.in_log_of(A).expect("a set");
        let read = GtidSet::parse(Family::Mysql, &set.to_string()).expect("a set");
        assert_eq!(Coordinate::of(&read, A), Some(place));
        assert_eq!(Coordinate::of(&read, B), None);
        assert_eq!(place.log_name("mysql-bin"), "mysql-bin.000012");
        assert!(is_of_positions(&set));
    }

    #[test]
    fn what_is_no_log_is_no_place() {
        for (log, position) in [
            ("binlog", 4),
            ("binlog.x", 4),
            ("", 4),
            ("b.000001", 1 << 36),
        ] {
            assert_eq!(Coordinate::parse(log, position), None);
        }
    }

    #[test]
    fn a_later_file_holds_all_of_the_earlier_ones() {
        assert!(set(A, 2, 4).contains(&set(A, 1, 900)));
        assert!(!set(A, 2, 4).contains(&set(A, 2, 5)));
        assert!(!set(B, 9, 9).contains(&set(A, 1, 4)));
    }

    #[test]
    fn a_wait_is_over_when_every_common_log_was_reached() {
        let wanted = both(&set(A, 1, 900), &set(B, 3, 200));
        assert_eq!(reaches(&set(A, 1, 900), &wanted), Some(true));
        assert_eq!(reaches(&set(A, 1, 899), &wanted), Some(false));
        let mixed = both(&set(A, 1, 950), &set(B, 3, 100));
        assert_eq!(reaches(&mixed, &wanted), Some(false));
        let empty = GtidSet::empty(Family::Mysql);
        assert_eq!(reaches(&empty, &wanted), None);
    }

    #[test]
    fn gtids_are_no_places() {
        let gtids = GtidSet::parse(Family::Mysql, &format!("{A}:1-9")).expect("a set");
        assert!(!is_of_positions(&gtids));
        assert!(!set(A, 1, 900).contains(&gtids));
    }

    #[test]
    fn whoever_went_through_a_recorded_state_holds_it_in_both_logs() {
        let equal = both(&set(A, 1, 900), &set(B, 3, 200));
        assert_eq!(enriched(&set(A, 1, 900), &equal), equal);
        let beyond = enriched(&set(A, 1, 950), &equal);
        assert!(beyond.contains(&equal) && beyond.contains(&set(A, 1, 950)));
        assert_eq!(enriched(&set(A, 1, 899), &equal), set(A, 1, 899));
    }

    #[test]
    fn a_replica_is_placed_only_where_both_logs_are_known_to_be_the_same() {
        let equal = both(&set(A, 1, 900), &set(B, 3, 200));
        assert_eq!(start_in(&set(A, 1, 900), &equal, B), Some(at(3, 200)));
        assert_eq!(start_in(&set(B, 3, 700), &equal, B), Some(at(3, 700)));
        assert_eq!(start_in(&set(A, 1, 899), &equal, B), None, "it is behind");
        assert_eq!(start_in(&set(A, 1, 901), &equal, B), None, "it is beyond");
        let empty = GtidSet::empty(Family::Mysql);
        assert_eq!(start_in(&empty, &equal, B), None, "nothing is known of it");
    }
}
