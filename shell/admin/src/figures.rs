//! Where the tables get their figures: whoever counts fills the rows when they are asked for.

use std::sync::Arc;

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// NULL.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// A text.
    Text(String),
}

/// One row of a table, in the order of its columns.
pub type Row = Vec<Cell>;

/// Who knows the rows of tables of figures. Asked at every statement that names such a table, on a
/// thread that may block; never on the path of a client's query.
pub trait Figures: Send + Sync {
    /// Rows of a table of `stats`, `monitor` (or a runtime view), in the order of its columns;
    /// `None`: not a table of figures.
    fn rows(&self, table: &str) -> Option<Vec<Row>>;

    /// Rows, and the counters begin again; `table` is named without its `_reset`.
    fn take(&self, table: &str) -> Option<Vec<Row>>;
}

/// The first that knows a table fills it.
impl Figures for Vec<Arc<dyn Figures>> {
    fn rows(&self, table: &str) -> Option<Vec<Row>> {
        self.iter().find_map(|figures| figures.rows(table))
    }

    fn take(&self, table: &str) -> Option<Vec<Row>> {
        self.iter().find_map(|figures| figures.take(table))
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

/// Counters beyond `SQLite`'s range stay at its end.
impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
