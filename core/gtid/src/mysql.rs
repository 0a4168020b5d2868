//! `MySQL`'s sets: for each origin, the numbers of its transactions as sorted disjoint intervals.
//!
//! Source: the manual's "GTID Format and Storage". An origin is a server's UUID, and from 8.3 on
//! optionally a tag; a set is exact: it lists every transaction it holds.
//!
//! Invariants: no origin has an empty list; intervals of a list are sorted, disjoint and do not
//! touch, so that equal sets are equal values and print the same text.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

mod interval;
mod origin;
mod text;

pub use interval::Interval;
pub use origin::{Origin, Tag, Uuid};

#[cfg(test)]
mod tests;

/// A set of transactions of `MySQL` servers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MysqlSet {
    intervals: BTreeMap<Origin, Vec<Interval>>,
}

impl MysqlSet {
    /// Adds intervals in any order, overlapping or not, in the time of one sort.
    fn from_unsorted(unsorted: BTreeMap<Origin, Vec<Interval>>) -> Self {
        let intervals = unsorted
            .into_iter()
            .map(|(origin, list)| (origin, interval::normalise(list)))
            .filter(|(_, list)| !list.is_empty())
            .collect();
        Self { intervals }
    }

    /// Every origin with its intervals, in the order of the text form.
    pub fn iter(&self) -> impl Iterator<Item = (&Origin, &[Interval])> {
        self.intervals
            .iter()
            .map(|(origin, list)| (origin, list.as_slice()))
    }

    /// Whether every transaction of `other` is in this set.
    pub fn contains(&self, other: &Self) -> bool {
        other
            .intervals
            .iter()
            .all(|(origin, list)| interval::contains(self.of(origin), list))
    }

    /// All transactions of both sets.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut intervals = self.intervals.clone();
        for (origin, list) in &other.intervals {
            let own = intervals.entry(*origin).or_default();
            *own = interval::union(own, list);
        }
        Self { intervals }
    }

    /// The transactions that this set has and `other` lacks.
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        self.each(|origin, own| interval::subtract(own, other.of(origin)))
    }

    /// The transactions that both sets have.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        self.each(|origin, own| interval::intersect(own, other.of(origin)))
    }

    /// The transactions that none of these servers committed first.
    #[must_use]
    pub fn without(&self, servers: &BTreeSet<Uuid>) -> Self {
        self.each(|origin, own| {
            if servers.contains(&origin.uuid) {
                Vec::new()
            } else {
                own.to_vec()
            }
        })
    }

    /// The order of two received sets: `Greater` if this one holds all of `other` and more,
    /// `None` if each has what the other lacks.
    pub fn received_order(&self, other: &Self) -> Option<Ordering> {
        match (self.contains(other), other.contains(self)) {
            (true, true) => Some(Ordering::Equal),
            (true, false) => Some(Ordering::Greater),
            (false, true) => Some(Ordering::Less),
            (false, false) => None,
        }
    }

    /// How many transactions the set holds; saturates.
    pub fn count(&self) -> u64 {
        let all = self.intervals.values().flatten();
        all.fold(0, |sum, interval| sum.saturating_add(interval.count()))
    }

    /// Whether the set holds no transaction.
    pub fn is_empty(&self) -> bool {
        self.intervals.is_empty()
    }

    fn of(&self, origin: &Origin) -> &[Interval] {
        self.intervals.get(origin).map_or(&[], Vec::as_slice)
    }

    fn each(&self, keep: impl Fn(&Origin, &[Interval]) -> Vec<Interval>) -> Self {
        let intervals = self
            .intervals
            .iter()
            .map(|(origin, own)| (*origin, keep(origin, own)))
            .filter(|(_, list)| !list.is_empty())
            .collect();
        Self { intervals }
    }
}
