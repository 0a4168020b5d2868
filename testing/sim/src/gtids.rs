//! Transactions and sets of them, as the fake servers keep them: small, and turned into the core's
//! own sets only where a server answers the manager.

use mainstay_gtid::mariadb::{Gtid, MariadbSet};
use mainstay_gtid::mysql::Uuid;
use mainstay_gtid::{Difference, Family as SetFamily, GtidSet};
use mainstay_topology::Family;

/// One transaction: who wrote it first, its number there, and the write it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Transaction {
    /// `server_id` of the server that wrote it.
    pub(crate) origin: u32,
    /// Its number: of that server (MySQL), or of the domain (MariaDB).
    pub(crate) number: u64,
    /// The unique number of the client's write.
    pub(crate) write: u64,
}

impl Transaction {
    /// Whether it is one of these.
    pub(crate) fn is_among(&self, transactions: &Difference) -> bool {
        match transactions {
            Difference::Mysql(set) => set.iter().any(|(origin, numbers)| {
                let mut numbers = numbers.iter().map(|one| one.first()..=one.last());
                server_id(origin.uuid) == self.origin
                    && numbers.any(|one| one.contains(&self.number))
            }),
            Difference::Mariadb(ranges) => ranges.iter().any(|range| {
                let numbers = range.first().sequence..=range.last().sequence;
                range.last().server == self.origin && numbers.contains(&self.number)
            }),
        }
    }
}

/// Consecutive numbers of one origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    origin: u32,
    first: u64,
    last: u64,
}

/// A set of transactions, without what they carry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Gtids {
    runs: Vec<Run>,
}

impl Gtids {
    /// Adds one transaction.
    pub(crate) fn insert(&mut self, origin: u32, number: u64) {
        if self.has(origin, number) {
            return;
        }
        let run = self.runs.iter_mut().rev();
        let mut same = run.filter(|run| run.origin == origin);
        match same.find(|run| run.last + 1 == number) {
            Some(run) => run.last = number,
            None => self.runs.push(Run {
                origin,
                first: number,
                last: number,
            }),
        }
    }

    /// Whether it holds the transaction.
    pub(crate) fn has(&self, origin: u32, number: u64) -> bool {
        let mut runs = self.runs.iter().rev();
        runs.any(|run| run.origin == origin && (run.first..=run.last).contains(&number))
    }

    /// The highest number of one origin, 0 for none.
    pub(crate) fn newest_of(&self, origin: u32) -> u64 {
        let own = self.runs.iter().filter(|run| run.origin == origin);
        own.map(|run| run.last).max().unwrap_or(0)
    }

    /// The highest number of all, 0 for none.
    pub(crate) fn newest(&self) -> u64 {
        self.runs.iter().map(|run| run.last).max().unwrap_or(0)
    }

    /// Whether all of `wanted`, as the core gave it, is here.
    pub(crate) fn covers(&self, wanted: &GtidSet) -> bool {
        match wanted {
            GtidSet::Mysql(set) => set.iter().all(|(origin, intervals)| {
                let id = server_id(origin.uuid);
                let mut numbers = intervals.iter().flat_map(|one| one.first()..=one.last());
                numbers.all(|number| self.has(id, number))
            }),
            GtidSet::Mariadb(set) => set
                .iter()
                .all(|gtid| self.newest_of(gtid.server) >= gtid.sequence),
        }
    }

    /// As the core sees what one server has executed: MariaDB's own text is one history.
    pub(crate) fn to_history(&self, family: Family) -> GtidSet {
        match self.to_set(family) {
            GtidSet::Mariadb(set) => GtidSet::Mariadb(set.of_one_history()),
            GtidSet::Mysql(set) => GtidSet::Mysql(set),
        }
    }

    /// As the core sees it.
    pub(crate) fn to_set(&self, family: Family) -> GtidSet {
        match family {
            Family::Mysql => {
                let text =
                    |run: &Run| format!("{}:{}-{}", server_uuid(run.origin), run.first, run.last);
                let texts: Vec<String> = self.runs.iter().map(text).collect();
                GtidSet::parse(SetFamily::Mysql, &texts.join(",")).expect("printed from numbers")
            }
            Family::Mariadb => {
                let gtid = |run: &Run| Gtid {
                    domain: 0,
                    server: run.origin,
                    sequence: run.last,
                };
                GtidSet::Mariadb(self.runs.iter().map(gtid).collect::<MariadbSet>())
            }
        }
    }
}

impl<'a> FromIterator<&'a Transaction> for Gtids {
    fn from_iter<T: IntoIterator<Item = &'a Transaction>>(transactions: T) -> Self {
        let mut set = Self::default();
        for one in transactions {
            set.insert(one.origin, one.number);
        }
        set
    }
}

/// The `server_uuid` of a fake server.
pub(crate) fn server_uuid(id: u32) -> String {
    format!("{id:08x}-0000-0000-0000-000000000000")
}

fn server_id(uuid: Uuid) -> u32 {
    let text = uuid.to_string();
    u32::from_str_radix(&text[..8], 16).expect("made by server_uuid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_covers_what_it_was_made_of_and_nothing_more() {
        for family in [Family::Mysql, Family::Mariadb] {
            let mut set = Gtids::default();
            (1..=5).for_each(|number| set.insert(1, number));
            set.insert(2, 6);
            let core = set.to_set(family);
            assert!(set.covers(&core));
            let mut less = Gtids::default();
            (1..=5).for_each(|number| less.insert(1, number));
            assert!(!less.covers(&core));
        }
    }
}
