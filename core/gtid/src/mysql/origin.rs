//! Where a transaction was first committed: a server's UUID, and from 8.3 on maybe a tag.

use std::fmt;

/// The longest tag, by the manual's "GTID Format and Storage".
const TAG_BYTES_MAX: usize = 32;
/// The text `8-4-4-4-12`: where its dashes stand, and how long it is.
const DASHES: [usize; 4] = [8, 13, 18, 23];
const UUID_BYTES: usize = 36;

/// A `server_uuid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Uuid([u8; 16]);

impl Uuid {
    /// The value of 16 bytes, the most significant first, as binary logs hold it.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads the form with dashes, in either case.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        if text.len() != UUID_BYTES || DASHES.iter().any(|&at| text[at] != b'-') {
            return None;
        }
        let mut digits = text
            .iter()
            .enumerate()
            .filter(|(at, _)| !DASHES.contains(at));
        let mut digit = || {
            digits
                .next()
                .and_then(|(_, &byte)| char::from(byte).to_digit(16))
        };
        let mut bytes = [0; 16];
        for byte in &mut bytes {
            *byte = (digit()? << 4 | digit()?) as u8;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let dash = if matches!(index, 4 | 6 | 8 | 10) {
                "-"
            } else {
                ""
            };
            write!(f, "{dash}{byte:02x}")?;
        }
        Ok(())
    }
}

/// The tag of a GTID: letters, digits and underscores, not starting with a digit, lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag([u8; TAG_BYTES_MAX]);

impl Tag {
    /// Reads a tag in either case.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        let starts = text.first().is_some_and(|byte| !byte.is_ascii_digit());
        let valid = text
            .iter()
            .all(|&byte| byte == b'_' || byte.is_ascii_alphanumeric());
        if !starts || !valid || text.len() > TAG_BYTES_MAX {
            return None;
        }
        let mut padded = [0; TAG_BYTES_MAX];
        padded[..text.len()].copy_from_slice(text);
        padded.make_ascii_lowercase();
        Some(Self(padded))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .take_while(|&&byte| byte != 0)
            .try_for_each(|&byte| write!(f, "{}", char::from(byte)))
    }
}

/// What numbers its transactions from 1. The order is that of the text form: a server's untagged
/// transactions before its tagged ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The server that committed first.
    pub uuid: Uuid,
    /// The tag that its session had chosen.
    pub tag: Option<Tag>,
}
