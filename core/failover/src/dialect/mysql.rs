//! MySQL, 8.0.26 to 9.x.

use mainstay_topology::{ServerName, Target};

use super::{
    ACK_TIMEOUT, HEARTBEAT_SECONDS, KILL_CLIENTS, RETRIES, REWIND, SHORT_LOCK_WAIT, lines,
    place_in_log,
};
use crate::effect::{Effect, Manner, Place, Start};

const STOP_RECEIVER: &str = "STOP REPLICA IO_THREAD FOR CHANNEL ''";
const STOP: &str = "STOP REPLICA FOR CHANNEL ''";
const SOURCE_OFF: &str = "SET GLOBAL rpl_semi_sync_source_enabled = OFF";
const READ_ONLY: &str = "SET GLOBAL super_read_only = ON";

/// `ER_MASTER_INFO`, `ER_REPLICA_CM_INIT_REPOSITORY` and `ER_REPLICA_AM_INIT_REPOSITORY`. The last
/// is what 9.7 answers to `START REPLICA`, after a `CHANGE` that it accepts, when the index of
/// relay logs is empty or gone, or names none that is there. The link itself is in tables.
pub(super) const UNREADABLE: &[u16] = &[1201, 1871, 1872];
pub(super) const RESET: &str = "RESET REPLICA FOR CHANNEL ''";

/// Starts the applier, and waits for it.
const APPLY: [&str; 2] = [
    "START REPLICA SQL_THREAD FOR CHANNEL ''",
    "SELECT WAIT_FOR_EXECUTED_GTID_SET((SELECT RECEIVED_TRANSACTION_SET \
     FROM performance_schema.replication_connection_status \
     WHERE CHANNEL_NAME = ''), <seconds left>)",
];

/// The end of a fence; also where a fence may have been cut off in the middle.
const ONLINE: &str = "SET GLOBAL offline_mode = OFF";

pub(super) fn sql(effect: &Effect, place: &Place) -> Vec<String> {
    match effect {
        Effect::StopReceiver { .. } => lines(&[STOP_RECEIVER]),
        // The source side goes off only after the clients: it answers OK to every waiting commit.
        // Read-only comes last, because it waits for those commits.
        Effect::Fence { .. } => lines(&[
            SHORT_LOCK_WAIT,
            "SET GLOBAL offline_mode = ON",
            KILL_CLIENTS,
            SOURCE_OFF,
            READ_ONLY,
            KILL_CLIENTS,
            ONLINE,
        ]),
        Effect::Demote { .. } => lines(&[SHORT_LOCK_WAIT, READ_ONLY]),
        Effect::ApplyReceived { .. } if place.positions => lines(&APPLY[..1]),
        Effect::ApplyReceived { .. } => lines(&APPLY),
        Effect::AwaitApplied { .. } if place.positions => Vec::new(),
        Effect::AwaitApplied { transactions, .. } => {
            let set = transactions.to_string().replace('\n', "");
            vec![format!(
                "SELECT WAIT_FOR_EXECUTED_GTID_SET('{set}', <seconds left>)"
            )]
        }
        Effect::Attach {
            source,
            manner,
            start,
            ..
        } => attach(source, *manner, start.as_ref()),
        Effect::AwaitAttached { source, .. } => vec![
            "SHOW REPLICA STATUS".to_owned(),
            format!(
                "SELECT GTID_SUBTRACT('<executed by {}>', '<received>')",
                source.name
            ),
        ],
        Effect::AwaitClients { .. } => {
            lines(&["SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_source_clients'"])
        }
        Effect::EnableSemiSync {
            acknowledgements,
            afresh,
            ..
        } => enable(*acknowledgements, *afresh),
        Effect::OpenWrites { .. } => lines(&[
            "SET GLOBAL super_read_only = OFF",
            "SET GLOBAL read_only = OFF",
            ONLINE,
            "SELECT @@GLOBAL.read_only OR @@GLOBAL.offline_mode",
        ]),
        Effect::StopReplication { .. } => lines(&[STOP]),
        Effect::AwaitIdle { .. } => lines(&[super::AT_WORK]),
        Effect::Restart { .. } => lines(&["SHUTDOWN"]),
        Effect::CloseRing { source, .. } => close_ring(source),
        Effect::ForgetSource { .. } => lines(&[STOP, "RESET REPLICA ALL FOR CHANNEL ''"]),
        Effect::ApplyTail { from, .. } => tail(from),
        Effect::Rewind { transactions, .. } => rewind(transactions.is_some()),
        // MySQL acknowledges again by itself when a replica reconnects.
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
        | Effect::Reseed { .. } => Vec::new(),
    }
}

