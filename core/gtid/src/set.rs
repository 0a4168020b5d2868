//! The GTID set of either family, as the rest of the product carries it.

use std::cmp::Ordering;
use std::fmt;

use crate::mariadb::MariadbSet;
use crate::mysql::MysqlSet;
use crate::{Difference, GtidError};

/// Which servers' notion of GTID a set follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// `uuid[:tag]:first-last`.
    Mysql,
    /// `domain-server-sequence`.
    Mariadb,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mysql => "MySQL",
            Self::Mariadb => "MariaDB",
        })
    }
}

/// A GTID set of either family.
///
/// Sets of two families share no transaction, and no comparison of them panics: each holds all that
/// the other lacks, so neither contains the other unless that one is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GtidSet {
    /// A set of a `MySQL` server.
    Mysql(MysqlSet),
    /// A set of a `MariaDB` server.
    Mariadb(MariadbSet),
}

impl GtidSet {
    /// The set without a transaction.
    pub fn empty(family: Family) -> Self {
        match family {
            Family::Mysql => Self::Mysql(MysqlSet::default()),
            Family::Mariadb => Self::Mariadb(MariadbSet::default()),
        }
    }

    /// Reads a set as servers of `family` print it; the empty text is the empty set.
    pub fn parse(family: Family, text: &str) -> Result<Self, GtidError> {
        match family {
            Family::Mysql => text.parse().map(Self::Mysql),
            Family::Mariadb => text.parse().map(Self::Mariadb),
        }
    }

    /// The family of the set.
    pub fn family(&self) -> Family {
        match self {
            Self::Mysql(_) => Family::Mysql,
            Self::Mariadb(_) => Family::Mariadb,
        }
    }

    /// Whether every transaction of `other` is known to be in this set, which is so exactly when
    /// `other.missing_from(self)` is empty.
    pub fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Mysql(own), Self::Mysql(other)) => own.contains(other),
            (Self::Mariadb(own), Self::Mariadb(other)) => own.contains(other),
            (Self::Mysql(_), Self::Mariadb(_)) | (Self::Mariadb(_), Self::Mysql(_)) => {
                other.is_empty()
            }
        }
    }

    /// What this set has that `other` lacks: on a replica, its errant transactions if `other` is
    /// its primary's set.
    pub fn missing_from(&self, other: &Self) -> Difference {
        match (self, other) {
            (Self::Mysql(own), Self::Mysql(other)) => Difference::Mysql(own.subtract(other)),
            (Self::Mysql(own), Self::Mariadb(_)) => Difference::Mysql(own.clone()),
            (Self::Mariadb(own), Self::Mariadb(other)) => Difference::Mariadb(own.subtract(other)),
            (Self::Mariadb(own), Self::Mysql(_)) => {
                Difference::Mariadb(own.subtract(&MariadbSet::default()))
            }
        }
    }

    /// All transactions of both sets; an error if they are of two families.
    pub fn union(&self, other: &Self) -> Result<Self, GtidError> {
        match (self, other) {
            (Self::Mysql(own), Self::Mysql(other)) => Ok(Self::Mysql(own.union(other))),
            (Self::Mariadb(own), Self::Mariadb(other)) => Ok(Self::Mariadb(own.union(other))),
            (Self::Mysql(_), Self::Mariadb(_)) | (Self::Mariadb(_), Self::Mysql(_)) => {
                Err(GtidError::Families {
                    left: self.family(),
                    right: other.family(),
                })
            }
        }
    }

    /// The same transactions, known to be what a server with this `server_id` has executed; see
    /// [`MariadbSet::executed_by`]. A `MySQL` set stays as it is.
    #[must_use]
    pub fn executed_by(self, server: u32) -> Self {
        match self {
            Self::Mysql(set) => Self::Mysql(set),
            Self::Mariadb(set) => Self::Mariadb(set.executed_by(server)),
        }
    }

    /// Takes over what another set says about the history that the two share; see
    /// [`MariadbSet::learn_from`]. A `MySQL` set names everything itself.
    pub fn learn_from(&mut self, other: &Self) {
        match (self, other) {
            (Self::Mariadb(own), Self::Mariadb(other)) => own.learn_from(other),
            (Self::Mysql(_), Self::Mysql(_) | Self::Mariadb(_))
            | (Self::Mariadb(_), Self::Mysql(_)) => {}
        }
    }

    /// Which of two replicas of one primary has received more: `Greater` if this one.
    ///
    /// `None` says that the sets cannot be ordered (diverged, or of two families): never promote
    /// on such an answer. For `MariaDB` see [`MariadbSet::received_order`].
    pub fn received_order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Mysql(own), Self::Mysql(theirs)) => own.received_order(theirs),
            (Self::Mariadb(own), Self::Mariadb(theirs)) => own.received_order(theirs),
            (Self::Mysql(_), Self::Mariadb(_)) | (Self::Mariadb(_), Self::Mysql(_)) => None,
        }
    }

    /// How many transactions the set holds: exact for `MySQL`, "at most" for `MariaDB`.
    pub fn count(&self) -> u64 {
        match self {
            Self::Mysql(set) => set.count(),
            Self::Mariadb(set) => set.count(),
        }
    }

    /// Whether the set holds no transaction.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Mysql(set) => set.is_empty(),
            Self::Mariadb(set) => set.is_empty(),
        }
    }
}

