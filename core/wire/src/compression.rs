//! The compressed protocol: packets travel inside frames, which have numbers of their own.
//!
//! A frame is a header of seven bytes and a payload, compressed or, below 50 bytes, as it is.
//! Frames of one command and its reply are numbered through from 0, in both directions together,
//! like the packets inside; but peers number those by the frames, not one by one. [`Numbering`]
//! keeps both counts, and gives incoming packets the numbers that they would have without
//! compression. The algorithms are left to the shell.
//!
//! Source: "Compressed Packet" (MySQL internals, `page_protocol_basic_compression_packet`);
//! measured: servers take the number of a reply's first packet from the frames.

#[cfg(test)]
mod tests;

use crate::packet::{HEADER_LEN, PacketHeader};

/// Length of a frame's header.
pub const FRAME_HEADER_LEN: usize = 7;
/// Longest payload of a frame, before and after compression.
pub const FRAME_PAYLOAD_MAX: usize = 0xff_ffff;
/// Shorter payloads are not compressed.
pub const COMPRESSED_MIN: usize = 50;

/// How a connection is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// zlib.
    Zlib,
    /// zstd of a level from 1 to 22.
    Zstd {
        /// The level of what is sent; the peer may use another.
        level: u8,
    },
}

/// The seven bytes before each payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Length of the payload that follows.
    pub len: usize,
    /// Number of the frame.
    pub sequence: u8,
    /// Length of the payload when it is unpacked; 0 when it is not compressed.
    pub unpacked_len: usize,
}

impl FrameHeader {
    /// Reads a header from the first seven bytes; `None` if there are fewer.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let header = bytes.first_chunk::<FRAME_HEADER_LEN>()?;
        let number = |at: usize| {
            u32::from_le_bytes([header[at], header[at + 1], header[at + 2], 0]) as usize
        };
        Some(Self {
            len: number(0),
            sequence: header[3],
            unpacked_len: number(4),
        })
    }

    /// The header's bytes. Lengths must not be above [`FRAME_PAYLOAD_MAX`].
    pub fn encode(self) -> [u8; FRAME_HEADER_LEN] {
        let mut header = [0; FRAME_HEADER_LEN];
        header[..3].copy_from_slice(&(self.len as u32).to_le_bytes()[..3]);
        header[3] = self.sequence;
        header[4..].copy_from_slice(&(self.unpacked_len as u32).to_le_bytes()[..3]);
        header
    }
}

/// Which end of the connection we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// We send commands: the peer is a server.
    Client,
    /// We get commands: the peer is a client.
    Server,
}

/// A frame whose number is not the one that was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("frame {found} of a compressed connection came where {due} was due")]
pub struct OutOfOrder {
    found: u8,
    due: u8,
}

/// The numbers of the frames and of the packets inside.
#[derive(Clone, Debug)]
pub struct Numbering {
    end: End,
    /// Of the next frame, in either direction.
    frame: u8,
    /// Of the next packet, in either direction.
    packet: u8,
    /// The last frame was the peer's.
    peers: bool,
    sending: Packets,
    receiving: Packets,
}

impl Numbering {
    /// Of a connection that begins to be compressed.
    pub fn new(end: End) -> Self {
        Self {
            end,
            frame: 0,
            packet: 0,
            peers: false,
            sending: Packets::default(),
            receiving: Packets::default(),
        }
    }

    /// How many of the bytes to be sent belong to the command that the first of them belongs to:
    /// the next command must begin with a frame of its own.
    pub fn sent(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while let Some(found) = self.sending.next(&bytes[at..]) {
            let sequence = found.sequence;
            let fresh = self.end == End::Client && sequence == 0 && !self.sending.wrapped();
            if fresh && at + found.header_start > 0 {
                self.sending.give_back();
                return at + found.header_start;
            }
            if fresh {
                self.frame = 0;
            }
            self.packet = sequence.wrapping_add(1);
            self.sending.last = Some(sequence);
            at += found.consumed;
        }
        bytes.len()
    }

    /// The number for the next frame sent.
    pub fn next_frame(&mut self) -> u8 {
        let number = self.frame;
        self.frame = number.wrapping_add(1);
        self.peers = false;
        number
    }

    /// A frame of the peer begins.
    pub fn received_frame(&mut self, sequence: u8) -> Result<(), OutOfOrder> {
        let due = self.frame;
        let wraps = due == 0 && self.peers;
        if self.end == End::Server && sequence == 0 && !wraps && self.receiving.is_between() {
            self.packet = 0;
        } else if sequence != due {
            let found = sequence;
            return Err(OutOfOrder { found, due });
        }
        self.frame = sequence.wrapping_add(1);
        self.peers = true;
        Ok(())
    }

    /// Gives the packets in these unpacked bytes of the peer the numbers that are due.
    pub fn received(&mut self, bytes: &mut [u8]) {
        let mut at = 0;
        while let Some(found) = self.receiving.next(&bytes[at..]) {
            // The number is the last byte of a header, so it lies in these bytes.
            bytes[at + found.consumed - 1] = self.packet;
            self.packet = self.packet.wrapping_add(1);
            at += found.consumed;
        }
    }
}

/// Finds the headers of packets in a stream that comes in pieces.
#[derive(Clone, Debug, Default)]
struct Packets {
    head: [u8; HEADER_LEN],
    head_len: usize,
    left: usize,
    /// Number of the last packet.
    last: Option<u8>,
}

/// The end of a header.
struct Found {
    sequence: u8,
    /// Bytes up to and with the header.
    consumed: usize,
    /// Where the header begins; 0 too when it began in an earlier piece.
    header_start: usize,
}

impl Packets {
    fn next(&mut self, bytes: &[u8]) -> Option<Found> {
        let skip = self.left.min(bytes.len());
        self.left -= skip;
        if self.left > 0 {
            return None;
        }
        let wanted = HEADER_LEN - self.head_len;
        let taken = wanted.min(bytes.len() - skip);
        let end = self.head_len + taken;
        self.head[self.head_len..end].copy_from_slice(&bytes[skip..skip + taken]);
        self.head_len = end;
        if end < HEADER_LEN {
            return None;
        }
        let header = PacketHeader::parse(&self.head).expect("four bytes are a header");
        self.head_len = 0;
        self.left = header.len;
        Some(Found {
            sequence: header.sequence,
            consumed: skip + taken,
            header_start: skip,
        })
    }

    /// The header found last is looked at again, as a whole.
    fn give_back(&mut self) {
        self.left = 0;
    }

    fn wrapped(&self) -> bool {
        self.last == Some(0xff)
    }

    fn is_between(&self) -> bool {
        self.left == 0 && self.head_len == 0
    }
}
