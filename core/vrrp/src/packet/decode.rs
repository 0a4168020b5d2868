//! Reading an advertisement that came from anybody.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Advert, Authentication, Envelope, PacketError, Password, RouterId, Version, checksum};

const HEADER: usize = 8;
const AUTHENTICATION: usize = 8;

impl Advert {
    /// Reads the bytes after the IP header. Of version 3 over IPv4 both checksums are right.
    pub fn decode(bytes: &[u8], envelope: &Envelope) -> Result<Self, PacketError> {
        let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else {
            return Err(PacketError::Short(bytes.len()));
        };
        let version = match header[0] >> 4 {
            2 => Version::V2,
            3 => Version::V3,
            other => return Err(PacketError::Version(other)),
        };
        if header[0] & 0xf != 1 {
            return Err(PacketError::Type(header[0] & 0xf));
        }
        let v6 = envelope.source.is_ipv6();
        if v6 != envelope.destination.is_ipv6() || (v6 && version == Version::V2) {
            return Err(PacketError::Family);
        }
        let count = usize::from(header[3]);
        let tail = if version == Version::V2 {
            AUTHENTICATION
        } else {
            0
        };
        let expected = HEADER + count * if v6 { 16 } else { 4 } + tail;
        if bytes.len() != expected {
            let found = bytes.len();
            return Err(PacketError::Length { expected, found });
        }
        let right = match (version, v6) {
            (Version::V2, _) => checksum::plain(bytes) == 0,
            (Version::V3, true) => checksum::pseudo(bytes, envelope) == 0,
            (Version::V3, false) => {
                checksum::pseudo(bytes, envelope) == 0 || checksum::plain(bytes) == 0
            }
        };
        if !right {
            return Err(PacketError::Checksum);
        }
        let id = RouterId::new(header[1]).ok_or(PacketError::Id)?;
        if count == 0 {
            return Err(PacketError::NoAddress);
        }
        let units = match version {
            Version::V2 => u32::from(header[5]),
            // The upper four bits are reserved (RFC 9568 §5.2.6).
            Version::V3 => u32::from(u16::from_be_bytes([header[4] & 0xf, header[5]])),
        };
        if units == 0 {
            return Err(PacketError::Interval);
        }
        let (listed, tail) = rest.split_at(rest.len() - tail);
        Ok(Self {
            version,
            id,
            priority: header[2],
            interval: version.unit() * units,
            addresses: if v6 { six(listed) } else { four(listed) },
            authentication: authentication(header[4], tail),
        })
    }
}

fn four(bytes: &[u8]) -> Vec<IpAddr> {
    let (addresses, _) = bytes.as_chunks::<4>();
    let addresses = addresses.iter();
    addresses
        .map(|bytes| IpAddr::V4(Ipv4Addr::from(*bytes)))
        .collect()
}

fn six(bytes: &[u8]) -> Vec<IpAddr> {
    let (addresses, _) = bytes.as_chunks::<16>();
    let addresses = addresses.iter();
    addresses
        .map(|bytes| IpAddr::V6(Ipv6Addr::from(*bytes)))
        .collect()
}

fn authentication(kind: u8, tail: &[u8]) -> Authentication {
    // Version 3 has no such bytes.
    let Ok(bytes) = <[u8; AUTHENTICATION]>::try_from(tail) else {
        return Authentication::None;
    };
    match kind {
        0 => Authentication::None,
        1 => Authentication::Password(Password(bytes)),
        other => Authentication::Other(other),
    }
}
