//! The statements of a rewinding.

use std::collections::BTreeSet;

use mainstay_topology::Family;

use super::escaped;

pub(in super::super) const SCHEMA: &str = "mainstay";
pub(in super::super) const TABLE: &str = "rewind";
pub(in super::super) const MARK: &str = "mainstay.rewind";

/// What a server is to have executed when it is rewound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Mark {
    /// `gtid_purged` of MySQL, `gtid_binlog_state` of MariaDB.
    pub(in super::super) state: String,
    /// `gtid_slave_pos` of MariaDB.
    pub(in super::super) position: String,
}

/// `ER_BAD_DB_ERROR`, `ER_NO_SUCH_TABLE`.
pub(in super::super) const NO_TABLE: [u16; 2] = [1049, 1146];
/// `ER_UNKNOWN_SYSTEM_VARIABLE`.
pub(in super::super) const NO_VARIABLE: u16 = 1193;
/// `ER_PARSE_ERROR`.
pub(in super::super) const NO_SUCH_STATEMENT: u16 = 1064;
/// Errors that pass: `ER_LOCK_WAIT_TIMEOUT`, `ER_LOCK_DEADLOCK`, `ER_SERVER_SHUTDOWN`,
/// `ER_QUERY_INTERRUPTED`, `ER_OPTION_PREVENTS_STATEMENT`, `ER_CONNECTION_KILLED`.
pub(in super::super) const PASSING: [u16; 6] = [1205, 1213, 1053, 1317, 1290, 1927];

/// Held as long as the connection lives: a manager that died may still have one.
pub(in super::super) const LOCK: &str = "SELECT GET_LOCK('mainstay.rewind', 0)";
pub(in super::super) const NEW_LOG: &str = "FLUSH BINARY LOGS";
pub(in super::super) const DUMPS: &str = "SHOW PROCESSLIST";
pub(in super::super) const DUMP: &str = "Binlog Dump";
/// `RESET BINARY LOGS AND GTIDS` before MySQL 8.2.
pub(in super::super) const RESET_BEFORE_8_2: &str = "RESET MASTER";

const UNLOGGED: &str = "SET SESSION sql_log_bin = 0";
const LOGGED: &str = "SET SESSION sql_log_bin = 1";
const DROP_MARK: &str = "DROP TABLE IF EXISTS mainstay.rewind";

pub(in super::super) fn read_only(family: Family) -> &'static str {
    match family {
        Family::Mysql => super::SUPER_READ_ONLY_ON,
        Family::Mariadb => "SET GLOBAL read_only = ON",
    }
}

/// Ordinary users cannot write meanwhile: `read_only` stays.
pub(in super::super) fn begin(family: Family) -> &'static [&'static str] {
    match family {
        Family::Mysql => &["STOP REPLICA FOR CHANNEL ''", super::SUPER_READ_ONLY_OFF],
        Family::Mariadb => &["STOP SLAVE"],
    }
}

/// The table is no part of the cluster's data.
pub(in super::super) fn make_mark_table() -> [&'static str; 4] {
    [
        UNLOGGED,
        "CREATE DATABASE IF NOT EXISTS mainstay",
        "CREATE TABLE IF NOT EXISTS mainstay.rewind (id TINYINT PRIMARY KEY, \
         state LONGTEXT NOT NULL, position LONGTEXT NOT NULL) ENGINE = InnoDB",
        LOGGED,
    ]
}

/// So that the log of the undoing can be compared with what was saved.
pub(in super::super) fn whole_rows(family: Family) -> &'static [&'static str] {
    match family {
        Family::Mysql => &[
            "SET SESSION binlog_row_image = 'FULL'",
            "SET SESSION binlog_row_value_options = ''",
        ],
        Family::Mariadb => &[
            "SET SESSION binlog_row_image = 'FULL'",
            "SET SESSION binlog_format = 'ROW'",
        ],
    }
}

pub(in super::super) fn put_mark(mark: &Mark) -> String {
    let (state, position) = (escaped(&mark.state), escaped(&mark.position));
    format!("INSERT INTO {MARK} (id, state, position) VALUES (1, '{state}', '{position}')")
}

pub(in super::super) fn read_mark() -> String {
    format!("SELECT state, position FROM {MARK}")
}

/// What a server's set is set from.
pub(in super::super) fn state(family: Family) -> &'static str {
    match family {
        Family::Mysql => "SELECT @@GLOBAL.gtid_executed",
        Family::Mariadb => "SELECT @@GLOBAL.gtid_binlog_state",
    }
}

/// What it has executed (MySQL), or applied as a replica (MariaDB).
pub(in super::super) fn position(family: Family) -> &'static str {
    match family {
        Family::Mysql => "SELECT @@GLOBAL.gtid_executed",
        Family::Mariadb => "SELECT @@GLOBAL.gtid_slave_pos",
    }
}

pub(in super::super) fn install(family: Family, mark: &Mark) -> Vec<String> {
    let (state, position) = (escaped(&mark.state), escaped(&mark.position));
    match family {
        Family::Mysql => vec![
            "RESET BINARY LOGS AND GTIDS".to_owned(),
            format!("SET GLOBAL gtid_purged = '{state}'"),
            "RESET REPLICA FOR CHANNEL ''".to_owned(),
        ],
        Family::Mariadb => vec![
            "RESET MASTER".to_owned(),
            format!("SET GLOBAL gtid_binlog_state = '{state}'"),
            "RESET SLAVE".to_owned(),
            format!("SET GLOBAL gtid_slave_pos = '{position}'"),
        ],
    }
}

pub(in super::super) fn end(family: Family) -> Vec<&'static str> {
    let mut statements = vec![UNLOGGED, DROP_MARK, LOGGED];
    statements.push(read_only(family));
    statements
}

type Tables = BTreeSet<(Vec<u8>, Vec<u8>)>;

/// The engine of each table.
pub(in super::super) fn engines(tables: &Tables) -> String {
    format!(
        "SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) AS name, ENGINE AS engine \
         FROM information_schema.TABLES WHERE (TABLE_SCHEMA, TABLE_NAME) IN ({})",
        names(tables)
    )
}

/// Foreign keys through which a change of these tables changes others.
pub(in super::super) fn cascades(tables: &Tables) -> String {
    format!(
        "SELECT CONCAT(CONSTRAINT_SCHEMA, '.', TABLE_NAME) AS name \
         FROM information_schema.REFERENTIAL_CONSTRAINTS \
         WHERE (UNIQUE_CONSTRAINT_SCHEMA, REFERENCED_TABLE_NAME) IN ({}) \
         AND (DELETE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT') \
         OR UPDATE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT')) LIMIT 1",
        names(tables)
    )
}

fn names(tables: &Tables) -> String {
    let name = |part: &[u8]| escaped(&String::from_utf8_lossy(part));
    let pairs = tables.iter();
    let pairs = pairs.map(|(schema, table)| format!("('{}', '{}')", name(schema), name(table)));
    let pairs: Vec<String> = pairs.collect();
    if pairs.is_empty() {
        return "('', '')".to_owned();
    }
    pairs.join(", ")
}
