//! The servers' own words for what a person does to them.

use crate::Family;
use crate::lab::{self, Lab};
use crate::wait::wait_until;

/// Nothing is written any more, applied changes included.
pub(super) const LOCK_ALL: &str = "FLUSH TABLES WITH READ LOCK";
pub(super) const UNLOCK: &str = "UNLOCK TABLES";

/// A variable, as MariaDB and as MySQL name it.
pub(super) struct Variable(&'static str, &'static str);

/// Whether commits wait for acknowledgements.
pub(super) const WAIT: Variable = Variable(
    "rpl_semi_sync_master_enabled",
    "rpl_semi_sync_source_enabled",
);
/// For how long, in milliseconds.
pub(super) const WAIT_LIMIT: Variable = Variable(
    "rpl_semi_sync_master_timeout",
    "rpl_semi_sync_source_timeout",
);
/// Whether a replica acknowledges.
pub(super) const ACKNOWLEDGING: Variable = Variable(
    "rpl_semi_sync_slave_enabled",
    "rpl_semi_sync_replica_enabled",
);

impl Variable {
    fn name(&self, lab: &Lab) -> &'static str {
        match lab.family() {
            Family::MariaDb => self.0,
            Family::MySql => self.1,
        }
    }
}

#[track_caller]
pub(super) fn set(lab: &Lab, server: usize, variable: &Variable, value: &str) {
    let sql = format!("SET GLOBAL {} = {value}", variable.name(lab));
    lab.client(server).execute(&sql);
}

#[track_caller]
pub(super) fn get(lab: &Lab, server: usize, variable: &Variable) -> String {
    let sql = format!("SELECT @@GLOBAL.{}", variable.name(lab));
    lab.client(server).value(&sql)
}

/// Lets a session with every right write on a replica.
pub(super) fn writable(lab: &Lab) -> &'static str {
    match lab.family() {
        Family::MariaDb => "SET GLOBAL read_only = ON",
        Family::MySql => "SET GLOBAL super_read_only = OFF",
    }
}

/// Options of a server that is open to writes from its first second.
pub(super) fn writable_options(lab: &Lab) -> &'static [&'static str] {
    match lab.family() {
        Family::MariaDb => &["--read-only=OFF"],
        Family::MySql => &["--super-read-only=OFF", "--read-only=OFF"],
    }
}

#[track_caller]
pub(super) fn stop_receiver(lab: &Lab, server: usize) {
    execute(
        lab,
        server,
        "STOP SLAVE IO_THREAD",
        "STOP REPLICA IO_THREAD",
    );
}

#[track_caller]
pub(super) fn start_receiver(lab: &Lab, server: usize) {
    execute(
        lab,
        server,
        "START SLAVE IO_THREAD",
        "START REPLICA IO_THREAD",
    );
}

#[track_caller]
pub(super) fn stop_applier(lab: &Lab, server: usize) {
    execute(
        lab,
        server,
        "STOP SLAVE SQL_THREAD",
        "STOP REPLICA SQL_THREAD",
    );
}

#[track_caller]
pub(super) fn stop_replication(lab: &Lab, server: usize) {
    execute(lab, server, "STOP SLAVE", "STOP REPLICA");
}

#[track_caller]
pub(super) fn start_replication(lab: &Lab, server: usize) {
    execute(lab, server, "START SLAVE", "START REPLICA");
}

#[track_caller]
pub(super) fn reset_replication(lab: &Lab, server: usize) {
    stop_replication(lab, server);
    execute(lab, server, "RESET SLAVE ALL", "RESET REPLICA ALL");
}

/// Lets a server replicate from another replica.
#[track_caller]
pub(super) fn repoint(lab: &Lab, server: usize, source: usize) {
    stop_replication(lab, server);
    let host = lab::address(source);
    execute(
        lab,
        server,
        &format!("CHANGE MASTER TO MASTER_HOST = '{host}'"),
        &format!("CHANGE REPLICATION SOURCE TO SOURCE_HOST = '{host}'"),
    );
    start_replication(lab, server);
}

/// Only what is written from now on is kept in the binary logs. A log that a replica is still
/// reading stays without a word, so it is said again.
#[track_caller]
pub(super) fn purge_logs(lab: &Lab, server: usize) {
    let mut session = lab.client(server);
    session.execute("FLUSH BINARY LOGS");
    let kept = session.column("SHOW BINARY LOGS").pop();
    let kept = kept.expect("a server has a binary log");
    wait_until("purged logs", || {
        session.execute(&format!("PURGE BINARY LOGS TO '{kept}'"));
        session.column("SHOW BINARY LOGS").first() == Some(&kept)
    });
}

#[track_caller]
fn execute(lab: &Lab, server: usize, mariadb: &str, mysql: &str) {
    lab.client(server).execute(match lab.family() {
        Family::MariaDb => mariadb,
        Family::MySql => mysql,
    });
}
