//! Values between a document and rows.

use mainstay_admin::Cell;
use toml::{Table, Value};

/// A value of a document as a cell; lists and tables as JSON.
pub(super) fn cell(value: &Value) -> Cell {
    match value {
        Value::String(text) => Cell::Text(text.clone()),
        Value::Integer(number) => Cell::Integer(*number),
        Value::Float(number) => Cell::Real(*number),
        Value::Boolean(truth) => Cell::Integer(i64::from(*truth)),
        Value::Datetime(date) => Cell::Text(date.to_string()),
        Value::Array(_) | Value::Table(_) => {
            serde_json::to_string(value).map_or(Cell::Null, Cell::Text)
        }
    }
}

/// A cell as a value of a document; `None` of NULL.
pub(super) fn value(cell: &Cell) -> Option<Value> {
    match cell {
        Cell::Null => None,
        Cell::Integer(number) => Some(Value::Integer(*number)),
        Cell::Real(number) => Some(Value::Float(*number)),
        Cell::Text(text) => Some(Value::String(text.clone())),
    }
}

/// Sets a key to what a cell holds, if it holds something.
pub(super) fn put(section: &mut Table, key: &str, cell: &Cell) {
    if let Some(value) = value(cell) {
        section.insert(key.to_owned(), value);
    }
}

/// Sets a key to the text of a cell, if it is not empty.
pub(super) fn put_filled(section: &mut Table, key: &str, cell: &Cell) {
    if let Some(text) = cell.filled() {
        section.insert(key.to_owned(), Value::String(text.to_owned()));
    }
}

/// The text of a key.
pub(super) fn text<'t>(section: &'t Table, key: &str) -> Option<&'t str> {
    section.get(key).and_then(Value::as_str)
}

/// Whether a column holds 1.
pub(super) fn is_set(cell: &Cell) -> bool {
    *cell == Cell::Integer(1)
}

/// What JSON in a cell says, as a table; an empty text says nothing.
pub(super) fn json(cell: &Cell) -> Option<Table> {
    let json: serde_json::Value = serde_json::from_str(cell.filled()?).ok()?;
    Table::try_from(json).ok()
}
