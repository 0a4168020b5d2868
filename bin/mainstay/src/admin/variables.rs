//! `global_variables`: which variable is which key of the settings, and how its value is written.

mod beyond;

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_admin::{Cell, Refused, Table, defaults};
use mainstay_command::Module;
use mainstay_session::policy::{AuthPlugin, ClientTls};
use mainstay_settings::{ProxySettings, Settings};
use toml::Value;

use super::document::Document;
use super::firewall;

pub(super) const NAME: &str = "global_variables";

/// The firewall has no key: it is on when the settings speak of it.
pub(super) const FIREWALL: &str = "mysql-firewall_whitelist_enabled";

/// What `mysql-default_query_timeout` is when nothing interrupts statements.
const NO_TIMEOUT: &str = "86400000";

/// One variable that has an effect.
struct Known<S> {
    name: &'static str,
    key: &'static str,
    show: fn(&S) -> String,
    value: fn(&str) -> Option<Value>,
    expected: &'static str,
}

/// A key, how a value becomes its, and what is expected.
type Target = (&'static str, fn(&str) -> Option<Value>, &'static str);

const KNOWN: [Known<ProxySettings>; 24] = [
    known(
        "mysql-max_connections",
        "clients_max",
        |p| p.clients_max.to_string(),
        count,
        WHOLE,
    ),
    known(
        "mysql-max_allowed_packet",
        "max_allowed_packet",
        |p| p.max_allowed_packet.to_string(),
        bytes,
        WHOLE,
    ),
    known(
        "mysql-wait_timeout",
        "idle_client_limit",
        |p| ms(p.idle_client_limit),
        millis,
        MS,
    ),
    known(
        "mysql-connect_timeout_client",
        "handshake_limit",
        |p| ms(p.handshake_limit),
        millis,
        MS,
    ),
    known(
        "mysql-connect_timeout_server",
        "connect_limit",
        |p| ms(p.connect_limit),
        millis,
        MS,
    ),
    known(
        "mysql-connect_timeout_server_max",
        "hold_time_max",
        |p| ms(p.hold_time_max),
        millis,
        MS,
    ),
    known(
        "mysql-connection_max_age_ms",
        "connection_age_max",
        |p| off(p.connection_age_max),
        limit,
        MS,
    ),
    known(
        "mysql-default_query_timeout",
        "query_limit",
        |p| p.query_limit.map_or(NO_TIMEOUT.to_owned(), ms),
        timeout,
        MS,
    ),
    known(
        "mysql-max_transaction_time",
        "transaction_limit",
        |p| p.transaction_limit.map_or("14400000".to_owned(), ms),
        limit,
        MS,
    ),
    known(
        "mysql-max_transaction_idle_time",
        "transaction_idle_limit",
        |p| p.transaction_idle_limit.map_or("14400000".to_owned(), ms),
        limit,
        MS,
    ),
    known(
        "mysql-max_stmts_per_connection",
        "connection_statements_max",
        |p| p.connection_statements_max.to_string(),
        count,
        WHOLE,
    ),
    known(
        "mysql-mirror_max_concurrency",
        "mirrors_max",
        |p| p.mirrors_max.to_string(),
        count,
        WHOLE,
    ),
    known(
        "mysql-query_cache_size_MB",
        "cache_bytes_max",
        |p| (p.cache_bytes_max >> 20).to_string(),
        mebibytes,
        WHOLE,
    ),
    known(
        "mysql-query_cache_stores_empty_result",
        "cache_empty_results",
        |p| p.cache_empty_results.to_string(),
        truth,
        TRUTH,
    ),
    known(
        "mysql-enable_load_data_local_infile",
        "local_infile",
        |p| p.local_infile.to_string(),
        truth,
        TRUTH,
    ),
    known(
        "mysql-query_digests_track_hostname",
        "digest_client_address",
        |p| p.digest_client_address.to_string(),
        truth,
        TRUTH,
    ),
    known(
        "mysql-query_retries_on_failure",
        "retry_reads",
        |p| u8::from(p.retry_reads).to_string(),
        retries,
        WHOLE,
    ),
    known(
        "mysql-server_version",
        "server_version",
        |p| p.server_version.clone().unwrap_or_default(),
        filled,
        "a version, such as 8.0.36",
    ),
    known(
        "mysql-default_authentication_plugin",
        "auth_plugin",
        plugin,
        filled,
        "mysql_native_password or caching_sha2_password",
    ),
    known(
        "mysql-have_ssl",
        "tls.mode",
        |p| (p.client_tls.mode != ClientTls::Off).to_string(),
        tls,
        TRUTH,
    ),
    known(
        "mysql-have_compress",
        "compression",
        |p| (p.compression.zlib || p.compression.zstd).to_string(),
        compression,
        TRUTH,
    ),
    known(
        "mysql-interfaces",
        "listen",
        |p| p.listen.to_string(),
        filled,
        "an address and a port",
    ),
    known(
        "mysql-threads",
        "workers",
        |p| p.workers.map_or("auto".to_owned(), |n| n.to_string()),
        workers,
        "auto, or a whole number from 1",
    ),
    known(
        "mysql-proxy_protocol_networks",
        "proxy_protocol_from",
        |p| p.proxy_protocol_from.join(","),
        networks,
        "networks with commas between",
    ),
];

