//! `proxysql.cnf`: servers, users, rules, replication hostgroups, variables and scheduler.
//!
//! Names of its tables and variables are those of ProxySQL 2.7 (its documentation, "Main (runtime)"
//! and "Global variables").

mod attributes;
mod known;
mod numbers;
mod others;
mod row;
mod rules;
mod servers;
#[cfg(test)]
mod tests;
mod users;
mod variables;

use crate::format::{ImportError, Imported};
use crate::libconfig::{self, Group, Kind, Value};
use crate::report::Report;
use crate::toml::Toml;
use numbers::Numbers;
use row::Row;

/// Settings by which a file is recognised.
const OWN: [&str; 5] = [
    "mysql_variables",
    "admin_variables",
    "mysql_servers",
    "mysql_users",
    "mysql_query_rules",
];

const HEADER: &str = "Made from proxysql.cnf by `mainstay import`. It holds passwords: keep it \
                      readable by its owner only.\nSettings that are not here have their defaults: \
                      examples/alone.toml, examples/mainstay.toml.";

/// Whether this is such a file, as far as can be told without reading all of it.
pub(crate) fn is_one(text: &str) -> bool {
    let begins = |line: &str, name: &str| {
        let rest = line.trim_start().strip_prefix(name);
        rest.is_some_and(|rest| rest.trim_start().starts_with(['=', ':']))
    };
    text.lines()
        .any(|line| OWN.iter().any(|name| begins(line, name)))
}

/// Reads a file. `password` is that of the API, which the file does not have.
pub(crate) fn import(text: &str, password: &str) -> Result<Imported, ImportError> {
    let file = libconfig::parse(text)?;
    let mut report = Report::default();
    for (line, path) in &file.includes {
        let sentence = format!("`{path}` is not read: import it too, or put it in place");
        report.left_out(*line, "@include", sentence);
    }
    let numbers = Numbers::of(&file, &mut report);
    let servers = servers::read(&file, &numbers, &mut report);
    let known = numbers.known(&servers);
    let rules = rules::read(&file, &known, &mut report);
    let users = users::read(&file, (&known, rules.to_readers()), &mut report);
    let variables = variables::read(&file, &mut report);
    let scheduler = others::scheduler(&file, &mut report);
    attributes::of_hostgroups(&file, &mut report);
    others::left_out(&file, &mut report);

    let mut toml = Toml::default();
    toml.comment(HEADER);
    servers::write(&servers, &variables, &mut toml);
    variables.write("monitor", &mut toml);
    variables.write("proxy", &mut toml);
    variables.write_some("proxy.server_tls", &mut toml);
    variables.write_some("logs", &mut toml);
    users::write(&users, &mut toml);
    servers::write_hostgroups(&servers, &mut toml);
    rules.write(&mut toml);
    others::write_scheduler(&scheduler, &mut toml);
    toml.section("api");
    toml.text("password", password);
    Ok(Imported {
        toml: toml.finish(),
        remarks: report.into_remarks(),
    })
}

/// The rows of a table; a table that is none is reported.
fn rows<'f>(file: &'f Group, table: &'static str, report: &mut Report) -> Vec<Row<'f>> {
    let Some(value) = file.get(table) else {
        return Vec::new();
    };
    let Kind::List(items) = &value.kind else {
        report.left_out(value.line, table, "is no list of rows: ( { … }, { … } )");
        return Vec::new();
    };
    let mut rows = Vec::new();
    for item in items {
        match &item.kind {
            Kind::Group(group) => rows.push(Row::new(table, item.line, group)),
            _ => report.left_out(item.line, table, "is no row: { column = value … }"),
        }
    }
    rows
}

/// The settings of a group such as `mysql_variables`.
fn settings<'f>(file: &'f Group, name: &str) -> Vec<(&'f str, &'f Value)> {
    match file.get(name).map(|value| &value.kind) {
        Some(Kind::Group(group)) => group.iter().collect(),
        _ => Vec::new(),
    }
}
