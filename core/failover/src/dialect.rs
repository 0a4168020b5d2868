//! The statements of each effect, for each family. Plans print them and the executor runs them.
//!
//! What only the executor can know stands as a placeholder in angle brackets:
//! - `<replication user>`, `<replication password>`: from the settings; never printed.
//! - `<kill client connections>`: a whole statement; one `KILL` for each connection of the process
//!   list but the own one, those of replication (`Binlog Dump`, `Binlog Dump GTID`, `Slave_IO`,
//!   `Slave_SQL`, `Slave_worker`, `Connect`, `Query` of the system user) and of the system
//!   (`Daemon`, `event_scheduler`). A connection that has just gone (error 1094) is no failure.
//! - `<kill privileged connections>`: the same for users of whom any account may write under
//!   `read_only` (`SUPER`, `READ ONLY ADMIN`); their end is waited for.
//! - `<manager user>`: the name of the manager's account.
//! - `<receiver thread id>`: the id of `Slave_IO` in the process list; without one the statement
//!   is left out.
//! - `<received position>`: `Gtid_IO_Pos` of `SHOW SLAVE STATUS`; when empty the statement is left
//!   out.
//! - `<log file of NAME>`, `<log position of NAME>`: the end of that server's binary log when the
//!   step begins (`SHOW MASTER STATUS`).
//! - `<seconds left>`: of the step's limit. A wait that answers anything but 0 has run out of time.
//! - `<received transactions>`: `Retrieved_Gtid_Set` of `SHOW SLAVE STATUS`, likewise.
//! - `<log of the source>` and `<position in it>`: where a replica without GTIDs goes on, found
//!   from where it stands when the statements before have stopped it. Waits have no statements
//!   there:
//!   the server is looked at until it has reached the place.
//! - `<executed by NAME>`: what that server says it has executed when the step begins.
//!
//! Four rules for whoever runs them: error 1193 (unknown variable) of a semi-synchronous variable
//! counts as success when it is switched off, since without the plugin there is nothing to switch;
//! [`crate::Output::Held`] is `Facts::held` of a look that was begun after the last statement;
//! a step that has run out of time is reported only when no further statement of it will be sent;
//! and what [`cure`] names is sent before the statements are sent once more, from the first.

use mainstay_topology::{Dialect, Family, SemiSyncWords};

use crate::effect::{Effect, Place, Start};

mod mariadb;
mod mysql;
mod mysql_old;

#[cfg(test)]
mod tests;

/// Seconds between two heartbeats of an idle source: the replicas' word on whether it lives.
const HEARTBEAT_SECONDS: &str = "0.5";
/// Twenty years, at one attempt a second: a replica never gives its source up by itself.
const RETRIES: &str = "600000000";
/// Milliseconds, 49 days: the longest that servers accept. A commit never gives up its wait.
const ACK_TIMEOUT: &str = "4294967295";
/// Without it a read-only switch waits behind commits that wait, and every write waits behind it.
const SHORT_LOCK_WAIT: &str = "SET SESSION lock_wait_timeout = 1";
/// Asked until it answers 0. Those of the manager and of replicas do not count.
const AT_WORK: &str = "SELECT COUNT(*) FROM information_schema.PROCESSLIST p \
     WHERE p.USER NOT IN ('system user', 'event_scheduler', '<manager user>', \
     '<replication user>') AND (p.COMMAND NOT IN ('Sleep', 'Daemon') OR p.ID IN \
     (SELECT trx_mysql_thread_id FROM information_schema.INNODB_TRX))";
const KILL_CLIENTS: &str = "<kill client connections>";
const KILL_PRIVILEGED: &str = "<kill privileged connections>";

/// One transaction, so that it happens or does not; the row in it says that it has.
const REWIND: [&str; 6] = [
    "CREATE TABLE mainstay.rewind -- not logged",
    "START TRANSACTION",
    "BINLOG '<the saved rows reversed, the newest first>'",
    "INSERT INTO mainstay.rewind VALUES (1, '<what is left>')",
    "COMMIT",
    "<compare the rows in the log of this transaction with the saved ones>",
];

/// The statements of an effect in the order in which they are sent; none when it is not SQL.
pub fn sql(effect: &Effect, place: &Place) -> Vec<String> {
    let statements = match place.dialect {
        Dialect::Mysql56 | Dialect::Mysql57 | Dialect::Mysql80 => mysql_old::sql(effect, place),
        Dialect::Mysql8026 | Dialect::Mysql => mysql::sql(effect, place),
        Dialect::Mariadb => mariadb::sql(effect),
    };
    let statements = match place.semi_sync {
        SemiSyncWords::Present => statements,
        SemiSyncWords::Old => statements.into_iter().map(mysql_old::semi_sync).collect(),
        SemiSyncWords::Absent => without_plugin(effect, statements),
    };
    match (place.channel.as_str(), place.dialect.family()) {
        ("", _) => statements,
        (channel, Family::Mysql) => mysql::on_channel(statements, channel),
        (channel, Family::Mariadb) => mariadb::on_connection(statements, channel),
    }
}

/// Without the plugin there is nothing to switch, and to switch it on fails: as it must where
/// commits should wait.
fn without_plugin(effect: &Effect, statements: Vec<String>) -> Vec<String> {
    let wait = matches!(effect, Effect::EnableSemiSync { .. });
    let named = |sql: &String| wait || !sql.contains("rpl_semi_sync_");
    statements.into_iter().filter(named).collect()
}

/// The statement that puts a server right which refused one of an effect's statements with this
/// error; all of them are sent again after it. `None` where the error is the last word.
///
/// A killed server may leave its own record of its source unreadable, for ever; what is reset is
/// that record and the relay logs. Only where the plan drops relay logs anyway: whoever is attached
/// is sent by its source what it has not applied. A candidate keeps its own, readable or not.
/// Without GTIDs the reset would forget where the replica stands: never there.
pub fn cure(effect: &Effect, dialect: Dialect, error: u16) -> Option<&'static str> {
    let Effect::Attach { start: None, .. } = effect else {
        return None;
    };
    let (unreadable, reset) = match dialect {
        Dialect::Mysql56 => (mysql::UNREADABLE, mysql_old::RESET_56),
        Dialect::Mysql57 | Dialect::Mysql80 => (mysql::UNREADABLE, mysql_old::RESET),
        Dialect::Mysql8026 | Dialect::Mysql => (mysql::UNREADABLE, mysql::RESET),
        Dialect::Mariadb => (mariadb::UNREADABLE, mariadb::RESET),
    };
    unreadable.contains(&error).then_some(reset)
}

/// How a `CHANGE` says where the replica goes on, with the word for a source's options.
fn place_in_log(word: &str, start: Option<&Start>) -> String {
    if start.is_none() {
        return format!("{word}_AUTO_POSITION = 1");
    }
    format!(
        "{word}_AUTO_POSITION = 0, {word}_LOG_FILE = '<log of the source>', \
         {word}_LOG_POS = <position in it>"
    )
}

fn lines(statements: &[&str]) -> Vec<String> {
    statements.iter().map(|text| (*text).to_owned()).collect()
}
