//! Whole messages: header of netlink, header of generic netlink, attributes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::attributes::{Writer, find, read, u16_at, u32_at};
use super::{Method, Operation, Real, Service};
use crate::Protocol;

// netlink.h
const HEADER: usize = 16;
const REQUEST: u16 = 0x001;
const ACK: u16 = 0x004;
const DUMP: u16 = 0x300;
const TYPE_ERROR: u16 = 2;
const TYPE_DONE: u16 = 3;

// genetlink.h
const GENERIC_HEADER: usize = 4;
const CONTROL: Family = Family(0x10);
const GET_FAMILY: u8 = 3;
const FAMILY_ID: u16 = 1;
const FAMILY_NAME: u16 = 2;

// ip_vs.h
const NEW_SERVICE: u8 = 1;
const SET_SERVICE: u8 = 2;
const DEL_SERVICE: u8 = 3;
const GET_SERVICE: u8 = 4;
const NEW_DEST: u8 = 5;
const SET_DEST: u8 = 6;
const DEL_DEST: u8 = 7;
const GET_DEST: u8 = 8;
const SERVICE: u16 = 1;
const DEST: u16 = 2;
const SVC_AF: u16 = 1;
const SVC_PROTOCOL: u16 = 2;
const SVC_ADDR: u16 = 3;
const SVC_PORT: u16 = 4;
const SVC_SCHED_NAME: u16 = 6;
const SVC_FLAGS: u16 = 7;
const SVC_TIMEOUT: u16 = 8;
const SVC_NETMASK: u16 = 9;
const DEST_ADDR: u16 = 1;
const DEST_PORT: u16 = 2;
const DEST_FWD_METHOD: u16 = 3;
const DEST_WEIGHT: u16 = 4;
const DEST_U_THRESH: u16 = 5;
const DEST_L_THRESH: u16 = 6;
const DEST_ADDR_FAMILY: u16 = 11;
const PERSISTENT: u32 = 1;

const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

/// The number under which the kernel has registered IPVS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family(pub u16);

/// Bytes that are no answer of netlink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadMessage;

impl std::fmt::Display for BadMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the kernel's answer is no message of netlink")
    }
}

impl std::error::Error for BadMessage {}

/// One message of the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A request is done (0) or refused, with the number of the error.
    Result(i32),
    /// A listing has ended.
    End,
    /// Attributes.
    Attributes(Vec<u8>),
}

/// Asks under which number IPVS is registered. The kernel loads its module at this.
pub fn family_request(sequence: u32) -> Vec<u8> {
    let name = Writer::default().text(FAMILY_NAME, "IPVS");
    message(CONTROL, REQUEST | ACK, GET_FAMILY, (name, sequence))
}

/// The answer.
pub fn family_of(attributes: &[u8]) -> Option<Family> {
    u16_at(find(&read(attributes), FAMILY_ID)?, 0).map(Family)
}

/// Asks for all services.
pub fn list_services(family: Family, sequence: u32) -> Vec<u8> {
    let none = Writer::default();
    message(family, REQUEST | DUMP, GET_SERVICE, (none, sequence))
}

/// Asks for the destinations of a service.
pub fn list_destinations(family: Family, service: &Service, sequence: u32) -> Vec<u8> {
    let which = Writer::default().nested(SERVICE, &identity(service));
    message(family, REQUEST | DUMP, GET_DEST, (which, sequence))
}

impl Operation {
    /// The message that says it.
    pub fn encode(&self, family: Family, sequence: u32) -> Vec<u8> {
        let (command, attributes) = match self {
            Self::NewService(service) => (NEW_SERVICE, of_service(&whole(service))),
            Self::SetService(service) => (SET_SERVICE, of_service(&whole(service))),
            Self::DelService(service) => (DEL_SERVICE, of_service(&identity(service))),
            Self::NewDestination(service, real) => (NEW_DEST, of_real(service, real)),
            Self::SetDestination(service, real) => (SET_DEST, of_real(service, real)),
            Self::DelDestination(service, real) => (DEL_DEST, of_real(service, real)),
        };
        message(family, REQUEST | ACK, command, (attributes, sequence))
    }
}

