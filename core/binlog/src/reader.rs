//! Cuts a log into events and checks their sums.
//!
//! A log that ends within an event, or in zeros that the file system put there in a power loss, is
//! torn: everything before it is sound.

use std::io::{ErrorKind, Read};

use crate::event::{CHECKSUM_BYTES, HEADER_BYTES};
use crate::{BinlogError, Event, Format, Kind};

const MAGIC: [u8; 4] = *b"\xfebin";
const ENCRYPTED: [u8; 4] = *b"\xfdbin";
/// The longest event a server writes: 1 GiB and what is around it.
const EVENT_BYTES_MAX: usize = (1 << 30) + (1 << 20);

/// Reads the events of one log, in order.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    at: u64,
    format: Format,
}

impl<R: Read> Reader<R> {
    /// Reads the beginning of a log.
    pub fn new(mut input: R) -> Result<Self, BinlogError> {
        let mut magic = [0; MAGIC.len()];
        let got = fill(&mut input, &mut magic, 0)?;
        if magic == ENCRYPTED {
            return Err(BinlogError::Encrypted);
        }
        if got < magic.len() || magic != MAGIC {
            return Err(BinlogError::NotABinlog);
        }
        let mut at = MAGIC.len() as u64;
        let bytes = cut(&mut input, at)?.ok_or(BinlogError::Torn { at })?;
        let event = Event::new(at, at + bytes.len() as u64, bytes);
        if event.kind() != Kind::FormatDescription {
            return Err(event.malformed("a log begins with its format"));
        }
        let format = Format::read(&event)?;
        if format.is_checked && !is_sound(&event.bytes_of_a_closed_log()) {
            return Err(BinlogError::Checksum { at });
        }
        at = event.end;
        Ok(Self { input, at, format })
    }

    /// What the log's first event tells.
    pub fn format(&self) -> &Format {
        &self.format
    }

    /// The next event; `None` at the end of a log that ends between two events.
    pub fn next_event(&mut self) -> Result<Option<Event>, BinlogError> {
        let at = self.at;
        let Some(mut bytes) = cut(&mut self.input, at)? else {
            return Ok(None);
        };
        self.at = at + bytes.len() as u64;
        if self.format.has_checksums {
            if bytes.len() < HEADER_BYTES + CHECKSUM_BYTES || !is_sound(&bytes) {
                return Err(BinlogError::Checksum { at });
            }
            bytes.truncate(bytes.len() - CHECKSUM_BYTES);
        }
        let event = Event::new(at, self.at, bytes);
        if event.kind() == Kind::StartEncryption {
            return Err(BinlogError::Encrypted);
        }
        Ok(Some(event))
    }
}

fn is_sound(bytes: &[u8]) -> bool {
    let (covered, sum) = bytes.split_at(bytes.len() - CHECKSUM_BYTES);
    crc32fast::hash(covered).to_le_bytes() == *sum
}

/// The next event with its checksum; `None` where the log ends.
fn cut(input: &mut impl Read, at: u64) -> Result<Option<Vec<u8>>, BinlogError> {
    let mut bytes = vec![0; HEADER_BYTES];
    let got = fill(input, &mut bytes, at)?;
    if got == 0 {
        return Ok(None);
    }
    let length = u32::from_le_bytes(bytes[9..13].try_into().expect("four bytes")) as usize;
    if got < HEADER_BYTES || !(HEADER_BYTES..=EVENT_BYTES_MAX).contains(&length) {
        return Err(BinlogError::Torn { at });
    }
    // The length may be garbage: memory is taken as the bytes come.
    let rest = (length - HEADER_BYTES) as u64;
    let read = input.by_ref().take(rest).read_to_end(&mut bytes);
    read.map_err(|source| BinlogError::Read { at, source })?;
    if bytes.len() < length {
        return Err(BinlogError::Torn { at });
    }
    Ok(Some(bytes))
}

/// As many bytes as there are, up to the buffer's length.
fn fill(input: &mut impl Read, buffer: &mut [u8], at: u64) -> Result<usize, BinlogError> {
    let mut got = 0;
    while got < buffer.len() {
        match input.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(more) => got += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(source) => return Err(BinlogError::Read { at, source }),
        }
    }
    Ok(got)
}
