//! Where one log ends in another, by content: two servers that applied the same transactions of one
//! source and wrote them to their own logs, at places of their own.
//!
//! What servers give for themselves is left out of the comparison (numbers of tables and of
//! transactions, times of execution); what the source said stays: the time, its `server_id`, the
//! statement or the rows.

use crate::{BinlogError, Event, Kind, Query, Rows, Transaction};

/// Bytes of the number of a table before a map or rows.
const TABLE_NUMBER_BYTES: usize = 6;

/// The content of a transaction as one number (FNV-1a): equal for copies of one transaction, and
/// for two transactions that say the same in the same second.
pub fn content(transaction: &Transaction) -> Result<u64, BinlogError> {
    let mut hash = Hash::default();
    for event in &transaction.events {
        add(&mut hash, event)?;
    }
    Ok(hash.0)
}

fn add(hash: &mut Hash, event: &Event) -> Result<(), BinlogError> {
    let kind = event.kind();
    if kind == Kind::Xid {
        return Ok(());
    }
    hash.add(&[kind.code()]);
    hash.add(&event.server_id().to_le_bytes());
    hash.add(&event.unix_seconds().to_le_bytes());
    if let Some(query) = Query::read(event)? {
        hash.add(&query.schema);
        hash.add(&query.text);
        hash.add(&query.microseconds.to_le_bytes());
    } else if kind == Kind::TableMap || Rows::table_of(event).is_some() {
        hash.add(event.body().get(TABLE_NUMBER_BYTES..).unwrap_or_default());
    } else {
        hash.add(event.body());
    }
    Ok(())
}

struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    /// Adds a part with its end, so that two parts are not one longer one.
    fn add(&mut self, part: &[u8]) {
        let length = (part.len() as u64).to_le_bytes();
        for byte in part.iter().chain(&length) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// How many transactions of `source` a replica has whose log ends with `replica`: where that end
/// lies in `source`, if there is exactly one such place. From it backwards both must be the same
/// until one of them begins. A replica with a transaction of its own at its end has no place, and
/// neither has one whose end could be in two.
pub fn align(source: &[u64], replica: &[u64]) -> Option<usize> {
    if replica.is_empty() {
        return None;
    }
    let fits = |end: &usize| {
        let own = source[..*end].iter().rev();
        own.zip(replica.iter().rev())
            .all(|(one, other)| one == other)
    };
    let mut ends = (1..=source.len()).filter(fits);
    let only = ends.next()?;
    ends.next().is_none().then_some(only)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_replica_is_found_in_a_longer_log() {
        assert_eq!(align(&[1, 2, 3, 4, 5], &[1, 2, 3]), Some(3));
        assert_eq!(align(&[2, 3, 4, 5], &[1, 2, 3]), Some(2));
        assert_eq!(align(&[1, 2, 3], &[2, 3]), Some(3));
    }

    #[test]
    fn what_could_be_in_two_places_is_in_none() {
        assert_eq!(align(&[7, 7, 7, 7], &[7, 7]), None);
        assert_eq!(align(&[1, 7, 2, 1, 7, 3], &[7]), None);
        assert_eq!(align(&[9, 7, 7, 7, 3], &[9, 7, 7]), Some(3));
    }

    #[test]
    fn a_replica_with_something_of_its_own_has_no_place() {
        assert_eq!(align(&[1, 2, 3], &[1, 2, 8]), None);
        assert_eq!(align(&[1, 2, 3], &[1, 8, 2]), None);
        assert_eq!(align(&[1, 2, 3], &[]), None);
        assert_eq!(align(&[], &[1]), None);
    }
}
