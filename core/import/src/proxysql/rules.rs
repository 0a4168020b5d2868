//! `mysql_query_rules`, `mysql_query_rules_fast_routing` and the whitelist of the firewall: the
//! columns have the same names here.

use std::collections::BTreeSet;

use mainstay_routing::Rules as Compiled;
use mainstay_routing::rules::{Conditions, Rule as Pattern};
use mainstay_sql::Digest;

use super::Row;
use super::numbers::{Numbers, READERS, WRITER};
use super::row::{as_number, as_text, as_truth};
use super::rows;
use crate::libconfig::{Group, Value};
use crate::report::Report;
use crate::toml::{Toml, quoted};

const TABLE: &str = "mysql_query_rules";

/// Columns with what they hold.
type Columns = &'static [(&'static str, Type)];

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    /// Text that may be empty.
    Any,
    Count,
    Truth,
    Hostgroup,
}

/// The columns of a rule in their order, but for its number.
const COLUMNS: [(&str, Type); 31] = [
    ("active", Type::Truth),
    ("username", Type::Text),
    ("schemaname", Type::Text),
    ("flagIN", Type::Count),
    ("client_addr", Type::Text),
    ("proxy_addr", Type::Text),
    ("proxy_port", Type::Count),
    ("digest", Type::Text),
    ("match_digest", Type::Text),
    ("match_pattern", Type::Text),
    ("negate_match_pattern", Type::Truth),
    ("re_modifiers", Type::Any),
    ("flagOUT", Type::Count),
    ("replace_pattern", Type::Any),
    ("destination_hostgroup", Type::Hostgroup),
    ("cache_ttl", Type::Count),
    ("cache_empty_result", Type::Truth),
    ("cache_timeout", Type::Count),
    ("reconnect", Type::Truth),
    ("timeout", Type::Count),
    ("retries", Type::Count),
    ("delay", Type::Count),
    ("next_query_flagIN", Type::Count),
    ("mirror_flagOUT", Type::Count),
    ("mirror_hostgroup", Type::Hostgroup),
    ("error_msg", Type::Text),
    ("OK_msg", Type::Text),
    ("sticky_conn", Type::Truth),
    ("multiplex", Type::Count),
    ("log", Type::Truth),
    ("apply", Type::Truth),
];

const FAST: [(&str, Type); 4] = [
    ("username", Type::Any),
    ("schemaname", Type::Text),
    ("flagIN", Type::Count),
    ("destination_hostgroup", Type::Hostgroup),
];

const FIREWALL_USERS: [(&str, Type); 4] = [
    ("active", Type::Truth),
    ("username", Type::Text),
    ("client_address", Type::Any),
    ("mode", Type::Text),
];

const FIREWALL_RULES: [(&str, Type); 6] = [
    ("active", Type::Truth),
    ("username", Type::Text),
    ("client_address", Type::Any),
    ("schemaname", Type::Any),
    ("flagIN", Type::Count),
    ("digest", Type::Text),
];

/// Sections of settings: each its name and its keys with values as TOML writes them.
#[derive(Debug, Default)]
pub(super) struct Rules {
    sections: Vec<(&'static str, Vec<(&'static str, String)>)>,
    to_readers: bool,
}

impl Rules {
    /// Whether some rule in force sends statements elsewhere than to the writer.
    pub(super) fn to_readers(&self) -> bool {
        self.to_readers
    }

    pub(super) fn write(&self, toml: &mut Toml) {
        for (name, keys) in &self.sections {
            toml.item(name);
            for (key, value) in keys {
                toml.raw(key, value);
            }
        }
    }
}

