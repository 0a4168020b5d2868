//! Why there is no responder.

use std::io;
use std::net::SocketAddr;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum DnsError {
    /// The place is not to be had.
    #[error("DNS cannot be answered on {address}: {reason}")]
    Listen {
        /// The place.
        address: SocketAddr,
        /// What the system says.
        reason: io::Error,
    },
    /// A name that is none.
    #[error("`{0}` is no name of a domain")]
    Name(String),
}
