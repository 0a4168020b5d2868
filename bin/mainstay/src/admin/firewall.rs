//! `mysql_firewall_whitelist_users`, `…_rules` and `[[firewall_users]]`, `[[firewall_rules]]`.

use mainstay_admin::{Cell, Table, columns};
use toml::Table as Section;

use super::cells::{self, put};
use super::document::Document;

const LISTS: [(&str, &str); 2] = [
    ("mysql_firewall_whitelist_users", "firewall_users"),
    ("mysql_firewall_whitelist_rules", "firewall_rules"),
];
pub(super) const FINGERPRINTS: &str = "mysql_firewall_whitelist_sqli_fingerprints";

/// What the document says.
pub(super) fn rows(document: &Document) -> Vec<Table> {
    let mut tables = Vec::new();
    for (name, list) in LISTS {
        let mut table = Table::empty(name);
        for section in document.list(list) {
            let cells: Vec<_> = columns(name)
                .iter()
                .filter_map(|column| Some((*column, cells::cell(section.get(*column)?))))
                .collect();
            table.push(&cells);
        }
        tables.push(table);
    }
    tables.push(Table::empty(FINGERPRINTS));
    tables
}

/// Whether the document has a firewall.
pub(super) fn is_on(document: &Document) -> bool {
    LISTS
        .iter()
        .any(|(_, list)| document.list(list).next().is_some())
}

/// Puts rows in the place of what the document says; none of them while the firewall is off.
pub(super) fn write(
    document: &mut Document,
    tables: &[Table],
    is_on: bool,
    notes: &mut Vec<String>,
) {
    for (name, list) in LISTS {
        let table = tables.iter().find(|table| table.name == name && is_on);
        let sections = table.into_iter().flat_map(|table| {
            table.rows.iter().map(|row| {
                let mut section = Section::new();
                for column in columns(name) {
                    let cell = table.cell(row, column);
                    let is_empty_comment = *column == "comment" && cell.filled().is_none();
                    if *column == "active" {
                        let active = *cell == Cell::Integer(1);
                        section.insert("active".to_owned(), active.into());
                    } else if !is_empty_comment {
                        put(&mut section, column, cell);
                    }
                }
                (section, (name, table.row_name(row)))
            })
        });
        let sections = sections.collect();
        document.set_list(list, sections);
    }
    let fingerprints = tables.iter().find(|table| table.name == FINGERPRINTS);
    if fingerprints.is_some_and(|table| !table.rows.is_empty()) {
        notes.push(format!(
            "{FINGERPRINTS} has no effect: statements are not guessed at"
        ));
    }
    let given = tables.iter().any(|table| !table.rows.is_empty());
    if !is_on && given {
        notes.push("the firewall is off: SET mysql-firewall_whitelist_enabled='true'".to_owned());
    }
}
