//! What differs between the families: option file, first statements, initialisation.
//!
//! The options of both give the same cluster: lossless semi-synchronous replication by GTID with
//! the source side off, read-only from the first second, replication not started.

pub(crate) mod mariadb;
mod mysql;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::credentials::Credentials;
use crate::flavor::Flavor;
use crate::locate::ServerProgram;

/// The exit status with which a server asks its supervisor to start it again, as `RESTART` and
/// `CLONE INSTANCE` do (MySQL Reference Manual, "RESTART Statement").
pub(crate) const EXIT_RESTART: i32 = 16;

/// The part of an option file that is one server's own.
pub(crate) struct ServerFiles<'a> {
    pub(crate) program: &'a ServerProgram,
    /// Holds `data` and `tmp`.
    pub(crate) directory: &'a Path,
    pub(crate) port: u16,
    pub(crate) server_id: u32,
    pub(crate) as_root: bool,
}

/// The whole option file of a server.
pub(crate) fn option_file(server: &ServerFiles<'_>) -> String {
    let (group, family) = match server.program.flavor {
        Flavor::MariaDb => ("mariadbd", mariadb::OPTIONS),
        Flavor::MySql => ("mysqld", mysql::OPTIONS),
    };
    let mut text =
        format!("# Written at each start of the sandbox: changes are lost.\n[{group}]\n");
    if server.as_root {
        text.push_str("user=root\n");
    }
    let path = |name: &str, value: &Path| format!("{name}=\"{}\"\n", value.display());
    text += &path("basedir", &server.program.base);
    if let Some(plugins) = &server.program.plugins {
        text += &path("plugin_dir", plugins);
    }
    if let Some(messages) = &server.program.messages {
        text += &path("lc_messages_dir", messages);
    }
    text += &path("datadir", &server.directory.join("data"));
    // Servers that share this folder delete each other's temporary tables when they start.
    text += &path("tmpdir", &server.directory.join("tmp"));
    text += &path("pid_file", &server.directory.join("mysqld.pid"));
    let port = server.port;
    write!(
        text,
        "bind_address=127.0.0.1\nport={port}\nreport_host=127.0.0.1\nreport_port={port}\n\
         server_id={}\n",
        server.server_id
    )
    .expect("a String takes all text");
    text += COMMON;
    text += family;
    text
}

/// No socket file: the path of one is limited to 107 bytes, and a sandbox's folder is not.
const COMMON: &str = "socket=
skip_name_resolve=ON
max_connections=500
event_scheduler=OFF
performance_schema=OFF
table_open_cache=400
table_definition_cache=400

# Durable, and read-only from the first second.
sync_binlog=1
innodb_flush_log_at_trx_commit=1
innodb_buffer_pool_size=64M
innodb_buffer_pool_dump_at_shutdown=OFF
innodb_buffer_pool_load_at_startup=OFF
read_only=ON

log_bin=binlog
relay_log=relay
binlog_format=ROW
";

/// Statements for the first start: accounts and the manager's schema.
///
/// None is written to the binary log, so that every server begins with an empty GTID set. The
/// manager's account is made last: a login with it proves that all before it was done.
pub(crate) fn first_statements(flavor: Flavor, credentials: &Credentials) -> String {
    let grants = match flavor {
        Flavor::MariaDb => mariadb::REPLICATION_PRIVILEGES,
        Flavor::MySql => mysql::REPLICATION_PRIVILEGES,
    };
    let Credentials {
        manager,
        replication,
        app,
    } = credentials;
    let mut lines = vec![
        "SET sql_log_bin=0".to_owned(),
        "CREATE DATABASE IF NOT EXISTS mainstay".to_owned(),
        HEARTBEAT.to_owned(),
        "CREATE DATABASE IF NOT EXISTS app".to_owned(),
        "ALTER USER 'root'@'localhost' ACCOUNT LOCK".to_owned(),
    ];
    let mut account = |user: &str, password: &str, grants: &[String]| {
        // Twice, so that a start that was cut short can be repeated.
        lines.push(format!(
            "CREATE USER IF NOT EXISTS '{user}'@'%' IDENTIFIED BY '{password}'"
        ));
        lines.push(format!(
            "ALTER USER '{user}'@'%' IDENTIFIED BY '{password}'"
        ));
        lines.extend(
            grants
                .iter()
                .map(|grant| format!("GRANT {grant} TO '{user}'@'%'")),
        );
    };
    account(
        &replication.user,
        &replication.password,
        &[format!("{grants} ON *.*")],
    );
    account(&app.user, &app.password, &app_grants());
    let everything = "ALL PRIVILEGES ON *.*".to_owned();
    account(&manager.user, &manager.password, &[everything]);
    // Whoever tries something out makes other accounts with it.
    lines.push(format!(
        "GRANT GRANT OPTION ON *.* TO '{}'@'%'",
        manager.user
    ));
    lines.join(";\n") + ";\n"
}

/// One line: an init file holds one statement per line in both families.
const HEARTBEAT: &str = "CREATE TABLE IF NOT EXISTS mainstay.heartbeat (\
    id TINYINT UNSIGNED NOT NULL PRIMARY KEY, \
    epoch BIGINT UNSIGNED NOT NULL DEFAULT 0, \
    beat BIGINT UNSIGNED NOT NULL DEFAULT 0) ENGINE=InnoDB";

/// Everything in the databases that applications and load generators use by habit, and the right
/// to make others; nothing that passes `read_only`.
fn app_grants() -> Vec<String> {
    let mut grants = vec!["CREATE ON *.*".to_owned()];
    for databases in ["app", r"app\_%", "test%", "sbtest%", "bench%"] {
        grants.push(format!("ALL PRIVILEGES ON `{databases}`.*"));
    }
    grants
}

/// Program and arguments that fill an empty data directory.
pub(crate) fn initialisation(
    program: &ServerProgram,
    data: &Path,
    tmp: &Path,
    as_root: bool,
) -> (PathBuf, Vec<OsString>) {
    let (path, mut arguments) = match program.flavor {
        Flavor::MariaDb => mariadb::initialisation(program),
        Flavor::MySql => mysql::initialisation(program),
    };
    let mut option = |name: &str, value: &Path| {
        let mut text = OsString::from(name);
        text.push(value);
        arguments.push(text);
    };
    option("--basedir=", &program.base);
    option("--datadir=", data);
    option("--tmpdir=", tmp);
    if as_root {
        arguments.push("--user=root".into());
    }
    (path, arguments)
}

/// Arguments for a server that comes back to a newer primary.
pub(crate) fn rejoin_arguments(flavor: Flavor) -> &'static [&'static str] {
    match flavor {
        Flavor::MariaDb => mariadb::REJOIN_ARGUMENTS,
        Flavor::MySql => &[],
    }
}

#[cfg(test)]
mod tests;
