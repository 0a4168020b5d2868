//! `MariaDB`'s sets: for each domain and server, the newest sequence number.
//!
//! Source: the manual's "Global Transaction ID". A GTID is `domain-server-sequence`, where the
//! server is the one that committed first. With `gtid_strict_mode` sequence numbers only grow
//! within a domain, and a replica applies a domain in order. So a server's history of a domain is
//! a line, two histories are one up to their newest shared transaction, and two things follow:
//!
//! - whoever has `d-s-n` has everything that server `s` wrote to domain `d` before it;
//! - whoever has the *end* of a line, its newest transaction, has the whole line, whoever wrote it,
//!   and whether or not its own text names them all.
//!
//! The second is what makes a server comparable that was given data by hand (`RESET MASTER` and
//! `gtid_slave_pos`, or a backup): it names the newest transaction only. What it does not name it
//! can be told, see [`MariadbSet::learn_from`].
//!
//! Divergence follows too. If an old primary's newest of `(d, s)` is `n` and the new primary's
//! is `m < n` (or it has none), the transactions of `s` after `m` up to `n` are errant:
//! `d-s-(m+1..n)`.
//!
//! Nothing computed from these texts can see a hole below a newest number. Strict mode is therefore
//! a condition of safety, and so is that a server which lost transactions of its own does not
//! write again while somebody holds what it has lost.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

mod gtid;
mod line;
mod position;
mod text;

pub use gtid::{Gtid, GtidRange};
pub use position::Position;

#[cfg(test)]
mod tests;

/// What a server's history holds.
///
/// A text of the server (`@@gtid_binlog_state`, `@@gtid_slave_pos`, `Gtid_IO_Pos`) is read as one
/// line for each domain. A set that was put together from several may have several: a replica with
/// an errant transaction holds its own line and, received, its source's. Ends that are not known
/// to lie on one line are all kept, so that none of them hides another.
///
/// A set says for sure what a server *has*. What it does not name the server may have all the same:
/// comparisons then answer as if it were missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MariadbSet {
    newest: BTreeMap<(u32, u32), Newest>,
}

/// The newest transaction of a server in a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Newest {
    /// Never 0.
    sequence: u64,
    /// Whether it ends a line. If not, it lies on the line of an end of its domain. The highest
    /// number of a domain always ends one.
    is_end: bool,
}

impl MariadbSet {
    /// The newest transaction of every domain and server, in that order.
    pub fn iter(&self) -> impl Iterator<Item = Gtid> {
        self.newest.iter().map(gtid)
    }

    /// The newest transaction of every domain: what a replica with this history asks its source
    /// to continue from.
    pub fn position(&self) -> Position {
        self.iter().collect()
    }

    /// Whether all of `other` is known to be in this set: each of its ends is.
    pub fn contains(&self, other: &Self) -> bool {
        other
            .ends()
            .all(|theirs| self.newest_of(theirs) >= theirs.sequence)
    }

    /// All transactions of both sets. An end that the other set has on its way to another end is
    /// none any more.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut union = self.clone();
        for (&key, &theirs) in &other.newest {
            union.add(key, theirs);
        }
        union
    }

    /// The transactions of no such domain.
    #[must_use]
    pub fn without(&self, domains: &BTreeSet<u32>) -> Self {
        let mut rest = self.clone();
        rest.newest
            .retain(|(domain, _), _| !domains.contains(domain));
        rest
    }

    /// The transactions that both sets are known to have.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let both = |own: Gtid| Gtid {
            sequence: own.sequence.min(other.newest_of(own)),
            ..own
        };
        let shared: Self = self.iter().map(both).collect();
        let line = |domain| self.is_line(domain) || other.is_line(domain);
        shared.joined(line)
    }

    /// Ranges that enclose the transactions which this set has and `other` is not known to have;
    /// empty exactly when `other` contains this set.
    ///
    /// Every missing transaction lies in a range, but a range may span numbers that another
    /// server used. Its start is as late as can be proved: past the newest number that `other` has
    /// of the same server, and past the newest transaction of the domain that both have, since up
    /// to there the two histories are one.
    pub fn subtract(&self, other: &Self) -> Vec<GtidRange> {
        let shared = self.intersect(other).position();
        let missing = |own: Gtid| {
            let theirs = other.newest_of(own);
            if own.sequence <= theirs || other.has_line_of(self, own.domain) {
                return None;
            }
            if !self.is_line(own.domain) {
                // Which of the lines is the one that they share so far is not known.
                return Some(GtidRange::new(own, theirs + 1));
            }
            let before = theirs.max(shared.sequence(own.domain));
            (before < own.sequence).then(|| GtidRange::new(own, before + 1))
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
        let own = self.newest.get(&(gtid.domain, gtid.server));
        own.map_or(0, |newest| newest.sequence)
    }

    /// Adds what another set has of a domain and server. Of the lower number nothing is left to
    /// say: its line goes on to the higher one.
    fn add(&mut self, key: (u32, u32), theirs: Newest) {
        let own = self.newest.entry(key).or_insert(theirs);
        match own.sequence.cmp(&theirs.sequence) {
            Ordering::Less => *own = theirs,
            Ordering::Equal => own.is_end &= theirs.is_end,
            Ordering::Greater => {}
        }
    }
}

fn gtid((&(domain, server), newest): (&(u32, u32), &Newest)) -> Gtid {
    Gtid {
        domain,
        server,
        sequence: newest.sequence,
    }
}

/// Adds transactions of which nothing is known but that they are there: each ends a line, if it
/// is not in the set yet.
impl Extend<Gtid> for MariadbSet {
    fn extend<T: IntoIterator<Item = Gtid>>(&mut self, gtids: T) {
        for gtid in gtids.into_iter().filter(|gtid| gtid.sequence > 0) {
            if self.newest_of(gtid) < gtid.sequence {
                let newest = Newest {
                    sequence: gtid.sequence,
                    is_end: true,
                };
                self.newest.insert((gtid.domain, gtid.server), newest);
            }
        }
    }
}

/// See [`MariadbSet::extend`]; for the entries of one server's text see
/// [`MariadbSet::of_one_history`].
impl FromIterator<Gtid> for MariadbSet {
    fn from_iter<T: IntoIterator<Item = Gtid>>(gtids: T) -> Self {
        let mut set = Self::default();
        set.extend(gtids);
        set
    }
}
