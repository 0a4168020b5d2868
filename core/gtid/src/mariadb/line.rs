//! What is known of the lines that a set is made of, and what one set can tell another.

use super::{Gtid, MariadbSet, Newest, gtid};

#[cfg(test)]
mod tests;

impl MariadbSet {
    /// The same transactions, known to be one server's history: what one text names.
    #[must_use]
    pub fn of_one_history(self) -> Self {
        self.joined(|_| true)
    }

    /// The same transactions, known to be what this server has executed, whichever of its variables
    /// name them: if the newest of a domain is its own, it had all the others before.
    #[must_use]
    pub fn executed_by(self, server: u32) -> Self {
        let highest = self.position();
        self.joined(|domain| {
            let mut newest = highest.iter().filter(|newest| newest.domain == domain);
            newest.all(|newest| newest.server == server)
        })
    }

    /// Takes over what `other`, the set of another server or of an earlier moment, says about the
    /// history that the two share. No transaction is added that was not there: the set only comes
    /// to name more of those which lie before the newest one that both have.
    ///
    /// Nothing is learned of a domain in which `other` is not a line, or has nothing in common.
    pub fn learn_from(&mut self, other: &Self) {
        let shared = self.intersect(other).position();
        for theirs in other.iter().filter(|theirs| other.is_line(theirs.domain)) {
            let shared = shared.sequence(theirs.domain);
            let key = (theirs.domain, theirs.server);
            if theirs.sequence <= shared {
                let inner = Newest {
                    sequence: theirs.sequence,
                    is_end: false,
                };
                let own = self.newest.entry(key).or_insert(inner);
                if own.sequence < theirs.sequence {
                    *own = inner;
                }
            }
            if let Some(own) = self.newest.get_mut(&key) {
                // It lies on the other's line, before what both have, so another end follows it.
                own.is_end &= own.sequence > theirs.sequence || own.sequence >= shared;
            }
        }
    }

    /// The ends of all lines.
    pub(super) fn ends(&self) -> impl Iterator<Item = Gtid> {
        let ends = self.newest.iter().filter(|(_, newest)| newest.is_end);
        ends.map(gtid)
    }

    /// Whether the set is known to hold one line of the domain, or nothing.
    pub(super) fn is_line(&self, domain: u32) -> bool {
        self.of_domain(domain)
            .filter(|(_, newest)| newest.is_end)
            .count()
            <= 1
    }

    /// Whether it has all that `other` has of a domain.
    pub(super) fn has_line_of(&self, other: &Self, domain: u32) -> bool {
        let mut ends = other.of_domain(domain).filter(|(_, newest)| newest.is_end);
        ends.all(|end| self.newest_of(gtid(end)) >= end.1.sequence)
    }

    /// The set with one line in every domain that `is_line`. Should two servers have used the
    /// highest number, both are ends.
    pub(super) fn joined(mut self, is_line: impl Fn(u32) -> bool) -> Self {
        let highest = self.position();
        for ((domain, _), newest) in &mut self.newest {
            if is_line(*domain) {
                newest.is_end = newest.sequence == highest.sequence(*domain);
            }
        }
        self
    }

    fn of_domain(&self, domain: u32) -> impl Iterator<Item = (&(u32, u32), &Newest)> {
        self.newest.range((domain, 0)..=(domain, u32::MAX))
    }
}
