//! What probes saw, kept for a while and never more than a number of rows: the `monitor` tables.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mainstay_topology::Address;

/// Rows of one kind: with more servers than usual the oldest go earlier.
const ROWS_MAX: usize = 20_000;

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A new connection.
    Connect,
    /// A ping.
    Ping,
    /// `read_only`.
    ReadOnly,
    /// The lag.
    Lag,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Connect, Self::Ping, Self::ReadOnly, Self::Lag];
}

/// What one probe saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which server.
    pub address: Address,
    /// When it began, in microseconds since 1970.
    pub began_us: u64,
    /// How long it took, in microseconds; 0 without an answer.
    pub took_us: u64,
    /// Whether it is read-only, or how many seconds it is behind; nothing of other kinds, and
    /// where that is not known.
    pub value: Option<u64>,
    /// Why there was no answer.
    pub error: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct History {
    rows: [Mutex<VecDeque<Row>>; 4],
    /// Since the start, with an answer and without.
    counts: [[AtomicU64; 2]; 4],
}

impl History {
    /// Keeps a row, and lets go of those that are older than `keep`.
    pub(crate) fn push(&self, kind: Kind, row: Row, keep: Duration) {
        let keep = u64::try_from(keep.as_micros()).unwrap_or(u64::MAX);
        let failed = usize::from(row.error.is_some());
        self.counts[kind as usize][failed].fetch_add(1, Ordering::Relaxed);
        let oldest = row.began_us.saturating_sub(keep);
        let mut rows = self.of(kind).lock().unwrap_or_else(PoisonError::into_inner);
        rows.push_back(row);
        while rows.front().is_some_and(|row| row.began_us < oldest) || rows.len() > ROWS_MAX {
            rows.pop_front();
        }
    }

    pub(crate) fn rows(&self, kind: Kind) -> Vec<Row> {
        let rows = self.of(kind).lock().unwrap_or_else(PoisonError::into_inner);
        rows.iter().cloned().collect()
    }

    pub(crate) fn counts(&self, kind: Kind) -> [u64; 2] {
        let counts = &self.counts[kind as usize];
        [0, 1].map(|at: usize| counts[at].load(Ordering::Relaxed))
    }

    fn of(&self, kind: Kind) -> &Mutex<VecDeque<Row>> {
        &self.rows[kind as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(began_us: u64) -> Row {
        Row {
            address: Address {
                host: "db1".to_owned(),
                port: 3306,
            },
            began_us,
            took_us: 1,
            value: None,
            error: None,
        }
    }

    #[test]
    fn old_rows_go() {
        let history = History::default();
        for second in 0..100 {
            history.push(Kind::Ping, row(second * 1_000_000), Duration::from_secs(10));
        }
        assert_eq!(history.rows(Kind::Ping).len(), 11);
        assert!(history.rows(Kind::Lag).is_empty());
    }

    #[test]
    fn there_are_never_more_than_so_many() {
        let history = History::default();
        for _ in 0..ROWS_MAX + 5 {
            history.push(Kind::Ping, row(7), Duration::MAX);
        }
        assert_eq!(history.rows(Kind::Ping).len(), ROWS_MAX);
        assert_eq!(history.counts(Kind::Ping), [ROWS_MAX as u64 + 5, 0]);
    }
}
