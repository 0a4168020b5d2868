//! What `rustix` has no safe call for: options of raw sockets, the address of a packet socket, hop
//! limits of received packets, a real-time priority, signals that are ignored.
#![allow(unsafe_code)]

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv6Addr};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

/// A value that the kernel takes as its bytes.
pub(crate) trait Plain: Copy {}
impl Plain for libc::c_int {}
impl Plain for [u32; 8] {}

/// Which messages of neighbours a raw socket gets (`linux/icmpv6.h`); `libc` has no name for it.
pub(crate) const ICMP6_FILTER: libc::c_int = 1;

/// Sets an option of a socket.
pub(crate) fn set_option<T: Plain>(
    socket: BorrowedFd<'_>,
    level: libc::c_int,
    name: libc::c_int,
    value: T,
) -> io::Result<()> {
    let size = libc::socklen_t::try_from(size_of::<T>()).expect("a few bytes");
    let value = (&raw const value).cast();
    // SAFETY: `value` points to `size` bytes that live for the whole call, which only reads them.
    check(unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, value, size) })
}

/// Binds a socket to an interface by its name (socket(7), `SO_BINDTODEVICE`).
pub(crate) fn bind_to_device(socket: BorrowedFd<'_>, name: &str) -> io::Result<()> {
    let size = libc::socklen_t::try_from(name.len()).expect("the name of an interface");
    let (fd, level, option) = (socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_BINDTODEVICE);
    // SAFETY: the pointer and the length are those of `name`, which lives for the whole call.
    check(unsafe { libc::setsockopt(fd, level, option, name.as_ptr().cast(), size) })
}

/// Binds a packet socket to one protocol on one interface (packet(7)).
pub(crate) fn bind_packet(socket: BorrowedFd<'_>, protocol: u16, interface: u32) -> io::Result<()> {
    // SAFETY: `sockaddr_ll` holds integers only, for which all zeroes is a valid value.
    let mut address: libc::sockaddr_ll = unsafe { zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = protocol.to_be();
    address.sll_ifindex = i32::try_from(interface).map_err(io::Error::other)?;
    let size = libc::socklen_t::try_from(size_of::<libc::sockaddr_ll>()).expect("a few bytes");
    let address = (&raw const address).cast();
    // SAFETY: `address` points to a whole `sockaddr_ll` that lives for the call.
    check(unsafe { libc::bind(socket.as_raw_fd(), address, size) })
}

/// A packet over IPv6, without its header.
pub(crate) struct Six {
    pub(crate) length: usize,
    pub(crate) source: Ipv6Addr,
    pub(crate) destination: IpAddr,
    pub(crate) hop_limit: u8,
}

/// Receives a packet from a raw socket over IPv6 that was told `IPV6_RECVPKTINFO` and
/// `IPV6_RECVHOPLIMIT` (ipv6(7)).
pub(crate) fn receive_six(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Six> {
    // SAFETY: `sockaddr_in6` and `msghdr` hold integers and pointers, for which zero is valid.
    let (mut from, mut message): (libc::sockaddr_in6, libc::msghdr) =
        unsafe { (zeroed(), zeroed()) };
    let mut part = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    // Of u64, so that the headers in it are aligned.
    let mut control = [0_u64; 32];
    message.msg_name = (&raw mut from).cast();
    message.msg_namelen =
        libc::socklen_t::try_from(size_of::<libc::sockaddr_in6>()).expect("a few bytes");
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control);
    // SAFETY: every pointer in `message` leads to memory of the given length that outlives the
    // call, and nothing else uses that memory meanwhile.
    let got = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_DONTWAIT) };
    let length = usize::try_from(got).map_err(|_| io::Error::last_os_error())?;
    let mut six = Six {
        length,
        source: Ipv6Addr::from(from.sin6_addr.s6_addr),
        destination: IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        hop_limit: 0,
    };
    // SAFETY: the kernel has filled `control` and its length; the macro looks no further.
    let mut header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    while !header.is_null() {
        // SAFETY: the macros gave a header inside `control`, aligned as such.
        let (level, kind, data) = unsafe {
            (
                (*header).cmsg_level,
                (*header).cmsg_type,
                libc::CMSG_DATA(header),
            )
        };
        if level == libc::IPPROTO_IPV6 && kind == libc::IPV6_HOPLIMIT {
            // SAFETY: the data of this kind is one int; it may be unaligned.
            let limit: libc::c_int = unsafe { ptr::read_unaligned(data.cast()) };
            six.hop_limit = u8::try_from(limit).unwrap_or_default();
        } else if level == libc::IPPROTO_IPV6 && kind == libc::IPV6_PKTINFO {
            // SAFETY: the data of this kind is one `in6_pktinfo`; it may be unaligned.
            let info: libc::in6_pktinfo = unsafe { ptr::read_unaligned(data.cast()) };
            six.destination = IpAddr::V6(Ipv6Addr::from(info.ipi6_addr.s6_addr));
        }
        // SAFETY: `header` is a header of `message`, whose control is unchanged.
        header = unsafe { libc::CMSG_NXTHDR(&raw const message, header) };
    }
    Ok(six)
}

/// Gives the calling thread a real-time priority (sched(7), `SCHED_RR`); its children do not
/// inherit it.
pub(crate) fn realtime(priority: u8) -> io::Result<()> {
    let param = libc::sched_param {
        sched_priority: libc::c_int::from(priority),
    };
    let policy = libc::SCHED_RR | libc::SCHED_RESET_ON_FORK;
    // SAFETY: thread 0 is the caller, and `param` lives for the call, which only reads it.
    check(unsafe { libc::sched_setscheduler(0, policy, &raw const param) })
}

/// From now on the requests to end that a terminal or a service manager sends to all of a group do
/// not end this process.
pub(crate) fn ignore_requests_to_end() {
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT] {
        // SAFETY: SIG_IGN is a valid disposition, and no handler of ours is replaced by it.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
