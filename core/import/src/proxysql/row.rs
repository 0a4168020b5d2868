//! One row of a table: its columns by name, as ProxySQL's SQLite takes them.

use crate::libconfig::{Group, Kind, Value};
use crate::report::Report;

pub(super) struct Row<'f> {
    pub(super) table: &'static str,
    pub(super) line: usize,
    group: &'f Group,
}

impl<'f> Row<'f> {
    pub(super) fn new(table: &'static str, line: usize, group: &'f Group) -> Self {
        Self { table, line, group }
    }

    /// A column as text; numbers are text too.
    pub(super) fn text(&self, column: &str) -> Option<String> {
        self.group.get(column).and_then(as_text)
    }

    /// A column as text, unless it is empty.
    pub(super) fn some_text(&self, column: &str) -> Option<String> {
        self.text(column).filter(|text| !text.is_empty())
    }

    /// A column as a number; text that is one counts.
    pub(super) fn number(&self, column: &str) -> Option<i64> {
        self.group.get(column).and_then(as_number)
    }

    /// A column as a number from 0.
    pub(super) fn count(&self, column: &str) -> Option<u64> {
        self.number(column)
            .and_then(|number| u64::try_from(number).ok())
    }

    pub(super) fn truth(&self, column: &str, default: bool) -> bool {
        self.group.get(column).and_then(as_truth).unwrap_or(default)
    }

    /// A hostgroup's number.
    pub(super) fn hostgroup(&self, column: &str) -> Option<u32> {
        let number = self.number(column)?;
        u32::try_from(number).ok()
    }

    /// All columns.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'f str, &'f Value)> {
        self.group.iter()
    }

    /// Reports columns that are none of these.
    pub(super) fn report_unknown(&self, known: &[&str], report: &mut Report) {
        for (column, value) in self.iter() {
            if !known.contains(&column) {
                let what = format!("{}.{column}", self.table);
                report.left_out(value.line, &what, "there is no such column");
            }
        }
    }
}

pub(super) fn as_text(value: &Value) -> Option<String> {
    match &value.kind {
        Kind::Text(text) => Some(text.clone()),
        Kind::Int(number) => Some(number.to_string()),
        Kind::Float(number) => Some(number.to_string()),
        Kind::Bool(truth) => Some(truth.to_string()),
        Kind::List(_) | Kind::Group(_) => None,
    }
}

pub(super) fn as_number(value: &Value) -> Option<i64> {
    match &value.kind {
        Kind::Int(number) => Some(*number),
        Kind::Bool(truth) => Some(i64::from(*truth)),
        Kind::Text(text) => text.trim().parse().ok(),
        Kind::Float(_) | Kind::List(_) | Kind::Group(_) => None,
    }
}

pub(super) fn as_truth(value: &Value) -> Option<bool> {
    match &value.kind {
        Kind::Bool(truth) => Some(*truth),
        Kind::Int(number) => Some(*number != 0),
        Kind::Text(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        },
        Kind::Float(_) | Kind::List(_) | Kind::Group(_) => None,
    }
}
