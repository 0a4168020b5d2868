//! What goes wrong, and what a client is told of it.

use mainstay_wire::ErrPacket;
use rusqlite::ErrorCode as SqliteCode;
use rusqlite::ffi;

/// What begins a message that is not a command's own.
const WHOSE: &str = "Admin Error";

/// Why a statement was not done.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The embedded database says no.
    #[error("{}", sqlite_text(.reason, .table.as_deref()))]
    Sql {
        /// The table that was to be written, if one was.
        table: Option<String>,
        /// Why.
        reason: rusqlite::Error,
    },
    /// The runtime does not take the rows.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The user may not do this.
    #[error("{0}")]
    Denied(String),
    /// Something cannot be done, or not here.
    #[error("{0}")]
    Impossible(String),
    /// A name that means nothing.
    #[error("{0}")]
    Unknown(Unknown),
    /// A file of the admin interface.
    #[error("{path}: {reason}")]
    File {
        /// Which.
        path: String,
        /// What the system says.
        reason: std::io::Error,
    },
}

/// Kinds of names, with the names.
#[derive(Debug, thiserror::Error)]
pub enum Unknown {
    /// No such schema.
    #[error("Unknown database '{0}'")]
    Schema(String),
    /// No such table.
    #[error("Table '{0}' doesn't exist")]
    Table(String),
    /// No such variable.
    #[error("Unknown system variable '{0}'")]
    Variable(String),
    /// No such session.
    #[error("Unknown thread id: {0}")]
    Session(u64),
}

/// Why rows are not put in force: which row, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
#[error("{}", refused_text(self))]
pub struct Refused {
    /// The table; empty when it is nothing of a table.
    pub table: String,
    /// The row, by its key.
    pub row: String,
    /// The column, when it is known.
    pub column: String,
    /// What is wrong, and what to do.
    pub reason: String,
}

impl Refused {
    /// Something that is nothing of a row.
    pub fn because(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            ..Self::default()
        }
    }
}

fn refused_text(refused: &Refused) -> String {
    let filled = |parts: &[&str], between: &str| {
        let parts: Vec<_> = parts
            .iter()
            .filter(|part| !part.is_empty())
            .copied()
            .collect();
        parts.join(between)
    };
    let place = filled(&[&refused.table, &refused.row], " ");
    filled(&[&place, &refused.column, &refused.reason], ": ")
}

impl AdminError {
    pub(crate) fn sql(reason: rusqlite::Error) -> Self {
        Self::Sql {
            table: None,
            reason,
        }
    }

    /// As a server would say it.
    pub(crate) fn packet(&self) -> ErrPacket {
        let (code, state) = match self {
            Self::Sql { reason, .. } => sqlite_code(reason),
            Self::Refused(_) | Self::Impossible(_) => (1105, *b"HY000"),
            Self::Denied(_) => (1227, *b"42000"),
            Self::Unknown(Unknown::Schema(_)) => (1049, *b"42000"),
            Self::Unknown(Unknown::Table(_)) => (1146, *b"42S02"),
            Self::Unknown(Unknown::Variable(_)) => (1193, *b"HY000"),
            Self::Unknown(Unknown::Session(_)) => (1094, *b"HY000"),
            Self::File { .. } => (1, *b"HY000"),
        };
        ErrPacket::new(code, state, format!("{WHOSE}: {self}"))
    }
}

/// Numbers of "Server Error Message Reference" (MySQL manual) that mean the same.
fn sqlite_code(error: &rusqlite::Error) -> (u16, [u8; 5]) {
    let rusqlite::Error::SqliteFailure(failure, message) = error else {
        let rusqlite::Error::SqlInputError { msg, .. } = error else {
            return (1105, *b"HY000");
        };
        return input_code(msg);
    };
    match failure.extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE
        | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        | ffi::SQLITE_CONSTRAINT_ROWID => (1062, *b"23000"),
        ffi::SQLITE_CONSTRAINT_NOTNULL => (1048, *b"23000"),
        ffi::SQLITE_CONSTRAINT_CHECK => (3819, *b"HY000"),
        ffi::SQLITE_CONSTRAINT_DATATYPE => (1366, *b"22007"),
        _ if failure.code == SqliteCode::OperationInterrupted => (1317, *b"70100"),
        _ => input_code(message.as_deref().unwrap_or_default()),
    }
}

fn input_code(message: &str) -> (u16, [u8; 5]) {
    let begins = [
        ("no such table", (1146, *b"42S02")),
        ("no such column", (1054, *b"42S22")),
        ("no such function", (1305, *b"42000")),
        ("unknown database", (1049, *b"42000")),
        ("near ", (1064, *b"42000")),
        ("incomplete input", (1064, *b"42000")),
        ("unrecognized token", (1064, *b"42000")),
    ];
    if message.contains("has no column named") {
        return (1054, *b"42S22");
    }
    let found = begins.iter().find(|(start, _)| message.starts_with(start));
    found.map_or((1105, *b"HY000"), |(_, code)| *code)
}

fn sqlite_text(error: &rusqlite::Error, table: Option<&str>) -> String {
    let text = match error {
        rusqlite::Error::SqlInputError { msg, .. }
        | rusqlite::Error::SqliteFailure(_, Some(msg)) => msg.clone(),
        rusqlite::Error::MultipleStatement => "one statement at a time, please".to_owned(),
        other => other.to_string(),
    };
    match table.filter(|table| !text.contains(*table)) {
        Some(table) => format!("{table}: {text}"),
        None => text,
    }
}
