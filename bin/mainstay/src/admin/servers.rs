//! `mysql_servers`, `mysql_replication_hostgroups` and `[[server]]`, `[[hostgroups]]`.
//!
//! Who is the writer and who a reader is decided by what servers say, not by rows: a server is in
//! the cluster when it is in either hostgroup of the pair.

use std::collections::BTreeMap;

use mainstay_admin::{Cell, Row, Table};
use mainstay_routing::hostgroups::{READERS, WRITERS};
use toml::{Table as Section, Value};

use super::cells::{self, put_filled, text};
use super::document::{Document, Origin};
use super::groups::Groups;
use super::terms;

const SERVERS: &str = "mysql_servers";
const PAIRS: &str = "mysql_replication_hostgroups";

/// Tables whose rows are kept and have no effect, and why.
pub(super) const INERT: [(&str, &str); 5] = [
    (
        "mysql_group_replication_hostgroups",
        "group replication is not looked at",
    ),
    ("mysql_galera_hostgroups", "Galera is not looked at"),
    ("mysql_aws_aurora_hostgroups", "Aurora is not looked at"),
    (
        "mysql_hostgroup_attributes",
        "limits of hostgroups are set with [[hostgroups]]",
    ),
    (
        "mysql_servers_ssl_params",
        "TLS towards servers is set with [proxy.server_tls]",
    ),
];

/// What the document says: the servers of the cluster stand among the readers, and in the
/// hostgroups that name them.
pub(super) fn rows(document: &Document) -> Vec<Table> {
    let mut servers = Table::empty(SERVERS);
    let mut push = |number: i64, section: &Section| {
        let Some((host, port)) = address(section) else {
            return;
        };
        let mut cells = vec![
            ("hostgroup_id", Cell::Integer(number)),
            ("hostname", host.into()),
            ("port", Cell::Integer(port)),
        ];
        for (column, key) in [("weight", "weight"), ("comment", "comment")] {
            if let Some(value) = section.get(key) {
                cells.push((column, cells::cell(value)));
            }
        }
        cells.extend(terms::cells(section));
        servers.push(&cells);
    };
    for section in document.list("server") {
        push(READERS.into(), section);
    }
    for group in document.list("hostgroups") {
        let number = group.get("id").and_then(Value::as_integer);
        let named = group.get("servers").and_then(Value::as_array);
        for name in named.into_iter().flatten().filter_map(Value::as_str) {
            let mut found = document.list("server");
            let server = found.find(|server| text(server, "name") == Some(name));
            if let Some((number, server)) = number.zip(server) {
                push(number, server);
            }
        }
    }
    let mut pairs = Table::empty(PAIRS);
    pairs.push(&[
        ("writer_hostgroup", Cell::Integer(WRITERS.into())),
        ("reader_hostgroup", Cell::Integer(READERS.into())),
    ]);
    vec![servers, pairs]
}

/// Puts rows in the place of what the document says. A server keeps the keys that have no column.
pub(super) fn write(
    document: &mut Document,
    tables: &[Table],
    groups: &Groups,
    notes: &mut Vec<String>,
) {
    for (name, why) in INERT {
        let table = tables.iter().find(|table| table.name == name);
        if table.is_some_and(|table| !table.rows.is_empty()) {
            notes.push(format!("{name} has no effect: {why}"));
        }
    }
    let Some(table) = tables.iter().find(|table| table.name == SERVERS) else {
        return;
    };
    let mut servers: Vec<(Section, Origin)> = Vec::new();
    let mut members: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for row in &table.rows {
        let section = server(document, table, row, &servers);
        let name = text(&section, "name").unwrap_or_default().to_owned();
        let number = table.cell(row, "hostgroup_id").integer().unwrap_or(0);
        let number = groups.ours(number);
        let known = servers
            .iter_mut()
            .find(|(known, _)| text(known, "name") == Some(name.as_str()));
        match known {
            // The weight among the readers is the one that counts.
            Some((known, _)) if number == i64::from(READERS) => *known = section,
            Some(_) => {}
            None => servers.push((section, (SERVERS, table.row_name(row)))),
        }
        if number != i64::from(WRITERS) && number != i64::from(READERS) {
            members.entry(number).or_default().push(name);
        }
        remark(table, row, document.has("manager"), notes);
    }
    let mut hostgroups = Vec::new();
    for group in document.list("hostgroups") {
        let number = group.get("id").and_then(Value::as_integer);
        let built_in =
            number.is_some_and(|number| [WRITERS, READERS].map(i64::from).contains(&number));
        if built_in {
            hostgroups.push((
                group.clone(),
                (SERVERS, format!("hostgroup_id={}", number.unwrap_or(0))),
            ));
        }
    }
    for (number, names) in members {
        let mut before = document.list("hostgroups");
        let before =
            before.find(|group| group.get("id").and_then(Value::as_integer) == Some(number));
        let mut group = before.cloned().unwrap_or_default();
        group.insert("id".to_owned(), Value::Integer(number));
        let names = names.into_iter().map(Value::String).collect();
        group.insert("servers".to_owned(), Value::Array(names));
        hostgroups.push((group, (SERVERS, format!("hostgroup_id={number}"))));
    }
    document.set_list("hostgroups", hostgroups);
    document.set_list("server", servers);
}

/// A row as a section: what is known of the server already, and what the row says.
fn server(document: &Document, table: &Table, row: &Row, others: &[(Section, Origin)]) -> Section {
    let host = table.cell(row, "hostname").shown();
    let port = table.cell(row, "port").shown();
    let at = if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    };
    let is_here = |section: &&Section| text(section, "address") == Some(at.as_str());
    let before = document.list("server").find(is_here);
    let mut section = before.cloned().unwrap_or_else(|| {
        let mut section = Section::new();
        let taken = |name: &str| {
            let mut others = others.iter().map(|(other, _)| other);
            let mut known = document.list("server").filter(|known| !is_here(known));
            others.any(|other| {
                text(other, "name") == Some(name) && text(other, "address") != Some(at.as_str())
            }) || known.any(|known| text(known, "name") == Some(name))
        };
        let plain = host.replace(
            |c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c),
            "-",
        );
        let name = if taken(&plain) {
            format!("{plain}-{port}")
        } else {
            plain
        };
        section.insert("name".to_owned(), Value::String(name));
        section.insert("address".to_owned(), Value::String(at.clone()));
        section
    });
    let weight = table.cell(row, "weight").integer().unwrap_or(1);
    if weight != 1 || section.contains_key("weight") {
        section.insert("weight".to_owned(), Value::Integer(weight));
    }
    section.remove("comment");
    put_filled(&mut section, "comment", table.cell(row, "comment"));
    terms::write(&mut section, table, row, document.has("manager"));
    section
}

fn remark(table: &Table, row: &Row, is_managed: bool, notes: &mut Vec<String>) {
    let mut inert = vec![("gtid_port", "positions are read from replies")];
    if is_managed {
        let why = "with a manager, [cluster] reader_lag_max says who is too far behind";
        inert.extend([("max_replication_lag", why), ("max_latency_ms", why)]);
    }
    for (column, why) in inert {
        if *table.cell(row, column) != Cell::Integer(0) {
            let name = table.row_name(row);
            notes.push(format!("{SERVERS} {name}: {column} has no effect: {why}"));
        }
    }
}

/// Host and port of a section.
fn address(section: &Section) -> Option<(String, i64)> {
    let (host, port) = text(section, "address")?.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Some((host.to_owned(), port.parse().ok()?))
}
