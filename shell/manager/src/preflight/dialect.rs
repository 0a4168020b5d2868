//! What the servers are asked before a switchover. Nothing here changes anything.

use mainstay_topology::Dialect;

/// Open transactions, the oldest first; those of appliers do not count.
pub(super) const TRANSACTIONS: &str = "SELECT t.trx_mysql_thread_id AS id, p.USER AS user, \
     TIMESTAMPDIFF(SECOND, t.trx_started, NOW()) AS age, \
     LEFT(COALESCE(p.INFO, t.trx_query, ''), 200) AS statement \
     FROM information_schema.INNODB_TRX t \
     JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id \
     WHERE p.USER <> 'system user' ORDER BY age DESC LIMIT 20";

/// Statements that run, appliers' included.
pub(super) const RUNNING: &str = "SELECT ID AS id, USER AS user, TIME AS age, \
     LEFT(INFO, 200) AS statement FROM information_schema.PROCESSLIST \
     WHERE INFO IS NOT NULL AND ID <> CONNECTION_ID() ORDER BY TIME DESC LIMIT 100";

/// Prepared transactions.
pub(super) const PREPARED: &str = "XA RECOVER";
/// The column of its names.
pub(super) const PREPARED_NAME: &str = "data";

pub(super) const SCHEDULER: &str = "SELECT @@GLOBAL.event_scheduler";
pub(super) const EVENTS: &str = "SELECT CONCAT(EVENT_SCHEMA, '.', EVENT_NAME) AS event, \
     DEFINER AS definer FROM information_schema.EVENTS WHERE STATUS = 'ENABLED'";
pub(super) const ACCOUNTS: &str = "SELECT CONCAT(User, '@', Host) AS account FROM mysql.user";

/// Whether the binary log holds what is replicated. The old name is known to all versions.
pub(super) const LOGS: &str = "SELECT @@GLOBAL.log_bin AND @@GLOBAL.log_slave_updates";

pub(super) const GRANTS: &str = "SHOW GRANTS";
/// What a grant has to say, one of these.
pub(super) const MAY_REPLICATE: [&str; 3] = [
    "REPLICATION SLAVE",
    "REPLICATION REPLICA",
    "ALL PRIVILEGES ON *.*",
];

pub(super) const FOLDER: &str = "SELECT @@GLOBAL.datadir";

/// Who holds a lock of the whole server. MySQL before 8.0 has no table of them, or does not fill
/// it; MariaDB tells holders only with a plugin that is rarely
/// there; it tells who waits for one.
pub(super) fn locks(words: Dialect) -> &'static str {
    match words {
        Dialect::Mysql80 | Dialect::Mysql8026 | Dialect::Mysql => {
            "SELECT t.PROCESSLIST_ID AS id, t.PROCESSLIST_USER AS user, \
             t.PROCESSLIST_TIME AS age, COALESCE(t.PROCESSLIST_INFO, '') AS statement \
             FROM performance_schema.metadata_locks l \
             JOIN performance_schema.threads t ON t.THREAD_ID = l.OWNER_THREAD_ID \
             WHERE l.OBJECT_TYPE IN ('BACKUP LOCK', 'GLOBAL') AND l.LOCK_STATUS = 'GRANTED' \
             AND l.LOCK_TYPE = 'SHARED' AND t.PROCESSLIST_ID <> CONNECTION_ID()"
        }
        Dialect::Mysql56 | Dialect::Mysql57 | Dialect::Mariadb => {
            "SELECT ID AS id, USER AS user, TIME AS age, LEFT(COALESCE(INFO, ''), 200) \
             AS statement FROM information_schema.PROCESSLIST \
             WHERE STATE IN ('Waiting for backup lock', 'Waiting for global read lock') \
             OR INFO LIKE 'BACKUP STAGE%' OR INFO LIKE 'FLUSH TABLES WITH READ LOCK%'"
        }
    }
}

/// The statement whose columns that begin so are filters.
pub(super) fn filters(words: Dialect) -> (&'static str, &'static str) {
    match words {
        Dialect::Mysql8026 | Dialect::Mysql => ("SHOW REPLICA STATUS", "Replicate_"),
        Dialect::Mysql56 | Dialect::Mysql57 | Dialect::Mysql80 | Dialect::Mariadb => {
            ("SHOW SLAVE STATUS", "Replicate_")
        }
    }
}

/// Ends one client's connection.
pub(super) fn kill(id: u64) -> String {
    format!("KILL {id}")
}
