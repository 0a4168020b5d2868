//! One event: its header, and its body without the checksum.

use crate::{BinlogError, Kind};

/// Bytes of the header that every event has.
pub(crate) const HEADER_BYTES: usize = 19;
/// Bytes of a CRC32 behind an event.
pub(crate) const CHECKSUM_BYTES: usize = 4;
/// The flag of a log that its server has not closed.
pub(crate) const IN_USE: u16 = 1;
/// The flag of a statement that names all its schemas, such as `CREATE DATABASE`.
const SUPPRESS_USE: u8 = 8;
const LENGTH_AT: usize = 9;
const FLAGS_AT: usize = 17;

/// One event of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Where it begins in its file. An event of a compressed transaction has the place of that.
    pub at: u64,
    /// Where the next one begins.
    pub end: u64,
    /// Header and body.
    bytes: Vec<u8>,
}

impl Event {
    /// An event of these bytes, header included, checksum not: at least a header.
    /// The length in its header becomes theirs.
    pub(crate) fn new(at: u64, end: u64, mut bytes: Vec<u8>) -> Self {
        debug_assert!(bytes.len() >= HEADER_BYTES, "an event has a header");
        let length = (bytes.len() as u32).to_le_bytes();
        bytes[LENGTH_AT..LENGTH_AT + 4].copy_from_slice(&length);
        Self { at, end, bytes }
    }

    /// Its type.
    pub fn kind(&self) -> Kind {
        Kind::of(self.bytes[4])
    }

    /// When its statement began, in seconds since 1970.
    pub fn unix_seconds(&self) -> u32 {
        self.u32_at(0)
    }

    /// `server_id` of the server that wrote it first.
    pub fn server_id(&self) -> u32 {
        self.u32_at(5)
    }

    /// What follows the header, without the checksum.
    pub fn body(&self) -> &[u8] {
        &self.bytes[HEADER_BYTES..]
    }

    /// The same event with another type and body, to be sent to a server: its length is right, and
    /// it has no place in a file.
    pub(crate) fn rewritten(&self, kind: Kind, body: &[u8]) -> Self {
        let mut bytes = self.bytes[..HEADER_BYTES].to_vec();
        bytes.extend_from_slice(body);
        bytes[4] = kind.code();
        bytes[13..17].fill(0);
        Self::new(self.at, self.end, bytes)
    }

    /// Whether its statement is run without a default schema (`LOG_EVENT_SUPPRESS_USE_F`).
    pub(crate) fn suppresses_use(&self) -> bool {
        self.bytes[FLAGS_AT] & SUPPRESS_USE != 0
    }

    /// The bytes of the event.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes without what tells an open log from a closed one.
    pub(crate) fn bytes_of_a_closed_log(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes[FLAGS_AT] &= !(IN_USE as u8);
        bytes
    }

    pub(crate) fn malformed(&self, what: &'static str) -> BinlogError {
        BinlogError::Malformed {
            at: self.at,
            kind: self.kind(),
            what,
        }
    }

    fn u32_at(&self, at: usize) -> u32 {
        let bytes = self.bytes[at..at + 4].try_into();
        u32::from_le_bytes(bytes.expect("four bytes"))
    }
}
