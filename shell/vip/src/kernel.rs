//! Requests to the kernel about links and addresses (rtnetlink(7)), and its word that some have
//! changed.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use libc::{NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REPLACE};
use mainstay_vrrp::Prefixed;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::net::{bind, recv, send, socket_with};

use crate::links::Links;
use crate::netlink::{Request, attributes, four, messages, nested};

/// Larger than any datagram of a dump (netlink(7)).
const DATAGRAM: usize = 64 * 1024;

/// The length of `struct ifaddrmsg` and of `struct ifinfomsg` (rtnetlink(7)).
const IFADDRMSG: usize = 8;
const IFINFOMSG: usize = 16;

/// No duplicate address detection by the kernel, which takes a second: the router asks itself.
const IFA_F_NODAD: u8 = 2;

/// `IFLA_MACVLAN_MODE`, and the mode in which siblings do not see each other (`linux/if_link.h`).
const MACVLAN_MODE: u16 = 1;
const MACVLAN_PRIVATE: u32 = 1;

/// A socket for requests, each answered before the next.
#[derive(Debug)]
pub(crate) struct Kernel {
    socket: OwnedFd,
    number: u32,
    buffer: Vec<u8>,
}

impl Kernel {
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self {
            socket: open(0)?,
            number: 0,
            buffer: vec![0; DATAGRAM],
        })
    }

    /// All links with their addresses.
    pub(crate) fn links(&mut self) -> io::Result<Links> {
        let mut links = Links::default();
        let fixed = [0; IFINFOMSG];
        let request = Request::new(libc::RTM_GETLINK, NLM_F_DUMP, &fixed);
        self.ask(request, |kind, body| {
            if kind == libc::RTM_NEWLINK {
                links.add_link(body, attributes(body, IFINFOMSG));
            }
        })?;
        let request = Request::new(libc::RTM_GETADDR, NLM_F_DUMP, &[0; IFADDRMSG]);
        self.ask(request, |kind, body| {
            if kind == libc::RTM_NEWADDR {
                links.add_address(body, attributes(body, IFADDRMSG));
            }
        })?;
        Ok(links)
    }

    /// Puts an address on a link for so long, or renews it.
    pub(crate) fn add_address(
        &mut self,
        link: u32,
        held: Prefixed,
        lifetime: Duration,
    ) -> io::Result<()> {
        let seconds = u32::try_from(lifetime.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX);
        // Over IPv6 it is not what connections from here are made with.
        let preferred = if held.address.is_ipv6() { 0 } else { seconds };
        let mut lifetimes = Vec::new();
        for value in [preferred, seconds, 0, 0] {
            lifetimes.extend(value.to_ne_bytes());
        }
        let flags = NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
        let request =
            about(libc::RTM_NEWADDR, flags, link, held).with(libc::IFA_CACHEINFO, &lifetimes);
        self.ask(request, |_, _| {})
    }

    /// Takes an address off a link. One that is not there is no error.
    pub(crate) fn remove_address(&mut self, link: u32, held: Prefixed) -> io::Result<()> {
        let request = about(libc::RTM_DELADDR, NLM_F_ACK, link, held);
        match self.ask(request, |_, _| {}) {
            Err(error) if gone(&error) => Ok(()),
            result => result,
        }
    }

    /// Makes a link with a hardware address of its own on top of another, and starts it.
    pub(crate) fn add_macvlan(
        &mut self,
        parent: u32,
        name: &str,
        hardware: [u8; 6],
    ) -> io::Result<()> {
        let mut fixed = [0; IFINFOMSG];
        let up = libc::IFF_UP.to_ne_bytes();
        fixed[8..12].copy_from_slice(&up);
        fixed[12..16].copy_from_slice(&up);
        let mode = nested(MACVLAN_MODE, &MACVLAN_PRIVATE.to_ne_bytes());
        let mut info = nested(libc::IFLA_INFO_KIND, b"macvlan\0");
        info.extend(nested(libc::IFLA_INFO_DATA, &mode));
        let flags = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
        let request = Request::new(libc::RTM_NEWLINK, flags, &fixed)
            .with(libc::IFLA_LINK, &parent.to_ne_bytes())
            .with(libc::IFLA_IFNAME, &[name.as_bytes(), b"\0"].concat())
            .with(libc::IFLA_ADDRESS, &hardware)
            .with(libc::IFLA_LINKINFO, &info);
        self.ask(request, |_, _| {})
    }

    /// Removes a link. One that is not there is no error.
    pub(crate) fn remove_link(&mut self, name: &str) -> io::Result<()> {
        let request = Request::new(libc::RTM_DELLINK, NLM_F_ACK, &[0; IFINFOMSG])
            .with(libc::IFLA_IFNAME, &[name.as_bytes(), b"\0"].concat());
        match self.ask(request, |_, _| {}) {
            Err(error) if gone(&error) => Ok(()),
            result => result,
        }
    }

    /// Sends a request and reads what answers it, to its end.
    fn ask(&mut self, request: Request, mut each: impl FnMut(u16, &[u8])) -> io::Result<()> {
        self.number = self.number.wrapping_add(1);
        send(
            &self.socket,
            &request.finish(self.number),
            SendFlags::empty(),
        )?;
        loop {
            let (length, _) = recv(&self.socket, &mut self.buffer[..], RecvFlags::empty())?;
            for message in messages(&self.buffer[..length]) {
                if message.number != self.number {
                    continue;
                }
                match i32::from(message.kind) {
                    libc::NLMSG_DONE => return Ok(()),
                    libc::NLMSG_ERROR => {
                        let code = four(message.body, 0).unwrap_or_default().cast_signed();
                        return match code {
                            0 => Ok(()),
                            code => Err(io::Error::from_raw_os_error(-code)),
                        };
                    }
                    _ => each(message.kind, message.body),
                }
            }
        }
    }
}

