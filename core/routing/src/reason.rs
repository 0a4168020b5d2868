//! Why a statement went where it went, in words for a person.

use std::fmt;

/// The rule that decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The session holds a connection.
    SessionTied,
    /// It asks about the statement before it.
    FollowsPrevious,
    /// A transaction is open.
    InTransaction,
    /// Autocommit is off: any statement opens a transaction.
    AutocommitOff,
    /// It is not proved to be a read.
    NotARead,
    /// It locks the rows it reads.
    LockingRead,
    /// It reads or sets the last insert id.
    LastInsertId,
    /// It reads or prepares a row count.
    RowCount,
    /// It uses user variables.
    UserVariable,
    /// It uses named locks.
    NamedLock,
    /// It moves or reads a sequence.
    Sequence,
    /// It calls a function that may write.
    UnknownFunction,
    /// A comment in the statement asks for the primary.
    HintPrimary,
    /// A comment in the statement asks for a replica.
    HintReplica,
    /// Reads are not split for this user.
    SplitOff,
    /// There is no reader.
    NoReader,
    /// A plain read.
    PlainRead,
}

impl Reason {
    /// One sentence for logs and for `why`.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::SessionTied => {
                "The session holds a connection whose state cannot be set up elsewhere."
            }
            Self::FollowsPrevious => {
                "The statement asks about the one before it, so it goes where that one went."
            }
            Self::InTransaction => "A transaction is open, and all of it runs on the writer.",
            Self::AutocommitOff => {
                "Autocommit is off, so the statement is part of a transaction on the writer."
            }
            Self::NotARead => "The statement is not proved to be a read.",
            Self::LockingRead => "The statement locks the rows it reads.",
            Self::LastInsertId => "The statement uses the last insert id of a connection.",
            Self::RowCount => "The statement reads or prepares the row count of a connection.",
            Self::UserVariable => "The statement uses user variables, which live in a connection.",
            Self::NamedLock => "The statement uses named locks, which live on the writer.",
            Self::Sequence => "The statement uses a sequence, which only the writer may move.",
            Self::UnknownFunction => {
                "The statement calls a function that is not built in and may write."
            }
            Self::HintPrimary => "A comment in the statement asks for the primary.",
            Self::HintReplica => "A comment in the statement asks for a replica, and it is a read.",
            Self::SplitOff => "Reads are not split for this user.",
            Self::NoReader => "The statement is a read, but there is no reader.",
            Self::PlainRead => "The statement is a read outside of any transaction.",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.sentence())
    }
}