/// The text that the servers of the set's family print and accept.
impl fmt::Display for GtidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mysql(set) => set.fmt(f),
            Self::Mariadb(set) => set.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

    fn mysql(numbers: &str) -> GtidSet {
        GtidSet::parse(Family::Mysql, &format!("{UUID}:{numbers}")).expect("a set")
    }

    fn mariadb(text: &str) -> GtidSet {
        GtidSet::parse(Family::Mariadb, text).expect("a set")
    }

    #[test]
    fn what_is_missing_is_counted_and_printed_in_the_form_of_its_family() {
        let errant = mysql("1-9").missing_from(&mysql("1-5:7"));
        assert_eq!(
            (errant.count(), errant.to_string()),
            (3, format!("{UUID}:6:8-9"))
        );
        let errant = mariadb("0-1-9,1-1-2").missing_from(&mariadb("0-1-5"));
        assert_eq!(
            (errant.count(), errant.to_string()),
            (6, "0-1-6..9,1-1-1..2".to_owned())
        );
        assert!(mariadb("0-1-5").missing_from(&mariadb("0-1-9")).is_empty());
    }

    #[test]
    fn sets_of_two_families_share_nothing() {
        let (one, other) = (mysql("1-9"), mariadb("0-1-9"));
        assert!(!one.contains(&other) && !other.contains(&one));
        assert_eq!(one.missing_from(&other).count(), 9);
        assert_eq!(other.missing_from(&one).to_string(), "0-1-1..9");
        assert_eq!(one.received_order(&other), None);
        assert!(one.contains(&GtidSet::empty(Family::Mariadb)));
    }

    #[test]
    fn a_union_of_two_families_is_refused_with_the_remedy() {
        let error = mysql("1")
            .union(&mariadb("0-1-1"))
            .expect_err("two families");
        assert!(error.to_string().contains("MySQL"), "{error}");
        assert!(
            error.to_string().contains("all servers of the cluster"),
            "{error}"
        );
        assert_eq!(mysql("1-2").union(&mysql("3")), Ok(mysql("1-3")));
        assert_eq!(
            mariadb("0-1-2").union(&mariadb("0-2-3")),
            Ok(mariadb("0-2-3;0-1-2"))
        );
    }

    #[test]
    fn the_empty_text_is_the_empty_set_of_either_family() {
        for family in [Family::Mysql, Family::Mariadb] {
            let empty = GtidSet::parse(family, "").expect("an empty set");
            assert_eq!(empty, GtidSet::empty(family));
            assert_eq!((empty.count(), empty.to_string()), (0, String::new()));
        }
    }
}