const WHOLE: &str = "a whole number";
const MS: &str = "a number of milliseconds";
const TRUTH: &str = "true or false";

const fn known<S>(
    name: &'static str,
    key: &'static str,
    show: fn(&S) -> String,
    value: fn(&str) -> Option<Value>,
    expected: &'static str,
) -> Known<S> {
    Known {
        name,
        key,
        show,
        value,
        expected,
    }
}

/// All variables of a module: those with an effect as they are in force.
pub(super) fn rows(module: Module, document: &Document, settings: &Settings) -> Table {
    let prefix = module.prefix().unwrap_or_default();
    let known = defaults()
        .iter()
        .filter(|(name, _)| name.starts_with(prefix));
    let mut shown: BTreeMap<&str, String> = known
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    if module == Module::MysqlVariables {
        if let Some(proxy) = &settings.proxy {
            shown.extend(KNOWN.iter().map(|known| (known.name, (known.show)(proxy))));
        }
        shown.extend(beyond::shown(settings));
        shown.insert(FIREWALL, firewall::is_on(document).to_string());
    } else {
        shown.insert("admin-version", env!("CARGO_PKG_VERSION").to_owned());
        if let Some(admin) = &settings.admin {
            shown.insert("admin-mysql_ifaces", admin.listen.to_string());
        }
    }
    let row = |(name, value): (&str, String)| vec![name.into(), value.into()];
    let rows = shown.into_iter().map(row).collect();
    Table { name: NAME, rows }
}

/// The variables that have an effect.
#[cfg(test)]
pub(super) fn honoured() -> impl Iterator<Item = &'static str> {
    let of_proxy = KNOWN.iter().map(|known| known.name);
    of_proxy.chain(beyond::names()).chain([FIREWALL])
}

/// The value of a variable among rows.
pub(super) fn value<'t>(tables: &'t [Table], name: &str) -> Option<&'t str> {
    let rows = tables.iter().flat_map(|table| &table.rows);
    let mut found = rows.filter(|row| row.first() == Some(&Cell::from(name)));
    match found.next()?.get(1)? {
        Cell::Text(text) => Some(text),
        Cell::Null | Cell::Integer(_) | Cell::Real(_) => None,
    }
}

/// Puts the values of rows in the document, where they differ from what it says.
pub(super) fn write(
    document: &mut Document,
    table: &Table,
    before: &Table,
    notes: &mut Vec<String>,
) -> Result<(), Refused> {
    for row in &table.rows {
        let (Some(Cell::Text(name)), Some(Cell::Text(value))) = (row.first(), row.get(1)) else {
            continue;
        };
        let refused = |reason: String| Refused {
            table: NAME.to_owned(),
            row: format!("variable_name={name}"),
            column: "variable_value".to_owned(),
            reason,
        };
        if !defaults().contains_key(name.as_str()) {
            return Err(refused("there is no such variable".to_owned()));
        }
        if self::value(std::slice::from_ref(before), name) == Some(value) || name == FIREWALL {
            continue;
        }
        let monitored = document.has("monitor");
        let Some((key, read, expected)) = of_proxy(name).or_else(|| beyond::find(name, monitored))
        else {
            notes.push(format!("{name} has no effect here"));
            continue;
        };
        let key = if key.contains('.') {
            key.to_owned()
        } else {
            format!("proxy.{key}")
        };
        if key == "monitor.password" {
            // One of them is enough, and both are a mistake.
            document.unset("monitor.password_file");
        }
        if value.is_empty() {
            document.unset(&key);
            continue;
        }
        let expected = || refused(format!("expected {expected}, found '{value}'"));
        document.set(&key, read(value).ok_or_else(expected)?);
    }
    Ok(())
}