/// What an executor makes of each transaction.
pub(super) fn tail(from: &ServerName) -> Vec<String> {
    vec![
        format!("<read the binary logs of {from} to their end>"),
        "SET SESSION gtid_next = '<of each transaction that it lacks>'".to_owned(),
        "BINLOG '<its rows>'".to_owned(),
    ]
}

/// The undoing is logged, so that what it did can be read, and that a server which is left alone in
/// the middle is told by its own log what its data are.
fn rewind(undo: bool) -> Vec<String> {
    let mut statements = lines(&[STOP, "SET GLOBAL super_read_only = OFF"]);
    if undo {
        statements.extend(lines(&REWIND));
    }
    statements.extend(lines(&[
        "RESET BINARY LOGS AND GTIDS",
        "SET GLOBAL gtid_purged = '<what is left>'",
        "RESET REPLICA FOR CHANNEL ''",
        "DROP TABLE mainstay.rewind",
        READ_ONLY,
    ]));
    statements
}

/// The last one asks whether all of it is in force; it answers 0 if so.
fn enable(acknowledgements: u32, afresh: bool) -> Vec<String> {
    let mut statements = vec![
        format!("SET GLOBAL rpl_semi_sync_source_timeout = {ACK_TIMEOUT}"),
        format!("SET GLOBAL rpl_semi_sync_source_wait_for_replica_count = {acknowledgements}"),
        "SET GLOBAL rpl_semi_sync_source_wait_point = AFTER_SYNC".to_owned(),
        "SET GLOBAL rpl_semi_sync_source_wait_no_replica = ON".to_owned(),
    ];
    statements.extend(afresh.then(|| SOURCE_OFF.to_owned()));
    statements.push("SET GLOBAL rpl_semi_sync_source_enabled = ON".to_owned());
    statements.push(format!(
        "SELECT NOT (@@GLOBAL.rpl_semi_sync_source_enabled \
         AND @@GLOBAL.rpl_semi_sync_source_timeout >= {ACK_TIMEOUT} \
         AND @@GLOBAL.rpl_semi_sync_source_wait_for_replica_count = {acknowledgements} \
         AND @@GLOBAL.rpl_semi_sync_source_wait_point = 'AFTER_SYNC' \
         AND @@GLOBAL.rpl_semi_sync_source_wait_no_replica)"
    ));
    statements
}

/// What it lacks of its replica is nothing, so nothing comes but what is written there later.
fn close_ring(source: &Target) -> Vec<String> {
    vec![
        "SET GLOBAL rpl_semi_sync_replica_enabled = OFF".to_owned(),
        STOP.to_owned(),
        change(source, &place_in_log("SOURCE", None), ""),
        "START REPLICA FOR CHANNEL ''".to_owned(),
    ]
}

/// Both threads must be stopped for a change of source (error 3081). What was received and not
/// applied is dropped here and received again: plans attach only to a source that holds it.
fn attach(source: &Target, manner: Manner, start: Option<&Start>) -> Vec<String> {
    let mut statements = lines(&[SHORT_LOCK_WAIT, READ_ONLY, ONLINE, SOURCE_OFF]);
    statements.extend(manner.acknowledges.map(|acknowledges| {
        let switch = if acknowledges { "ON" } else { "OFF" };
        format!("SET GLOBAL rpl_semi_sync_replica_enabled = {switch}")
    }));
    let delay = manner.delay.map(|delay| delay.as_secs());
    let delay = delay.map_or_else(String::new, |delay| format!("SOURCE_DELAY = {delay}, "));
    statements.extend([
        STOP.to_owned(),
        change(source, &place_in_log("SOURCE", start), &delay),
        "START REPLICA FOR CHANNEL ''".to_owned(),
    ]);
    statements
}

fn change(source: &Target, at: &str, delay: &str) -> String {
    let (host, port) = (&source.address.host, source.address.port);
    format!(
        "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '{host}', SOURCE_PORT = {port}, \
         SOURCE_USER = '<replication user>', SOURCE_PASSWORD = '<replication password>', \
         {at}, GET_SOURCE_PUBLIC_KEY = 1, \
         SOURCE_HEARTBEAT_PERIOD = {HEARTBEAT_SECONDS}, SOURCE_CONNECT_RETRY = 1, \
         {delay}SOURCE_RETRY_COUNT = {RETRIES} FOR CHANNEL ''"
    )
}

/// The same statements for a channel with a name; no other is touched.
pub(super) fn on_channel(statements: Vec<String>, channel: &str) -> Vec<String> {
    let channel = channel.replace('\'', "''");
    let named = |text: String| {
        text.replace("CHANNEL ''", &format!("CHANNEL '{channel}'"))
            .replace("CHANNEL_NAME = ''", &format!("CHANNEL_NAME = '{channel}'"))
    };
    statements.into_iter().map(named).collect()
}
