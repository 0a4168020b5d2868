//! MariaDB, 10.5 and later.

use mainstay_gtid::GtidSet;
use mainstay_topology::Target;

use super::{
    ACK_TIMEOUT, HEARTBEAT_SECONDS, KILL_CLIENTS, KILL_PRIVILEGED, REWIND, SHORT_LOCK_WAIT, lines,
};
use crate::effect::{Effect, Manner};

const STOP: &str = "STOP SLAVE";
const KILL_RECEIVER: &str = "KILL <receiver thread id>";
const SOURCE_OFF: &str = "SET GLOBAL rpl_semi_sync_master_enabled = OFF";
const READ_ONLY: &str = "SET GLOBAL read_only = ON";
/// `ER_MASTER_INFO`, of `CHANGE MASTER TO` and `START SLAVE`. `master.info`, `relay-log.info` and
/// `relay.index` are plain files that are written in place; on 10.11 each is enough for it that is
/// empty or ends early, and so is an index that names a relay log which is not there, or a relay
/// log without its header. `SHOW SLAVE STATUS` has no row when it is `master.info`.
pub(super) const UNREADABLE: &[u16] = &[1201];
/// Without `ALL` it keeps what the server does know of the link, such as its keys for TLS; the
/// position (`gtid_slave_pos`) is in a table and stays.
pub(super) const RESET: &str = "RESET SLAVE";
/// Events of a definer with all privileges go on writing under `read_only`. The block asks first,
/// because the switch is an error where events are disabled at start.
const EVENTS_OFF: &str = "BEGIN NOT ATOMIC IF @@GLOBAL.event_scheduler = 'ON' THEN \
     SET GLOBAL event_scheduler = OFF; END IF; END";

