//! MySQL, 5.6 to 8.0.25, in the words of that time; and the old semi-synchronous plugin, whose
//! words stay until 8.4 where it is the one installed.
//!
//! 5.6 has no `super_read_only` and no `offline_mode`: an account with `SUPER` can write on a
//! server that is fenced. So events are switched off too, and all clients are cut off after the
//! switch: whoever comes back without that privilege cannot write.

use mainstay_topology::{Dialect, Target};

use super::{
    ACK_TIMEOUT, HEARTBEAT_SECONDS, KILL_CLIENTS, KILL_PRIVILEGED, RETRIES, SHORT_LOCK_WAIT, lines,
    place_in_log,
};
use crate::effect::{Effect, Manner, Place, Start};

pub(super) const RESET: &str = "RESET SLAVE FOR CHANNEL ''";
pub(super) const RESET_56: &str = "RESET SLAVE";

const SOURCE_OFF: &str = "SET GLOBAL rpl_semi_sync_master_enabled = OFF";
/// Where events are disabled at start the switch is an error, 1290, which means the same.
const EVENTS_OFF: &str = "SET GLOBAL event_scheduler = OFF";
const OFFLINE: &str = "SET GLOBAL offline_mode = ON";
const ONLINE: &str = "SET GLOBAL offline_mode = OFF";

/// What differs between the versions.
struct Words {
    /// Statements name the one channel; 5.6 has no channels.
    channel: &'static str,
    read_only: &'static str,
    /// There is a read-only mode that binds everybody, and one that lets nobody in.
    binds: bool,
    /// Passwords are not sent without it where a link has no TLS.
    key: &'static str,
}

impl Words {
    fn of(dialect: Dialect) -> Self {
        let binds = dialect.binds_everybody();
        let key = match dialect {
            Dialect::Mysql80 | Dialect::Mysql8026 | Dialect::Mysql => " GET_MASTER_PUBLIC_KEY = 1,",
            Dialect::Mysql56 | Dialect::Mysql57 | Dialect::Mariadb => "",
        };
        Self {
            channel: if binds { " FOR CHANNEL ''" } else { "" },
            read_only: if binds {
                "SET GLOBAL super_read_only = ON"
            } else {
                "SET GLOBAL read_only = ON"
            },
            binds,
            key,
        }
    }

    fn stop(&self) -> String {
        format!("STOP SLAVE{}", self.channel)
    }
}

