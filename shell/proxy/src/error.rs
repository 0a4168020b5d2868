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
    /// `io_uring` was asked for by name.
    #[error(
        "io_uring cannot be used here: {0}; {advice}, or set io = \"auto\" to use epoll instead",
        advice = advice(.0)
    )]
    NoRing(io::Error),
    /// The system gave no event queue or no thread.
    #[error(
        "cannot start the worker threads of the proxy: {0}; look at the limits `ulimit -a` shows"
    )]
    Workers(io::Error),
}

/// What makes `io_uring` available.
fn advice(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => {
            "it is forbidden by `sysctl kernel.io_uring_disabled`, or by the seccomp profile of a \
             container: allow it there"
        }
        Some(libc::ENOMEM) => "raise the limit that `ulimit -l` shows",
        _ => "use Linux 6.1 or later",
    }
}
