//! Results, as text by column name.

use std::str::FromStr;
use std::sync::Arc;

use mainstay_wire::{OkPacket, SessionChange, StatusFlags};

use crate::Error;

/// Rows of a query; empty for a statement that has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResultSet {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Row>,
}

impl ResultSet {
    /// The first row.
    pub fn first(&self) -> Option<&Row> {
        self.rows.first()
    }

    /// The first field of the first row, unless it is NULL or there is none.
    pub fn scalar(&self) -> Option<&str> {
        self.first()?.get_index(0)
    }
}

/// One row. Values are as the text protocol shows them; bytes that are not UTF-8 are replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub(crate) columns: Arc<[String]>,
    pub(crate) fields: Vec<Option<String>>,
}

impl Row {
    /// The field of this column, in any case of letters. `None` if it is NULL or there is no such
    /// column; [`has`](Self::has) tells which.
    pub fn get(&self, column: &str) -> Option<&str> {
        self.get_index(self.index(column)?)
    }

    /// The field at this position. `None` if it is NULL or there is none.
    pub fn get_index(&self, index: usize) -> Option<&str> {
        self.fields.get(index)?.as_deref()
    }

    /// Whether there is such a column.
    pub fn has(&self, column: &str) -> bool {
        self.index(column).is_some()
    }

    /// The field of this column as a number or another type that reads itself from text.
    pub fn parse<T: FromStr>(&self, column: &str) -> Result<T, Error> {
        let problem = |problem: String| Error::Column {
            column: column.to_owned(),
            problem,
        };
        if !self.has(column) {
            return Err(problem("there is no such column".to_owned()));
        }
        let text = self
            .get(column)
            .ok_or_else(|| problem("it is NULL".to_owned()))?;
        text.parse().map_err(|_| {
            let wanted = std::any::type_name::<T>();
            problem(format!("{text:?} is not a {wanted}"))
        })
    }

    fn index(&self, column: &str) -> Option<usize> {
        self.columns
            .iter()
            .position(|name| name.eq_ignore_ascii_case(column))
    }
}

/// What a statement without rows did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OkReply {
    /// Rows changed.
    pub affected_rows: u64,
    /// First value generated for an `AUTO_INCREMENT` column.
    pub last_insert_id: u64,
    /// The session's flags.
    pub status: StatusFlags,
    /// Number of warnings.
    pub warnings: u16,
    /// Tracked changes of the session, as a GTID.
    pub changes: Vec<SessionChange>,
}

impl From<OkPacket> for OkReply {
    fn from(ok: OkPacket) -> Self {
        Self {
            affected_rows: ok.affected_rows,
            last_insert_id: ok.last_insert_id,
            status: ok.status,
            warnings: ok.warnings,
            changes: ok.changes,
        }
    }
}
