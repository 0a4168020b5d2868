//! Reigns: one row for each epoch, and the servers that joined it.

use std::collections::BTreeSet;

use mainstay_gtid::{Family, GtidSet};
use mainstay_topology::{Epoch, Record, ServerName};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, Transaction};

use crate::error::StoreError;

const MYSQL: &str = "mysql";
const MARIADB: &str = "mariadb";

/// May `given` follow `stored`?
pub(crate) fn allowed(given: &Record, stored: &Record) -> Result<(), StoreError> {
    if given.epoch < stored.epoch {
        return Err(StoreError::StaleEpoch {
            given: given.epoch,
            stored: stored.epoch,
        });
    }
    if given.epoch == stored.epoch && stored.epoch != Epoch(0) && given.primary != stored.primary {
        let name = |server: &Option<ServerName>| match server {
            Some(name) => name.to_string(),
            None => "nobody".to_owned(),
        };
        return Err(StoreError::OtherPrimary {
            epoch: given.epoch,
            stored: name(&stored.primary),
            given: name(&given.primary),
        });
    }
    Ok(())
}

pub(crate) fn read(connection: &Connection) -> rusqlite::Result<Record> {
    let newest = connection
        .query_row(
            "SELECT epoch, server, family, baseline, acknowledgements, began_at
             FROM reigns ORDER BY epoch DESC LIMIT 1",
            [],
            |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, String>(1)?,
                    baseline(row)?,
                    row.get::<_, u32>(4)?,
                    began_at(row)?,
                ))
            },
        )
        .optional()?;
    let Some((epoch, primary, baseline, acknowledgements, began_at)) = newest else {
        return Ok(Record::default());
    };
    let mut statement = connection.prepare_cached("SELECT server FROM joined WHERE epoch = ?1")?;
    let joined = statement
        .query_map([epoch], |row| row.get::<_, String>(0))?
        .map(|name| name.map(|name| ServerName::new(&name)))
        .collect::<rusqlite::Result<BTreeSet<_>>>()?;
    Ok(Record {
        epoch: Epoch(epoch.unsigned_abs()),
        primary: Some(ServerName::new(&primary)),
        joined,
        baseline,
        began_at,
        acknowledgements,
    })
}

fn baseline(row: &Row<'_>) -> rusqlite::Result<Option<GtidSet>> {
    let (family, text): (Option<String>, Option<String>) = (row.get(2)?, row.get(3)?);
    let (Some(family), Some(text)) = (family, text) else {
        return Ok(None);
    };
    let family = if family == MYSQL {
        Family::Mysql
    } else {
        Family::Mariadb
    };
    GtidSet::parse(family, &text)
        .map(Some)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(3, Type::Text, error.into()))
}

/// Places in logs are sets of MySQL's form.
fn began_at(row: &Row<'_>) -> rusqlite::Result<Option<GtidSet>> {
    let text: Option<String> = row.get(5)?;
    text.map(|text| GtidSet::parse(Family::Mysql, &text))
        .transpose()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(5, Type::Text, error.into()))
}

pub(crate) fn write(transaction: &Transaction<'_>, record: &Record) -> rusqlite::Result<()> {
    // A record without a primary is what an empty file says already.
    let Some(primary) = &record.primary else {
        return Ok(());
    };
    let epoch = record.epoch.0.cast_signed();
    let baseline = record.baseline.as_ref();
    let family = baseline.map(|set| match set {
        GtidSet::Mysql(_) => MYSQL,
        GtidSet::Mariadb(_) => MARIADB,
    });
    transaction.execute(
        "INSERT INTO reigns (epoch, server, family, baseline, acknowledgements, began_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (epoch) DO UPDATE
         SET family = ?3, baseline = ?4, acknowledgements = ?5, began_at = ?6",
        (
            epoch,
            primary.as_str(),
            family,
            baseline.map(ToString::to_string),
            record.acknowledgements,
            record.began_at.as_ref().map(ToString::to_string),
        ),
    )?;
    transaction.execute("DELETE FROM joined WHERE epoch = ?1", [epoch])?;
    for server in &record.joined {
        transaction.execute(
            "INSERT INTO joined (epoch, server) VALUES (?1, ?2)",
            (epoch, server.as_str()),
        )?;
    }
    Ok(())
}

/// Raises the highest version of routes by `count`; answers what it was.
pub(crate) fn reserve(transaction: &Transaction<'_>, count: u32) -> rusqlite::Result<u64> {
    let highest: i64 = transaction.query_row(
        "INSERT INTO counters (name, value) VALUES ('routes', ?1)
         ON CONFLICT (name) DO UPDATE SET value = value + ?1 RETURNING value",
        [count],
        |row| row.get(0),
    )?;
    Ok(highest.unsigned_abs() - u64::from(count))
}
