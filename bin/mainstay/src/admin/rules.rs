//! `mysql_query_rules` and `[[query_rules]]`, which have the same names; and so for fast routing.

use mainstay_admin::{Cell, Table, columns};
use toml::{Table as Section, Value};

use super::cells::{self, json, put};
use super::document::Document;
use super::groups::Groups;

const RULES: &str = "mysql_query_rules";
const FAST: &str = "mysql_query_rules_fast_routing";

/// Columns that hold the number of a hostgroup.
const NUMBERS: [&str; 3] = [
    "destination_hostgroup",
    "mirror_hostgroup",
    "gtid_from_hostgroup",
];

/// What the document says.
pub(super) fn rows(document: &Document) -> [Table; 2] {
    let mut rules = Table::empty(RULES);
    for section in document.list("query_rules") {
        let mut cells: Vec<_> = columns(RULES)
            .iter()
            .filter_map(|column| Some((*column, cells::cell(section.get(*column)?))))
            .collect();
        if !section.contains_key("active") {
            // A rule in a file is one that its author wants; a row begins as a draft.
            cells.push(("active", Cell::Integer(1)));
        }
        rules.push(&cells);
    }
    let mut fast = Table::empty(FAST);
    for section in document.list("fast_routing") {
        let cells: Vec<_> = columns(FAST)
            .iter()
            .filter_map(|column| Some((*column, cells::cell(section.get(*column)?))))
            .collect();
        fast.push(&cells);
    }
    [rules, fast]
}

/// Puts rows in the place of what the document says.
pub(super) fn write(document: &mut Document, tables: &[Table], groups: &Groups) {
    for (name, list) in [(RULES, "query_rules"), (FAST, "fast_routing")] {
        let Some(table) = tables.iter().find(|table| table.name == name) else {
            continue;
        };
        let sections = table.rows.iter().map(|row| {
            let mut section = Section::new();
            for column in columns(name) {
                let cell = table.cell(row, column);
                if NUMBERS.contains(column) {
                    put(&mut section, column, &groups.cell(cell));
                } else if *column == "attributes" {
                    if let Some(attributes) = json(cell) {
                        section.insert("attributes".to_owned(), Value::Table(attributes));
                    }
                } else if *column == "re_modifiers" && *cell == Cell::Null {
                    // No word at all is no modifier, where a missing key would be the default.
                    section.insert("re_modifiers".to_owned(), Value::String(String::new()));
                } else if !is_nothing(column, cell) {
                    put(&mut section, column, cell);
                }
            }
            (section, (name, table.row_name(row)))
        });
        let sections = sections.collect();
        document.set_list(list, sections);
    }
}

/// An empty text where it means the same as NULL.
fn is_nothing(column: &str, cell: &Cell) -> bool {
    let counts = ["replace_pattern", "re_modifiers", "username"].contains(&column);
    !counts && *cell == Cell::Text(String::new())
}
