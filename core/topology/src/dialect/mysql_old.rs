//! What MySQL is asked from 5.6 to 8.0.25, in the words of that time.
//!
//! 5.6 has no table of variables that can be read without errors, and no `super_read_only` (manual
//! of 5.7, since 5.7.8) or `offline_mode` (since 5.7.5). Its heartbeats are in a status variable;
//! from 5.7 on they are in a table (manual of 5.7, "Migrating to Performance Schema System and
//! Status Variable Tables").

use super::answer::{Answer, answer};
use super::mysql::{Asked, facts_of};
use super::place::Columns;
use super::replicas::heartbeats;
use super::semi_sync::Settings;
use super::{DialectError, Row};
use crate::facts::{Dialect, Facts, SemiSyncWords, Version};

/// Where the own log ends.
pub(super) const OWN_LOG: &str = "SHOW MASTER STATUS";

const STATUS: &str = "SHOW GLOBAL STATUS WHERE Variable_name IN ('Rpl_semi_sync_master_clients', \
     'Rpl_semi_sync_master_wait_sessions', 'Rpl_semi_sync_master_no_tx', \
     'Rpl_semi_sync_master_status', 'Slave_received_heartbeats')";

/// Without the plugins there are none.
const SEMI_SYNC: &str = "SHOW GLOBAL VARIABLES LIKE 'rpl_semi_sync%'";

pub(super) const STATEMENTS_56: [&str; 4] = [
    "SELECT @@GLOBAL.server_id AS server_id, @@GLOBAL.server_uuid AS server_uuid, \
     @@GLOBAL.read_only AS read_only, 0 AS super_read_only, 0 AS offline, \
     @@GLOBAL.gtid_executed AS executed, @@GLOBAL.gtid_mode AS gtid_mode, \
     @@GLOBAL.log_bin_basename AS log_base, \
     @@GLOBAL.log_bin AS log_bin, @@GLOBAL.log_slave_updates AS log_updates, \
     @@GLOBAL.auto_increment_offset AS increment_offset, \
     @@GLOBAL.auto_increment_increment AS increment_by, NULL AS heartbeats",
    "SHOW SLAVE STATUS",
    STATUS,
    SEMI_SYNC,
];

pub(super) const STATEMENTS_57: [&str; 4] = [
    "SELECT @@GLOBAL.server_id AS server_id, @@GLOBAL.server_uuid AS server_uuid, \
     @@GLOBAL.read_only AS read_only, @@GLOBAL.super_read_only AS super_read_only, \
     @@GLOBAL.offline_mode AS offline, \
     @@GLOBAL.gtid_executed AS executed, @@GLOBAL.gtid_mode AS gtid_mode, \
     @@GLOBAL.log_bin_basename AS log_base, \
     @@GLOBAL.log_bin AS log_bin, @@GLOBAL.log_slave_updates AS log_updates, \
     @@GLOBAL.auto_increment_offset AS increment_offset, \
     @@GLOBAL.auto_increment_increment AS increment_by, \
     (SELECT GROUP_CONCAT(CHANNEL_NAME, ' ', COUNT_RECEIVED_HEARTBEATS) \
     FROM performance_schema.replication_connection_status) AS heartbeats",
    "SHOW SLAVE STATUS",
    STATUS,
    SEMI_SYNC,
];

pub(super) const COLUMNS: Columns = Columns {
    host: "Master_Host",
    port: "Master_Port",
    uuid: "Master_UUID",
    receiver: "Slave_IO_Running",
    applier: "Slave_SQL_Running",
    received_log: "Master_Log_File",
    received_position: "Read_Master_Log_Pos",
    executed_log: "Relay_Master_Log_File",
    executed_position: "Exec_Master_Log_Pos",
    lag: "Seconds_Behind_Master",
};

pub(super) fn facts(
    version: &Version,
    answers: &[Vec<Row>],
    channel: &str,
) -> Result<Facts, DialectError> {
    let statements = if version.dialect() == Dialect::Mysql56 {
        &STATEMENTS_56
    } else {
        &STATEMENTS_57
    };
    let own = answer(statements, answers, 0)?.one()?;
    let status = answer(statements, answers, 2)?;
    let variables = answer(statements, answers, 3)?;
    let beats = match own.get("heartbeats")? {
        Some(beats) => heartbeats(beats, channel).to_owned(),
        None => status.counter("Slave_received_heartbeats")?.to_string(),
    };
    let asked = Asked {
        version,
        own,
        status,
        links: answer(statements, answers, 1)?,
        own_log: answers.get(4),
        columns: &COLUMNS,
        heartbeats: &beats,
        settings: settings(version, variables),
        words: if variables.rows.is_empty() {
            SemiSyncWords::Absent
        } else {
            SemiSyncWords::Old
        },
    };
    facts_of(&asked, channel)
}

/// 5.6 shows a commit to others before it waits (`AFTER_COMMIT`) and has no setting for it, nor for
/// how many it waits for; who has sent the commit waits all the same.
fn settings<'a>(version: &Version, variables: Answer<'a>) -> Settings<'a> {
    let old = version.dialect() == Dialect::Mysql56;
    Settings {
        enabled: variables.setting("rpl_semi_sync_master_enabled"),
        timeout: variables.setting("rpl_semi_sync_master_timeout"),
        wait_point: if old {
            Some("AFTER_SYNC")
        } else {
            variables.setting("rpl_semi_sync_master_wait_point")
        },
        wait_alone: variables.setting("rpl_semi_sync_master_wait_no_slave"),
        count: if old {
            Some("1")
        } else {
            variables.setting("rpl_semi_sync_master_wait_for_slave_count")
        },
        replica_enabled: variables.setting("rpl_semi_sync_slave_enabled"),
    }
}
