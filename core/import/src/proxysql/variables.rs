//! `mysql_variables` and `admin_variables`: those with a setting of the same meaning here.

use std::collections::BTreeMap;

use super::known::{How, VARIABLES};
use super::row::{as_number, as_text, as_truth};
use super::settings;
use crate::libconfig::{Group, Value};
use crate::report::Report;
use crate::toml::{Toml, quoted};

/// ProxySQL's default account of its monitor.
const MONITOR: &str = "monitor";

/// A day: more is as good as no limit.
const DAY_MS: i64 = 86_400_000;

/// Keys of sections, with values as TOML writes them.
#[derive(Debug, Default)]
pub(super) struct Variables {
    keys: BTreeMap<&'static str, Vec<(&'static str, String)>>,
    latency_max_ms: Option<u64>,
}

impl Variables {
    /// `default_max_latency_ms`, where the file has one.
    pub(super) fn latency_max_ms(&self) -> Option<u64> {
        self.latency_max_ms
    }

    /// A section that need not be there.
    pub(super) fn write_some(&self, section: &'static str, toml: &mut Toml) {
        if self.keys.get(section).is_some_and(|keys| !keys.is_empty()) {
            self.write(section, toml);
        }
    }

    pub(super) fn write(&self, section: &'static str, toml: &mut Toml) {
        toml.section(section);
        for (key, value) in self.keys.get(section).into_iter().flatten() {
            toml.raw(key, value);
        }
    }

    /// Takes away what has no meaning without another key.
    fn complete(&mut self, report: &mut Report) {
        for (section, key, needed) in [
            ("logs", "queries_of", "queries"),
            ("proxy.server_tls", "certificate", "key"),
            ("proxy.server_tls", "key", "certificate"),
        ] {
            if self.has(section, key) && !self.has(section, needed) {
                let what = format!("[{section}] {key}");
                report.left_out(1, &what, format!("has no meaning without {needed}"));
                if let Some(keys) = self.keys.get_mut(section) {
                    keys.retain(|(known, _)| *known != key);
                }
            }
        }
    }

    pub(super) fn set(&mut self, section: &'static str, key: &'static str, value: String) {
        self.keys.entry(section).or_default().push((key, value));
    }

    pub(super) fn has(&self, section: &str, key: &str) -> bool {
        let keys = self.keys.get(section).into_iter().flatten();
        keys.into_iter().any(|(known, _)| *known == key)
    }
}

pub(super) fn read(file: &Group, report: &mut Report) -> Variables {
    let mut variables = Variables::default();
    for (name, value) in settings(file, "mysql_variables") {
        let bare = name.strip_prefix("mysql-").unwrap_or(name);
        let known = VARIABLES.iter().find(|(there, ..)| *there == bare);
        let what = format!("mysql-{bare}");
        let Some((_, section, key, how)) = known else {
            report.left_out(value.line, &what, "there is no such setting");
            continue;
        };
        if let How::LeftOut(why) = how {
            report.left_out(value.line, &what, *why);
        } else if bare == "default_max_latency_ms" {
            variables.latency_max_ms =
                as_number(value).and_then(|number| u64::try_from(number).ok());
            report.changed(value.line, &what, "is latency_max of each server now");
        } else if let Some(written) = convert(value, *how) {
            // A password is not repeated.
            let sentence = match *key {
                "password" => "is [monitor] password".to_owned(),
                _ => format!("is [{section}] {key} = {written}"),
            };
            report.taken(value.line, &what, sentence);
            variables.set(section, key, written);
        } else {
            report.left_out(value.line, &what, "the default holds");
        }
    }
    super::attributes::of_servers(file, &mut variables, report);
    variables.complete(report);
    check_type(file, &mut variables, report);
    for key in ["user", "password"] {
        if !variables.has("monitor", key) {
            let what = format!("[monitor] {key}");
            report.changed(1, &what, "is that of ProxySQL's default, `monitor`");
            variables.set("monitor", key, quoted(MONITOR));
        }
    }
    for (name, value) in settings(file, "admin_variables") {
        let bare = name.strip_prefix("admin-").unwrap_or(name);
        let sentence = match bare {
            "admin_credentials" | "stats_credentials" => {
                "accounts are not taken over: `mainstay init` makes one with a random password"
            }
            _ => "there is no such setting",
        };
        report.left_out(value.line, &format!("admin-{bare}"), sentence);
    }
    variables
}

/// What is asked of servers: that of the first pair.
fn check_type(file: &Group, variables: &mut Variables, report: &mut Report) {
    let pairs = super::rows(file, "mysql_replication_hostgroups", &mut Report::default());
    let Some(row) = pairs.first() else { return };
    let Some(check) = row.some_text("check_type") else {
        return;
    };
    if check != "read_only" {
        report.taken(
            row.line,
            "check_type",
            format!("is [monitor] check = \"{check}\""),
        );
        variables.set("monitor", "check", quoted(&check));
    }
}

fn convert(value: &Value, how: How) -> Option<String> {
    let number = || as_number(value).filter(|number| *number >= 0);
    match how {
        How::Count => number().filter(|number| *number > 0).map(|n| n.to_string()),
        How::Truth => as_truth(value).map(|truth| truth.to_string()),
        How::Text => as_text(value)
            .filter(|text| !text.is_empty())
            .map(|text| quoted(&text)),
        How::Milliseconds => {
            let ms = number().filter(|ms| *ms > 0)?;
            Some(quoted(&duration(ms)))
        }
        How::Limit => {
            let ms = number().filter(|ms| *ms > 0 && *ms < DAY_MS)?;
            Some(quoted(&duration(ms)))
        }
        How::Bytes => number()
            .filter(|n| *n > 0)
            .map(|bytes| quoted(&bytes.to_string())),
        How::Mebibytes => number()
            .filter(|n| *n > 0)
            .map(|size| quoted(&format!("{size}MiB"))),
        How::FalseIs(written) => (as_truth(value) == Some(false)).then(|| written.to_owned()),
        How::TrueIs(written) => (as_truth(value) == Some(true)).then(|| written.to_owned()),
        How::Networks => networks(&as_text(value)?),
        How::Interfaces => interface(&as_text(value)?).map(|listen| quoted(&listen)),
        How::LeftOut(_) => None,
    }
}

fn duration(ms: i64) -> String {
    if ms % 1_000 == 0 {
        format!("{}s", ms / 1_000)
    } else {
        format!("{ms}ms")
    }
}

fn networks(text: &str) -> Option<String> {
    let items: Vec<_> = text
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(|item| quoted(if item == "*" { "0.0.0.0/0" } else { item }))
        .collect();
    (!items.is_empty()).then(|| format!("[{}]", items.join(", ")))
}

/// The first address with a port; sockets are left out.
fn interface(text: &str) -> Option<String> {
    let mut all = text.split([';', ',']).map(str::trim);
    all.find(|one| one.parse::<std::net::SocketAddr>().is_ok())
        .map(str::to_owned)
}
