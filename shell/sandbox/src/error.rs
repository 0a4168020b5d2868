//! Everything that can stop a sandbox, each with its remedy; never a secret.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use crate::flavor::{Flavor, Version};

/// Why a sandbox cannot be made, started or used.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// No server program of the wanted flavor was found.
    #[error("no {flavor} server found ({looked}); {}", .flavor.install_remedy())]
    NoServer {
        /// What was wanted.
        flavor: Flavor,
        /// Where it was looked for, in words.
        looked: String,
    },
    /// The program could not be run, or did not say what it is.
    #[error("{} is not a usable server program: {reason}; give another with --mysqld PATH",
        .program.display())]
    BadServer {
        /// The program.
        program: PathBuf,
        /// What it did instead.
        reason: String,
    },
    /// The program is a server, but not one that the sandbox can use.
    #[error("{} is {found}, but the sandbox needs {wanted}; give another with --mysqld PATH",
        .program.display())]
    UnsupportedServer {
        /// The program.
        program: PathBuf,
        /// Flavor and version found.
        found: String,
        /// What would do.
        wanted: &'static str,
    },
    /// The directory belongs to a sandbox of another flavor or version.
    #[error("{} holds a sandbox of {kept}, but this one is {wanted}; give another --dir, \
        or --force to delete the servers' data in it", .dir.display())]
    OtherSandbox {
        /// The directory.
        dir: PathBuf,
        /// What made it.
        kept: String,
        /// What would use it now.
        wanted: String,
    },
    /// The directory holds files that no sandbox made.
    #[error("{} holds {entry:?}, which is not part of a sandbox; give another --dir, \
        or an empty one", .dir.display())]
    ForeignFiles {
        /// The directory.
        dir: PathBuf,
        /// The first such file.
        entry: String,
    },
    /// Servers' data without the file that describes them.
    #[error("{} holds servers' data but no sandbox.json; give another --dir, \
        or --force to delete that data", .dir.display())]
    NoDescription {
        /// The directory.
        dir: PathBuf,
    },
    /// `sandbox.json` cannot be understood.
    #[error("{}: {reason}; give another --dir, or --force to delete the servers' data in it",
        .file.display())]
    BadDescription {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The path cannot be written into a server's option file.
    #[error("the path {} has a character that a server's option file cannot hold ({character:?}); \
        give another --dir", .dir.display())]
    BadPath {
        /// The directory.
        dir: PathBuf,
        /// The first such character.
        character: char,
    },
    /// Another process runs this sandbox.
    #[error("the sandbox in {} is already running as pid {pid}: \
        `mainstay sandbox stop --dir {}` ends it", .dir.display(), .dir.display())]
    AlreadyRunning {
        /// The directory.
        dir: PathBuf,
        /// The process, as far as it has said.
        pid: String,
    },
    /// Nothing runs in this directory.
    #[error("no sandbox is running in {}", .dir.display())]
    NotRunning {
        /// The directory.
        dir: PathBuf,
    },
    /// A port is taken.
    #[error(
        "port {port} for {server} is in use by another program; end that program, \
        or choose other ports with --base-port"
    )]
    PortInUse {
        /// The server that needs it.
        server: String,
        /// The port.
        port: u16,
    },
    /// The three ports do not fit, or none are free.
    #[error("no three free ports {place}; choose others with --base-port")]
    NoPorts {
        /// Where they were looked for.
        place: String,
    },
    /// The data directory could not be initialised.
    #[error("making an empty {flavor} {version} data directory failed ({status}): {log_end}")]
    Template {
        /// Flavor of the server.
        flavor: Flavor,
        /// Its version.
        version: Version,
        /// How the initialisation ended.
        status: ExitStatus,
        /// The end of what it said.
        log_end: String,
    },
    /// A server ended before it answered.
    #[error("{server} ended while starting ({how}); its log, {}, ends with: {log_end}",
        .log.display())]
    StartFailed {
        /// The server.
        server: String,
        /// Exit status, in words.
        how: String,
        /// Its log file.
        log: PathBuf,
        /// The last lines there.
        log_end: String,
    },
    /// A server did not answer in time.
    #[error("{server} did not answer within {seconds} s; see its log, {}", .log.display())]
    StartTimeout {
        /// The server.
        server: String,
        /// How long it had.
        seconds: u64,
        /// Its log file.
        log: PathBuf,
    },
    /// A server runs, but its accounts were not made.
    #[error("{server} refuses the sandbox's own account: {reason}; see its log, {}",
        .log.display())]
    Accounts {
        /// The server.
        server: String,
        /// What the server said.
        reason: String,
        /// Its log file.
        log: PathBuf,
    },
    /// A server runs on copied data, but does not know which transactions those are.
    #[error("{server} did not take over the GTID state of the data that were copied to it; \
        see its log, {}", .log.display())]
    History {
        /// The server.
        server: String,
        /// Its log file.
        log: PathBuf,
    },
    /// The program that copies a running server's data is missing.
    #[error("no mariadb-backup was found beside the server or on PATH; {}",
        Flavor::MariaDb.install_remedy())]
    NoBackupProgram,
    /// A running server does not say what its data hold, or cannot be copied.
    #[error("the data of {donor} cannot be copied: {reason}")]
    Donor {
        /// The server that should give its data.
        donor: String,
        /// Why not, as it or the program that copies says it.
        reason: String,
    },
    /// A server's data could not be replaced.
    #[error(
        "{server} was not reseeded: {reason}; it keeps its old data, and stays down until \
        the sandbox is started again"
    )]
    Reseed {
        /// The server.
        server: String,
        /// Why not.
        reason: String,
    },
    /// Only one server is reseeded at a time.
    #[error("{server} was left as it is: a server of this sandbox is being reseeded now")]
    Reseeding {
        /// The server that would be the second.
        server: String,
    },
    /// MySQL replaces a server's data itself, by a statement.
    #[error("{server} was left as it is: MySQL reseeds a server by its statement CLONE")]
    ReseedsItself {
        /// The server.
        server: String,
    },
    /// No server of that name.
    #[error("the sandbox has no server {name:?}; it has db1, db2 and db3")]
    UnknownServer {
        /// The name asked for.
        name: String,
    },
    /// The server is down, so it cannot be signalled.
    #[error("{server} is not running now, so it cannot be sent a signal")]
    ServerDown {
        /// The server.
        server: String,
    },
    /// The supervisor has ended.
    #[error("the sandbox has been stopped")]
    Stopped,
    /// No random numbers for passwords.
    #[error("the system gives no random numbers for passwords: {0}")]
    Random(#[from] getrandom::Error),
    /// Any other failure of the file system or of a process.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// What was attempted, a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl SandboxError {
    /// For `map_err`: names the act and the file.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
