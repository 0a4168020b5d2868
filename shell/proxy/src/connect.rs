//! Opening connections to servers: the address, the socket, and how an attempt ended.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use mainstay_session::CloseReason;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with, sockopt};

use crate::listen::stream_socket;

/// A server whose host has vanished under a statement is noticed after this much silence, plus
/// [`KEEPALIVE_PROBES`] probes [`KEEPALIVE_PAUSE`] apart.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
const KEEPALIVE_PAUSE: Duration = Duration::from_secs(2);
const KEEPALIVE_PROBES: u32 = 5;

/// Begins to connect; the socket becomes writable when the attempt has ended.
pub(crate) fn begin(address: SocketAddr) -> Result<OwnedFd, Errno> {
    let socket = stream_socket(address.ip())?;
    sockopt::set_tcp_nodelay(&socket, true)?;
    sockopt::set_socket_keepalive(&socket, true)?;
    sockopt::set_tcp_keepidle(&socket, KEEPALIVE_IDLE)?;
    sockopt::set_tcp_keepintvl(&socket, KEEPALIVE_PAUSE)?;
    sockopt::set_tcp_keepcnt(&socket, KEEPALIVE_PROBES)?;
    match rustix::net::connect(&socket, &address) {
        // A connect that a signal interrupts goes on by itself (connect(2)).
        Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => Ok(socket),
        Err(errno) => Err(errno),
    }
}

/// Connects to a socket of this machine, which succeeds or fails at once.
pub(crate) fn begin_local(path: &str) -> Result<OwnedFd, Errno> {
    let address = SocketAddrUnix::new(path)?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::net::connect(&socket, &address)?;
    Ok(socket)
}

/// How the attempt ended.
pub(crate) fn outcome(socket: &OwnedFd) -> Result<(), Errno> {
    sockopt::socket_error(socket)?
}

/// What the machine is told about a failed attempt.
pub(crate) fn reason(errno: Errno) -> CloseReason {
    match errno {
        // The second is that of a local server whose socket file is gone with it.
        Errno::CONNREFUSED | Errno::NOENT => CloseReason::Refused,
        _ => CloseReason::Unreachable,
    }
}
