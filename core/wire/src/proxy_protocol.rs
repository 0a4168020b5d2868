//! The PROXY protocol, versions 1 and 2: who is behind the address that a connection comes from.
//!
//! No handshake response begins like a header, so whether there is one is never in doubt. Whom to
//! believe is left to the caller. Source: "The PROXY protocol, versions 1 & 2" (`HAProxy`).

#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const SIGNATURE_1: &[u8] = b"PROXY ";
const SIGNATURE_2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Of version 2: signature, version and command, family, length.
const FIXED_LEN: usize = 16;
/// The longest header of version 1, with its line end.
const LINE_MAX: usize = 107;

/// A header that is none. The connection must be closed: what follows cannot be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a broken header of the PROXY protocol: {0}")]
pub struct BadHeader(&'static str);

/// What the first bytes of a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Perhaps a header: more bytes are needed to tell.
    Incomplete,
    /// No header.
    Absent,
    /// A header of `len` bytes, of which some may still be to come: what they hold is not needed.
    Header {
        /// Its whole length.
        len: usize,
        /// The client; none where the sender speaks for itself or does not know.
        source: Option<SocketAddr>,
    },
}

/// Looks at the first bytes of a connection.
pub fn parse(bytes: &[u8]) -> Result<Start, BadHeader> {
    let begins = |signature: &[u8]| bytes.iter().zip(signature).all(|(a, b)| a == b);
    if begins(SIGNATURE_1) {
        return version_1(bytes);
    }
    if begins(SIGNATURE_2) {
        return version_2(bytes);
    }
    Ok(Start::Absent)
}

fn version_1(bytes: &[u8]) -> Result<Start, BadHeader> {
    let window = &bytes[..bytes.len().min(LINE_MAX)];
    let Some(end) = window.windows(2).position(|pair| pair == b"\r\n") else {
        return if bytes.len() < LINE_MAX {
            Ok(Start::Incomplete)
        } else {
            Err(BadHeader("its line has no end"))
        };
    };
    let len = end + 2;
    let line = std::str::from_utf8(&bytes[..end]).map_err(|_| BadHeader("it is no text"))?;
    let mut words = line.split(' ').skip(1);
    let family = words.next();
    if family == Some("UNKNOWN") {
        return Ok(Start::Header { len, source: None });
    }
    let wrong = BadHeader("its line is not `PROXY TCP4|TCP6 from to port port`");
    let (from, to) = (words.next().ok_or(wrong)?, words.next().ok_or(wrong)?);
    let (port, to_port) = (words.next().ok_or(wrong)?, words.next().ok_or(wrong)?);
    let ip = |text: &str| match family {
        Some("TCP4") => text.parse::<Ipv4Addr>().map(IpAddr::V4).map_err(|_| wrong),
        Some("TCP6") => text.parse::<Ipv6Addr>().map(IpAddr::V6).map_err(|_| wrong),
        _ => Err(wrong),
    };
    let (ip, _) = (ip(from)?, ip(to)?);
    let port: u16 = port.parse().map_err(|_| wrong)?;
    if to_port.parse::<u16>().is_err() || words.next().is_some() {
        return Err(wrong);
    }
    let source = Some(SocketAddr::new(ip, port));
    Ok(Start::Header { len, source })
}

fn version_2(bytes: &[u8]) -> Result<Start, BadHeader> {
    let Some(fixed) = bytes.first_chunk::<FIXED_LEN>() else {
        return Ok(Start::Incomplete);
    };
    let (version_command, family) = (fixed[12], fixed[13]);
    let rest = usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    let len = FIXED_LEN + rest;
    if version_command >> 4 != 2 {
        return Err(BadHeader("its version is neither 1 nor 2"));
    }
    let address_len = match (version_command & 0xf, family >> 4) {
        // LOCAL, a health check of the sender's own; or an address that is none of the internet.
        (0, _) | (1, 0 | 3) => return Ok(Start::Header { len, source: None }),
        (1, 1) => 12,
        (1, 2) => 36,
        (1, _) => return Err(BadHeader("its address is of no known family")),
        (_, _) => return Err(BadHeader("its command is neither LOCAL nor PROXY")),
    };
    if rest < address_len {
        return Err(BadHeader("it is too short for its addresses"));
    }
    let Some(addresses) = bytes.get(FIXED_LEN..FIXED_LEN + address_len) else {
        return Ok(Start::Incomplete);
    };
    let source = if address_len == 12 {
        let ip: [u8; 4] = addresses[..4].try_into().expect("four bytes");
        let port = u16::from_be_bytes([addresses[8], addresses[9]]);
        SocketAddr::new(IpAddr::from(ip), port)
    } else {
        let ip: [u8; 16] = addresses[..16].try_into().expect("sixteen bytes");
        let port = u16::from_be_bytes([addresses[32], addresses[33]]);
        SocketAddr::new(IpAddr::from(ip), port)
    };
    Ok(Start::Header {
        len,
        source: Some(source),
    })
}

/// A header of version 2 for a connection made on behalf of `source`. Its port and the address it
/// connected to are not known here; receivers use neither.
pub fn encode(source: IpAddr) -> Vec<u8> {
    let mut out = SIGNATURE_2.to_vec();
    out.push(0x21);
    match source {
        IpAddr::V4(ip) => {
            out.extend_from_slice(&[0x11, 0, 12]);
            out.extend_from_slice(&ip.octets());
            out.extend_from_slice(&[0; 4 + 4]);
        }
        IpAddr::V6(ip) => {
            out.extend_from_slice(&[0x21, 0, 36]);
            out.extend_from_slice(&ip.octets());
            out.extend_from_slice(&[0; 16 + 4]);
        }
    }
    out
}
