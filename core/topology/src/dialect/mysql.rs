//! What MySQL is asked, 8.0.26 to 9.x, and what its answers mean, whatever its age.

use super::answer::{Answer, Values, answer, heard};
use super::place::{Columns, positions, sets};
use super::replicas::{heartbeats, links, setup};
use super::semi_sync::{Settings, Waiting};
use super::{DialectError, Row};
use crate::facts::{Facts, Link, SemiSync, SemiSyncWords, Version};
use mainstay_gtid::{Family as SetFamily, GtidSet};

/// Where the own log ends; before 8.2 it has its old name.
pub(super) const OWN_LOG: &str = "SHOW BINARY LOG STATUS";

/// Semi-synchronous variables and heartbeats are read from tables: without the plugins the
/// variables do not exist, and a `SELECT` of them would fail. Until 8.4 the plugin may be the one
/// with the old words.
pub(super) const STATEMENTS: [&str; 3] = [
    "SELECT @@GLOBAL.server_id AS server_id, @@GLOBAL.server_uuid AS server_uuid, \
     @@GLOBAL.read_only AS read_only, @@GLOBAL.super_read_only AS super_read_only, \
     @@GLOBAL.offline_mode AS offline, \
     @@GLOBAL.gtid_executed AS executed, @@GLOBAL.gtid_mode AS gtid_mode, \
     @@GLOBAL.log_bin_basename AS log_base, \
     (SELECT MIN(VARIABLE_NAME) FROM performance_schema.global_variables \
     WHERE VARIABLE_NAME IN ('rpl_semi_sync_source_enabled', 'rpl_semi_sync_master_enabled', \
     'rpl_semi_sync_replica_enabled', 'rpl_semi_sync_slave_enabled')) AS semi_sync, \
     (SELECT VARIABLE_VALUE FROM performance_schema.global_variables \
     WHERE VARIABLE_NAME IN ('rpl_semi_sync_source_enabled', 'rpl_semi_sync_master_enabled') \
     LIMIT 1) AS source_enabled, \
     (SELECT VARIABLE_VALUE FROM performance_schema.global_variables \
     WHERE VARIABLE_NAME IN ('rpl_semi_sync_source_timeout', 'rpl_semi_sync_master_timeout') \
     LIMIT 1) AS timeout, \
     (SELECT VARIABLE_VALUE FROM performance_schema.global_variables \
     WHERE VARIABLE_NAME IN ('rpl_semi_sync_source_wait_point', \
     'rpl_semi_sync_master_wait_point') LIMIT 1) AS wait_point, \
     (SELECT VARIABLE_VALUE FROM performance_schema.global_variables \
     WHERE VARIABLE_NAME IN ('rpl_semi_sync_source_wait_no_replica', \
     'rpl_semi_sync_master_wait_no_slave') LIMIT 1) AS wait_alone, \
     (SELECT VARIABLE_VALUE FROM performance_schema.global_variables \
     WHERE VARIABLE_NAME IN ('rpl_semi_sync_source_wait_for_replica_count', \
     'rpl_semi_sync_master_wait_for_slave_count') LIMIT 1) AS wait_count, \
     (SELECT VARIABLE_VALUE FROM performance_schema.global_variables \
     WHERE VARIABLE_NAME IN ('rpl_semi_sync_replica_enabled', 'rpl_semi_sync_slave_enabled') \
     LIMIT 1) AS replica_enabled, \
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
     'Rpl_semi_sync_source_status', 'Rpl_semi_sync_master_clients', \
     'Rpl_semi_sync_master_wait_sessions', 'Rpl_semi_sync_master_no_tx', \
     'Rpl_semi_sync_master_status')",
];

const COLUMNS: Columns = Columns {
    host: "Source_Host",
    port: "Source_Port",
    uuid: "Source_UUID",
    receiver: "Replica_IO_Running",
    applier: "Replica_SQL_Running",
    received_log: "Source_Log_File",
    received_position: "Read_Source_Log_Pos",
    executed_log: "Relay_Source_Log_File",
    executed_position: "Exec_Source_Log_Pos",
    lag: "Seconds_Behind_Source",
};

