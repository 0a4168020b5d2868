//! Servers without GTIDs: what an end of a log says when nothing but bookkeeping was written since
//! a place that is known, and waits for the steps of plans.

use std::time::Duration;

use mainstay_gtid::GtidSet;
use mainstay_mysql::Connection;
use mainstay_topology::coordinate::reaches;
use mainstay_topology::{Coordinate, Facts};
use tokio::time::sleep;

use crate::look::look;

/// Pause between two looks while something is waited for.
const PAUSE: Duration = Duration::from_millis(3);

/// Files that are looked through at most: each start of a server begins one.
const FILES_MAX: u32 = 64;

/// Where the events of a file begin.
const FILE_BEGIN: u64 = 4;

/// Events that are no transactions. A file that begins with more of them than are asked for is one
/// that was not understood.
const BOOKKEEPING: [&str; 4] = ["Format_desc", "Previous_gtids", "Rotate", "Stop"];
const EVENTS_MAX: usize = 8;

/// A server that was started again has a new file, with no transaction in it: it stands where it
/// stood before. Else a former primary could never be told from one that has more than the others.
pub(crate) async fn trim(connection: &mut Connection, facts: &mut Facts, began_at: &GtidSet) {
    let Some(uuid) = facts.server_uuid.clone() else {
        return;
    };
    let Some(positions) = facts.positions.as_mut().filter(|_| facts.link.is_none()) else {
        return;
    };
    let known = Coordinate::of(began_at, &uuid);
    let (Some(known), Some(end)) = (known, positions.end) else {
        return;
    };
    if end > known && only_bookkeeping(connection, &positions.base, (known, end)).await {
        positions.end = Some(known);
        if let Some(own) = facts.own_log() {
            facts.executed = own;
        }
    }
}

async fn only_bookkeeping(
    connection: &mut Connection,
    base: &str,
    (known, end): (Coordinate, Coordinate),
) -> bool {
    let files = known.files_to(end);
    if files.clone().count() > FILES_MAX as usize {
        return false;
    }
    let mut from = known.position();
    for file in files {
        let log = file.log_name(base).replace(['\\', '\''], "");
        let statement = format!("SHOW BINLOG EVENTS IN '{log}' FROM {from} LIMIT {EVENTS_MAX}");
        let Ok(events) = connection.query(&statement).await else {
            return false;
        };
        let mut kinds = events.rows.iter().map(|row| row.get("Event_type"));
        let known = |kind: Option<&str>| kind.is_some_and(|kind| BOOKKEEPING.contains(&kind));
        if events.rows.len() == EVENTS_MAX || !kinds.all(known) {
            return false;
        }
        from = FILE_BEGIN;
    }
    true
}

/// What a server stands at, in its source's log and in its own.
pub(crate) fn in_all_logs(facts: &Facts) -> GtidSet {
    let own = facts.own_log();
    let all = own.and_then(|own| facts.executed.union(&own).ok());
    all.unwrap_or_else(|| facts.executed.clone())
}

/// Waits until the server has applied what it has received, and these as well.
pub(crate) async fn await_applied(
    connection: &mut Connection,
    wanted: Option<&GtidSet>,
) -> Result<GtidSet, String> {
    loop {
        let facts = look(connection, "")
            .await
            .map_err(|error| error.to_string())?;
        let wanted = wanted.unwrap_or_else(|| facts.held());
        match reaches(&facts.executed, wanted) {
            Some(true) => return Ok(in_all_logs(&facts)),
            None if wanted.is_empty() => return Ok(in_all_logs(&facts)),
            None => return Err("it stands in another log than what is waited for".to_owned()),
            Some(false) => sleep(PAUSE).await,
        }
    }
}
