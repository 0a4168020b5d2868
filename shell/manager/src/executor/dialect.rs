//! The few statements of the executor's own, and the words of the families in their answers. Those
//! of the effects are in the plan.

use mainstay_failover::{Effect, Place, Step};
use mainstay_topology::{Address, Dialect, Target};

use crate::config::Login;

pub(super) mod rewind;

/// The threads of a link, and how one knows of them.
pub(super) struct Threads {
    /// How the statement begins that stops both.
    pub(super) stop: &'static str,
    /// Where the server says which links it has.
    pub(super) links: &'static str,
    /// Its column.
    pub(super) receiver_runs: &'static str,
    /// Which commands of the process list are appliers'; empty where a receiver is not told apart.
    pub(super) appliers: &'static [&'static str],
}

pub(super) fn threads(dialect: Dialect) -> Threads {
    match dialect {
        Dialect::Mysql56 | Dialect::Mysql57 | Dialect::Mysql80 => Threads {
            stop: "STOP SLAVE",
            links: "SHOW SLAVE STATUS",
            receiver_runs: "Slave_IO_Running",
            appliers: &[],
        },
        Dialect::Mysql8026 | Dialect::Mysql => Threads {
            stop: "STOP REPLICA FOR CHANNEL",
            links: "SHOW REPLICA STATUS",
            receiver_runs: "Replica_IO_Running",
            appliers: &[],
        },
        Dialect::Mariadb => Threads {
            stop: "STOP SLAVE",
            links: "SHOW ALL SLAVES STATUS",
            receiver_runs: "Slave_IO_Running",
            appliers: &["Slave_SQL", "Slave_worker"],
        },
    }
}

/// What puts right a step that was left in the middle: a server that is offline lets nobody in.
pub(super) fn repair(step: &Step) -> Option<&'static str> {
    let fence = matches!(step.effect, Effect::Fence { .. });
    let binds = |place: &Place| place.dialect.binds_everybody();
    let offline = fence && step.place.as_ref().is_some_and(binds);
    offline.then_some("SET GLOBAL offline_mode = OFF")
}

/// Whether events run, where they are switched off with writes (MariaDB, MySQL 5.6).
pub(super) const EVENTS: &str = "SELECT @@GLOBAL.event_scheduler";
/// Its answer.
pub(super) const EVENTS_RUN: &str = "ON";
pub(super) const EVENTS_ON: &str = "SET GLOBAL event_scheduler = ON";

/// Those that are to run here, and in whose name.
pub(super) const EVENTS_ENABLED: &str = "SELECT EVENT_SCHEMA AS event_schema, \
     EVENT_NAME AS event_name, DEFINER AS definer FROM information_schema.EVENTS \
     WHERE STATUS = 'ENABLED'";

/// Enables an event; without its definer it would become the manager's.
pub(super) fn enable_event(schema: &str, name: &str, definer: &str) -> String {
    let (user, host) = definer.rsplit_once('@').unwrap_or((definer, "%"));
    format!(
        "ALTER DEFINER = {}@{} EVENT {}.{} ENABLE",
        quoted(user),
        quoted(host),
        identifier(schema),
        identifier(name)
    )
}

fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// Who may write although the server is read-only (`MariaDB`): a role counts for those who have it.
pub(super) const PRIVILEGED: &str = "SELECT DISTINCT p.GRANTEE AS grantee \
     FROM information_schema.USER_PRIVILEGES p \
     WHERE p.PRIVILEGE_TYPE IN ('SUPER', 'READ ONLY ADMIN')";

/// For how many seconds the process has run.
pub(super) const UPTIME: &str = "SHOW GLOBAL STATUS LIKE 'Uptime'";

/// Where a server's binary log ends (MariaDB).
pub(super) const END_OF_LOG: &str = "SHOW MASTER STATUS";

/// The names of a server's logs, the oldest first.
pub(super) const BINARY_LOGS: &str = "SHOW BINARY LOGS";

/// The first events of a log, among them the list of the GTIDs before it.
pub(super) fn first_events(log: &str) -> String {
    format!(
        "SHOW BINLOG EVENTS IN '{}' LIMIT 3",
        log.replace(['\\', '\''], "")
    )
}

/// The processlist command of a receiver thread (MariaDB).
pub(super) const RECEIVER_COMMAND: &str = "Slave_IO";

/// Where MariaDB and old MySQL say what their receiver has received.
pub(super) const RECEIVED: &str = "SHOW SLAVE STATUS";
/// The column of MariaDB.
pub(super) const RECEIVED_POSITION: &str = "Gtid_IO_Pos";
/// The column of MySQL.
pub(super) const RECEIVED_SET: &str = "Retrieved_Gtid_Set";

/// Whether the plugin that `CLONE` needs on both ends is there, and whether the server is
/// super-read-only.
pub(super) const CLONE_STATE: &str = "SELECT @@GLOBAL.super_read_only AS read_only, \
     (SELECT COUNT(*) FROM information_schema.PLUGINS \
     WHERE PLUGIN_NAME = 'clone' AND PLUGIN_STATUS = 'ACTIVE') AS installed";

/// A plugin cannot be installed while the server is super-read-only. Ordinary users cannot write
/// meanwhile: `read_only` stays.
pub(super) const SUPER_READ_ONLY_OFF: &str = "SET GLOBAL super_read_only = OFF";
pub(super) const SUPER_READ_ONLY_ON: &str = "SET GLOBAL super_read_only = ON";
pub(super) const INSTALL_CLONE: &str = "INSTALL PLUGIN clone SONAME 'mysql_clone.so'";

/// What the server to be replaced is sent; the last statement ends it (MySQL 8.0.17 and later).
pub(super) fn clone_from(donor: &Target, manager: &Login) -> [String; 3] {
    let Address { host, port } = &donor.address;
    let (user, password) = (quoted(&manager.user), quoted(&manager.password));
    let host = escaped(host);
    [
        SUPER_READ_ONLY_OFF.to_owned(),
        format!("SET GLOBAL clone_valid_donor_list = '{host}:{port}'"),
        format!("CLONE INSTANCE FROM {user}@'{host}':{port} IDENTIFIED BY {password}"),
    ]
}

/// A quoted string.
fn quoted(text: &str) -> String {
    format!("'{}'", escaped(text))
}

/// Text for the inside of a quoted string.
pub(super) fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "''")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_cannot_end_its_quotes() {
        assert_eq!(quoted(r"it's\"), r"'it''s\\'");
    }
}
