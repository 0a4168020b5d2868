//! Switchovers that are to be made at a time: kept with what became of them.

use rusqlite::{Connection, Transaction};

/// Made when it is missing: files of the time before have none.
pub(crate) const TABLE: &str = "
CREATE TABLE IF NOT EXISTS schedules (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms       INTEGER NOT NULL,
    window_ms   INTEGER NOT NULL,
    server      TEXT,
    end_transactions INTEGER NOT NULL,
    allow_newer INTEGER NOT NULL,
    by          TEXT NOT NULL,
    outcome     TEXT
) STRICT;";

/// Old ones are forgotten.
const KEPT: u32 = 100;

/// One switchover at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Its number; given by the store.
    pub id: u64,
    /// When, in milliseconds since 1970 (UTC).
    pub at_ms: u64,
    /// It is tried for this long.
    pub window_ms: u64,
    /// The next primary; `None` lets the manager choose.
    pub to: Option<String>,
    /// Transactions that it does not wait for are ended.
    pub end_transactions: bool,
    /// The next primary may be newer than its replicas.
    pub allow_newer: bool,
    /// Who wants it.
    pub by: String,
    /// What became of it; `None` while it waits.
    pub outcome: Option<String>,
}

pub(crate) fn read(connection: &Connection) -> rusqlite::Result<Vec<Schedule>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, at_ms, window_ms, server, end_transactions, allow_newer, by, outcome
         FROM schedules ORDER BY at_ms, id",
    )?;
    let rows = statement.query_map([], |row| {
        let number = |index| row.get::<_, i64>(index).map(i64::unsigned_abs);
        Ok(Schedule {
            id: number(0)?,
            at_ms: number(1)?,
            window_ms: number(2)?,
            to: row.get(3)?,
            end_transactions: row.get(4)?,
            allow_newer: row.get(5)?,
            by: row.get(6)?,
            outcome: row.get(7)?,
        })
    })?;
    rows.collect()
}

/// Answers its number.
pub(crate) fn add(transaction: &Transaction<'_>, schedule: &Schedule) -> rusqlite::Result<u64> {
    transaction.execute(
        "INSERT INTO schedules
         (at_ms, window_ms, server, end_transactions, allow_newer, by, outcome)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (
            schedule.at_ms.cast_signed(),
            schedule.window_ms.cast_signed(),
            &schedule.to,
            schedule.end_transactions,
            schedule.allow_newer,
            &schedule.by,
            &schedule.outcome,
        ),
    )?;
    let id = transaction.last_insert_rowid().unsigned_abs();
    transaction.execute(
        "DELETE FROM schedules WHERE outcome IS NOT NULL
         AND id <= (SELECT MAX(id) - ?1 FROM schedules)",
        [KEPT],
    )?;
    Ok(id)
}

/// Says what became of one that waits; false when none of that number does.
pub(crate) fn end(transaction: &Transaction<'_>, id: u64, outcome: &str) -> rusqlite::Result<bool> {
    let changed = transaction.execute(
        "UPDATE schedules SET outcome = ?2 WHERE id = ?1 AND outcome IS NULL",
        (id.cast_signed(), outcome),
    )?;
    Ok(changed == 1)
}