pub(super) fn read(file: &Group, numbers: &Numbers, report: &mut Report) -> Rules {
    let mut rules = Rules::default();
    let mut ids = BTreeSet::new();
    for row in rows(file, TABLE, report) {
        let id = row.count("rule_id").and_then(|id| u32::try_from(id).ok());
        let Some(id) = id.filter(|id| ids.insert(*id)) else {
            report.left_out(row.line, TABLE, "has no rule_id of its own");
            continue;
        };
        let what = format!("rule {id}");
        if let Err(sentence) = compiles(id, &row) {
            report.left_out(row.line, &what, sentence);
            continue;
        }
        let Some(mut keys) = columns(&row, &what, (&COLUMNS, numbers), report) else {
            continue;
        };
        let active = row.truth("active", false);
        keys.retain(|(key, _)| *key != "active");
        keys.insert(0, ("rule_id", id.to_string()));
        if !active {
            keys.insert(1, ("active", "false".to_owned()));
        }
        report_rest(&row, &what, report);
        let to = row.hostgroup("destination_hostgroup");
        let to = to.and_then(|old| numbers.get(old));
        rules.to_readers |= active && to.is_some_and(|new| new != WRITER);
        if active && to == Some(READERS) {
            let sentence = "sends what it matches to the readers; what is no read goes to the \
                            writer all the same";
            report.taken(row.line, &what, sentence);
        } else {
            let sentence = if active {
                "asked as before"
            } else {
                "kept, not active"
            };
            report.taken(row.line, &what, sentence);
        }
        rules.sections.push(("query_rules", keys));
    }
    let others: [(&'static str, &'static str, Columns); 3] = [
        ("mysql_query_rules_fast_routing", "fast_routing", &FAST),
        (
            "mysql_firewall_whitelist_users",
            "firewall_users",
            &FIREWALL_USERS,
        ),
        (
            "mysql_firewall_whitelist_rules",
            "firewall_rules",
            &FIREWALL_RULES,
        ),
    ];
    for (table, section, known) in others {
        for row in rows(file, table, report) {
            let Some(keys) = columns(&row, table, (known, numbers), report) else {
                continue;
            };
            rules.to_readers |= section == "fast_routing";
            report.taken(row.line, table, format!("as [[{section}]]"));
            rules.sections.push((section, keys));
        }
    }
    rules
}

/// Whether its expressions can be used; if not, why.
fn compiles(id: u32, row: &Row<'_>) -> Result<(), String> {
    let digest = row.some_text("digest");
    if digest.is_some_and(|digest| Digest::parse(&digest).is_none()) {
        return Err("digest: is no digest such as 0x226CD90D52A2BA0B".to_owned());
    }
    let rule = Pattern {
        rule_id: id,
        conditions: Conditions {
            match_digest: row.some_text("match_digest"),
            match_pattern: row.some_text("match_pattern"),
            ..Conditions::default()
        },
        replace_pattern: row.text("replace_pattern"),
        ..Pattern::default()
    };
    match Compiled::compile(vec![rule], Vec::new()) {
        Ok(_) => Ok(()),
        Err(errors) => {
            let errors = errors.iter();
            let all: Vec<_> = errors
                .map(|error| format!("{}: {}", error.key, error.reason))
                .collect();
            Err(all.join("; "))
        }
    }
}

/// The known columns of a row; `None`, with a word, where one of them cannot be taken.
fn columns(
    row: &Row<'_>,
    what: &str,
    (known, numbers): (Columns, &Numbers),
    report: &mut Report,
) -> Option<Vec<(&'static str, String)>> {
    let mut keys = Vec::new();
    for (column, kind) in known {
        let found = row.iter().find(|(name, _)| name == column);
        let Some((_, value)) = found else { continue };
        if *kind == Type::Text && as_text(value).is_some_and(|text| text.is_empty()) {
            continue;
        }
        if *kind == Type::Hostgroup {
            let old = as_number(value).and_then(|number| u32::try_from(number).ok());
            let Some(new) = old.and_then(|old| numbers.get(old)) else {
                let shown = as_text(value).unwrap_or_default();
                let sentence = format!("{column} {shown} has no servers here");
                report.left_out(value.line, what, sentence);
                return None;
            };
            keys.push((*column, new.to_string()));
            continue;
        }
        let Some(written) = written(value, *kind) else {
            report.left_out(value.line, what, format!("{column} is of the wrong type"));
            return None;
        };
        keys.push((*column, written));
    }
    Some(keys)
}

fn written(value: &Value, kind: Type) -> Option<String> {
    match kind {
        Type::Text | Type::Any => as_text(value).map(|text| quoted(&text)),
        Type::Count | Type::Hostgroup => {
            let number = as_number(value).filter(|number| *number >= 0);
            number.map(|number| number.to_string())
        }
        Type::Truth => as_truth(value).map(|truth| truth.to_string()),
    }
}

/// Says what is not taken of a rule.
fn report_rest(row: &Row<'_>, what: &str, report: &mut Report) {
    for (column, value) in row.iter() {
        let known = COLUMNS.iter().any(|(name, _)| *name == column);
        let empty = as_text(value).is_some_and(|text| text.is_empty());
        if known || empty || column == "rule_id" || column == "comment" {
            continue;
        }
        let sentence = match column {
            "gtid_from_hostgroup" => "reads see the earlier writes of their session anyhow",
            "attributes" => "weights of flagOUTs are written as a table: docs/proxy/rules.md",
            _ => "there is no such column",
        };
        report.left_out(value.line, &format!("{what}, {column}"), sentence);
    }
}
