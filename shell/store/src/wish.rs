//! What operators want with servers: one row for each server that something is wished for.

use std::collections::BTreeMap;

use mainstay_topology::{Maintenance, ServerName, Wish};
use rusqlite::{Connection, Transaction};

/// Made when it is missing: files of the time before have none.
pub(crate) const TABLE: &str = "
CREATE TABLE IF NOT EXISTS wishes (
    server      TEXT PRIMARY KEY,
    reason      TEXT,
    by          TEXT,
    until_ms    INTEGER,
    stopped     INTEGER NOT NULL,
    retired     INTEGER NOT NULL,
    source      TEXT
) STRICT, WITHOUT ROWID;";

pub(crate) fn read(connection: &Connection) -> rusqlite::Result<BTreeMap<ServerName, Wish>> {
    let mut statement = connection.prepare_cached(
        "SELECT server, reason, by, until_ms, stopped, retired, source FROM wishes",
    )?;
    let rows = statement.query_map([], |row| {
        let (server, reason, by): (String, Option<String>, Option<String>) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let until_ms = row.get::<_, Option<i64>>(3)?.map(i64::unsigned_abs);
        let source: Option<String> = row.get(6)?;
        let wish = Wish {
            maintenance: reason.zip(by).map(|(reason, by)| Maintenance {
                reason,
                by,
                until_ms,
            }),
            stopped: row.get(4)?,
            retired: row.get(5)?,
            source: source.map(|source| ServerName::new(&source)),
        };
        Ok((ServerName::new(&server), wish))
    })?;
    rows.collect()
}

pub(crate) fn write(
    transaction: &Transaction<'_>,
    server: &ServerName,
    wish: &Wish,
) -> rusqlite::Result<()> {
    if wish.is_empty() {
        let delete = "DELETE FROM wishes WHERE server = ?1";
        transaction.execute(delete, [server.as_str()])?;
        return Ok(());
    }
    let maintenance = wish.maintenance.as_ref();
    transaction.execute(
        "INSERT OR REPLACE INTO wishes (server, reason, by, until_ms, stopped, retired, source)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (
            server.as_str(),
            maintenance.map(|one| one.reason.as_str()),
            maintenance.map(|one| one.by.as_str()),
            maintenance
                .and_then(|one| one.until_ms)
                .map(u64::cast_signed),
            wish.stopped,
            wish.retired,
            wish.source.as_ref().map(ServerName::as_str),
        ),
    )?;
    Ok(())
}
