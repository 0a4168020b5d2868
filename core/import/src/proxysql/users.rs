//! `mysql_users`.

use std::collections::BTreeSet;

use super::Row;
use super::numbers::{Numbers, WRITER};
use super::rows;
use crate::libconfig::Group;
use crate::report::Report;
use crate::toml::Toml;

const TABLE: &str = "mysql_users";

const COLUMNS: [&str; 13] = [
    "username",
    "password",
    "active",
    "use_ssl",
    "default_hostgroup",
    "default_schema",
    "schema_locked",
    "transaction_persistent",
    "fast_forward",
    "backend",
    "frontend",
    "max_connections",
    "attributes",
];

/// ProxySQL's default of `max_connections`.
const CONNECTIONS_DEFAULT: u64 = 10_000;

/// One user.
#[derive(Debug)]
pub(super) struct User {
    name: String,
    password: (&'static str, String),
    schema: Option<String>,
    hostgroup: Option<u32>,
    connections_max: Option<u64>,
    tls: bool,
    schema_locked: bool,
    fast_forward: bool,
}

/// Reads them. Beside the numbers: whether some rule sends statements to readers.
pub(super) fn read(
    file: &Group,
    (numbers, rules_split): (&Numbers, bool),
    report: &mut Report,
) -> Vec<User> {
    let mut names = BTreeSet::new();
    let mut users = Vec::new();
    for row in rows(file, TABLE, report) {
        row.report_unknown(&[&COLUMNS[..], &["comment"]].concat(), report);
        let Some(name) = row.some_text("username") else {
            report.left_out(row.line, TABLE, "has no username");
            continue;
        };
        let what = format!("user {name}");
        let Some(password) = password(&row, &what, report) else {
            continue;
        };
        if !names.insert(name.clone()) {
            let sentence = "is there already: one row serves clients and servers";
            report.left_out(row.line, &what, sentence);
            continue;
        }
        details(&row, &what, report);
        let set = |column: &str| row.count(column).filter(|&number| number > 0);
        let most = set("max_connections").filter(|&most| most != CONNECTIONS_DEFAULT);
        users.push(User {
            password,
            schema: row.some_text("default_schema"),
            hostgroup: default_hostgroup(&row, &what, (numbers, rules_split), report),
            connections_max: most,
            tls: row.truth("use_ssl", false),
            schema_locked: row.truth("schema_locked", false),
            fast_forward: row.truth("fast_forward", false),
            name,
        });
        report.taken(
            row.line,
            &what,
            "may log in, with the same password at the servers",
        );
    }
    users
}

/// Its key and what it is; `None`, with a word, where the user cannot be taken.
fn password(row: &Row<'_>, what: &str, report: &mut Report) -> Option<(&'static str, String)> {
    if !row.truth("active", true) {
        report.left_out(row.line, what, "is not active");
        return None;
    }
    if !row.truth("frontend", true) {
        report.left_out(
            row.line,
            what,
            "is for servers only: clients' accounts are used there",
        );
        return None;
    }
    let password = row.text("password").unwrap_or_default();
    if password.is_empty() {
        report.left_out(row.line, what, "has no password: give it one, then add it");
        return None;
    }
    let digits = password.strip_prefix('*');
    if digits
        .is_some_and(|rest| rest.len() == 40 && rest.bytes().all(|one| one.is_ascii_hexdigit()))
    {
        let sentence = "is known by a hash of mysql_native_password: its clients are asked for the \
                        password by caching_sha2_password, because servers want it too; with its \
                        `password` they need not be";
        report.changed(row.line, what, sentence);
        return Some(("password_hash", password));
    }
    if password.starts_with("$A$") {
        return Some(("password_hash", password));
    }
    Some(("password", password))
}

/// What is not the same here.
fn details(row: &Row<'_>, what: &str, report: &mut Report) {
    if !row.truth("transaction_persistent", true) {
        let sentence = "transaction_persistent=0 has no equal: the statements of a transaction \
                        stay on its server";
        report.changed(row.line, what, sentence);
    }
    if row.some_text("attributes").is_some() {
        report.left_out(row.line, &format!("{what}, attributes"), "is not known");
    }
}

/// The hostgroup of its reads. In a file without rules `default_hostgroup` is that of the writer
/// since something must be: then reads and writes are split here.
fn default_hostgroup(
    row: &Row<'_>,
    what: &str,
    (numbers, rules_split): (&Numbers, bool),
    report: &mut Report,
) -> Option<u32> {
    let old = row.hostgroup("default_hostgroup").unwrap_or_default();
    let what = format!("{what}, default_hostgroup {old}");
    let Some(new) = numbers.get(old) else {
        report.left_out(
            row.line,
            &what,
            "has no servers: reads and writes are split",
        );
        return None;
    };
    let fast_forward = row.truth("fast_forward", false);
    if new == WRITER && !rules_split && !fast_forward {
        let sentence = "no rule sends reads to replicas, so all went to the writer: reads that are \
                        proved to be reads go to replicas now, and see the earlier writes of their \
                        session; `default_hostgroup = 0` keeps them on the writer";
        report.changed(row.line, &what, sentence);
        return None;
    }
    Some(new)
}

pub(super) fn write(users: &[User], toml: &mut Toml) {
    for user in users {
        toml.item("user");
        toml.text("name", &user.name);
        toml.text(user.password.0, &user.password.1);
        if let Some(schema) = &user.schema {
            toml.text("default_schema", schema);
        }
        if let Some(hostgroup) = user.hostgroup {
            toml.raw("default_hostgroup", &hostgroup.to_string());
        }
        if let Some(most) = user.connections_max {
            toml.raw("connections_max", &most.to_string());
        }
        if user.tls {
            toml.text("require", "tls");
        }
        if user.schema_locked {
            toml.raw("schema_locked", "true");
        }
        if user.fast_forward {
            toml.raw("fast_forward", "true");
        }
    }
}
