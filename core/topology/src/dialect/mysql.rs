//! What MySQL is asked, 8.0.26 to 9.x: older ones call the semi-synchronous variables differently.

use mainstay_gtid::{Family as SetFamily, GtidSet};

use super::answer::{Values, answer, heard};
use super::replicas::{heartbeats, links, setup};
use super::semi_sync::Waiting;
use super::{DialectError, Row};
use crate::facts::{Facts, Link, SemiSync, Version};

/// Semi-synchronous variables and heartbeats are read from tables: without the plugins the
/// variables do not exist, and a `SELECT` of them would fail.
pub(super) const STATEMENTS: [&str; 3] = [
    "SELECT @@GLOBAL.server_id AS server_id, @@GLOBAL.server_uuid AS server_uuid, \
     @@GLOBAL.read_only AS read_only, @@GLOBAL.super_read_only AS super_read_only, \
     @@GLOBAL.offline_mode AS offline, \
     @@GLOBAL.gtid_executed AS executed, \
     (SELECT VARIABLE_VALUE FROM performance_schema.global_variables \
     WHERE VARIABLE_NAME = 'rpl_semi_sync_source_enabled') AS source_enabled, \
     (SELECT VARIABLE_VALUE FROM performance_schema.global_variables \
     WHERE VARIABLE_NAME = 'rpl_semi_sync_source_timeout') AS timeout, \
     (SELECT VARIABLE_VALUE FROM performance_schema.global_variables \
     WHERE VARIABLE_NAME = 'rpl_semi_sync_source_wait_point') AS wait_point, \
     (SELECT VARIABLE_VALUE FROM performance_schema.global_variables \
     WHERE VARIABLE_NAME = 'rpl_semi_sync_source_wait_no_replica') AS wait_alone, \
     (SELECT VARIABLE_VALUE FROM performance_schema.global_variables \
     WHERE VARIABLE_NAME = 'rpl_semi_sync_source_wait_for_replica_count') AS wait_count, \
     (SELECT VARIABLE_VALUE FROM performance_schema.global_variables \
     WHERE VARIABLE_NAME = 'rpl_semi_sync_replica_enabled') AS replica_enabled, \
     @@GLOBAL.log_bin AS log_bin, @@GLOBAL.log_replica_updates AS log_updates, \
     @@GLOBAL.auto_increment_offset AS increment_offset, \
     @@GLOBAL.auto_increment_increment AS increment_by, \
     (SELECT GROUP_CONCAT(CHANNEL_NAME, ' ', COUNT_RECEIVED_HEARTBEATS) \
     FROM performance_schema.replication_connection_status) AS heartbeats, \
     (SELECT COUNT(*) FROM information_schema.TABLES \
     WHERE TABLE_SCHEMA = 'mainstay' AND TABLE_NAME = 'rewind') AS rewinding",
    "SHOW REPLICA STATUS",
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('Rpl_semi_sync_source_clients', \
     'Rpl_semi_sync_source_wait_sessions', 'Rpl_semi_sync_source_no_tx', \
     'Rpl_semi_sync_source_status')",
];

pub(super) fn facts(
    version: &Version,
    answers: &[Vec<Row>],
    channel: &str,
) -> Result<Facts, DialectError> {
    let own = answer(&STATEMENTS, answers, 0)?.one()?;
    let status = answer(&STATEMENTS, answers, 2)?;
    let executed = own.set(SetFamily::Mysql, "executed")?;
    let count = own.number("wait_count")?;
    let wait = Waiting::read(own, status.setting("Rpl_semi_sync_source_status"), count)?;
    let links = links(answer(&STATEMENTS, answers, 1)?, "Channel_Name", channel);
    Ok(Facts {
        version: version.clone(),
        server_id: own.number("server_id")?,
        server_uuid: Some(own.text("server_uuid")?.to_owned()),
        // A fence that was cut off in the middle leaves a server offline: nobody writes there.
        read_only: own.is_on("read_only")?
            || own.is_on("super_read_only")?
            || own.is_on("offline")?,
        semi_sync: SemiSync {
            source_enabled: wait.enabled,
            acknowledgements: wait.acknowledgements(),
            given_up: wait.has_given_up(),
            clients: status.counter("Rpl_semi_sync_source_clients")? as u32,
            waiting: status.counter("Rpl_semi_sync_source_wait_sessions")? as u32,
            unacknowledged: status.counter("Rpl_semi_sync_source_no_tx")?,
            replica_enabled: own.is_on("replica_enabled")?,
        },
        link: links
            .own
            .map(|row| link(row, heartbeats(own.any("heartbeats"), channel), &executed))
            .transpose()?
            .flatten(),
        rewinding: own.is_on("rewinding").unwrap_or_default(),
        executed,
        setup: setup(own, links),
    })
}

/// A link without a host is one that was reset.
fn link(
    row: Values<'_>,
    heartbeats: &str,
    executed: &GtidSet,
) -> Result<Option<Link>, DialectError> {
    if row.text("Source_Host")?.is_empty() {
        return Ok(None);
    }
    let retrieved = row.set(SetFamily::Mysql, "Retrieved_Gtid_Set")?;
    let received = executed.union(&retrieved);
    Ok(Some(Link {
        source: row.address("Source_Host", "Source_Port")?,
        receiver: row.receiver("Replica_IO_Running")?,
        receiver_error: row.number("Last_IO_Errno")?,
        applier: row.applier("Replica_SQL_Running", "Last_SQL_Errno")?,
        received: received.expect("both sets are of one family"),
        heard: heard(&[
            heartbeats,
            row.text("Source_Log_File")?,
            row.text("Read_Source_Log_Pos")?,
            row.text("Retrieved_Gtid_Set")?,
        ]),
        lag: row.lag("Seconds_Behind_Source")?,
    }))
}
