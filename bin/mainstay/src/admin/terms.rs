//! What is wanted with a server and asked of it: columns of `mysql_servers`, keys of `[[server]]`.

use mainstay_admin::{Cell, Row, Table};
use toml::{Table as Section, Value};

use super::cells::text;

/// A row that says nothing of connections.
const CONNECTIONS: i64 = 1_000;

/// `status`, and the key `intent`. What probes find out is no intent.
const INTENTS: [(&str, &str); 2] = [("OFFLINE_SOFT", "draining"), ("OFFLINE_HARD", "out")];

/// The columns of a section that has the keys.
pub(super) fn cells(section: &Section) -> Vec<(&'static str, Cell)> {
    let mut cells = Vec::new();
    let intent = text(section, "intent");
    if let Some((status, _)) = INTENTS.iter().find(|(_, word)| Some(*word) == intent) {
        cells.push(("status", (*status).into()));
    }
    let limit = section.get("connections_max").and_then(Value::as_integer);
    cells.extend(limit.map(|limit| ("max_connections", limit.into())));
    let lag = text(section, "replication_lag_max").and_then(ms);
    cells.extend(lag.map(|lag| ("max_replication_lag", Cell::Integer(lag / 1_000))));
    let latency = text(section, "latency_max").and_then(ms);
    cells.extend(latency.map(|latency| ("max_latency_ms", Cell::Integer(latency))));
    let tls = text(section, "tls") == Some("required");
    cells.push(("use_ssl", Cell::Integer(i64::from(tls))));
    let compression = text(section, "compression").is_some_and(|word| word != "off");
    cells.push(("compression", Cell::Integer(i64::from(compression))));
    cells
}

/// Sets the keys to what a row says, where that is not what they mean already. With a manager some
/// would be refused.
pub(super) fn write(section: &mut Section, table: &Table, row: &Row, is_managed: bool) {
    let before = cells(section);
    let was = |column: &str, usual: i64| {
        let found = before.iter().find(|(name, _)| *name == column);
        found.and_then(|(_, cell)| cell.integer()).unwrap_or(usual)
    };
    let number = |column: &str| table.cell(row, column).integer().unwrap_or(0);
    let status = table.cell(row, "status").shown().to_ascii_uppercase();
    section.remove("intent");
    if let Some((_, intent)) = INTENTS.iter().find(|(known, _)| *known == status) {
        section.insert("intent".to_owned(), Value::String((*intent).to_owned()));
    }
    let limit = number("max_connections");
    if limit != was("max_connections", CONNECTIONS) {
        let limited = limit != CONNECTIONS && limit > 0;
        let limit = limited.then_some(Value::Integer(limit));
        set(section, "connections_max", limit);
    }
    let lag = number("max_replication_lag");
    if !is_managed && lag != was("max_replication_lag", 0) {
        set(section, "replication_lag_max", some_text(lag, "s"));
    }
    let latency = number("max_latency_ms");
    if !is_managed && latency != was("max_latency_ms", 0) {
        set(section, "latency_max", some_text(latency, "ms"));
    }
    for (column, key, word) in [
        ("use_ssl", "tls", "required"),
        ("compression", "compression", "zlib"),
    ] {
        let wanted = number(column);
        if wanted != was(column, 0) {
            let word = (wanted == 1).then(|| Value::String(word.to_owned()));
            set(section, key, word);
        }
    }
}

fn set(section: &mut Section, key: &str, value: Option<Value>) {
    section.remove(key);
    if let Some(value) = value {
        section.insert(key.to_owned(), value);
    }
}

/// 0 is no limit.
fn some_text(number: i64, unit: &str) -> Option<Value> {
    (number > 0).then(|| Value::String(format!("{number}{unit}")))
}

/// A duration as it stands in a file, in milliseconds.
fn ms(text: &str) -> Option<i64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(end);
    let factor = match unit.trim_start() {
        "ms" => 1.0,
        "s" => 1e3,
        "min" => 60e3,
        "h" => 3_600e3,
        _ => return None,
    };
    let number: f64 = number.parse().ok()?;
    Some((number * factor).round() as i64)
}
