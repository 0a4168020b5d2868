//! `mysql_variables` and `admin_variables`: those with a setting of the same meaning here.

use std::collections::BTreeMap;

use super::row::{as_number, as_text, as_truth};
use super::settings;
use crate::libconfig::{Group, Value};
use crate::report::Report;
use crate::toml::{Toml, quoted};

/// How a value becomes one of ours.
#[derive(Clone, Copy)]
enum How {
    Count,
    Truth,
    Text,
    Milliseconds,
    /// 0 and whole days are "off".
    Limit,
    Bytes,
    Mebibytes,
    /// `false` is this; `true` is the default.
    FalseIs(&'static str),
    Networks,
    Interfaces,
    /// It means nothing here, since …
    LeftOut(&'static str),
}

/// Name there, section and key here, and how. An empty key: nothing is written.
const VARIABLES: [(&str, &str, &str, How); 53] = [
    ("threads", "proxy", "workers", How::Count),
    ("interfaces", "proxy", "listen", How::Interfaces),
    ("max_connections", "proxy", "clients_max", How::Count),
    (
        "wait_timeout",
        "proxy",
        "idle_client_limit",
        How::Milliseconds,
    ),
    (
        "connect_timeout_client",
        "proxy",
        "handshake_limit",
        How::Milliseconds,
    ),
    (
        "connect_timeout_server",
        "proxy",
        "connect_limit",
        How::Milliseconds,
    ),
    (
        "connect_timeout_server_max",
        "proxy",
        "pool_wait_limit",
        How::Milliseconds,
    ),
    (
        "connection_max_age_ms",
        "proxy",
        "connection_age_max",
        How::Limit,
    ),
    ("default_query_timeout", "proxy", "query_limit", How::Limit),
    (
        "max_allowed_packet",
        "proxy",
        "max_allowed_packet",
        How::Bytes,
    ),
    (
        "max_stmts_per_connection",
        "proxy",
        "connection_statements_max",
        How::Count,
    ),
    (
        "query_cache_size_MB",
        "proxy",
        "cache_bytes_max",
        How::Mebibytes,
    ),
    ("query_digests", "proxy", "digests_max", How::FalseIs("0")),
    (
        "query_digests_track_hostname",
        "proxy",
        "digest_client_address",
        How::Truth,
    ),
    ("mirror_max_concurrency", "proxy", "mirrors_max", How::Count),
    ("have_compress", "proxy", "compression", How::FalseIs("[]")),
    (
        "enable_load_data_local_infile",
        "proxy",
        "local_infile",
        How::Truth,
    ),
    (
        "proxy_protocol_networks",
        "proxy",
        "proxy_protocol_from",
        How::Networks,
    ),
    ("monitor_username", "monitor", "user", How::Text),
    ("monitor_password", "monitor", "password", How::Text),
    (
        "monitor_connect_interval",
        "monitor",
        "connect_interval",
        How::Milliseconds,
    ),
    (
        "monitor_connect_timeout",
        "monitor",
        "connect_limit",
        How::Milliseconds,
    ),
    (
        "monitor_ping_interval",
        "monitor",
        "ping_interval",
        How::Milliseconds,
    ),
    (
        "monitor_ping_timeout",
        "monitor",
        "ping_limit",
        How::Milliseconds,
    ),
    (
        "monitor_ping_max_failures",
        "monitor",
        "ping_failures_max",
        How::Count,
    ),
    (
        "monitor_read_only_interval",
        "monitor",
        "read_only_interval",
        How::Milliseconds,
    ),
    (
        "monitor_read_only_timeout",
        "monitor",
        "read_only_limit",
        How::Milliseconds,
    ),
    (
        "monitor_read_only_max_timeout_count",
        "monitor",
        "read_only_failures_max",
        How::Count,
    ),
    (
        "monitor_replication_lag_interval",
        "monitor",
        "lag_interval",
        How::Milliseconds,
    ),
    (
        "monitor_replication_lag_timeout",
        "monitor",
        "lag_limit",
        How::Milliseconds,
    ),
    ("monitor_history", "monitor", "history", How::Milliseconds),
    ("default_max_latency_ms", "", "", How::Text),
    (
        "monitor_enabled",
        "",
        "",
        How::LeftOut("a proxy without a manager always probes"),
    ),
    (
        "monitor_writer_is_also_reader",
        "",
        "",
        How::LeftOut("the writer serves reads when no replica may: readers_none_left"),
    ),
    (
        "monitor_slave_lag_when_null",
        "",
        "",
        How::LeftOut("a replica whose lag is not known gets no reads"),
    ),
    (
        "server_version",
        "",
        "",
        How::LeftOut("clients are greeted as the servers greet"),
    ),
    (
        "default_schema",
        "",
        "",
        How::LeftOut("a client that names no schema has none"),
    ),
    ("stacksize", "", "", How::LeftOut(OWN_WAY)),
    ("poll_timeout", "", "", How::LeftOut(OWN_WAY)),
    ("sessions_sort", "", "", How::LeftOut(OWN_WAY)),
    ("session_idle_ms", "", "", How::LeftOut(OWN_WAY)),
    (
        "session_idle_show_processlist",
        "",
        "",
        How::LeftOut(OWN_WAY),
    ),
    (
        "commands_stats",
        "",
        "",
        How::LeftOut("commands are always counted"),
    ),
    ("ping_interval_server", "", "", How::LeftOut(PROBES)),
    ("ping_interval_server_msec", "", "", How::LeftOut(PROBES)),
    ("ping_timeout_server", "", "", How::LeftOut(PROBES)),
    ("connect_retries_on_failure", "", "", How::LeftOut(RETRIES)),
    ("connect_retries_delay", "", "", How::LeftOut(RETRIES)),
    ("query_retries_on_failure", "", "", How::LeftOut(RETRIES)),
    ("shun_on_failures", "", "", How::LeftOut(PROBES)),
    ("shun_recovery_time_sec", "", "", How::LeftOut(PROBES)),
    (
        "default_query_delay",
        "",
        "",
        How::LeftOut("rules may delay what they match"),
    ),
    (
        "multiplexing",
        "",
        "",
        How::LeftOut("connections are shared where that changes nothing"),
    ),
];

const OWN_WAY: &str = "has no meaning for these worker threads";
const PROBES: &str = "probes alone decide who is used, and who is used again";
const RETRIES: &str = "what may be run again is: reads, and what a server refused unrun";

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

    pub(super) fn write(&self, section: &'static str, toml: &mut Toml) {
        toml.section(section);
        for (key, value) in self.keys.get(section).into_iter().flatten() {
            toml.raw(key, value);
        }
    }

    fn set(&mut self, section: &'static str, key: &'static str, value: String) {
        self.keys.entry(section).or_default().push((key, value));
    }

    fn has(&self, section: &str, key: &str) -> bool {
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
