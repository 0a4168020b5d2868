//! What holds automatic operations back: an operator's pause, in a table of at most one row, and
//! which failover was acknowledged last.

use mainstay_failover::OperationId;
use mainstay_failover::pause::Pause;
use rusqlite::{Connection, OptionalExtension, Transaction};

/// Made when it is missing: files of the time before have none.
pub(crate) const TABLE: &str = "
CREATE TABLE IF NOT EXISTS pause (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    reason      TEXT NOT NULL,
    by          TEXT NOT NULL,
    until_ms    INTEGER
) STRICT;";

const ACKNOWLEDGED: &str = "acknowledged";

pub(crate) fn read(connection: &Connection) -> rusqlite::Result<Option<Pause>> {
    let row = connection.query_row("SELECT reason, by, until_ms FROM pause", [], |row| {
        Ok(Pause {
            reason: row.get(0)?,
            by: row.get(1)?,
            until_ms: row.get::<_, Option<i64>>(2)?.map(i64::unsigned_abs),
        })
    });
    row.optional()
}

pub(crate) fn write(transaction: &Transaction<'_>, pause: Option<&Pause>) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM pause", [])?;
    if let Some(pause) = pause {
        transaction.execute(
            "INSERT INTO pause (id, reason, by, until_ms) VALUES (1, ?1, ?2, ?3)",
            (
                &pause.reason,
                &pause.by,
                pause.until_ms.map(u64::cast_signed),
            ),
        )?;
    }
    Ok(())
}

/// All operations so far have been seen.
pub(crate) fn acknowledge(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT OR REPLACE INTO counters (name, value)
         VALUES (?1, (SELECT COALESCE(MAX(id), 0) FROM operations))",
        [ACKNOWLEDGED],
    )?;
    Ok(())
}

/// The newest failover that succeeded, if nobody has acknowledged it, and when it ended.
pub(crate) fn unacknowledged(
    connection: &Connection,
) -> rusqlite::Result<Option<(OperationId, u64)>> {
    let row = connection.query_row(
        "SELECT id, finished_us FROM operations
         WHERE kind = 'failover' AND finished_us IS NOT NULL AND failure IS NULL
           AND id > COALESCE((SELECT value FROM counters WHERE name = ?1), 0)
         ORDER BY id DESC LIMIT 1",
        [ACKNOWLEDGED],
        |row| {
            let (id, at): (i64, i64) = (row.get(0)?, row.get(1)?);
            Ok((OperationId(id.unsigned_abs()), at.unsigned_abs()))
        },
    );
    row.optional()
}
