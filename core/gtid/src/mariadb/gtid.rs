//! One transaction of `MariaDB`, and a range of them.

use std::fmt;

/// A `MariaDB` GTID: `0-1-122`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gtid {
    /// `gtid_domain_id`: an ordered stream of its own.
    pub domain: u32,
    /// `server_id` of the server that committed first.
    pub server: u32,
    /// The number within the domain; servers start at 1.
    pub sequence: u64,
}

impl fmt::Display for Gtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.domain, self.server, self.sequence)
    }
}

/// Transactions of one server in one domain, both ends included: `0-1-123..125`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GtidRange {
    last: Gtid,
    first_sequence: u64,
}

impl GtidRange {
    /// The range from `first_sequence`, which is at least 1 and at most the last's, to `last`.
    pub(super) fn new(last: Gtid, first_sequence: u64) -> Self {
        Self {
            last,
            first_sequence,
        }
    }

    /// The newest transaction of the range; it is surely one of the missing.
    pub fn last(self) -> Gtid {
        self.last
    }

    /// Where the range starts.
    pub fn first(self) -> Gtid {
        Gtid {
            sequence: self.first_sequence,
            ..self.last
        }
    }

    /// How many transactions the range holds at most; never 0, saturates.
    pub fn count(self) -> u64 {
        (self.last.sequence - self.first_sequence).saturating_add(1)
    }
}

impl fmt::Display for GtidRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first().fmt(f)?;
        if self.first_sequence == self.last.sequence {
            return Ok(());
        }
        write!(f, "..{}", self.last.sequence)
    }
}
