//! MariaDB's own words. Semi-synchronous replication is built in.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::locate::ServerProgram;

/// The timeout means: never fall back to asynchronous replication. The source side stays off until
/// the manager turns it on, because on a replica it would hang the applier. A kill timeout of 0
/// would hang `STOP SLAVE` when the source hangs; 1 s is the least that works.
pub(super) const OPTIONS: &str = "log_slave_updates=ON
gtid_strict_mode=ON
skip_slave_start=ON
slave_net_timeout=2
innodb_log_file_size=32M
aria_pagecache_buffer_size=8M
key_buffer_size=1M

rpl_semi_sync_master_enabled=OFF
rpl_semi_sync_master_wait_point=AFTER_SYNC
rpl_semi_sync_master_timeout=4294967295
rpl_semi_sync_slave_enabled=ON
rpl_semi_sync_slave_kill_conn_timeout=1

# The server's own list and last_gtid, which tells a session what it has written.
session_track_system_variables=\"autocommit,character_set_client,character_set_connection,\
character_set_results,time_zone,last_gtid\"
";

pub(super) const REPLICATION_PRIVILEGES: &str = "REPLICATION SLAVE";

/// Removes the tail that no replica acknowledged from the binary log and from the tables.
pub(super) const REJOIN_ARGUMENTS: &[&str] = &["--init-rpl-role=SLAVE"];

/// `socket` authentication gives root no password that could be empty.
pub(super) fn initialisation(program: &ServerProgram) -> (PathBuf, Vec<OsString>) {
    let names = [
        "bin/mariadb-install-db",
        "scripts/mariadb-install-db",
        "bin/mysql_install_db",
    ];
    let path = names
        .iter()
        .map(|name| program.base.join(name))
        .find(|path| path.exists())
        .unwrap_or_else(|| PathBuf::from("mariadb-install-db"));
    let arguments = [
        "--no-defaults",
        "--skip-test-db",
        "--auth-root-authentication-method=socket",
        "--innodb-log-file-size=32M",
    ];
    (path, arguments.map(OsString::from).to_vec())
}
