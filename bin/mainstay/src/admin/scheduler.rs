//! `scheduler` and `[[scheduler]]`.

use mainstay_admin::{Cell, Table};
use toml::{Table as Section, Value};

use super::cells::{self, is_set, put, put_filled, text};
use super::document::Document;

const NAME: &str = "scheduler";

/// A list in the document, five columns in the table.
const ARGUMENTS: [&str; 5] = ["arg1", "arg2", "arg3", "arg4", "arg5"];

/// What the document says.
pub(super) fn rows(document: &Document) -> Table {
    let mut table = Table::empty(NAME);
    for section in document.list(NAME) {
        let get = |key: &str| section.get(key).map_or(Cell::Null, cells::cell);
        let active = section.get("active").and_then(Value::as_bool);
        let mut row = vec![
            ("id", get("id")),
            ("active", Cell::Integer(i64::from(active.unwrap_or(true)))),
            ("interval_ms", get("interval_ms")),
            ("filename", get("filename")),
            (
                "comment",
                text(section, "comment").unwrap_or_default().into(),
            ),
        ];
        let arguments = section.get("arguments").and_then(Value::as_array);
        let arguments = arguments.into_iter().flatten().map(cells::cell);
        row.extend(ARGUMENTS.into_iter().zip(arguments));
        table.push(&row);
    }
    table
}

/// Puts rows in the place of what the document says; the time limit of a program is kept.
pub(super) fn write(document: &mut Document, tables: &[Table]) {
    let mut sections = Vec::new();
    for table in tables {
        for row in &table.rows {
            let get = |column: &str| table.cell(row, column);
            let mut section = Section::new();
            put(&mut section, "id", get("id"));
            section.insert("active".to_owned(), Value::Boolean(is_set(get("active"))));
            put(&mut section, "interval_ms", get("interval_ms"));
            put(&mut section, "filename", get("filename"));
            let given = ARGUMENTS.iter().filter_map(|column| get(column).text());
            let given: Vec<_> = given.map(Value::String).collect();
            if !given.is_empty() {
                section.insert("arguments".to_owned(), Value::Array(given));
            }
            put_filled(&mut section, "comment", get("comment"));
            let mut before = document.list(NAME);
            let before = before.find(|known| known.get("id") == section.get("id"));
            if let Some(limit) = before.and_then(|known| known.get("limit")) {
                section.insert("limit".to_owned(), limit.clone());
            }
            sections.push((section, (NAME, table.row_name(row))));
        }
    }
    document.set_list(NAME, sections);
}
