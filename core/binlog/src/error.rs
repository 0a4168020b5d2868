//! What can be wrong with a binary log, told to a person.

use crate::Kind;

/// Why an event cannot be read, or a transaction not be undone. Positions are bytes from the start
/// of the file.
#[derive(Debug, thiserror::Error)]
pub enum BinlogError {
    /// The first four bytes are not those of a binary log.
    #[error("this is not a binary log: it does not begin with 0xfe 'bin'")]
    NotABinlog,
    /// The file is encrypted.
    #[error(
        "the binary log is encrypted (binlog_encryption, encrypt_binlog): only its server can read \
         it, so nothing can be salvaged from the file"
    )]
    Encrypted,
    /// The file ends within an event, or its space was allotted but never written.
    #[error("the binary log is torn at {at}: what follows was not written whole")]
    Torn {
        /// Where the last whole event ended.
        at: u64,
    },
    /// The checksum of an event is wrong.
    #[error("the event at {at} of the binary log has a wrong checksum: what follows is not usable")]
    Checksum {
        /// Where the event begins.
        at: u64,
    },
    /// An event does not have the form of its type.
    #[error("the event at {at} of the binary log ({kind}) is malformed: {what}")]
    Malformed {
        /// Where the event begins.
        at: u64,
        /// Its type.
        kind: Kind,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A transaction has something in it that cannot be undone.
    #[error("the transaction at {at} of the binary log cannot be undone: {why}")]
    NotReversible {
        /// Where the event begins that stands in the way.
        at: u64,
        /// Why not.
        why: String,
    },
    /// A transaction has something in it that cannot be written as a statement.
    #[error(
        "the event at {at} of the binary log ({kind}) cannot be written as a statement: \
         use the server's own tool for it"
    )]
    NotReplayable {
        /// Where the event begins.
        at: u64,
        /// Its type.
        kind: Kind,
    },
    /// The file could not be read.
    #[error("the binary log cannot be read at {at}")]
    Read {
        /// How far it was read.
        at: u64,
        /// Why not.
        source: std::io::Error,
    },
}

impl BinlogError {
    /// Whether the file merely ends too early, as that of a crashed server does: what was read
    /// before is whole.
    pub fn is_torn(&self) -> bool {
        matches!(self, Self::Torn { .. } | Self::Checksum { .. })
    }
}
