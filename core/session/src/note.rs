//! What the machine of one worker tells that of another. The driver carries the notes and looks
//! into none of them.

use std::sync::Arc;

use mainstay_wire::ErrPacket;

/// A note from one worker's machine to another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note(pub(crate) Word);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// A session is to be killed.
    Kill(KillRequest),
    /// How that went.
    Killed(Asker, KillOutcome),
}

impl Note {
    /// What the sender must be told when there is no such worker.
    #[must_use]
    pub fn undelivered(self) -> Option<Self> {
        match self.0 {
            Word::Kill(request) => Some(Self(Word::Killed(request.asker, KillOutcome::Unknown))),
            Word::Killed(..) => None,
        }
    }
}

/// A `KILL` of one of the proxy's own connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KillRequest {
    pub(crate) asker: Asker,
    /// The number of the connection, as its greeting told.
    pub(crate) target: u32,
    /// Only the statement that it runs.
    pub(crate) query: bool,
    /// The worker that is asked next when this one does not have it: a session that came from
    /// another process has kept its number, and may be anywhere.
    pub(crate) next: u32,
    /// Who asks: nobody may kill the sessions of others.
    pub(crate) user: Arc<str>,
}

/// The session that waits for the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asker {
    pub(crate) worker: u32,
    pub(crate) client: u32,
    pub(crate) serial: u64,
}

/// How a `KILL` went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KillOutcome {
    Done,
    /// No connection has this number.
    Unknown,
    /// It is another user's.
    NotOwner,
    /// The server that runs the statement could not be told.
    Failed(ErrPacket),
}