pub(super) fn sql(effect: &Effect) -> Vec<String> {
    match effect {
        // Killed first: a semi-synchronous receiver that is told to stop opens a connection to
        // its source to end the dump there, and waits seconds for a source that hangs.
        Effect::StopReceiver { .. } => lines(&[KILL_RECEIVER, "STOP SLAVE IO_THREAD"]),
        // The source side goes off only after the clients: it answers OK to every waiting commit.
        Effect::Fence { .. } => lines(&[
            SHORT_LOCK_WAIT,
            EVENTS_OFF,
            KILL_CLIENTS,
            READ_ONLY,
            KILL_CLIENTS,
            SOURCE_OFF,
        ]),
        // Whom `read_only` does not stop is cut off, before it is read what was executed.
        Effect::Demote { .. } => lines(&[SHORT_LOCK_WAIT, EVENTS_OFF, READ_ONLY, KILL_PRIVILEGED]),
        // No thread is started here: started with both stopped, MariaDB drops its relay log.
        Effect::ApplyReceived { .. } => {
            lines(&["SELECT MASTER_GTID_WAIT('<received position>', <seconds left>)"])
        }
        Effect::AwaitApplied { transactions, .. } => {
            let position = position(transactions);
            vec![format!(
                "SELECT MASTER_GTID_WAIT('{position}', <seconds left>)"
            )]
        }
        Effect::Attach { source, manner, .. } => attach(source, manner),
        Effect::AwaitAttached { source, .. } => vec![
            "SHOW SLAVE STATUS".to_owned(),
            format!(
                "SELECT @@GLOBAL.gtid_slave_pos -- until it reaches <executed by {}>",
                source.name
            ),
        ],
        Effect::AwaitClients { .. } => {
            lines(&["SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_clients'"])
        }
        Effect::EnableSemiSync { afresh, .. } => enable(*afresh),
        Effect::OpenWrites { .. } => {
            lines(&["SET GLOBAL read_only = OFF", "SELECT @@GLOBAL.read_only"])
        }
        Effect::ReleaseProved { transactions, .. } => vec![release(&position(transactions))],
        Effect::StopReplication { .. } => lines(&[STOP]),
        Effect::AwaitIdle { .. } => lines(&[super::AT_WORK]),
        Effect::Restart { .. } => lines(&["SHUTDOWN"]),
        Effect::CloseRing { source, .. } => close_ring(source),
        Effect::ForgetSource { .. } => lines(&[STOP, "RESET SLAVE ALL"]),
        Effect::ApplyTail { from, .. } => vec![
            format!("<read the binary logs of {from} to their end>"),
            "SET SESSION gtid_domain_id = <..>, SESSION server_id = <..>, \
             SESSION gtid_seq_no = <..> -- of each transaction that it lacks"
                .to_owned(),
            "BINLOG '<its rows>'".to_owned(),
        ],
        Effect::Rewind { transactions, .. } => rewind(transactions.is_some()),
        Effect::EndProcess { .. }
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

/// See that of MySQL.
fn rewind(undo: bool) -> Vec<String> {
    let mut statements = lines(&[STOP]);
    if undo {
        statements.extend(lines(&REWIND));
    }
    statements.extend(lines(&[
        "RESET MASTER",
        "SET GLOBAL gtid_binlog_state = '<what is left>'",
        "RESET SLAVE",
        "SET GLOBAL gtid_slave_pos = '<the newest of what is left>'",
        "DROP TABLE mainstay.rewind",
    ]));
    statements
}

/// MariaDB waits for one acknowledgement, whatever is asked for. The last statement asks whether
/// all of it is in force; it answers 0 if so.
fn enable(afresh: bool) -> Vec<String> {
    let mut statements = vec![
        format!("SET GLOBAL rpl_semi_sync_master_timeout = {ACK_TIMEOUT}"),
        "SET GLOBAL rpl_semi_sync_master_wait_point = AFTER_SYNC".to_owned(),
        "SET GLOBAL rpl_semi_sync_master_wait_no_slave = ON".to_owned(),
    ];
    statements.extend(afresh.then(|| SOURCE_OFF.to_owned()));
    statements.push("SET GLOBAL rpl_semi_sync_master_enabled = ON".to_owned());
    statements.push(format!(
        "SELECT NOT (@@GLOBAL.rpl_semi_sync_master_enabled \
         AND @@GLOBAL.rpl_semi_sync_master_timeout >= {ACK_TIMEOUT} \
         AND @@GLOBAL.rpl_semi_sync_master_wait_point = 'AFTER_SYNC' \
         AND @@GLOBAL.rpl_semi_sync_master_wait_no_slave)"
    ));
    statements
}

/// `KILL QUERY ID` names one statement, not a connection that may be at its next commit; the client
/// gets the OK that its replicas' copies justify. While the position is the one that was proved,
/// whoever waits is in it. 1957 is a statement that has ended by itself.
fn release(position: &str) -> String {
    format!(
        "BEGIN NOT ATOMIC DECLARE waiter BIGINT; DECLARE CONTINUE HANDLER FOR 1957 BEGIN END; \
         SELECT MIN(QUERY_ID) INTO waiter FROM information_schema.PROCESSLIST \
         WHERE STATE = 'Waiting for semi-sync ACK from slave' AND TIME_MS > 2000; \
         IF waiter IS NOT NULL AND @@GLOBAL.gtid_binlog_pos = '{position}' THEN \
         KILL QUERY ID waiter; END IF; END"
    )
}

/// `gtid_current_pos` is the replica's position, or the own binary log's where the server was a
/// primary and wrote later than that: so it is right for replicas and for former primaries. It is
/// wrong where a server was killed while it wrote its position, which empties the table first:
/// then domains are missing that the binary log has. An equal position is not written again.
const TAKE_POSITION: &str = "BEGIN NOT ATOMIC \
     DECLARE held TEXT DEFAULT @@GLOBAL.gtid_current_pos; \
     DECLARE logged TEXT DEFAULT @@GLOBAL.gtid_binlog_pos; \
     IF held = '' OR LENGTH(held) - LENGTH(REPLACE(held, ',', '')) \
     < LENGTH(logged) - LENGTH(REPLACE(logged, ',', '')) THEN SET held = logged; END IF; \
     IF held <> @@GLOBAL.gtid_slave_pos THEN SET GLOBAL gtid_slave_pos = held; END IF; END";

fn attach(source: &Target, manner: &Manner) -> Vec<String> {
    let (host, port) = (&source.address.host, source.address.port);
    let mut statements = lines(&[
        SHORT_LOCK_WAIT,
        READ_ONLY,
        SOURCE_OFF,
        "SET GLOBAL rpl_semi_sync_slave_kill_conn_timeout = 1",
    ]);
    statements.extend(manner.acknowledges.map(|acknowledges| {
        let switch = if acknowledges { "ON" } else { "OFF" };
        format!("SET GLOBAL rpl_semi_sync_slave_enabled = {switch}")
    }));
    let delay = manner.delay.map(|delay| delay.as_secs());
    let delay = delay.map_or_else(String::new, |delay| format!(", MASTER_DELAY = {delay}"));
    statements.extend([
        STOP.to_owned(),
        TAKE_POSITION.to_owned(),
        format!(
            "CHANGE MASTER TO MASTER_HOST = '{host}', MASTER_PORT = {port}, \
             MASTER_USER = '<replication user>', MASTER_PASSWORD = '<replication password>', \
             MASTER_USE_GTID = slave_pos, MASTER_HEARTBEAT_PERIOD = {HEARTBEAT_SECONDS}, \
             MASTER_CONNECT_RETRY = 1{delay}"
        ),
        "START SLAVE".to_owned(),
    ]);
    statements
}

/// By file and position: a primary is ahead of its replica, which MariaDB's sources refuse by GTID,
/// and its position cannot be set back below its own binary log. From the end of the replica's log
/// on there are only its own transactions, which it skips, and what is written there later.
fn close_ring(source: &Target) -> Vec<String> {
    let (host, port, name) = (&source.address.host, source.address.port, &source.name);
    vec![
        "SET GLOBAL rpl_semi_sync_slave_enabled = OFF".to_owned(),
        STOP.to_owned(),
        format!(
            "CHANGE MASTER TO MASTER_HOST = '{host}', MASTER_PORT = {port}, \
             MASTER_USER = '<replication user>', MASTER_PASSWORD = '<replication password>', \
             MASTER_USE_GTID = no, MASTER_LOG_FILE = '<log file of {name}>', \
             MASTER_LOG_POS = <log position of {name}>, \
             MASTER_HEARTBEAT_PERIOD = {HEARTBEAT_SECONDS}, MASTER_CONNECT_RETRY = 1"
        ),
        "START SLAVE".to_owned(),
    ]
}

/// The same statements for a connection with a name; no other is touched. A receiver is not killed
/// first: whose it is cannot be told. The position is of all connections, and theirs go on.
pub(super) fn on_connection(statements: Vec<String>, connection: &str) -> Vec<String> {
    let connection = connection.replace('\'', "''");
    let own = |text: &String| !text.starts_with(KILL_RECEIVER) && text != TAKE_POSITION;
    let chosen = format!("SET SESSION default_master_connection = '{connection}'");
    let statements = statements.into_iter().filter(own);
    std::iter::once(chosen).chain(statements).collect()
}

/// What `MASTER_GTID_WAIT` takes: the newest transaction of each domain.
fn position(transactions: &GtidSet) -> String {
    match transactions {
        GtidSet::Mariadb(set) => {
            let newest = set.position();
            let texts = newest.iter().map(|gtid| gtid.to_string());
            texts.collect::<Vec<_>>().join(",")
        }
        GtidSet::Mysql(set) => set.to_string(),
    }
}
