//! What MariaDB is asked, 10.5 and later.

use mainstay_gtid::{Family as SetFamily, GtidSet};

use super::answer::{Values, answer, heard};
use super::replicas::{links, setup};
use super::semi_sync::{Settings, Waiting};
use super::{DialectError, Row};
use crate::facts::{Facts, Link, SemiSync, SemiSyncWords, Version};

/// MariaDB waits for one replica, whatever is asked for.
pub(super) const STATEMENTS: [&str; 3] = [
    "SELECT @@GLOBAL.server_id AS server_id, @@GLOBAL.read_only AS read_only, \
     @@GLOBAL.gtid_binlog_state AS binlog_state, @@GLOBAL.gtid_slave_pos AS replica_position, \
     @@GLOBAL.rpl_semi_sync_master_enabled AS source_enabled, \
     @@GLOBAL.rpl_semi_sync_master_timeout AS timeout, \
     @@GLOBAL.rpl_semi_sync_master_wait_point AS wait_point, \
     @@GLOBAL.rpl_semi_sync_master_wait_no_slave AS wait_alone, 1 AS wait_count, \
     @@GLOBAL.rpl_semi_sync_slave_enabled AS replica_enabled, \
     @@GLOBAL.log_bin AS log_bin, @@GLOBAL.log_slave_updates AS log_updates, \
     @@GLOBAL.auto_increment_offset AS increment_offset, \
     @@GLOBAL.auto_increment_increment AS increment_by, \
     (SELECT COUNT(*) FROM information_schema.TABLES \
     WHERE TABLE_SCHEMA = 'mainstay' AND TABLE_NAME = 'rewind') AS rewinding",
    "SHOW ALL SLAVES STATUS",
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('Rpl_semi_sync_master_clients', \
     'Rpl_semi_sync_master_wait_sessions', 'Rpl_semi_sync_master_no_tx', \
     'Rpl_semi_sync_master_status', \
     'Slave_received_heartbeats')",
];

pub(super) fn facts(
    version: &Version,
    answers: &[Vec<Row>],
    channel: &str,
) -> Result<Facts, DialectError> {
    let own = answer(&STATEMENTS, answers, 0)?.one()?;
    let status = answer(&STATEMENTS, answers, 2)?;
    let binlog = own.set(SetFamily::Mariadb, "binlog_state")?;
    let applied = own.set(SetFamily::Mariadb, "replica_position")?;
    let executed = binlog.union(&applied).expect("both sets are of one family");
    let executed = executed.executed_by(own.number("server_id")?);
    let links = links(answer(&STATEMENTS, answers, 1)?, "Connection_name", channel);
    // The counter is that of the connection without a name; newer versions have one for each.
    let heartbeats = match channel {
        "" => status.counter("Slave_received_heartbeats")?.to_string(),
        _ => String::new(),
    };
    let settings = Settings::of_row(own)?;
    let wait = Waiting::read(&settings, status.setting("Rpl_semi_sync_master_status"))?;
    Ok(Facts {
        version: version.clone(),
        server_id: own.number("server_id")?,
        server_uuid: None,
        read_only: own.is_on("read_only")?,
        semi_sync: SemiSync {
            source_enabled: wait.enabled,
            acknowledgements: wait.acknowledgements(),
            given_up: wait.has_given_up(),
            clients: status.counter("Rpl_semi_sync_master_clients")? as u32,
            waiting: status.counter("Rpl_semi_sync_master_wait_sessions")? as u32,
            unacknowledged: status.counter("Rpl_semi_sync_master_no_tx")?,
            replica_enabled: settings.replica_enabled(),
            words: SemiSyncWords::Present,
        },
        link: links
            .own
            .map(|row| link(row, &heartbeats, &executed))
            .transpose()?
            .flatten(),
        rewinding: own.is_on("rewinding").unwrap_or_default(),
        executed,
        setup: setup(own, links),
        positions: None,
    })
}

fn link(
    row: Values<'_>,
    heartbeats: &str,
    executed: &GtidSet,
) -> Result<Option<Link>, DialectError> {
    if row.text("Master_Host")?.is_empty() {
        return Ok(None);
    }
    let position = row.set(SetFamily::Mariadb, "Gtid_IO_Pos")?;
    let received = executed.union(&position);
    Ok(Some(Link {
        source: row.address("Master_Host", "Master_Port")?,
        receiver: row.receiver("Slave_IO_Running")?,
        receiver_error: row.number("Last_IO_Errno")?,
        applier: row.applier("Slave_SQL_Running", "Last_SQL_Errno")?,
        received: received.expect("both sets are of one family"),
        heard: heard(&[
            heartbeats,
            row.any("Slave_received_heartbeats"),
            row.text("Master_Log_File")?,
            row.text("Read_Master_Log_Pos")?,
            row.text("Gtid_IO_Pos")?,
        ]),
        lag: row.lag("Seconds_Behind_Master")?,
    }))
}
