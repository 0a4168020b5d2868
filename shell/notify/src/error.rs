//! Why a message did not reach its receiver.

use std::time::Duration;

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// The command could not be started.
    #[error("{program} cannot be started: {source}")]
    Start {
        /// The program.
        program: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The command ended with an error.
    #[error("{program} ended with {status}: {output}")]
    Status {
        /// The program.
        program: String,
        /// Its exit status.
        status: std::process::ExitStatus,
        /// The end of what it printed.
        output: String,
    },
    /// It took too long.
    #[error("{what} took longer than {limit:?}")]
    Late {
        /// The program, or the place.
        what: String,
        /// The limit.
        limit: Duration,
    },
    /// The webhook did not take the message.
    #[error("{place} did not take the message: {reason}")]
    Webhook {
        /// The host of the address; the rest may be a secret.
        place: String,
        /// Why not.
        reason: String,
    },
    /// The mail was not accepted.
    #[error("{server} did not take the mail: {reason}")]
    Mail {
        /// The server.
        server: String,
        /// Why not.
        reason: String,
    },
}
