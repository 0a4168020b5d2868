//! What the executor sends to a server: the statements of the plan's steps, as the dialects give
//! them, reduced to what they do.

use mainstay_failover::{Effect, Step};
use mainstay_gtid::GtidSet;
use mainstay_topology::ServerName;

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Statement {
    /// The questions of an observer.
    Look,
    /// `STOP REPLICA IO_THREAD`.
    StopReceiver,
    /// `STOP REPLICA`.
    StopBoth,
    /// `START REPLICA`.
    StartBoth,
    /// `START REPLICA SQL_THREAD`.
    StartApplier,
    /// `CHANGE REPLICATION SOURCE TO`.
    ChangeSource(ServerName),
    /// `RESET REPLICA ALL`.
    ResetLink,
    /// `SET GLOBAL read_only`, or stronger.
    ReadOnly,
    /// `SET GLOBAL read_only = OFF`.
    ReadWrite,
    /// `KILL` of every client's connection.
    KillClients,
    /// `SET GLOBAL offline_mode` (MySQL).
    Offline(bool),
    /// Semi-synchronous source side off: waiting commits are answered with OK.
    SourceOff,
    /// Semi-synchronous source side on, waiting for so many acknowledgements.
    SourceOn(u32),
    /// Semi-synchronous replica side on.
    ReplicaOn,
    /// Acknowledge no more, from the next connection on.
    ReplicaOff,
    /// Wait until everything received is applied.
    AwaitReceived,
    /// Wait until these are applied.
    AwaitSet(GtidSet),
}

impl Statement {
    /// Whether it needs the disk.
    pub(crate) fn writes(&self) -> bool {
        matches!(self, Self::ChangeSource(_) | Self::ResetLink)
    }
}

/// How many acknowledgements commits wait for, where that can be said.
const COUNT: &str = "SET GLOBAL rpl_semi_sync_source_wait_for_replica_count = ";

/// The script of a step that is one on one server, read from the very statements of its plan;
/// `None` for the other steps.
pub(crate) fn script(step: &Step) -> Option<(&ServerName, Vec<Statement>)> {
    let effect = &step.effect;
    let server = match effect {
        Effect::StopReceiver { server }
        | Effect::Fence { server }
        | Effect::Demote { server }
        | Effect::ApplyReceived { server }
        | Effect::AwaitApplied { server, .. }
        | Effect::Attach { server, .. }
        | Effect::EnableSemiSync { server, .. }
        | Effect::OpenWrites { server }
        | Effect::StopReplication { server }
        | Effect::CloseRing { server, .. }
        | Effect::ForgetSource { server } => server,
        Effect::EndProcess { .. }
        | Effect::DropAddress { .. }
        | Effect::TakeAddress { .. }
        | Effect::Publish { .. }
        | Effect::RunHook { .. }
        | Effect::Wish { .. }
        | Effect::AwaitIdle { .. }
        | Effect::Restart { .. }
        | Effect::Drain { .. }
        | Effect::Record { .. }
        | Effect::AwaitAttached { .. }
        | Effect::AwaitClients { .. }
        | Effect::ReleaseProved { .. }
        | Effect::SaveErrant { .. }
        | Effect::ApplyTail { .. }
        | Effect::Rewind { .. }
        | Effect::Reseed { .. } => return None,
    };
    let mut statements: Vec<Statement> = step
        .sql
        .iter()
        .filter_map(|sql| statement(sql, effect))
        .collect();
    let counted = |sql: &String| sql.strip_prefix(COUNT).and_then(|count| count.parse().ok());
    let count = step.sql.iter().find_map(counted).unwrap_or(1);
    for one in &mut statements {
        if let Statement::SourceOn(acknowledgements) = one {
            *acknowledgements = count;
        }
    }
    if matches!(effect, Effect::StopReceiver { .. } | Effect::Demote { .. }) {
        statements.push(Statement::Look);
    }
    Some((server, statements))
}

