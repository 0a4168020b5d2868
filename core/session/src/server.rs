//! One server connection: where it stands, what it was last given, and whose statement it runs.

use std::collections::VecDeque;
use std::sync::Arc;

use mainstay_clock::Timestamp;
use mainstay_wire::ResponseTracker;
use mainstay_wire::compression::Compression;
use mainstay_wire::handshake::Salt;

use crate::cache::Fill;
use crate::causal::Seen;
use crate::counts::Traffic;
use crate::op::Chunk;
use crate::replay::Entry;
use crate::session::Key;
use crate::state::State;
use crate::statements::{ServerStatements, Text};
use crate::tracking::Tracking;

/// One server connection.
// Each flag is one independent fact; together they are not a state machine.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug)]
pub(crate) struct Server {
    /// Index of its server in the machine's list.
    pub(crate) upstream: usize,
    pub(crate) key: Key,
    pub(crate) phase: ServerPhase,
    /// Bytes of a packet that is not whole yet: in the login, or the first packet of a reply.
    pub(crate) inbox: Vec<u8>,
    pub(crate) tracker: ResponseTracker,
    pub(crate) applied: State,
    pub(crate) opened_at: Timestamp,
    /// The checksum of the reply so far, where it is wanted.
    pub(crate) sum: Option<u64>,
    pub(crate) tracking: Tracking,
    pub(crate) is_mariadb: bool,
    /// Its OK packets tell the transactions of writes.
    pub(crate) tells_gtids: bool,
    /// Sets again what its login set and a reset takes away; empty when that is nothing.
    pub(crate) login_set: String,
    /// It was taken away.
    pub(crate) lacks_login: bool,
    /// A reset left its schema, but with the character set of no schema.
    pub(crate) stale_schema: bool,
    /// It carries state that only `COM_RESET_CONNECTION` takes away.
    pub(crate) dirty: bool,
    /// Serial of the session that used it last: for that one its counters are still right.
    pub(crate) last_user: u64,
    /// Number of that session.
    pub(crate) last_client: u32,
    /// Serial of the session that got the last rows: `FOUND_ROWS()` tells of them.
    pub(crate) found_by: u64,
    /// Serial of the session whose statement had warnings or failed last. Statements without
    /// tables leave the list as it is on `MariaDB`.
    pub(crate) warned_by: u64,
    pub(crate) statements: ServerStatements,
    pub(crate) paused: bool,
    /// It is in its upstream's list of those kept for counters.
    pub(crate) in_soft: bool,
    /// The reply being read is a list of connections.
    pub(crate) lists: bool,
    /// The reply being read, where it is to be kept.
    pub(crate) fill: Option<Box<Fill>>,
    /// Its number at its server.
    pub(crate) thread: u32,
    /// The random bytes of its greeting.
    pub(crate) salt: Salt,
    /// Its server knows `COM_RESET_CONNECTION`.
    pub(crate) knows_reset: bool,
    /// It serves nobody after its present session: a `KILL` of it is or was under way, or it is
    /// known to its server as a replica's.
    pub(crate) spent: bool,
    /// Its bytes travel in TLS, or will before anything secret is sent.
    pub(crate) secure: bool,
    /// How its bytes are compressed once it has logged in.
    pub(crate) compression: Option<Compression>,
    /// For whom it is being opened.
    pub(crate) opener: Option<Box<Opener>>,
    /// Bytes that no statement has been charged with yet.
    pub(crate) traffic: Traffic,
    /// It was opened for this, and not for a pool.
    pub(crate) errand: Option<crate::errand::Errand>,
}

/// What a server is told of the session for which a connection is opened. Later sessions of the
/// same connection are not told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Opener {
    pub(crate) attributes: Box<[u8]>,
    pub(crate) host: String,
}