fn of_proxy(name: &str) -> Option<Target> {
    let known = KNOWN.iter().find(|known| known.name == name);
    known.map(|known| (known.key, known.value, known.expected))
}

/// The variable that a key is set by.
pub(super) fn of_key(key: &str) -> Option<&'static str> {
    let Some(key) = key.strip_prefix("proxy.") else {
        return beyond::of_key(key);
    };
    let known = KNOWN.iter().find(|known| known.key == key);
    known.map(|known| known.name)
}

fn ms(duration: Duration) -> String {
    duration.as_millis().to_string()
}

fn off(limit: Option<Duration>) -> String {
    limit.map_or("0".to_owned(), ms)
}

fn plugin(proxy: &ProxySettings) -> String {
    match proxy.auth_plugin {
        Some(AuthPlugin::NativePassword) => "mysql_native_password".to_owned(),
        Some(AuthPlugin::CachingSha2) => "caching_sha2_password".to_owned(),
        None => String::new(),
    }
}

fn count(text: &str) -> Option<Value> {
    text.parse::<u32>()
        .ok()
        .map(|number| Value::Integer(number.into()))
}

fn bytes(text: &str) -> Option<Value> {
    text.parse::<u64>()
        .ok()
        .map(|number| Value::String(number.to_string()))
}

fn mebibytes(text: &str) -> Option<Value> {
    let number = text.parse::<u32>().ok()?;
    Some(Value::String(format!("{number}MiB")))
}

fn millis(text: &str) -> Option<Value> {
    let number = text.parse::<u64>().ok()?;
    Some(Value::String(format!("{number}ms")))
}

/// 0 is no limit.
fn limit(text: &str) -> Option<Value> {
    if text == "0" {
        return Some(Value::String("off".to_owned()));
    }
    millis(text)
}

fn timeout(text: &str) -> Option<Value> {
    limit(if text == NO_TIMEOUT { "0" } else { text })
}

fn truth(text: &str) -> Option<Value> {
    is_true(text).map(Value::Boolean)
}

/// As `ProxySQL` reads it.
pub(super) fn is_true(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "on" => Some(true),
        "false" | "0" | "off" => Some(false),
        _ => None,
    }
}

fn retries(text: &str) -> Option<Value> {
    let number: u32 = text.parse().ok()?;
    Some(Value::Boolean(number > 0))
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "the table has one type of conversion"
)]
fn filled(text: &str) -> Option<Value> {
    Some(Value::String(text.to_owned()))
}

fn tls(text: &str) -> Option<Value> {
    let mode = if is_true(text)? { "offered" } else { "off" };
    Some(Value::String(mode.to_owned()))
}

fn compression(text: &str) -> Option<Value> {
    let all: &[&str] = if is_true(text)? {
        &["zlib", "zstd"]
    } else {
        &[]
    };
    let all = all.iter().map(|name| Value::String((*name).to_owned()));
    Some(Value::Array(all.collect()))
}

fn workers(text: &str) -> Option<Value> {
    if text == "auto" {
        return filled(text);
    }
    count(text)
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "the table has one type of conversion"
)]
fn networks(text: &str) -> Option<Value> {
    let networks = match text {
        "*" => vec!["0.0.0.0/0", "::/0"],
        listed => listed.split(',').map(str::trim).collect(),
    };
    let networks = networks
        .into_iter()
        .map(|one| Value::String(one.to_owned()));
    Some(Value::Array(networks.collect()))
}
