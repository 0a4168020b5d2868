//! `mysql_users` and `[[user]]`.

use mainstay_admin::{Cell, Refused, Row, Table};
use toml::{Table as Section, Value};

use super::cells::{self, is_set, json, put, put_filled, text};
use super::document::Document;
use super::groups::Groups;

const NAME: &str = "mysql_users";

/// Clients at the same time in a row that says nothing of them.
const CONNECTIONS: i64 = 10_000;

/// Keys that have no column: they are in `attributes`.
const ATTRIBUTES: [&str; 6] = [
    "plugin",
    "require",
    "causal_reads",
    "transaction_replay",
    "queries_per_second",
    "bytes_per_second",
];

/// What the document says.
pub(super) fn rows(document: &Document) -> Table {
    let mut table = Table::empty(NAME);
    for section in document.list("user") {
        let get = |key: &str| section.get(key).map_or(Cell::Null, cells::cell);
        let one = |key: &str| Cell::Integer(get(key).integer().unwrap_or(0));
        let limit = get("connections_max").integer().unwrap_or(CONNECTIONS);
        let more = ATTRIBUTES.iter().filter_map(|key| {
            let value = section
                .get(*key)
                .filter(|value| value.as_str() != Some("tls"))?;
            Some(((*key).to_owned(), value.clone()))
        });
        let more: Section = more.collect();
        let attributes = if more.is_empty() {
            Cell::Text(String::new())
        } else {
            cells::cell(&Value::Table(more))
        };
        let tls = text(section, "require") == Some("tls");
        table.push(&[
            ("username", get("name")),
            ("password", password(section, document).into()),
            ("use_ssl", Cell::Integer(i64::from(tls))),
            ("default_hostgroup", get("default_hostgroup")),
            ("default_schema", get("default_schema")),
            ("schema_locked", one("schema_locked")),
            ("fast_forward", one("fast_forward")),
            ("max_connections", Cell::Integer(limit)),
            ("attributes", attributes),
            (
                "comment",
                text(section, "comment").unwrap_or_default().into(),
            ),
        ]);
    }
    table
}

/// A password, wherever it is written.
fn password(section: &Section, document: &Document) -> Option<String> {
    let written = text(section, "password").or_else(|| text(section, "password_hash"));
    if let Some(written) = written {
        return Some(written.to_owned());
    }
    let file = text(section, "password_file")?;
    let folder = document.path.parent()?;
    let text = std::fs::read_to_string(folder.join(file)).ok()?;
    Some(text.trim_end().to_owned())
}

/// Puts rows in the place of what the document says.
pub(super) fn write(
    document: &mut Document,
    table: &Table,
    groups: &Groups,
    notes: &mut Vec<String>,
) -> Result<(), Refused> {
    let mut sections = Vec::new();
    for row in &table.rows {
        let get = |column: &str| table.cell(row, column);
        if !is_set(get("active")) {
            continue;
        }
        let name = get("username").shown();
        if !is_set(get("frontend")) {
            notes.push(format!(
                "{NAME} {name}: frontend=0 has no effect: clients and servers have the same account"
            ));
            continue;
        }
        let mut section = Section::new();
        section.insert("name".to_owned(), Value::String(name.clone()));
        credential(&mut section, document, &name, get("password")).map_err(|reason| Refused {
            table: NAME.to_owned(),
            row: table.row_name(row),
            column: "password".to_owned(),
            reason,
        })?;
        put(
            &mut section,
            "default_hostgroup",
            &groups.cell(get("default_hostgroup")),
        );
        put_filled(&mut section, "default_schema", get("default_schema"));
        for flag in ["schema_locked", "fast_forward"] {
            if is_set(get(flag)) {
                section.insert(flag.to_owned(), Value::Boolean(true));
            }
        }
        if is_set(get("use_ssl")) {
            section.insert("require".to_owned(), Value::String("tls".to_owned()));
        }
        let limit = get("max_connections").integer();
        if let Some(limit) = limit.filter(|limit| ![0, CONNECTIONS].contains(limit)) {
            section.insert("connections_max".to_owned(), Value::Integer(limit));
        }
        put_filled(&mut section, "comment", get("comment"));
        attributes(&mut section, get("attributes"), &name, notes);
        remark(table, row, &name, notes);
        sections.push((section, (NAME, table.row_name(row))));
    }
    document.set_list("user", sections);
    Ok(())
}

fn attributes(section: &mut Section, cell: &Cell, name: &str, notes: &mut Vec<String>) {
    for (key, value) in json(cell).unwrap_or_default() {
        if ATTRIBUTES.contains(&key.as_str()) {
            section.insert(key, value);
        } else {
            notes.push(format!(
                "{NAME} {name}: the attribute `{key}` has no effect"
            ));
        }
    }
}

fn remark(table: &Table, row: &Row, name: &str, notes: &mut Vec<String>) {
    if !is_set(table.cell(row, "transaction_persistent")) {
        notes.push(format!(
            "{NAME} {name}: transaction_persistent=0 has no effect: the statements of a \
             transaction stay on its server"
        ));
    }
}

/// A password file stays one while it holds the password of the row.
fn credential(
    section: &mut Section,
    document: &Document,
    name: &str,
    cell: &Cell,
) -> Result<(), String> {
    let Some(written) = cell.filled() else {
        return Err("is empty: a user needs a password".to_owned());
    };
    let mut before = document.list("user");
    let before = before.find(|user| text(user, "name") == Some(name));
    let filed = before.filter(|user| password(user, document).as_deref() == Some(written));
    let file = filed.and_then(|user| text(user, "password_file"));
    let (key, value) = match file {
        Some(file) => ("password_file", file),
        None if written.starts_with("$A$") => ("password_hash", written),
        None if is_native_hash(written) => ("password_hash", written),
        None => ("password", written),
    };
    section.insert(key.to_owned(), Value::String(value.to_owned()));
    Ok(())
}

/// `*` and 40 hexadecimal digits.
fn is_native_hash(text: &str) -> bool {
    let digits = text.strip_prefix('*');
    digits.is_some_and(|digits| {
        digits.len() == 40 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    })
}
