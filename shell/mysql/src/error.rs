//! What can go wrong between us and a server, told apart as far as the manager needs it.

use std::fmt;
use std::io;
use std::time::Duration;

use mainstay_wire::auth::RsaError;
use mainstay_wire::{ErrPacket, Malformed};

/// How far a connection attempt had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectStage {
    /// The TCP connection was not made yet: the host is down, cut off, or drops packets.
    Tcp,
    /// Connected, but the server said nothing: it hangs, or a stopped process still listens.
    Greeting,
    /// Greeted, but the login was not answered.
    Auth,
}

impl fmt::Display for ConnectStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP connection",
            Self::Greeting => "greeting",
            Self::Auth => "answer to the login",
        })
    }
}

/// A failed connect, query or reading of a result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server answered with an error.
    #[error("the server answered {code} ({sqlstate}): {message}")]
    Server {
        /// The error's number.
        code: u16,
        /// Its SQLSTATE.
        sqlstate: String,
        /// Its text.
        message: String,
    },
    /// The connection could not be made: refused, reset, unreachable, no such name.
    #[error("no connection to {address} ({stage}): {source}")]
    Connect {
        /// Where to.
        address: String,
        /// How far it had come.
        stage: ConnectStage,
        /// What the operating system said.
        source: io::Error,
    },
    /// The connection was not ready in time.
    #[error("no {stage} from {address} within {} ms", after.as_millis())]
    ConnectTimeout {
        /// Where to.
        address: String,
        /// How far it had come.
        stage: ConnectStage,
        /// The limit.
        after: Duration,
    },
    /// A reply did not come in time. The connection is of no use any more.
    #[error("no reply to {what} within {} ms", after.as_millis())]
    Timeout {
        /// What was asked.
        what: String,
        /// The limit.
        after: Duration,
    },
    /// The server closed or reset the connection.
    #[error("the server closed the connection")]
    Closed,
    /// The connection failed in another way, as when the other host became unreachable.
    #[error("the connection failed: {0}")]
    Io(io::Error),
    /// An earlier query was abandoned before its reply was read; connect again.
    #[error("the connection was left in the middle of an exchange; connect again")]
    Broken,
    /// The server does not speak the protocol as expected.
    #[error("protocol error: {0}")]
    Protocol(String),
    /// A statement was given the wrong number of parameters.
    #[error("the statement takes {expected} parameters, {given} were given")]
    ParamCount {
        /// What the statement takes.
        expected: usize,
        /// What it was given.
        given: usize,
    },
    /// A column is missing, NULL, or not of the type asked for.
    #[error("column {column}: {problem}")]
    Column {
        /// The column's name.
        column: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Error {
    /// Nothing listens at the address: the server's process is gone, its host is up.
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Connect { source, .. }
            if source.kind() == io::ErrorKind::ConnectionRefused)
    }

    /// Something did not answer in time.
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::ConnectTimeout { .. } | Self::Timeout { .. } => true,
            // The kernel's own limit on TCP, where it is shorter than ours.
            Self::Connect { source, .. } => source.kind() == io::ErrorKind::TimedOut,
            Self::Server { .. }
            | Self::Closed
            | Self::Io(_)
            | Self::Broken
            | Self::Protocol(_)
            | Self::ParamCount { .. }
            | Self::Column { .. } => false,
        }
    }

    /// The other side ended the connection, while connecting or later.
    pub fn is_closed(&self) -> bool {
        match self {
            Self::Closed | Self::Io(_) => true,
            Self::Connect { source, .. } => is_end(source),
            Self::Server { .. }
            | Self::ConnectTimeout { .. }
            | Self::Timeout { .. }
            | Self::Broken
            | Self::Protocol(_)
            | Self::ParamCount { .. }
            | Self::Column { .. } => false,
        }
    }

    /// How far a failed connect had come; `None` for other errors.
    pub fn connect_stage(&self) -> Option<ConnectStage> {
        match self {
            Self::Connect { stage, .. } | Self::ConnectTimeout { stage, .. } => Some(*stage),
            Self::Server { .. }
            | Self::Timeout { .. }
            | Self::Closed
            | Self::Io(_)
            | Self::Broken
            | Self::Protocol(_)
            | Self::ParamCount { .. }
            | Self::Column { .. } => None,
        }
    }

    /// The server's error number.
    pub fn server_code(&self) -> Option<u16> {
        if let Self::Server { code, .. } = self {
            Some(*code)
        } else {
            None
        }
    }
}

fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
    )
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        if is_end(&error) {
            Self::Closed
        } else {
            Self::Io(error)
        }
    }
}

impl From<Malformed> for Error {
    fn from(error: Malformed) -> Self {
        Self::Protocol(error.to_string())
    }
}

impl From<RsaError> for Error {
    fn from(error: RsaError) -> Self {
        Self::Protocol(error.to_string())
    }
}

impl From<ErrPacket> for Error {
    fn from(error: ErrPacket) -> Self {
        let sqlstate = error.sqlstate_text();
        Self::Server {
            code: error.code,
            sqlstate,
            message: error.message,
        }
    }
}
