//! Links and their addresses, as the kernel last told them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mainstay_vrrp::Prefixed;

use crate::netlink::four;

/// One link.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) index: u32,
    pub(crate) name: String,
    /// It is meant to be up, and there is a carrier.
    pub(crate) up: bool,
    pub(crate) hardware: [u8; 6],
    pub(crate) addresses: Vec<Prefixed>,
}

/// All of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Links(Vec<Link>);

impl Links {
    pub(crate) fn named(&self, name: &str) -> Option<&Link> {
        self.0.iter().find(|link| link.name == name)
    }

    /// Reads `struct ifinfomsg` and its attributes (rtnetlink(7)).
    pub(crate) fn add_link<'a>(
        &mut self,
        body: &[u8],
        attributes: impl Iterator<Item = (u16, &'a [u8])>,
    ) {
        let (Some(index), Some(flags)) = (four(body, 4), four(body, 8)) else {
            return;
        };
        let wanted = (libc::IFF_UP | libc::IFF_RUNNING) as u32;
        let mut link = Link {
            index,
            up: flags & wanted == wanted,
            ..Link::default()
        };
        for (kind, value) in attributes {
            match kind {
                libc::IFLA_IFNAME => {
                    let name = value.split(|byte| *byte == 0).next().unwrap_or_default();
                    link.name = String::from_utf8_lossy(name).into_owned();
                }
                libc::IFLA_ADDRESS => {
                    link.hardware = value.try_into().unwrap_or_default();
                }
                _ => {}
            }
        }
        self.0.push(link);
    }

    /// Reads `struct ifaddrmsg` and its attributes.
    pub(crate) fn add_address<'a>(
        &mut self,
        body: &[u8],
        attributes: impl Iterator<Item = (u16, &'a [u8])>,
    ) {
        let (Some(prefix), Some(index)) = (body.get(1), four(body, 4)) else {
            return;
        };
        // Of a link to one peer, IFA_ADDRESS is the peer's.
        let (mut local, mut other) = (None, None);
        for (kind, value) in attributes {
            match kind {
                libc::IFA_LOCAL => local = address(value),
                libc::IFA_ADDRESS => other = address(value),
                _ => {}
            }
        }
        let link = self.0.iter_mut().find(|link| link.index == index);
        if let (Some(link), Some(address)) = (link, local.or(other)) {
            let prefix = *prefix;
            link.addresses.push(Prefixed { address, prefix });
        }
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = || {
        <[u8; 4]>::try_from(bytes)
            .ok()
            .map(|b| IpAddr::V4(Ipv4Addr::from(b)))
    };
    let six = || {
        <[u8; 16]>::try_from(bytes)
            .ok()
            .map(|b| IpAddr::V6(Ipv6Addr::from(b)))
    };
    four().or_else(six)
}
