//! Where a MySQL server stands that does not use GTIDs, whatever the columns are called.

use mainstay_gtid::{Family as SetFamily, GtidSet};

use super::answer::{Answer, Values};
use super::{DialectError, Row};
use crate::coordinate::Coordinate;
use crate::facts::Positions;

/// How the columns of a replica's status are called.
pub(super) struct Columns {
    pub(super) host: &'static str,
    pub(super) port: &'static str,
    pub(super) uuid: &'static str,
    pub(super) receiver: &'static str,
    pub(super) applier: &'static str,
    pub(super) received_log: &'static str,
    pub(super) received_position: &'static str,
    pub(super) executed_log: &'static str,
    pub(super) executed_position: &'static str,
    pub(super) lag: &'static str,
}

/// Where it stands, unless it uses GTIDs.
pub(super) fn positions(
    own: Values<'_>,
    log: Option<&Vec<Row>>,
) -> Result<Option<Positions>, DialectError> {
    if own.text("gtid_mode")? == "ON" {
        return Ok(None);
    }
    let statement = "the position of its binary log";
    let rows = log.ok_or(DialectError::Missing {
        statement,
        column: "an answer",
    })?;
    let base = own.text("log_base")?.rsplit('/').next().unwrap_or_default();
    let end = Answer { statement, rows }.first();
    Ok(Some(Positions {
        base: base.to_owned(),
        end: end
            .map(|row| coordinate(row, "File", "Position"))
            .transpose()?
            .flatten(),
    }))
}

/// What it has executed and what it holds: by its place in its source's log if it has a source, and
/// in its own if it has none. Its own log is not counted beside another's, because it may hold
/// copies of the same.
pub(super) fn sets(
    own_log: Option<GtidSet>,
    link: Option<Values<'_>>,
    columns: &Columns,
) -> Result<(GtidSet, GtidSet), DialectError> {
    let nothing = || GtidSet::empty(SetFamily::Mysql);
    let Some(link) = link else {
        let own = own_log.unwrap_or_else(nothing);
        return Ok((own.clone(), own));
    };
    let uuid = link.text(columns.uuid)?;
    let set = |log, position| -> Result<GtidSet, DialectError> {
        let at = coordinate(link, log, position)?;
        Ok(at.and_then(|at| at.in_log_of(uuid)).unwrap_or_else(nothing))
    };
    let executed = set(columns.executed_log, columns.executed_position)?;
    let received = set(columns.received_log, columns.received_position)?;
    let held = executed.union(&received);
    Ok((executed, held.expect("both sets are of one family")))
}

fn coordinate(
    row: Values<'_>,
    log: &'static str,
    position: &'static str,
) -> Result<Option<Coordinate>, DialectError> {
    Ok(Coordinate::parse(row.text(log)?, row.number(position)?))
}