pub(super) fn sql(effect: &Effect, place: &Place) -> Vec<String> {
    let words = Words::of(place.dialect);
    let channel = words.channel;
    match effect {
        Effect::StopReceiver { .. } => vec![format!("STOP SLAVE IO_THREAD{channel}")],
        Effect::Fence { .. } => fence(&words),
        Effect::Demote { .. } if words.binds => lines(&[SHORT_LOCK_WAIT, words.read_only]),
        // Whom `read_only` does not stop is cut off, before it is read what was executed.
        Effect::Demote { .. } => lines(&[
            SHORT_LOCK_WAIT,
            EVENTS_OFF,
            words.read_only,
            KILL_PRIVILEGED,
        ]),
        Effect::ApplyReceived { .. } => apply(&words, place.positions),
        Effect::AwaitApplied { .. } if place.positions => Vec::new(),
        Effect::AwaitApplied { transactions, .. } => {
            let set = transactions.to_string().replace('\n', "");
            vec![wait(words.binds, &format!("'{set}'"))]
        }
        Effect::Attach {
            source,
            manner,
            start,
            ..
        } => attach(&words, source, *manner, start.as_ref()),
        Effect::AwaitAttached { source, .. } => vec![
            "SHOW SLAVE STATUS".to_owned(),
            format!(
                "SELECT GTID_SUBTRACT('<executed by {}>', '<received>')",
                source.name
            ),
        ],
        Effect::AwaitClients { .. } => {
            lines(&["SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_clients'"])
        }
        Effect::EnableSemiSync {
            acknowledgements,
            afresh,
            ..
        } => enable(&words, *acknowledgements, *afresh),
        Effect::OpenWrites { .. } if words.binds => lines(&[
            "SET GLOBAL super_read_only = OFF",
            "SET GLOBAL read_only = OFF",
            ONLINE,
            "SELECT @@GLOBAL.read_only OR @@GLOBAL.offline_mode",
        ]),
        Effect::OpenWrites { .. } => {
            lines(&["SET GLOBAL read_only = OFF", "SELECT @@GLOBAL.read_only"])
        }
        Effect::StopReplication { .. } => vec![words.stop()],
        Effect::AwaitIdle { .. } => lines(&[super::AT_WORK]),
        // 5.6 knows it as a command of the protocol only, and refuses it here.
        Effect::Restart { .. } => lines(&["SHUTDOWN"]),
        Effect::CloseRing { source, .. } => close_ring(&words, source, place.positions),
        Effect::ForgetSource { .. } => {
            vec![words.stop(), format!("RESET SLAVE ALL{channel}")]
        }
        Effect::ApplyTail { from, .. } => super::mysql::tail(from),
        Effect::ReleaseProved { .. }
        | Effect::EndProcess { .. }
        | Effect::DropAddress { .. }
        | Effect::TakeAddress { .. }
        | Effect::Publish { .. }
        | Effect::RunHook { .. }
        | Effect::Wish { .. }
        | Effect::Drain { .. }
        | Effect::Record { .. }
        | Effect::SaveErrant { .. }
        | Effect::Rewind { .. }
        | Effect::Reseed { .. } => Vec::new(),
    }
}

/// The source side goes off only after the clients: it answers OK to every waiting commit.
fn fence(words: &Words) -> Vec<String> {
    if words.binds {
        return lines(&[
            SHORT_LOCK_WAIT,
            OFFLINE,
            KILL_CLIENTS,
            SOURCE_OFF,
            words.read_only,
            KILL_CLIENTS,
            ONLINE,
        ]);
    }
    lines(&[
        SHORT_LOCK_WAIT,
        EVENTS_OFF,
        KILL_CLIENTS,
        words.read_only,
        KILL_CLIENTS,
        SOURCE_OFF,
    ])
}

/// 5.6 answers with a number of events, with -1 when the time is up, and with NULL when nothing is
/// applied; and no time at all means to wait for ever.
fn wait(since_57: bool, set: &str) -> String {
    if since_57 {
        return format!("SELECT WAIT_FOR_EXECUTED_GTID_SET({set}, <seconds left>)");
    }
    format!(
        "SELECT NOT COALESCE(GTID_SUBSET({set}, @@GLOBAL.gtid_executed) \
         OR WAIT_UNTIL_SQL_THREAD_AFTER_GTIDS({set}, GREATEST(1, CEIL(<seconds left>))) >= 0, 0)"
    )
}

/// Without GTIDs the wait is not a statement.
fn apply(words: &Words, positions: bool) -> Vec<String> {
    let mut statements = vec![format!("START SLAVE SQL_THREAD{}", words.channel)];
    statements.extend((!positions).then(|| wait_received(words.binds)));
    statements
}

fn wait_received(since_57: bool) -> String {
    if since_57 {
        let received = "(SELECT RECEIVED_TRANSACTION_SET \
             FROM performance_schema.replication_connection_status WHERE CHANNEL_NAME = '')";
        return wait(since_57, received);
    }
    wait(since_57, "'<received transactions>'")
}

