//! The tables, and the marks by which a state file is recognised.

use std::path::Path;

use rusqlite::Connection;

use crate::error::StoreError;

/// `PRAGMA application_id` of a state file: "MSTY".
const APPLICATION_ID: i64 = 0x4d53_5459;

/// `PRAGMA user_version`: the newest format.
const FORMAT: i64 = 3;

/// Times are microseconds since 1970 (UTC): steps of a switchover are shorter than a millisecond.
const TABLES: &str = "
CREATE TABLE reigns (
    epoch      INTEGER PRIMARY KEY,
    server     TEXT NOT NULL,
    family     TEXT,
    baseline   TEXT,
    acknowledgements INTEGER NOT NULL DEFAULT 0,
    began_at   TEXT
) STRICT;
CREATE TABLE counters (
    name       TEXT PRIMARY KEY,
    value      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE joined (
    epoch      INTEGER NOT NULL REFERENCES reigns (epoch),
    server     TEXT NOT NULL,
    PRIMARY KEY (epoch, server)
) STRICT, WITHOUT ROWID;
CREATE TABLE operations (
    id          INTEGER PRIMARY KEY,
    kind        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    object      TEXT,
    epoch       INTEGER NOT NULL,
    plan        TEXT NOT NULL,
    began_us    INTEGER NOT NULL,
    finished_us INTEGER,
    failure     TEXT,
    certificate TEXT
) STRICT;
CREATE TABLE steps (
    operation  INTEGER NOT NULL REFERENCES operations (id),
    position   INTEGER NOT NULL,
    server     TEXT,
    sentence   TEXT NOT NULL,
    sql        TEXT NOT NULL,
    started_us INTEGER NOT NULL,
    ended_us   INTEGER,
    outcome    TEXT,
    detail     TEXT,
    PRIMARY KEY (operation, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE phases (
    at_us      INTEGER NOT NULL,
    phase      TEXT NOT NULL,
    reason     TEXT NOT NULL
) STRICT;
CREATE INDEX phases_at ON phases (at_us);
";

/// From format 1: nothing is known of the acknowledgements of its reigns.
const FROM_1: &str = "ALTER TABLE reigns ADD COLUMN acknowledgements INTEGER NOT NULL DEFAULT 0";

/// From format 2: its reigns began in clusters with GTIDs.
const FROM_2: &str = "ALTER TABLE reigns ADD COLUMN began_at TEXT";

/// Takes the file for this process, checks that it is ours and whole, and begins a new one.
pub(crate) fn prepare(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let sqlite = |error: &rusqlite::Error| StoreError::from_sqlite(path, error);
    // EXCLUSIVE keeps the lock for as long as the process lives, and the kernel drops it when the
    // process dies: two managers can never share a state file.
    connection
        .execute_batch(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
             BEGIN EXCLUSIVE; COMMIT;",
        )
        .map_err(|e| sqlite(&e))?;
    let number = |name: &str| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .map_err(|e| sqlite(&e))
    };
    let (application, format) = (number("application_id")?, number("user_version")?);
    let tables: i64 = connection
        .query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|e| sqlite(&e))?;
    if application == 0 && format == 0 && tables == 0 {
        return connection
            .execute_batch(&format!(
                "BEGIN; {TABLES} PRAGMA application_id = {APPLICATION_ID};
                 PRAGMA user_version = {FORMAT}; COMMIT;"
            ))
            .map_err(|e| sqlite(&e));
    }
    let path = path.to_owned();
    if application != APPLICATION_ID {
        return Err(StoreError::Foreign { path });
    }
    if format > FORMAT {
        let (found, known) = (format, FORMAT);
        return Err(StoreError::TooNew { path, found, known });
    }
    let check: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|e| sqlite(&e))?;
    if check != "ok" {
        let detail = check;
        return Err(StoreError::Damaged { path, detail });
    }
    let steps: &[&str] = match format {
        1 => &[FROM_1, FROM_2],
        2 => &[FROM_2],
        _ => &[],
    };
    if !steps.is_empty() {
        let steps = steps.join("; ");
        connection
            .execute_batch(&format!(
                "BEGIN; {steps}; PRAGMA user_version = {FORMAT}; COMMIT;"
            ))
            .map_err(|e| sqlite(&e))?;
    }
    Ok(())
}
