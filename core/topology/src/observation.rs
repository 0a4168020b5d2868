//! What one attempt to look at a server saw. A failed attempt is an observation too.

use std::time::Duration;

use mainstay_clock::Timestamp;

use crate::facts::Facts;
use crate::server::ServerName;

/// What a probe saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The server answered.
    Answered(Box<Facts>),
    /// Nothing listens: connection refused (the process is gone, or the host answers for it).
    Refused,
    /// An open connection was closed or reset by the server or its host.
    Lost,
    /// TCP connects, but no greeting or no answer comes: hung, stopped, or overloaded.
    Silent,
    /// TCP does not connect in time: host down, or cut off from this observer.
    NoConnection,
    /// Error 1040: alive, with no connection to spare.
    TooManyConnections,
    /// Alive, but it does not let the observer in (1045, expired certificate, locked account).
    AccessDenied {
        /// The server's error code.
        code: u16,
    },
    /// Alive, with another error.
    Failed {
        /// The server's error code, 0 for a protocol error.
        code: u16,
        /// The server's text.
        message: String,
    },
}

/// One probe's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Which server.
    pub server: ServerName,
    /// When the probe was begun: what it saw is not older than this.
    pub begun: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// What it saw.
    pub outcome: Outcome,
}

/// What a write to the primary's heartbeat row did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteOutcome {
    /// Committed and acknowledged.
    Committed {
        /// Time from statement to OK.
        took: Duration,
    },
    /// No answer yet, this long after the statement was sent.
    Blocked {
        /// Time since the statement was sent.
        since: Duration,
    },
    /// Answered with an error.
    Refused {
        /// The server's error code.
        code: u16,
    },
    /// The connection was lost or could not be opened.
    NoConnection,
}

/// One write probe's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteProbe {
    /// Which server.
    pub server: ServerName,
    /// When this was seen.
    pub at: Timestamp,
    /// What it saw.
    pub outcome: WriteOutcome,
}
