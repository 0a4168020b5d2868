//! What can go wrong at the start, in words for the person who started it.

use std::io;
use std::net::SocketAddr;

/// Why a proxy did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another program listens on the port.
    #[error(
        "port {port} on {ip} is already in use; \
         stop the other program or choose another with --proxy-port",
        port = .0.port(),
        ip = .0.ip()
    )]
    PortInUse(SocketAddr),
    /// The port is one of those kept for root.
    #[error(
        "may not listen on port {port} of {ip}: ports below 1024 need root or \
         CAP_NET_BIND_SERVICE; choose another with --proxy-port",
        port = .0.port(),
        ip = .0.ip()
    )]
    PortForbidden(SocketAddr),
    /// No interface of this machine has the address.
    #[error("cannot listen on {0}: this machine has no such address; use one that `ip addr` shows")]
    NoSuchAddress(SocketAddr),
    /// Any other failure to listen.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system gave no event queue or no thread.
    #[error(
        "cannot start the worker threads of the proxy: {0}; look at the limits `ulimit -a` shows"
    )]
    Workers(io::Error),
}
