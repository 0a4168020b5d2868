//! Advertisements as bytes: version 2 (RFC 3768 §5.1), version 3 (RFC 9568 §5.1), for IPv4 and
//! IPv6. Whether an advertisement is believed is left to the router.

mod checksum;
mod decode;
mod encode;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// The number of the protocol in the IP header (RFC 9568 §5.1.1.4).
pub const PROTOCOL: u8 = 112;

/// The time to live, or hop limit, of every advertisement (RFC 9568 §5.1.1.3).
pub const TTL: u8 = 255;

/// Where advertisements go over IPv4 (RFC 9568 §5.1.1.2).
pub const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);

/// Where advertisements go over IPv6 (RFC 9568 §5.1.2.2).
pub const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12);

/// The priority of a router that stops (RFC 9568 §5.2.4).
pub const STOPPING: u8 = 0;

/// The priority of the router that owns the addresses (RFC 9568 §5.2.4).
pub const OWNER: u8 = 255;

/// The number of a virtual router on its network, 1 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouterId(u8);

impl RouterId {
    /// `None` for 0, which no virtual router has.
    pub const fn new(id: u8) -> Option<Self> {
        if id == 0 { None } else { Some(Self(id)) }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for RouterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The version of the protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// RFC 3768: whole seconds, IPv4 only, a password in clear.
    #[default]
    V2,
    /// RFC 9568: centiseconds, IPv4 and IPv6, no password.
    V3,
}

impl Version {
    /// Its number.
    pub const fn number(self) -> u8 {
        match self {
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }

    /// The unit in which this version says its interval.
    pub const fn unit(self) -> Duration {
        match self {
            Self::V2 => Duration::from_secs(1),
            Self::V3 => Duration::from_millis(10),
        }
    }

    /// The longest interval that it can say: 255 s, or 40.95 s.
    pub const fn interval_max(self) -> Duration {
        match self {
            Self::V2 => Duration::from_secs(255),
            Self::V3 => Duration::from_millis(40_950),
        }
    }
}

/// How the checksum of version 3 over IPv4 is made. Over IPv6 there is one way, and version 2 has
/// one too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Checksum {
    /// Over source, destination, protocol and length too, as keepalived 2.2.7 makes it.
    #[default]
    Pseudo,
    /// Over the message alone (RFC 9568 §5.2.8).
    Plain,
}

/// The password of version 2, in clear on the wire (RFC 2338 §5.3.6). Its bytes are not printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Password([u8; 8]);

impl Password {
    /// The first eight bytes count, as everywhere.
    pub fn new(text: &str) -> Self {
        let mut bytes = [0; 8];
        for (byte, from) in bytes.iter_mut().zip(text.bytes()) {
            *byte = from;
        }
        Self(bytes)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// What version 2 says of who sent it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Authentication {
    /// Nothing.
    #[default]
    None,
    /// A password.
    Password(Password),
    /// Something else, such as 2, the authentication header that RFC 3768 took out.
    Other(u8),
}

/// One advertisement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advert {
    /// Its version.
    pub version: Version,
    /// The virtual router that it is about.
    pub id: RouterId,
    /// 0 when its sender stops, 255 when it owns the addresses.
    pub priority: u8,
    /// The interval between two of them.
    pub interval: Duration,
    /// The addresses, of one family.
    pub addresses: Vec<IpAddr>,
    /// Version 2 only.
    pub authentication: Authentication,
}

/// Between which addresses an advertisement travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope {
    /// Who sent it.
    pub source: IpAddr,
    /// Where to: the group, or one peer.
    pub destination: IpAddr,
}

/// Why bytes are no advertisement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// Shorter than any.
    #[error("it has {0} bytes, fewer than any advertisement")]
    Short(usize),
    /// Neither version 2 nor 3.
    #[error("its version is {0}")]
    Version(u8),
    /// No advertisement.
    #[error("its type is {0}, and 1 is the only one")]
    Type(u8),
    /// Its length does not fit its number of addresses.
    #[error("it has {found} bytes, {expected} expected of its number of addresses")]
    Length {
        /// What its header promises.
        expected: usize,
        /// What came.
        found: usize,
    },
    /// Broken on the way.
    #[error("its checksum is wrong")]
    Checksum,
    /// No virtual router has this number.
    #[error("it is about virtual router 0")]
    Id,
    /// No address.
    #[error("it names no address")]
    NoAddress,
    /// An interval of zero.
    #[error("its interval is zero")]
    Interval,
    /// Version 2 over IPv6, or an envelope of two families.
    #[error("its version and its addresses do not go together")]
    Family,
}
