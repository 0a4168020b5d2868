//! Statements of the manager that wait inside a server.

use mainstay_gtid::GtidSet;

use crate::message::RunId;

/// One that waits.
#[derive(Debug, Clone)]
pub(crate) struct Wait {
    /// Whose it is.
    pub(crate) run: RunId,
    /// For what.
    pub(crate) until: Until,
}

/// What a statement waits for.
#[derive(Debug, Clone)]
pub(crate) enum Until {
    /// These are applied.
    Applied(GtidSet),
    /// The relay log is empty.
    RelayEmpty,
    /// No commit waits: then the server becomes read-only. The number tells attempts apart.
    NoCommits(u64),
    /// The applier is not blocked: then both threads stop.
    Unblocked,
}
