//! Errant transactions: those a server has executed and its primary has not.

use std::fmt;

use mainstay_gtid::mariadb::{GtidRange, MariadbSet};
use mainstay_gtid::mysql::{MysqlSet, Uuid};
use mainstay_gtid::{Difference, GtidSet};

use crate::facts::Facts;

/// The result of a comparison with a primary that was looked at after the server.
///
/// Transactions which the primary itself has begun are kept apart: a commit that waits for its
/// acknowledgement is on replicas before it is in the primary's own set (MySQL, `AFTER_SYNC`), so
/// they are normal while it serves, and its loss of data when they stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errant {
    /// What another server than the primary wrote and the primary does not have.
    pub foreign: Difference,
    /// What the primary wrote and does not have.
    pub of_primary: Difference,
}

impl Errant {
    /// What `own` has more than the primary.
    pub fn between(own: &GtidSet, primary: &Facts) -> Self {
        match own.missing_from(&primary.executed) {
            Difference::Mysql(set) => Self::of_mysql(&set, primary.server_uuid.as_deref()),
            Difference::Mariadb(ranges) => Self::of_mariadb(ranges, primary.server_id),
        }
    }

    /// Whether the server has nothing that the primary lacks for good.
    pub fn is_clean(&self) -> bool {
        self.foreign.is_empty()
    }

    fn of_mysql(missing: &MysqlSet, primary: Option<&str>) -> Self {
        let of_primary = everything_of(missing, primary);
        Self {
            foreign: Difference::Mysql(missing.subtract(&of_primary)),
            of_primary: Difference::Mysql(missing.intersect(&of_primary)),
        }
    }

    fn of_mariadb(missing: Vec<GtidRange>, primary: u32) -> Self {
        let (own, foreign) = missing
            .into_iter()
            .partition(|range| range.last().server == primary);
        Self {
            foreign: Difference::Mariadb(foreign),
            of_primary: Difference::Mariadb(own),
        }
    }

    /// The foreign transactions that the server, by its own facts, did not write itself: they came
    /// to it from a source.
    #[must_use]
    pub fn received_by(&self, server: &Facts) -> Difference {
        match &self.foreign {
            Difference::Mysql(set) => {
                let own = everything_of(set, server.server_uuid.as_deref());
                Difference::Mysql(set.subtract(&own))
            }
            Difference::Mariadb(ranges) => {
                let received = ranges.iter().copied();
                let received = received.filter(|range| range.last().server != server.server_id);
                Difference::Mariadb(received.collect())
            }
        }
    }

    /// The foreign transactions that the server, by its own facts, wrote itself.
    #[must_use]
    pub fn written_by(&self, server: &Facts) -> Difference {
        match &self.foreign {
            Difference::Mysql(set) => {
                let own = everything_of(set, server.server_uuid.as_deref());
                Difference::Mysql(set.intersect(&own))
            }
            Difference::Mariadb(ranges) => {
                let own = ranges.iter().copied();
                let own = own.filter(|range| range.last().server == server.server_id);
                Difference::Mariadb(own.collect())
            }
        }
    }

    /// A set that encloses the foreign transactions: exact for MySQL; for MariaDB, whose sets
    /// have no lower end, with all that came before.
    pub fn foreign_set(&self) -> GtidSet {
        match &self.foreign {
            Difference::Mysql(set) => GtidSet::Mysql(set.clone()),
            Difference::Mariadb(ranges) => GtidSet::Mariadb(
                ranges
                    .iter()
                    .map(|range| range.last())
                    .collect::<MariadbSet>(),
            ),
        }
    }
}

/// A set that encloses all that one server wrote of these.
fn everything_of(set: &MysqlSet, server: Option<&str>) -> MysqlSet {
    let own = server.and_then(Uuid::parse);
    let everything = set
        .iter()
        .filter(|(origin, _)| Some(origin.uuid) == own)
        .map(|(origin, list)| {
            let last = list.last().map_or(1, |interval| interval.last());
            match origin.tag {
                Some(tag) => format!("{}:{tag}:1-{last}", origin.uuid),
                None => format!("{}:1-{last}", origin.uuid),
            }
        });
    let text = everything.collect::<Vec<_>>().join(",");
    // Printed from a valid set, so it is one; and if not, all being foreign is the safe answer.
    text.parse::<MysqlSet>().unwrap_or_default()
}

impl fmt::Display for Errant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.foreign.fmt(f)
    }
}