/// Becomes readable when links or addresses change.
#[derive(Debug)]
pub(crate) struct Changes(OwnedFd);

impl Changes {
    pub(crate) fn open() -> io::Result<Self> {
        let groups = libc::RTMGRP_LINK | libc::RTMGRP_IPV4_IFADDR | libc::RTMGRP_IPV6_IFADDR;
        open(groups.cast_unsigned()).map(Self)
    }

    /// Forgets what has come; true when anything has. What has changed is looked up as a whole, so
    /// that nothing is missed when too much came at once.
    pub(crate) fn drain(&self) -> bool {
        let mut buffer = [0; 8192];
        let mut any = false;
        loop {
            match recv(&self.0, &mut buffer[..], RecvFlags::DONTWAIT) {
                Ok(_) | Err(rustix::io::Errno::NOBUFS) => any = true,
                Err(_) => return any,
            }
        }
    }
}

impl AsFd for Changes {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn open(groups: u32) -> io::Result<OwnedFd> {
    let (family, kind) = (AddressFamily::NETLINK, SocketType::RAW);
    // NETLINK_ROUTE is 0, which is no protocol's number for `rustix`.
    let socket = socket_with(family, kind, SocketFlags::CLOEXEC, None)?;
    bind(&socket, &SocketAddrNetlink::new(0, groups))?;
    Ok(socket)
}

fn about(kind: u16, flags: i32, link: u32, held: Prefixed) -> Request {
    let (family, octets) = match held.address {
        IpAddr::V4(address) => (libc::AF_INET as u8, address.octets().to_vec()),
        IpAddr::V6(address) => (libc::AF_INET6 as u8, address.octets().to_vec()),
    };
    let flag = if held.address.is_ipv6() {
        IFA_F_NODAD
    } else {
        0
    };
    // struct ifaddrmsg: family, prefix, flags, scope, index.
    let mut fixed = vec![family, held.prefix, flag, 0];
    fixed.extend(link.to_ne_bytes());
    Request::new(kind, flags, &fixed)
        .with(libc::IFA_LOCAL, &octets)
        .with(libc::IFA_ADDRESS, &octets)
}

fn gone(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EADDRNOTAVAIL | libc::ENODEV)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_link_is_found_with_its_address() {
        let links = Kernel::open()
            .and_then(|mut kernel| kernel.links())
            .expect("netlink");
        let link = links.named("lo").expect("it is always there");
        assert!(link.index > 0);
    }

    #[test]
    fn a_link_that_does_not_exist_cannot_be_changed_and_need_not_be_removed() {
        let mut kernel = Kernel::open().expect("netlink");
        let held = "192.0.2.1/32".parse().expect("an address");
        let lifetime = Duration::from_secs(2);
        assert!(kernel.add_address(999_999, held, lifetime).is_err());
    }
}