/// The last one asks whether all of it is in force; it answers 0 if so.
fn enable(words: &Words, acknowledgements: u32, afresh: bool) -> Vec<String> {
    let mut statements = vec![format!(
        "SET GLOBAL rpl_semi_sync_master_timeout = {ACK_TIMEOUT}"
    )];
    if words.binds {
        statements.push(format!(
            "SET GLOBAL rpl_semi_sync_master_wait_for_slave_count = {acknowledgements}"
        ));
        statements.push("SET GLOBAL rpl_semi_sync_master_wait_point = AFTER_SYNC".to_owned());
    }
    statements.push("SET GLOBAL rpl_semi_sync_master_wait_no_slave = ON".to_owned());
    statements.extend(afresh.then(|| SOURCE_OFF.to_owned()));
    statements.push("SET GLOBAL rpl_semi_sync_master_enabled = ON".to_owned());
    let since_57 = if words.binds {
        format!(
            " AND @@GLOBAL.rpl_semi_sync_master_wait_for_slave_count = {acknowledgements} \
             AND @@GLOBAL.rpl_semi_sync_master_wait_point = 'AFTER_SYNC'"
        )
    } else {
        String::new()
    };
    statements.push(format!(
        "SELECT NOT (@@GLOBAL.rpl_semi_sync_master_enabled \
         AND @@GLOBAL.rpl_semi_sync_master_timeout >= {ACK_TIMEOUT}{since_57} \
         AND @@GLOBAL.rpl_semi_sync_master_wait_no_slave)"
    ));
    statements
}

/// Both threads must be stopped for a change of source (error 1198).
fn attach(words: &Words, source: &Target, manner: Manner, start: Option<&Start>) -> Vec<String> {
    let at = place_in_log("MASTER", start);
    let channel = words.channel;
    let mut statements = lines(&[SHORT_LOCK_WAIT, words.read_only]);
    if words.binds {
        statements.push(ONLINE.to_owned());
    } else {
        statements.insert(1, EVENTS_OFF.to_owned());
    }
    statements.push(SOURCE_OFF.to_owned());
    statements.extend(manner.acknowledges.map(|acknowledges| {
        let switch = if acknowledges { "ON" } else { "OFF" };
        format!("SET GLOBAL rpl_semi_sync_slave_enabled = {switch}")
    }));
    let delay = manner.delay.map(|delay| delay.as_secs());
    let delay = delay.map_or_else(String::new, |delay| format!(" MASTER_DELAY = {delay},"));
    statements.extend([
        words.stop(),
        change(words, source, &format!("{at},{delay}")),
        format!("START SLAVE{channel}"),
    ]);
    statements
}

/// Without GTIDs from the end of the replica's log on: before it are only the primary's own events,
/// which it skips.
fn close_ring(words: &Words, source: &Target, positions: bool) -> Vec<String> {
    let name = &source.name;
    let from = if positions {
        format!(
            "MASTER_LOG_FILE = '<log file of {name}>', MASTER_LOG_POS = <log position of {name}>,"
        )
    } else {
        "MASTER_AUTO_POSITION = 1,".to_owned()
    };
    vec![
        "SET GLOBAL rpl_semi_sync_slave_enabled = OFF".to_owned(),
        words.stop(),
        change(words, source, &from),
        format!("START SLAVE{}", words.channel),
    ]
}

fn change(words: &Words, source: &Target, from: &str) -> String {
    let (host, port) = (&source.address.host, source.address.port);
    let (channel, key) = (words.channel, words.key);
    format!(
        "CHANGE MASTER TO MASTER_HOST = '{host}', MASTER_PORT = {port}, \
         MASTER_USER = '<replication user>', MASTER_PASSWORD = '<replication password>', \
         {from}{key} MASTER_HEARTBEAT_PERIOD = {HEARTBEAT_SECONDS}, \
         MASTER_CONNECT_RETRY = 1, MASTER_RETRY_COUNT = {RETRIES}{channel}"
    )
}

/// A statement with the words of the old plugin.
pub(super) fn semi_sync(sql: String) -> String {
    if !sql.contains("pl_semi_sync_") {
        return sql;
    }
    sql.replace("semi_sync_source", "semi_sync_master")
        .replace("semi_sync_replica", "semi_sync_slave")
        .replace("wait_no_replica", "wait_no_slave")
        .replace("wait_for_replica_count", "wait_for_slave_count")
}
