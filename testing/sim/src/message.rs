//! What travels between the ends of the simulated network.

use mainstay_clock::Timestamp;
use mainstay_topology::{Facts, Outcome, Routes};

use crate::gtids::{Gtids, Transaction};
use crate::statement::Statement;

/// Who sends and receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    /// The manager.
    Manager,
    /// A proxy, by its index.
    Proxy(usize),
    /// The client that goes around the proxies.
    SideDoor,
    /// A server, by its index.
    Server(usize),
}

/// Names a step that runs: the life of the manager, the operation, the step.
pub(crate) type RunId = (u64, u64, usize);

/// A message on its way.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    /// The sender.
    pub(crate) from: End,
    /// The receiver.
    pub(crate) to: End,
    /// What it says.
    pub(crate) body: Body,
}

/// What a message says.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// A client's write.
    Write {
        /// The connection; `fresh` opens it.
        connection: u64,
        /// The first statement of the connection.
        fresh: bool,
        /// The write.
        write: u64,
        /// The server does nothing when it reads the statement after this.
        void_after: Option<Timestamp>,
    },
    /// The answer to a write.
    Written {
        /// The connection.
        connection: u64,
        /// The write.
        write: u64,
        /// OK, or the server's error code; 0 for a lost connection.
        result: Result<(), u16>,
    },
    /// The manager's question about the server.
    Look(u64),
    /// Its answer.
    Seen(u64, Box<Outcome>),
    /// A connection that idled has been closed by the server.
    Closed,
    /// A statement of a step; `true` opens its connection.
    Statement(RunId, bool, Box<Statement>),
    /// Its answer.
    Answer(RunId, Result<Option<Box<Facts>>, Failure>),
    /// A replica's receiver connects.
    Connect {
        /// The connection.
        connection: u64,
        /// What the replica holds.
        held: Gtids,
        /// The newest transaction it holds (MariaDB asks for what follows it).
        position: Option<Transaction>,
        /// It will acknowledge.
        acknowledges: bool,
    },
    /// The source sends its binary log from now on; the replica holds all below the index.
    Accepted(u64, usize),
    /// The source refuses for good, with its error code; 0 for a lost connection.
    Refused(u64, u32),
    /// A transaction of the source's binary log, with its index there.
    Event(u64, usize, Transaction),
    /// The replica holds everything of the source's binary log below this index.
    Acknowledge(u64, usize),
    /// The replica has closed the connection.
    Bye(u64),
    /// Routes for a proxy.
    Routes(Box<Routes>),
}

/// Why a statement failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Waited for a lock for a second; to be sent again.
    Locked,
    /// For good.
    Failed(&'static str),
}