/// What a server has answered, by whatever names.
pub(super) struct Asked<'a> {
    pub(super) version: &'a Version,
    pub(super) own: Values<'a>,
    pub(super) status: Answer<'a>,
    pub(super) links: Answer<'a>,
    pub(super) own_log: Option<&'a Vec<Row>>,
    pub(super) columns: &'a Columns,
    pub(super) heartbeats: &'a str,
    pub(super) settings: Settings<'a>,
    pub(super) words: SemiSyncWords,
}

pub(super) fn facts(
    version: &Version,
    answers: &[Vec<Row>],
    channel: &str,
) -> Result<Facts, DialectError> {
    let own = answer(&STATEMENTS, answers, 0)?.one()?;
    let asked = Asked {
        version,
        own,
        status: answer(&STATEMENTS, answers, 2)?,
        links: answer(&STATEMENTS, answers, 1)?,
        own_log: answers.get(3),
        columns: &COLUMNS,
        heartbeats: heartbeats(own.any("heartbeats"), channel),
        settings: Settings::of_row(own)?,
        words: match own.text("semi_sync")? {
            "" => SemiSyncWords::Absent,
            name if name.contains("master") || name.contains("slave") => SemiSyncWords::Old,
            _ => SemiSyncWords::Present,
        },
    };
    facts_of(&asked, channel)
}

/// The facts, of a server of any age.
pub(super) fn facts_of(asked: &Asked<'_>, channel: &str) -> Result<Facts, DialectError> {
    let Asked { own, status, .. } = asked;
    let old = asked.words == SemiSyncWords::Old;
    let named = |new, before| if old { before } else { new };
    let active = named("Rpl_semi_sync_source_status", "Rpl_semi_sync_master_status");
    let wait = Waiting::read(&asked.settings, status.setting(active))?;
    let clients = named(
        "Rpl_semi_sync_source_clients",
        "Rpl_semi_sync_master_clients",
    );
    let waiting = named(
        "Rpl_semi_sync_source_wait_sessions",
        "Rpl_semi_sync_master_wait_sessions",
    );
    let unacknowledged = named("Rpl_semi_sync_source_no_tx", "Rpl_semi_sync_master_no_tx");
    // A link without a host is one that was reset.
    let links = links(asked.links, "Channel_Name", channel);
    let row = match links.own {
        Some(row) if !row.text(asked.columns.host)?.is_empty() => Some(row),
        Some(_) | None => None,
    };
    let mut facts = Facts {
        version: asked.version.clone(),
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
            clients: status.counter(clients)? as u32,
            waiting: status.counter(waiting)? as u32,
            unacknowledged: status.counter(unacknowledged)?,
            replica_enabled: asked.settings.replica_enabled(),
            words: asked.words,
        },
        rewinding: own.is_on("rewinding").unwrap_or_default(),
        executed: own.set(SetFamily::Mysql, "executed")?,
        link: None,
        positions: positions(*own, asked.own_log)?,
        setup: setup(*own, links),
    };
    let held = if facts.positions.is_some() {
        let (executed, held) = sets(facts.own_log(), row, asked.columns)?;
        facts.executed = executed;
        held
    } else if let Some(row) = row {
        let retrieved = row.set(SetFamily::Mysql, "Retrieved_Gtid_Set")?;
        let held = facts.executed.union(&retrieved);
        held.expect("both sets are of one family")
    } else {
        facts.executed.clone()
    };
    facts.link = row.map(|row| link(asked, row, held)).transpose()?;
    Ok(facts)
}

fn link(asked: &Asked<'_>, row: Values<'_>, held: GtidSet) -> Result<Link, DialectError> {
    let columns = asked.columns;
    Ok(Link {
        source: row.address(columns.host, columns.port)?,
        receiver: row.receiver(columns.receiver)?,
        receiver_error: row.number("Last_IO_Errno")?,
        applier: row.applier(columns.applier, "Last_SQL_Errno")?,
        received: held,
        heard: heard(&[
            asked.heartbeats,
            row.text(columns.received_log)?,
            row.text(columns.received_position)?,
            row.text("Retrieved_Gtid_Set")?,
        ]),
        lag: row.lag(columns.lag)?,
    })
}
