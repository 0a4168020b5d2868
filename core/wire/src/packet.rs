//! Packets: a three-byte length, a sequence number, a payload of at most 16 MiB − 1 bytes.
//!
//! A longer payload is sent as several packets, all but the last of them full.
//! Source: "MySQL Packets" (MySQL internals, `page_protocol_basic_packets`).

#[cfg(test)]
mod tests;

use std::ops::Range;

/// Length of a packet's header.
pub const HEADER_LEN: usize = 4;
/// Longest payload of one packet. One exactly this long is continued by the next packet.
pub const MAX_PAYLOAD: usize = 0xff_ffff;

/// The four bytes before each payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketHeader {
    /// Length of the payload that follows.
    pub len: usize,
    /// Number of the packet within its exchange, wrapping at 256.
    pub sequence: u8,
}

impl PacketHeader {
    /// Reads a header from the first four bytes; `None` if there are fewer.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let [a, b, c, sequence] = *bytes.first_chunk::<HEADER_LEN>()?;
        Some(Self {
            len: u32::from_le_bytes([a, b, c, 0]) as usize,
            sequence,
        })
    }

    /// The header's bytes. `len` must not be above [`MAX_PAYLOAD`]; higher bits are lost.
    pub fn encode(self) -> [u8; HEADER_LEN] {
        let [a, b, c, _] = (self.len as u32).to_le_bytes();
        [a, b, c, self.sequence]
    }

    /// Whether the next packet carries on with this payload.
    pub const fn continues(self) -> bool {
        self.len == MAX_PAYLOAD
    }
}

/// Appends `payload` as one packet, or several if it is 16 MiB or longer. Returns the sequence
/// number of the packet after it.
pub fn put_packet(out: &mut Vec<u8>, sequence: u8, payload: &[u8]) -> u8 {
    let mut sequence = sequence;
    let mut left = payload;
    loop {
        let (now, later) = left.split_at(left.len().min(MAX_PAYLOAD));
        let header = PacketHeader {
            len: now.len(),
            sequence,
        };
        out.extend_from_slice(&header.encode());
        out.extend_from_slice(now);
        sequence = sequence.wrapping_add(1);
        left = later;
        if !header.continues() {
            return sequence;
        }
    }
}

/// Appends one packet whose payload `write` appends. Returns the next sequence number. For
/// payloads known to be small.
///
/// # Panics
/// If the payload is 16 MiB or longer, which is a bug of the caller.
pub fn build_packet(out: &mut Vec<u8>, sequence: u8, write: impl FnOnce(&mut Vec<u8>)) -> u8 {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_LEN]);
    write(out);
    let len = out.len() - start - HEADER_LEN;
    assert!(
        len < MAX_PAYLOAD,
        "a packet built in place must fit in one packet"
    );
    let header = PacketHeader { len, sequence };
    out[start..start + HEADER_LEN].copy_from_slice(&header.encode());
    sequence.wrapping_add(1)
}

/// A whole packet inside a larger slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Its header.
    pub header: PacketHeader,
    /// Its payload, not copied.
    pub payload: &'a [u8],
    /// Where header and payload are in the slice that was scanned.
    pub range: Range<usize>,
}

/// Finds the whole packets at the front of a slice, without copying.
#[derive(Clone, Debug)]
pub struct PacketReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> PacketReader<'a> {
    /// A scanner at the start of `bytes`, which must be the start of a packet.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes of the whole packets returned so far.
    pub const fn consumed(&self) -> usize {
        self.at
    }

    /// Bytes after them: the start of a packet whose rest has not arrived.
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// Header of the next packet, if those four bytes are there.
    pub fn peek_header(&self) -> Option<PacketHeader> {
        PacketHeader::parse(self.rest())
    }
}

impl<'a> Iterator for PacketReader<'a> {
    type Item = Packet<'a>;

    fn next(&mut self) -> Option<Packet<'a>> {
        let header = self.peek_header()?;
        let start = self.at + HEADER_LEN;
        let end = start + header.len;
        let payload = self.bytes.get(start..end)?;
        let range = self.at..end;
        self.at = end;
        Some(Packet {
            header,
            payload,
            range,
        })
    }
}
