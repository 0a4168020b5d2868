//! Fast routes: user, schema and flag to a hostgroup, found in the same time among ten thousand as
//! among ten.

use super::{Flag, HostgroupId};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FastRoute {
    /// `username`; empty for every user who has no row of his own.
    pub username: String,
    /// `schemaname`.
    pub schemaname: String,
    /// `flagIN`.
    pub flag_in: Flag,
    /// `destination_hostgroup`.
    pub destination_hostgroup: HostgroupId,
}

/// The rows, and a table of their places by a hash.
#[derive(Debug, Default)]
pub(super) struct FastRoutes {
    rows: Vec<FastRoute>,
    /// Places of rows, plus one; 0 is free. Its length is a power of two, at most half full.
    slots: Vec<u32>,
}

fn hash(user: &[u8], schema: &[u8], flag: Flag) -> usize {
    let mut hash = u64::from(flag) ^ 0xcbf2_9ce4_8422_2325;
    // 0xff ends a name: it is in no UTF-8 text.
    for byte in user.iter().chain([&0xff]).chain(schema) {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    (hash ^ (hash >> 29)) as usize
}

impl FastRoutes {
    /// The last of equal rows counts.
    pub(super) fn new(rows: Vec<FastRoute>) -> Self {
        let length = (rows.len() * 2).next_power_of_two();
        let mut table = Self {
            slots: vec![0; if rows.is_empty() { 0 } else { length }],
            rows: Vec::with_capacity(rows.len()),
        };
        for row in rows {
            let user = row.username.as_bytes();
            let slot = table.slot(user, row.schemaname.as_bytes(), row.flag_in);
            let Some(slot) = slot else { continue };
            match table.slots[slot] {
                0 => {
                    table.rows.push(row);
                    let place = u32::try_from(table.rows.len());
                    table.slots[slot] = place.expect("far fewer rows fit in memory");
                }
                known => table.rows[known as usize - 1] = row,
            }
        }
        table
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn hostgroups(&self) -> impl Iterator<Item = HostgroupId> {
        self.rows.iter().map(|row| row.destination_hostgroup)
    }

    /// The slot of the row, or the free one where it would be.
    fn slot(&self, user: &[u8], schema: &[u8], flag: Flag) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut slot = hash(user, schema, flag) & mask;
        loop {
            let place = self.slots[slot] as usize;
            let free_or_same = place.checked_sub(1).is_none_or(|place| {
                let row = &self.rows[place];
                row.flag_in == flag
                    && row.username.as_bytes() == user
                    && row.schemaname.as_bytes() == schema
            });
            if free_or_same {
                return Some(slot);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Where the rows send this.
    pub(super) fn find(&self, user: &[u8], schema: &[u8], flag: Flag) -> Option<HostgroupId> {
        let row = |user: &[u8]| {
            let place = self.slots[self.slot(user, schema, flag)?] as usize;
            let row = self.rows.get(place.checked_sub(1)?)?;
            Some(row.destination_hostgroup)
        };
        row(user).or_else(|| row(b""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_ten_thousand_rows_is_found_and_nothing_else() {
        let rows = (0..10_000_u32).map(|n| FastRoute {
            username: format!("user{}", n % 100),
            schemaname: format!("schema{}", n / 100),
            flag_in: 0,
            destination_hostgroup: n,
        });
        let table = FastRoutes::new(rows.collect());
        for n in 0..10_000_u32 {
            let (user, schema) = (format!("user{}", n % 100), format!("schema{}", n / 100));
            assert_eq!(table.find(user.as_bytes(), schema.as_bytes(), 0), Some(n));
        }
        assert_eq!(table.find(b"user1", b"schema1", 1), None);
        assert_eq!(table.find(b"user1", b"other", 0), None);
        assert_eq!(FastRoutes::default().find(b"a", b"b", 0), None);
    }

    #[test]
    fn a_row_without_a_user_is_for_all_others() {
        let row = |user: &str, to| FastRoute {
            username: user.to_owned(),
            schemaname: "shop".to_owned(),
            flag_in: 0,
            destination_hostgroup: to,
        };
        let table = FastRoutes::new(vec![row("", 7), row("app", 8), row("app", 9)]);
        assert_eq!(table.find(b"app", b"shop", 0), Some(9));
        assert_eq!(table.find(b"web", b"shop", 0), Some(7));
    }
}
