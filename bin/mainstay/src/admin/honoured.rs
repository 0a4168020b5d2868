//! The table of docs/admin.md that says what is honoured is what the code says.
//! `UPDATE_EXPECT=1` writes it.

use std::collections::BTreeSet;
use std::fs;

use mainstay_admin::{Schema, defaults, tables};
use mainstay_command::{COMMANDS, Entry, Module};

use super::{firewall, servers, variables};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/admin.md");
const BEGIN: &str = "<!-- what is honoured: written by a test -->\n";
const END: &str = "<!-- end -->";

/// Shown, and told by the settings file only.
const SHOWN: [&str; 2] = ["admin-mysql_ifaces", "admin-version"];

/// Of the commands, how those without an effect say so.
const INERT: [&str; 3] = [
    "has no effect here",
    "Always empty",
    "is a transaction of its own",
];

/// Parts of names of figures of what is not looked at: their tables stay empty.
const NOT_LOOKED_AT: [&str; 5] = [
    "proxysql_",
    "aws_aurora",
    "galera",
    "group_replication",
    "gtid_executed",
];

fn configured() -> (BTreeSet<&'static str>, BTreeSet<&'static str>) {
    let all = Module::ALL.into_iter().flat_map(Module::tables);
    let whole = [Module::RestApi, Module::Proxies];
    let whole = whole.into_iter().flat_map(Module::tables).copied();
    let named = servers::INERT.iter().map(|(name, _)| *name);
    let inert: BTreeSet<_> = whole.chain(named).chain([firewall::FINGERPRINTS]).collect();
    let honoured = all.copied().filter(|name| !inert.contains(name)).collect();
    (honoured, inert)
}

fn row(what: &str, honoured: usize, inert: usize, others: &str) -> String {
    format!("| {what} | {honoured} | {inert} | {others} |\n")
}

fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names = names.into_iter().map(|name| format!("`{name}`"));
    names.collect::<Vec<_>>().join(", ")
}

fn table() -> String {
    let (honoured, inert) = configured();
    let figures = tables().iter().filter(|table| {
        matches!(
            table.schema,
            Schema::Stats | Schema::StatsHistory | Schema::Monitor
        )
    });
    let (empty, told): (Vec<_>, Vec<_>) =
        figures.partition(|table| NOT_LOOKED_AT.iter().any(|part| table.name.contains(part)));
    let known: BTreeSet<_> = variables::honoured().collect();
    assert!(known.iter().all(|name| defaults().contains_key(name)));
    let variables = defaults().len() - known.len() - SHOWN.len();
    let (idle, done): (Vec<&Entry>, Vec<&Entry>) = COMMANDS
        .iter()
        .partition(|entry| INERT.iter().any(|words| entry.help.contains(words)));
    let mut text = "| | honoured | accepted, without effect | |\n|---|---|---|---|\n".to_owned();
    let names = format!("without effect: {}", listed(inert.iter().copied()));
    text += &row(
        "tables of the configuration",
        honoured.len(),
        inert.len(),
        &names,
    );
    let names = listed(empty.iter().map(|table| table.name.as_str()));
    let names = format!("always empty: {names}");
    text += &row("tables of figures", told.len(), empty.len(), &names);
    let names = format!(
        "shown only: {}; honoured: {}",
        listed(SHOWN),
        listed(known.iter().copied())
    );
    text += &row("variables", known.len(), variables, &names);
    text += &row(
        "commands",
        done.len(),
        idle.len(),
        "refused with a reason: `SELECT … INTO OUTFILE`, `ATTACH`, `CREATE`, `DROP`",
    );
    text
}

#[test]
fn the_document_says_what_is_honoured_as_the_code_does() {
    let document = fs::read_to_string(DOCUMENT).expect("the document is there");
    let (before, rest) = document.split_once(BEGIN).expect("a place for the table");
    let (found, after) = rest.split_once(END).expect("its end");
    let wanted = table();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let text = format!("{before}{BEGIN}{wanted}{END}{after}");
        fs::write(DOCUMENT, text).expect("the document can be written");
        return;
    }
    assert_eq!(
        found, wanted,
        "UPDATE_EXPECT=1 cargo test -p mainstay honoured"
    );
}
