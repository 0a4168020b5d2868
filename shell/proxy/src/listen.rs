//! Listening sockets: one per worker on the same port, shared out by the kernel.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, sockopt};

use crate::crew::Start;
use crate::error::Error;
use crate::machine::Machine;

/// Connections that wait to be accepted; the kernel lowers it to `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// A client whose host has vanished is noticed after this much silence, plus a minute of probes.
const KEEPALIVE_IDLE: Duration = Duration::from_mins(1);

/// The listening sockets of the workers and their address: those of the process before this one
/// where they are on the wanted address, else new ones.
pub(crate) fn open_or_inherit<M: Machine>(
    start: &Start<M>,
) -> Result<(SocketAddr, Vec<OwnedFd>), Error> {
    if let Some(first) = start.inherited.first() {
        let address = rustix::net::getsockname(first).and_then(SocketAddr::try_from);
        let sockets = start.inherited.iter().map(OwnedFd::try_clone).collect();
        if let (Ok(address), Ok(sockets)) = (address, sockets)
            && address == start.listen
            && start.inherited.iter().all(|socket| again(socket).is_ok())
        {
            return Ok((address, sockets));
        }
        tracing::warn!(listen = %start.listen, "the port of the process before is another");
    }
    open(start.listen, start.workers.max(1))
}

/// Opens `count` sockets on one port; port 0 is any free one. Returns the address they share.
pub(crate) fn open(address: SocketAddr, count: usize) -> Result<(SocketAddr, Vec<OwnedFd>), Error> {
    if address.port() != 0 {
        // SO_REUSEPORT also shares the port with an unrelated process of the same user, which
        // would take half of the clients without a word. A socket without it is refused instead.
        probe(address).map_err(|errno| explain(address, errno))?;
    }
    let first = listener(address).map_err(|errno| explain(address, errno))?;
    let shared = rustix::net::getsockname(&first)
        .and_then(SocketAddr::try_from)
        .map_err(|errno| explain(address, errno))?;
    let mut listeners = Vec::new();
    if address.port() != 0 {
        listeners.push(first);
    }
    // A socket whose port the system chose loses it when it stops listening: it only finds one.
    while listeners.len() < count {
        listeners.push(listener(shared).map_err(|errno| explain(shared, errno))?);
    }
    Ok((shared, listeners))
}

fn probe(address: SocketAddr) -> Result<(), Errno> {
    let probe = stream_socket(address.ip())?;
    // Without it the connections of a proxy that has just ended would count as a user of the port.
    sockopt::set_socket_reuseaddr(&probe, true)?;
    rustix::net::bind(&probe, &address)
}

fn listener(address: SocketAddr) -> Result<OwnedFd, Errno> {
    let socket = stream_socket(address.ip())?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    sockopt::set_socket_reuseport(&socket, true)?;
    // Accepted sockets inherit these, which saves the calls for each client.
    sockopt::set_tcp_nodelay(&socket, true)?;
    sockopt::set_socket_keepalive(&socket, true)?;
    sockopt::set_tcp_keepidle(&socket, KEEPALIVE_IDLE)?;
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(socket)
}

/// Listens again on a socket that was shut down.
pub(crate) fn again(listener: &OwnedFd) -> Result<(), Errno> {
    rustix::net::listen(listener, BACKLOG)
}

/// A TCP socket that does not block and is not inherited by child processes.
pub(crate) fn stream_socket(ip: IpAddr) -> Result<OwnedFd, Errno> {
    let family = if ip.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    rustix::net::socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))
}

fn explain(address: SocketAddr, errno: Errno) -> Error {
    match errno {
        Errno::ADDRINUSE => Error::PortInUse(address),
        Errno::ACCESS | Errno::PERM => Error::PortForbidden(address),
        Errno::ADDRNOTAVAIL => Error::NoSuchAddress(address),
        other => Error::Listen {
            address,
            source: other.into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

    #[test]
    fn a_port_in_use_is_refused_with_the_remedy() {
        let other = TcpListener::bind(ANY_PORT).expect("a free port");
        let address = other.local_addr().expect("bound");
        let error = open(address, 1).expect_err("in use");
        assert_eq!(
            error.to_string(),
            format!(
                "port {} on 127.0.0.1 is already in use; \
                 stop the other program or choose another with --proxy-port",
                address.port()
            )
        );
    }

    #[test]
    fn a_port_shared_by_another_proxy_is_in_use_too() {
        let (address, _first) = open(ANY_PORT, 2).expect("a free port");
        assert!(matches!(open(address, 2), Err(Error::PortInUse(_))));
    }

    #[test]
    fn an_address_of_another_machine_is_named() {
        let elsewhere = "192.0.2.1:0".parse().expect("an address");
        assert!(matches!(open(elsewhere, 1), Err(Error::NoSuchAddress(_))));
    }

    #[test]
    fn an_accepted_socket_does_not_delay_small_packets() {
        let (address, listeners) = open(ANY_PORT, 1).expect("a free port");
        let _client = TcpStream::connect(address).expect("listening");
        let listener = TcpListener::from(listeners.into_iter().next().expect("one"));
        listener.set_nonblocking(false).expect("an open socket");
        let (accepted, _) = listener.accept().expect("connected");
        assert!(accepted.nodelay().expect("an open socket"));
        assert!(sockopt::socket_keepalive(&accepted).expect("an open socket"));
    }
}
