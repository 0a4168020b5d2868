//! Why a session keeps its server connection between statements.

/// One reason for which a session cannot give its server connection back to the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TieReason {
    /// A transaction is open.
    Transaction,
    /// Temporary tables exist on the connection.
    TemporaryTable,
    /// `LOCK TABLES` or `FLUSH TABLES WITH READ LOCK` is in force.
    TableLock,
    /// `GET_LOCK` was called.
    NamedLock,
    /// User variables were assigned.
    UserVariable,
    /// `PREPARE` made a statement in SQL.
    SqlPrepare,
    /// A cursor is open.
    Cursor,
    /// A `SET` that cannot be replayed on another connection.
    SessionVariable,
    /// The next statement may ask for `FOUND_ROWS()`, `ROW_COUNT()` or the warnings of this one.
    Diagnostics,
    /// Parameter data was sent in pieces for a prepared statement.
    LongData,
}

impl TieReason {
    /// What is lost when the connection is, as the end of a sentence.
    pub fn what(self) -> &'static str {
        match self {
            Self::Transaction => "an open transaction",
            Self::TemporaryTable => "temporary tables",
            Self::TableLock => "table locks",
            Self::NamedLock => "locks taken with GET_LOCK",
            Self::UserVariable => "user variables",
            Self::SqlPrepare => "statements made with PREPARE",
            Self::Cursor => "an open cursor",
            Self::SessionVariable => "session variables that cannot be set again",
            Self::Diagnostics => "the result counters of the last statement",
            Self::LongData => "parameter data sent in pieces",
        }
    }
}
