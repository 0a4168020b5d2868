//! The checksum of the internet protocols (RFC 1071), with and without a pseudo header.

use std::net::IpAddr;

use super::{Envelope, PROTOCOL};

/// Over these bytes alone; zero when they hold a right checksum.
pub(super) fn plain(bytes: &[u8]) -> u16 {
    folded(sum(bytes))
}

/// Over the pseudo header too (RFC 8200 §8.1; for IPv4 RFC 9293 §3.1).
pub(super) fn pseudo(bytes: &[u8], envelope: &Envelope) -> u16 {
    // No advertisement has more than 8 + 255 * 16 bytes.
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let addresses = address(envelope.source) + address(envelope.destination);
    folded(addresses + u64::from(PROTOCOL) + length + sum(bytes))
}

fn address(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(address) => sum(&address.octets()),
        IpAddr::V6(address) => sum(&address.octets()),
    }
}

fn sum(bytes: &[u8]) -> u64 {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let whole: u64 = pairs
        .iter()
        .map(|p| u64::from(u16::from_be_bytes(*p)))
        .sum();
    whole + odd.first().map_or(0, |byte| u64::from(*byte) << 8)
}

fn folded(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !(sum as u16)
}