/// Where a server connection stands.
#[derive(Debug)]
pub(crate) enum ServerPhase {
    /// Being opened.
    Connecting { deadline: Timestamp },
    /// Logging in.
    Login {
        login: crate::server_login::ServerLogin,
        deadline: Timestamp,
    },
    /// In the pool.
    Idle { since: Timestamp },
    /// Being brought to a session's state; the replies are ours.
    Setup { session: u32, steps: VecDeque<Step> },
    /// Running a statement of the session.
    Reply { session: u32, forwarded: bool },
    /// Kept for the session between statements.
    Tied { session: u32 },
    /// Being reset before somebody else may have it.
    Cleaning { deadline: Timestamp },
    /// Running the statement of an errand.
    Errand { deadline: Timestamp },
    /// Joined to the session byte by byte.
    Spliced { session: u32 },
}

/// One command of a set-up whose reply is awaited.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// `COM_RESET_CONNECTION`.
    Reset,
    /// A `SET` of the session's variables.
    Set,
    /// The server is asked to tell the transactions of writes.
    Gtids,
    /// The server waits until it has these transactions.
    Wait(Seen),
    /// A statement of a transaction that was lost with another connection.
    Replay(Arc<Entry>),
    /// What the login set, again.
    Login,
    /// A query without tables that makes `FOUND_ROWS()` what it is at the beginning.
    Found,
    /// `COM_PING`, which makes `ROW_COUNT()` zero and changes no other counter.
    Ping,
    /// The question what the server tells of session changes by itself.
    Usual,
    /// What the server tells of session changes: everything, or as usual.
    Track(bool),
    /// `COM_INIT_DB`.
    Schema(Vec<u8>),
    /// `COM_STMT_PREPARE` of a statement that the session prepared elsewhere.
    Prepare(Arc<Text>),
}

impl Server {
    /// The session it belongs to now.
    pub(crate) fn session(&self) -> Option<u32> {
        match self.phase {
            ServerPhase::Setup { session, .. }
            | ServerPhase::Reply { session, .. }
            | ServerPhase::Tied { session }
            | ServerPhase::Spliced { session } => Some(session),
            ServerPhase::Connecting { .. }
            | ServerPhase::Login { .. }
            | ServerPhase::Idle { .. }
            | ServerPhase::Cleaning { .. }
            | ServerPhase::Errand { .. } => None,
        }
    }

    pub(crate) fn is_opening(&self) -> bool {
        match self.phase {
            ServerPhase::Connecting { .. }
            | ServerPhase::Login { .. }
            | ServerPhase::Cleaning { .. } => self.errand.is_none(),
            ServerPhase::Idle { .. }
            | ServerPhase::Setup { .. }
            | ServerPhase::Reply { .. }
            | ServerPhase::Tied { .. }
            | ServerPhase::Errand { .. }
            | ServerPhase::Spliced { .. } => false,
        }
    }
}

/// Bytes taken from the current input, with what was kept of earlier ones before them.
pub(crate) struct Gathered<'a> {
    whole: Vec<u8>,
    input: &'a [u8],
}

impl<'a> Gathered<'a> {
    /// `kept` is left empty; it costs nothing when it already was.
    pub(crate) fn new(kept: &mut Vec<u8>, input: &'a [u8]) -> Self {
        let mut whole = std::mem::take(kept);
        if !whole.is_empty() {
            whole.extend_from_slice(input);
        }
        Self { whole, input }
    }

    /// Bytes made from others.
    pub(crate) fn made(whole: Vec<u8>) -> Self {
        Self { whole, input: &[] }
    }

    /// The first `end` of them.
    pub(crate) fn up_to(mut self, end: usize) -> Self {
        if self.whole.is_empty() {
            self.input = &self.input[..end];
        } else if end == 0 {
            self = Self::made(Vec::new());
        } else {
            self.whole.truncate(end);
        }
        self
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        if self.whole.is_empty() {
            self.input
        } else {
            &self.whole
        }
    }

    /// True when nothing was kept: a range of these bytes is one of the input.
    pub(crate) fn is_input(&self) -> bool {
        self.whole.is_empty()
    }

    /// A chunk of these bytes: of the input itself where nothing was kept.
    pub(crate) fn chunk(&self, range: std::ops::Range<usize>) -> Chunk {
        if self.whole.is_empty() {
            Chunk::Input(range)
        } else {
            Chunk::Owned(self.whole[range].to_vec())
        }
    }
}
