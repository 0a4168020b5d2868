//! What the executor sends to a server: the statements of the dialects, reduced to what they do,
//! in the same order.

use mainstay_failover::Effect;
use mainstay_gtid::GtidSet;
use mainstay_topology::{Family, ServerName};

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
    /// Wait until everything received is applied.
    AwaitReceived,
    /// Wait until these are applied.
    AwaitSet(GtidSet),
}

/// The statements of an effect that is one script on one server; `None` for the others.
pub(crate) fn script(effect: &Effect, family: Family) -> Option<(&ServerName, Vec<Statement>)> {
    use Statement as S;
    let mysql = family == Family::Mysql;
    Some(match effect {
        Effect::StopReceiver { server } => (server, vec![S::StopReceiver, S::Look]),
        Effect::Fence { server } if mysql => (
            server,
            vec![
                S::Offline(true),
                S::KillClients,
                S::SourceOff,
                S::ReadOnly,
                S::KillClients,
                S::Offline(false),
            ],
        ),
        Effect::Fence { server } => (
            server,
            vec![S::KillClients, S::ReadOnly, S::KillClients, S::SourceOff],
        ),
        Effect::Demote { server } => (server, vec![S::ReadOnly, S::Look]),
        Effect::ApplyReceived { server } if mysql => {
            (server, vec![S::StartApplier, S::AwaitReceived])
        }
        Effect::ApplyReceived { server } => (server, vec![S::AwaitReceived]),
        Effect::AwaitApplied {
            server,
            transactions,
        } => (server, vec![S::AwaitSet(transactions.clone())]),
        Effect::Attach { server, source } => (
            server,
            vec![
                S::ReadOnly,
                S::SourceOff,
                S::ReplicaOn,
                S::StopBoth,
                S::ChangeSource(source.name.clone()),
                S::StartBoth,
            ],
        ),
        Effect::EnableSemiSync {
            server,
            acknowledgements,
        } => (server, vec![S::SourceOn(*acknowledgements)]),
        Effect::OpenWrites { server } => (server, vec![S::ReadWrite]),
        Effect::ForgetSource { server } => (server, vec![S::StopBoth, S::ResetLink]),
        Effect::EndProcess { .. }
        | Effect::Publish { .. }
        | Effect::Drain { .. }
        | Effect::Record { .. }
        | Effect::AwaitAttached { .. }
        | Effect::AwaitClients { .. }
        | Effect::SaveErrant { .. }
        | Effect::Reseed { .. } => return None,
    })
}