fn message(
    family: Family,
    flags: u16,
    command: u8,
    (attributes, sequence): (Writer, u32),
) -> Vec<u8> {
    const VERSION: u8 = 1;
    let attributes = attributes.finish();
    let length = HEADER + GENERIC_HEADER + attributes.len();
    let mut bytes = Vec::with_capacity(length);
    bytes.extend((length as u32).to_ne_bytes());
    bytes.extend(family.0.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend([0; 4]);
    bytes.extend([command, VERSION, 0, 0]);
    bytes.extend(attributes);
    bytes
}

fn of_service(service: &Writer) -> Writer {
    Writer::default().nested(SERVICE, service)
}

fn of_real(service: &Service, real: &Real) -> Writer {
    let destination = Writer::default()
        .bytes(DEST_ADDR, &address_bytes(real.address.ip()))
        .bytes(DEST_PORT, &real.address.port().to_be_bytes())
        .u32(DEST_FWD_METHOD, real.method.number())
        .u32(DEST_WEIGHT, real.weight)
        .u32(DEST_U_THRESH, 0)
        .u32(DEST_L_THRESH, 0)
        .u16(DEST_ADDR_FAMILY, family_number(real.address.ip()));
    of_service(&identity(service)).nested(DEST, &destination)
}

/// What tells one service from another.
fn identity(service: &Service) -> Writer {
    Writer::default()
        .u16(SVC_AF, family_number(service.address.ip()))
        .u16(SVC_PROTOCOL, service.protocol.number())
        .bytes(SVC_ADDR, &address_bytes(service.address.ip()))
        .bytes(SVC_PORT, &service.address.port().to_be_bytes())
}

fn whole(service: &Service) -> Writer {
    let flags = if service.persistence > 0 {
        PERSISTENT
    } else {
        0
    };
    // The flags, and which of them are said.
    let flags = [flags.to_ne_bytes(), u32::MAX.to_ne_bytes()].concat();
    // A client is one address: all its bits, or the length of its prefix.
    let netmask = match service.address.ip() {
        IpAddr::V4(_) => u32::MAX.to_be_bytes(),
        IpAddr::V6(_) => 128_u32.to_ne_bytes(),
    };
    identity(service)
        .text(SVC_SCHED_NAME, &service.scheduler)
        .bytes(SVC_FLAGS, &flags)
        .u32(SVC_TIMEOUT, service.persistence)
        .bytes(SVC_NETMASK, &netmask)
}

fn family_number(ip: IpAddr) -> u16 {
    match ip {
        IpAddr::V4(_) => AF_INET,
        IpAddr::V6(_) => AF_INET6,
    }
}

/// `union nf_inet_addr`: 16 bytes, whatever the family.
fn address_bytes(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&ip.octets());
            bytes
        }
        IpAddr::V6(ip) => ip.octets(),
    }
}

impl Method {
    fn number(self) -> u32 {
        match self {
            Self::Masq => 0,
            Self::Local => 1,
            Self::Tunnel => 2,
            Self::Direct => 3,
        }
    }

    fn from_number(number: u32) -> Option<Self> {
        let all = [Self::Masq, Self::Local, Self::Tunnel, Self::Direct];
        // The higher bits are flags of connections.
        all.into_iter().find(|method| method.number() == number & 7)
    }
}

/// The messages in what the kernel sent.
pub fn replies(mut bytes: &[u8]) -> Result<Vec<Reply>, BadMessage> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let length = u32_at(bytes, 0).ok_or(BadMessage)? as usize;
        let body = bytes.get(HEADER..length).ok_or(BadMessage)?;
        found.push(match u16_at(bytes, 4).ok_or(BadMessage)? {
            // Errors are negative there.
            TYPE_ERROR => Reply::Result(
                u32_at(body, 0)
                    .ok_or(BadMessage)?
                    .cast_signed()
                    .wrapping_neg(),
            ),
            TYPE_DONE => Reply::End,
            _ => Reply::Attributes(body.get(GENERIC_HEADER..).ok_or(BadMessage)?.to_vec()),
        });
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(found)
}

/// A service of a listing; `None` for one of a kind that this program makes none of, such as one
/// for marked packets.
pub fn read_service(attributes: &[u8]) -> Option<Service> {
    let attributes = read(attributes);
    let inner = read(find(&attributes, SERVICE)?);
    let family = u16_at(find(&inner, SVC_AF)?, 0)?;
    let protocol = match u16_at(find(&inner, SVC_PROTOCOL)?, 0)? {
        6 => Protocol::Tcp,
        17 => Protocol::Udp,
        _ => return None,
    };
    let flags = u32_at(find(&inner, SVC_FLAGS)?, 0)?;
    let timeout = u32_at(find(&inner, SVC_TIMEOUT)?, 0)?;
    let name = find(&inner, SVC_SCHED_NAME)?;
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    Some(Service {
        address: read_address(family, find(&inner, SVC_ADDR)?, find(&inner, SVC_PORT)?)?,
        protocol,
        scheduler: String::from_utf8_lossy(name).into_owned(),
        persistence: if flags & PERSISTENT == 0 { 0 } else { timeout },
        destinations: Vec::new(),
    })
}

/// A destination of a listing, of a service of this family.
pub fn read_destination(of: &Service, attributes: &[u8]) -> Option<Real> {
    let attributes = read(attributes);
    let inner = read(find(&attributes, DEST)?);
    let family = find(&inner, DEST_ADDR_FAMILY).and_then(|value| u16_at(value, 0));
    let family = family.unwrap_or_else(|| family_number(of.address.ip()));
    Some(Real {
        address: read_address(family, find(&inner, DEST_ADDR)?, find(&inner, DEST_PORT)?)?,
        weight: u32_at(find(&inner, DEST_WEIGHT)?, 0)?,
        method: Method::from_number(u32_at(find(&inner, DEST_FWD_METHOD)?, 0)?)?,
    })
}

fn read_address(family: u16, address: &[u8], port: &[u8]) -> Option<SocketAddr> {
    let ip: IpAddr = match family {
        AF_INET => Ipv4Addr::from(<[u8; 4]>::try_from(address.get(..4)?).ok()?).into(),
        AF_INET6 => Ipv6Addr::from(<[u8; 16]>::try_from(address.get(..16)?).ok()?).into(),
        _ => return None,
    };
    let port = u16::from_be_bytes(port.get(..2)?.try_into().ok()?);
    Some(SocketAddr::new(ip, port))
}
