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
        let own = primary.and_then(Uuid::parse);
        let everything = missing
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
        // Printed from a valid set, so it is one; and if not, all being errant is the safe answer.
        let of_primary = text.parse::<MysqlSet>().unwrap_or_default();
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

impl fmt::Display for Errant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.foreign.fmt(f)
    }
}
