//! `MariaDB`'s sets: for each domain and server, the newest sequence number.
//!
//! Source: the manual's "Global Transaction ID". A GTID is `domain-server-sequence`, where the
//! server is the one that committed first. With `gtid_strict_mode` sequence numbers only grow
//! within a domain, and a replica applies a domain in order; so whoever has `d-s-n` has everything
//! that server `s` wrote to domain `d` before it, and the newest number stands for all.
//!
//! Divergence follows from it. If an old primary's newest of `(d, s)` is `n` and the new primary's
//! is `m < n` (or it has none), the transactions of `s` after `m` up to `n` are errant:
//! `d-s-(m+1..n)`.
//!
//! Without strict mode, or with two servers writing to one domain, a hole can hide below a newest
//! number. Nothing computed from these texts can see it, so strict mode is a condition of safety.

use std::cmp::Ordering;
use std::collections::BTreeMap;

mod gtid;
mod position;
mod text;

pub use gtid::{Gtid, GtidRange};
pub use position::Position;

#[cfg(test)]
mod tests;

/// What a server's history holds: build it from `@@gtid_binlog_state`, then [`include`] the
/// positions it reports (`@@gtid_slave_pos`, `Gtid_IO_Pos`).
///
/// A set built from a position alone understates the history: it names one server in each domain,
/// and says nothing of the others. It is then safe as evidence of what a server *has*, and too
/// strict as evidence of what it lacks.
///
/// [`include`]: MariadbSet::include
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MariadbSet {
    /// Domain and server to their newest sequence number, which is never 0.
    newest: BTreeMap<(u32, u32), u64>,
}

impl MariadbSet {
    /// Adds a transaction, and with it all that its server wrote to its domain before.
    pub fn include(&mut self, gtid: Gtid) {
        if gtid.sequence > 0 {
            let newest = self.newest.entry((gtid.domain, gtid.server)).or_default();
            *newest = gtid.sequence.max(*newest);
        }
    }

    /// The newest transaction of every domain and server, in that order.
    pub fn iter(&self) -> impl Iterator<Item = Gtid> {
        self.newest
            .iter()
            .map(|(&(domain, server), &sequence)| Gtid {
                domain,
                server,
                sequence,
            })
    }

    /// The newest transaction of every domain: what a replica with this history asks its source
    /// to continue from.
    pub fn position(&self) -> Position {
        self.iter().collect()
    }

    /// Whether, for every domain and server of `other`, this set is at least as new.
    pub fn contains(&self, other: &Self) -> bool {
        other
            .iter()
            .all(|theirs| self.newest_of(theirs) >= theirs.sequence)
    }

    /// All transactions of both sets.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut union = self.clone();
        union.extend(other.iter());
        union
    }

    /// The transactions that both sets have.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let both = |own: Gtid| Gtid {
            sequence: own.sequence.min(other.newest_of(own)),
            ..own
        };
        self.iter().map(both).collect()
    }

    /// Ranges that enclose the transactions which this set has and `other` lacks; empty exactly
    /// when `other` contains this set.
    ///
    /// Every missing transaction lies in a range, but a range may span numbers that another
    /// server used. Its start is as late as can be proved: past the newest number that `other` has
    /// of the same server, and past the newest transaction of the domain that both have, since up
    /// to there the two histories are one.
    pub fn subtract(&self, other: &Self) -> Vec<GtidRange> {
        let shared = self.intersect(other).position();
        let missing = |own: Gtid| {
            let theirs = other.newest_of(own);
            // A number below the shared one breaks strict mode: then nothing narrows the range.
            let shared = shared.sequence(own.domain);
            let before = if shared < own.sequence {
                theirs.max(shared)
            } else {
                theirs
            };
            (theirs < own.sequence).then(|| GtidRange::new(own, before + 1))
        };
        self.iter().filter_map(missing).collect()
    }

    /// Which of two replicas of one primary has received more, by the newest number of every
    /// domain: `Greater` if this one.
    ///
    /// `None` if each is ahead in another domain, or if one number of a domain was given out by
    /// two servers, which means that the histories have diverged. An order is not yet a proof of
    /// a common history: for that, look for errant transactions with [`MariadbSet::subtract`].
    pub fn received_order(&self, other: &Self) -> Option<Ordering> {
        self.position().received_order(&other.position())
    }

    /// How many transactions the set holds at most: every number of a domain is used once.
    pub fn count(&self) -> u64 {
        self.position()
            .iter()
            .fold(0, |sum, newest| sum.saturating_add(newest.sequence))
    }

    /// Whether the set holds no transaction.
    pub fn is_empty(&self) -> bool {
        self.newest.is_empty()
    }

    /// The newest number that the set has of the same domain and server; 0 if none.
    fn newest_of(&self, gtid: Gtid) -> u64 {
        self.newest
            .get(&(gtid.domain, gtid.server))
            .copied()
            .unwrap_or_default()
    }
}

impl Extend<Gtid> for MariadbSet {
    fn extend<T: IntoIterator<Item = Gtid>>(&mut self, gtids: T) {
        gtids.into_iter().for_each(|gtid| self.include(gtid));
    }
}

impl FromIterator<Gtid> for MariadbSet {
    fn from_iter<T: IntoIterator<Item = Gtid>>(gtids: T) -> Self {
        let mut set = Self::default();
        set.extend(gtids);
        set
    }
}
