//! What one GTID set has and another lacks, ready to be counted and shown to a person.

use std::fmt;

use crate::mariadb::GtidRange;
use crate::mysql::MysqlSet;

/// The transactions of one set that another lacks; see [`crate::GtidSet::missing_from`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Exact, as `MySQL` sets list every transaction.
    Mysql(MysqlSet),
    /// Ranges that enclose the missing transactions; see [`crate::mariadb::MariadbSet::subtract`].
    Mariadb(Vec<GtidRange>),
}

impl Difference {
    /// Whether nothing is missing. Exact in both families.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Mysql(set) => set.is_empty(),
            Self::Mariadb(ranges) => ranges.is_empty(),
        }
    }

    /// How many transactions are missing: exact for `MySQL`, "at most" for `MariaDB`.
    pub fn count(&self) -> u64 {
        match self {
            Self::Mysql(set) => set.count(),
            Self::Mariadb(ranges) => ranges
                .iter()
                .fold(0, |sum, range| sum.saturating_add(range.count())),
        }
    }
}

/// The text that operators can use in statements (`MySQL`) or search a binlog for (`MariaDB`).
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mysql(set) => set.fmt(f),
            Self::Mariadb(ranges) => {
                for (index, range) in ranges.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(f, "{comma}{range}")?;
                }
                Ok(())
            }
        }
    }
}
