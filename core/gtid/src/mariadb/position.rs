//! A point in every domain's stream: what a replica has received or applied last.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::Gtid;

/// One GTID for each domain, as in `@@gtid_slave_pos` and `Gtid_IO_Pos`. Its text is what
/// `MASTER_GTID_WAIT` and `SET GLOBAL gtid_slave_pos` take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Position {
    newest: BTreeMap<u32, Gtid>,
}

impl Position {
    /// The GTID of every domain, in the order of the domains.
    pub fn iter(&self) -> impl Iterator<Item = Gtid> {
        self.newest.values().copied()
    }

    /// The sequence number reached in a domain; 0 if none.
    pub fn sequence(&self, domain: u32) -> u64 {
        self.newest.get(&domain).map_or(0, |gtid| gtid.sequence)
    }

    /// Whether nothing has been received in any domain.
    pub fn is_empty(&self) -> bool {
        self.newest.is_empty()
    }

    /// Which of two replicas of one primary is ahead; see
    /// [`super::MariadbSet::received_order`].
    pub fn received_order(&self, other: &Self) -> Option<Ordering> {
        let domains: BTreeSet<_> = self.newest.keys().chain(other.newest.keys()).collect();
        domains
            .into_iter()
            .try_fold(Ordering::Equal, |so_far, domain| {
                let order = self.sequence(*domain).cmp(&other.sequence(*domain));
                match (so_far, order) {
                    (_, Ordering::Equal) if self.newest.get(domain) != other.newest.get(domain) => {
                        None
                    }
                    (_, Ordering::Equal) => Some(so_far),
                    (Ordering::Equal, ahead) => Some(ahead),
                    (before, now) => (before == now).then_some(now),
                }
            })
    }
}

/// Keeps the highest sequence number of each domain.
impl FromIterator<Gtid> for Position {
    fn from_iter<T: IntoIterator<Item = Gtid>>(gtids: T) -> Self {
        let mut newest = BTreeMap::<u32, Gtid>::new();
        for gtid in gtids.into_iter().filter(|gtid| gtid.sequence > 0) {
            let kept = newest.entry(gtid.domain).or_insert(gtid);
            if kept.sequence < gtid.sequence {
                *kept = gtid;
            }
        }
        Self { newest }
    }
}
