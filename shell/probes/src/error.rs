//! Why a look failed, in words for people.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use mainstay_health::Unfit;

/// Why a look failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It took too long.
    #[error("no answer within {} ms", .0.as_millis())]
    Late(Duration),
    /// No connection.
    #[error("no connection: {0}")]
    Connect(io::Error),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(io::Error),
    /// A server did not let us in, or did not answer the query.
    #[error("{0}")]
    MySql(#[from] mainstay_mysql::Error),
    /// A server answers, and is not what is wanted.
    #[error("{0}")]
    Unfit(Unfit),
    /// No answer of HTTP.
    #[error("the answer is no HTTP")]
    NoHttp,
    /// Another status than those that are right.
    #[error("the answer has status {0}")]
    Status(u16),
    /// The body lacks what it must contain.
    #[error("the answer does not contain the text that it must")]
    Lacks,
    /// There is no command to run.
    #[error("the command is empty")]
    NoCommand,
    /// A command could not be started.
    #[error("{program} cannot be started: {reason}")]
    NoStart {
        /// The program.
        program: String,
        /// What the system says.
        reason: io::Error,
    },
    /// There is no such user.
    #[error("there is no user `{0}` on this host")]
    NoUser(String),
    /// A command ended with this code.
    #[error("exit code {0}")]
    Exit(i32),
    /// A signal ended a command.
    #[error("ended by signal {0}")]
    Signal(i32),
    /// Too few processes.
    #[error("{found} of {least} processes `{name}` run")]
    Processes {
        /// Their name.
        name: String,
        /// How many run.
        found: usize,
        /// How many must.
        least: usize,
    },
    /// The file is there.
    #[error("{} is there", .0.display())]
    FileThere(PathBuf),
    /// No such route.
    #[error("there is no route to {0}")]
    NoRoute(String),
    /// The process ends.
    #[error("mainstay is stopping")]
    Stopping,
}
