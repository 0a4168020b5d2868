//! MariaDB's own words. Semi-synchronous replication is built in.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use mainstay_gtid::mariadb::{Gtid, MariadbSet};

use crate::credentials::Login;
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

/// What a server's binary logs hold; copied data come without it.
pub(crate) const BINLOG_STATE: &str = "SELECT @@GLOBAL.gtid_binlog_state";

/// 1 on a primary whose commits wait for a replica, while there is none.
pub(crate) const COMMITS_WAIT: &str = "SELECT @@GLOBAL.rpl_semi_sync_master_enabled AND \
    (SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS \
    WHERE VARIABLE_NAME = 'Rpl_semi_sync_master_clients') = 0";

/// One statement in one line, for an init file. The position goes first: a server that has the
/// state has both, and leaves what it has replicated since alone when it reads this once more.
///
/// Within a domain the newest comes last, because a server takes the last one for the newest.
pub(crate) fn take_history(position: &MariadbSet, state: &MariadbSet) -> String {
    let mut gtids: Vec<Gtid> = state.iter().collect();
    gtids.sort_by_key(|gtid| (gtid.domain, gtid.sequence));
    let texts: Vec<String> = gtids.iter().map(Gtid::to_string).collect();
    let (position, state) = (position.position(), texts.join(","));
    format!(
        "BEGIN NOT ATOMIC IF @@GLOBAL.gtid_binlog_state = '' THEN \
         SET GLOBAL gtid_slave_pos = '{position}'; SET GLOBAL gtid_binlog_state = '{state}'; \
         END IF; END;\n"
    )
}

/// The program that copies a running server's data: of the server's own package, or else on `PATH`.
pub(crate) fn backup_program(program: &ServerProgram) -> Option<PathBuf> {
    let on_path = env::var_os("PATH").unwrap_or_default();
    let folders = [program.base.join("bin")]
        .into_iter()
        .chain(env::split_paths(&on_path));
    let mut candidates =
        folders.flat_map(|folder| ["mariadb-backup", "mariabackup"].map(|name| folder.join(name)));
    candidates.find(|path| path.is_absolute() && path.is_file())
}

/// Its option file. The password is in no process list that way.
pub(crate) fn backup_options(port: u16, login: &Login) -> String {
    let Login { user, password } = login;
    format!(
        "[mariabackup]\nhost=127.0.0.1\nport={port}\nuser=\"{user}\"\n\
         password=\"{password}\"\n"
    )
}

/// Its arguments: for the copy, or for making the copy consistent afterwards.
pub(crate) fn backup_arguments(action: &str, options: &Path, target: &Path) -> Vec<OsString> {
    let joined = |name: &str, path: &Path| {
        let mut text = OsString::from(name);
        text.push(path);
        text
    };
    vec![
        joined("--defaults-file=", options),
        action.into(),
        joined("--target-dir=", target),
    ]
}

/// Where the copy ends: the third column of a file that comes with it.
pub(crate) fn position_of_copy(copy: &Path) -> std::io::Result<String> {
    let text = std::fs::read_to_string(copy.join("xtrabackup_binlog_info"))?;
    let gtids = text.split_ascii_whitespace().nth(2);
    Ok(gtids.unwrap_or_default().to_owned())
}
