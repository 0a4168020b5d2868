//! What runs, as the admin interface sees it: a trait that the process implements.

use mainstay_command::{Control, Module};

use crate::error::Refused;
use crate::figures::{Cell, Row};
use crate::schema;

/// Rows of one table of `main`, in the order of its columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its rows.
    pub rows: Vec<Row>,
}

/// What runs. Called on threads that may block, one change at a time.
pub trait Runtime: Send + Sync {
    /// The rows of a module as they are in force.
    fn rows(&self, module: Module) -> Vec<Table>;

    /// The rows of a module as the settings file has them now.
    fn file(&self, module: Module) -> Result<Vec<Table>, Refused>;

    /// Puts the rows of a module in force: all, or nothing. Returns what to tell of it: rows and
    /// columns that are accepted and have no effect. Users and rules come with the pairs of
    /// hostgroups that memory has.
    fn load(&self, module: Module, tables: &[Table]) -> Result<Vec<String>, Refused>;

    /// What was put in force last and still waits for a restart of the process.
    fn waiting(&self) -> Vec<String> {
        Vec::new()
    }

    /// The accounts of the servers: users, and what is stored of their passwords.
    fn accounts(&self) -> Result<Vec<(String, String)>, Refused>;

    /// Does something with the process.
    fn control(&self, control: &Control) -> Result<String, Refused>;

    /// Ends a session of the proxy, or only its statement; false: there is none of this number.
    fn kill(&self, session: u64, only_query: bool) -> Result<bool, Refused>;

    /// What is in force as the text of a settings file, with its passwords or without.
    fn text(&self, secrets: bool) -> String;

    /// Where a statement of a user, or of the first, would go: pairs of a step and what it found.
    fn explain(
        &self,
        user: Option<&str>,
        statement: &str,
    ) -> Result<Vec<(String, String)>, Refused>;

    /// Metrics as text for Prometheus.
    fn metrics(&self) -> String;

    /// Forgets from where logins to the proxy failed.
    fn forget_hosts(&self) {}

    /// Somebody did something here, for whoever keeps an audit log. Must not wait.
    fn note(&self, _event: &Event<'_>) {}
}

/// Something that somebody did at the admin interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// What.
    pub what: Happened,
    /// Who.
    pub user: &'a str,
    /// From where.
    pub address: &'a str,
    /// The statement, with its passwords masked; empty for a login.
    pub statement: &'a str,
}

/// What somebody did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// A login.
    Entered,
    /// A login that failed.
    Refused,
    /// The end of a connection.
    Left,
    /// A statement.
    Statement,
}

impl Table {
    /// No rows.
    pub const fn empty(name: &'static str) -> Self {
        let rows = Vec::new();
        Self { name, rows }
    }

    /// The value of a column of one of its rows.
    ///
    /// # Panics
    /// If the table has no such column, which is a mistake of the caller.
    pub fn cell<'r>(&self, row: &'r Row, column: &str) -> &'r Cell {
        let mut columns = schema::columns(self.name).iter();
        let at = columns.position(|name| *name == column);
        &row[at.expect("the caller names columns of the schema")]
    }

    /// Adds a row, of which only these columns are not as the schema's defaults.
    pub fn push(&mut self, cells: &[(&str, Cell)]) {
        let Some(info) = schema::table(self.name) else {
            return;
        };
        let value = |(column, default): (&&str, &Cell)| {
            let found = cells.iter().find(|(name, _)| name == column);
            found.map_or_else(|| default.clone(), |(_, cell)| cell.clone())
        };
        let columns = info.columns.iter().zip(&info.defaults);
        self.rows.push(columns.map(value).collect());
    }

    /// How a row is named in messages.
    pub fn row_name(&self, row: &Row) -> String {
        let Some(info) = schema::table(self.name) else {
            return String::new();
        };
        let part = |key: &&str| format!("{key}={}", self.cell(row, key).shown());
        info.key.iter().map(part).collect::<Vec<_>>().join(", ")
    }
}

impl Cell {
    /// As the text protocol shows it; `None` is NULL.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Integer(number) => Some(number.to_string()),
            Self::Real(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.clone()),
        }
    }

    /// As a person reads it.
    pub fn shown(&self) -> String {
        self.text().unwrap_or_else(|| "NULL".to_owned())
    }

    /// The number, if it is a whole one.
    pub const fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Null | Self::Real(_) | Self::Text(_) => None,
        }
    }

    /// The text, if it is one and not empty.
    pub fn filled(&self) -> Option<&str> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text),
            Self::Null | Self::Integer(_) | Self::Real(_) | Self::Text(_) => None,
        }
    }
}