/// What the statements do, by how they begin; `None` for those that change nothing that is
/// simulated. The first match counts.
const MEANINGS: [(&str, Option<Statement>); 29] = [
    ("SET SESSION", None),
    ("BEGIN NOT ATOMIC", None),
    ("SET GLOBAL event_scheduler", None),
    ("KILL <receiver thread id>", None),
    ("<kill privileged connections>", None),
    ("<kill client connections>", Some(Statement::KillClients)),
    ("STOP REPLICA IO_THREAD", Some(Statement::StopReceiver)),
    ("STOP SLAVE IO_THREAD", Some(Statement::StopReceiver)),
    ("STOP ", Some(Statement::StopBoth)),
    ("START REPLICA SQL_THREAD", Some(Statement::StartApplier)),
    ("START SLAVE SQL_THREAD", Some(Statement::StartApplier)),
    ("START ", Some(Statement::StartBoth)),
    ("RESET ", Some(Statement::ResetLink)),
    ("SET GLOBAL super_read_only = ON", Some(Statement::ReadOnly)),
    ("SET GLOBAL read_only = ON", Some(Statement::ReadOnly)),
    ("SET GLOBAL super_read_only = OFF", None),
    ("SET GLOBAL read_only = OFF", Some(Statement::ReadWrite)),
    (
        "SET GLOBAL offline_mode = ON",
        Some(Statement::Offline(true)),
    ),
    (
        "SET GLOBAL offline_mode = OFF",
        Some(Statement::Offline(false)),
    ),
    (
        "SET GLOBAL rpl_semi_sync_source_enabled = OFF",
        Some(Statement::SourceOff),
    ),
    (
        "SET GLOBAL rpl_semi_sync_master_enabled = OFF",
        Some(Statement::SourceOff),
    ),
    (
        "SET GLOBAL rpl_semi_sync_replica_enabled = ON",
        Some(Statement::ReplicaOn),
    ),
    (
        "SET GLOBAL rpl_semi_sync_slave_enabled = ON",
        Some(Statement::ReplicaOn),
    ),
    (
        "SET GLOBAL rpl_semi_sync_replica_enabled = OFF",
        Some(Statement::ReplicaOff),
    ),
    (
        "SET GLOBAL rpl_semi_sync_slave_enabled = OFF",
        Some(Statement::ReplicaOff),
    ),
    ("SELECT @@GLOBAL.read_only", None),
    ("SELECT NOT (@@GLOBAL.rpl_semi_sync_", None),
    (
        "SELECT MASTER_GTID_WAIT('<received position>'",
        Some(Statement::AwaitReceived),
    ),
    (
        "SELECT WAIT_FOR_EXECUTED_GTID_SET((SELECT",
        Some(Statement::AwaitReceived),
    ),
];

/// What one statement of a plan does.
///
/// A plan with a statement that is not known here ends the simulation: it would prove nothing.
fn statement(sql: &str, effect: &Effect) -> Option<Statement> {
    let known = MEANINGS.iter().find(|(start, _)| sql.starts_with(start));
    if let Some((_, meaning)) = known {
        return meaning.clone();
    }
    let semi_sync = sql.starts_with("SET GLOBAL rpl_semi_sync_");
    match effect {
        Effect::AwaitApplied { transactions, .. } if sql.starts_with("SELECT ") => {
            Some(Statement::AwaitSet(transactions.clone()))
        }
        Effect::Attach { source, .. } if sql.starts_with("CHANGE ") => {
            Some(Statement::ChangeSource(source.name.clone()))
        }
        Effect::EnableSemiSync { .. } | Effect::OpenWrites { .. }
            if semi_sync && sql.ends_with("_enabled = ON") =>
        {
            Some(Statement::SourceOn(1))
        }
        _ if semi_sync && !sql.contains("_enabled") => None,
        _ => panic!("the simulator does not know what `{sql}` does"),
    }
}
