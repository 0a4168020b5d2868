//! When tables were last written through this proxy: one board for all of its workers, read and
//! marked without a lock. Tables share slots by the hash of their names: a mark on one may make
//! results of another old too early, never too late.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mainstay_clock::Timestamp;

/// Slots; a power of two.
const SLOTS: usize = 4096;

/// The board.
#[derive(Debug)]
pub struct Written {
    slots: Box<[Slot]>,
    /// Writes of which nobody knows what they changed.
    any: Slot,
}

#[derive(Debug, Default)]
struct Slot {
    writes: AtomicU64,
    last_nanos: AtomicU64,
}

impl Slot {
    fn mark(&self, now: Timestamp) {
        self.last_nanos.fetch_max(now.as_nanos(), Ordering::Release);
        self.writes.fetch_add(1, Ordering::Release);
    }

    fn writes(&self) -> u64 {
        self.writes.load(Ordering::Acquire)
    }

    fn is_quiet(&self, now: Timestamp, time: Duration) -> bool {
        let last = self.last_nanos.load(Ordering::Acquire);
        last == 0 || now.since(Timestamp::from_nanos(last)) >= time
    }
}

impl Default for Written {
    fn default() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| Slot::default()).collect(),
            any: Slot::default(),
        }
    }
}

/// Tables as they were at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    any: u64,
    /// Slot, and the writes seen in it.
    tables: Vec<(u16, u64)>,
}

impl Written {
    /// A table of this hash was written; the write is visible to others from now on.
    pub(crate) fn mark(&self, table: u64, now: Timestamp) {
        self.slots[slot(table)].mark(now);
    }

    /// Any table may have been written.
    pub(crate) fn mark_any(&self, now: Timestamp) {
        self.any.mark(now);
    }

    /// How the tables of these hashes are now.
    pub(crate) fn look(&self, tables: impl Iterator<Item = u64>) -> Seen {
        let any = self.any.writes();
        let mut seen = Vec::new();
        for table in tables {
            let slot = slot(table);
            seen.push((slot as u16, self.slots[slot].writes()));
        }
        seen.sort_unstable();
        seen.dedup();
        Seen { any, tables: seen }
    }

    /// True when nothing was written to them since.
    pub(crate) fn is_current(&self, seen: &Seen) -> bool {
        let mut tables = seen.tables.iter();
        self.any.writes() == seen.any
            && tables.all(|&(slot, writes)| self.slots[usize::from(slot)].writes() == writes)
    }

    /// True when nothing was written to them for so long: every replica has it.
    pub(crate) fn is_quiet(&self, seen: &Seen, now: Timestamp, time: Duration) -> bool {
        let mut tables = seen.tables.iter();
        self.any.is_quiet(now, time)
            && tables.all(|&(slot, _)| self.slots[usize::from(slot)].is_quiet(now, time))
    }
}

fn slot(table: u64) -> usize {
    // The high bits of FNV-1a are mixed better than the low ones.
    ((table ^ (table >> 32)) as usize) & (SLOTS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_secs(1);

    #[test]
    fn a_mark_makes_what_was_seen_old_and_leaves_other_tables_alone() {
        let (board, now) = (Written::default(), Timestamp::from_millis(5));
        let (one, other) = (board.look([1].into_iter()), board.look([2].into_iter()));
        board.mark(1, now);
        assert!(!board.is_current(&one));
        assert!(board.is_current(&other));
        board.mark_any(now);
        assert!(!board.is_current(&other));
    }

    #[test]
    fn a_table_is_quiet_only_some_time_after_its_last_write() {
        let board = Written::default();
        let seen = board.look([1].into_iter());
        assert!(board.is_quiet(&seen, Timestamp::from_millis(1), QUIET));
        board.mark(1, Timestamp::from_millis(5));
        assert!(!board.is_quiet(&seen, Timestamp::from_millis(1004), QUIET));
        assert!(board.is_quiet(&seen, Timestamp::from_millis(1005), QUIET));
    }
}
