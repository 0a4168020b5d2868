//! Why there are no floating addresses.

use std::io;
use std::path::PathBuf;

/// Why the role does not start.
#[derive(Debug, thiserror::Error)]
pub enum VipError {
    /// The kernel refuses what is needed.
    #[error(
        "floating addresses need CAP_NET_ADMIN and CAP_NET_RAW ({what}: {reason}); run as root, \
         or give them to the service (systemd: AmbientCapabilities)"
    )]
    Refused {
        /// What was tried.
        what: &'static str,
        /// What the kernel says.
        reason: io::Error,
    },
    /// The file of what is held cannot be read.
    #[error("what an earlier run held cannot be read from {}: {reason}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// No thread.
    #[error("no thread for floating addresses: {0}")]
    Thread(io::Error),
    /// No address has this name.
    #[error("there is no floating address `{name}`; there are: {known}")]
    Unknown {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// It has ended.
    #[error("floating addresses are no longer kept by this process")]
    Stopped,
}
