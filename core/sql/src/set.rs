//! What a `SET` assigns, and whether a session may be given the same settings elsewhere.
//!
//! It tells the assignments apart; whether a variable exists and what a value means is for the
//! server to say.

use std::ops::Range;

/// Whose setting an assignment changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// This session's.
    Session,
    /// The next transaction's only: `SET TRANSACTION …`, `SET @@transaction_isolation = …`.
    NextTransaction,
    /// The server's: `GLOBAL`, `PERSIST`, `PERSIST_ONLY`, and what only exists there (passwords).
    Global,
    /// A user variable.
    User,
}

/// One assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Whose setting it is.
    pub scope: Scope,
    /// The variable in lower case, without scope and quotes. `SET NAMES`, `SET CHARACTER SET` and
    /// `SET TRANSACTION` have the names `names`, `character set` and `transaction`.
    pub name: String,
    /// Where the value's text is in the statement.
    pub value: Range<usize>,
    /// The value means the same everywhere: one literal, `DEFAULT` or a bare word. Of a user
    /// variable, whose type and bytes count: a number, `NULL`, or a text without escapes.
    pub literal: bool,
}

/// What a session must do about a `SET`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Run the same text on any connection to get the same session.
    Replayable,
    /// Computed by the server: its session tracking tells what the variables have become.
    Computed,
    /// Holds for the next transaction of this connection, then is forgotten.
    NextTransaction,
    /// Changes the server, not the session: for the writer, and nothing to remember.
    Global,
    /// Cannot be repeated elsewhere with certainty: keep the connection.
    Ties,
}

/// A `SET` taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// The assignments in order; those before the first that was not understood if it ties.
    pub assignments: Vec<Assignment>,
    /// What to do about it.
    pub verdict: Verdict,
}

/// True for the client character sets in which the second byte of a letter can look like a quote or
/// a backslash, so that a lexer of bytes can be misled: nothing may be concluded from such text.
pub fn hides_quotes(charset: &[u8]) -> bool {
    const HIDING: [&[u8]; 5] = [b"big5", b"cp932", b"gb18030", b"gbk", b"sjis"];
    HIDING.iter().any(|name| charset.eq_ignore_ascii_case(name))
}

/// The same for the collation of a handshake (`INFORMATION_SCHEMA.COLLATIONS`: big5, sjis, gbk,
/// cp932, gb18030). `MariaDB` adds 1024 for its collations without padding.
pub fn collation_hides_quotes(collation: u16) -> bool {
    matches!(
        collation & 0x3ff,
        1 | 84 | 13 | 88 | 28 | 87 | 95 | 96 | 248..=250
    )
}

#[cfg(test)]
mod tests;

mod parse;

pub use parse::parse;
