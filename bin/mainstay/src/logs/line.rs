//! What a line says.

use std::sync::Arc;
use std::time::Duration;

use mainstay_admin::{Event, Happened};
use mainstay_session::records::{ClientEvent, ClientRecord, Record, StatementRecord};
use mainstay_telemetry::rfc3339;
use mainstay_topology::ServerName;
use serde_json::{Map, Value, json};

use super::{Entry, What};

/// Something that somebody did at the admin interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AdminRecord {
    event: &'static str,
    user: String,
    client: String,
    statement: String,
}

impl AdminRecord {
    pub(super) fn of(event: &Event<'_>) -> Self {
        Self {
            event: match event.what {
                Happened::Entered => "Admin_Connect_OK",
                Happened::Refused => "Admin_Connect_ERR",
                Happened::Left => "Admin_Close",
                Happened::Statement => "Admin_Statement",
            },
            user: event.user.to_owned(),
            client: event.address.to_owned(),
            statement: event.statement.to_owned(),
        }
    }
}

/// Writes an entry as JSON.
pub(super) fn put(entry: &Arc<Entry>, out: &mut String) {
    let value = match &entry.what {
        What::Proxy(Record::Statement(one)) => statement(one, entry.at),
        What::Proxy(Record::Client(one)) => client(one, entry.at),
        What::Admin(one) => admin(one, entry.at),
    };
    out.push_str(&value.to_string());
}

fn statement(one: &StatementRecord, ended: Duration) -> Value {
    let began = ended.saturating_sub(one.took);
    let mut line = json!({
        "event": one.command,
        "username": &*one.user,
        "client": one.client,
        "schemaname": one.schema,
        "thread_id": one.session,
        "hostgroup_id": one.hostgroup,
        "server": one.server.as_ref().map(ServerName::as_str),
        "digest": one.digest.to_string(),
        "query": one.text,
        "starttime": rfc3339(began),
        "starttime_timestamp_us": micros(began),
        "endtime": rfc3339(ended),
        "endtime_timestamp_us": micros(ended),
        "duration_us": micros(one.took),
        "waited_us": micros(one.waited),
        "rows_affected": one.rows_affected,
        "rows_sent": one.rows_sent,
        "rule_id": one.rule,
        "reason": one.reason,
        "attempts": one.attempts,
    });
    if let (Some((code, text)), Value::Object(line)) = (&one.error, &mut line) {
        line.insert("errno".to_owned(), json!(code));
        line.insert("error".to_owned(), json!(text));
    }
    line
}

fn client(one: &ClientRecord, at: Duration) -> Value {
    let event = match one.event {
        ClientEvent::Connected => "MySQL_Client_Connect_OK",
        ClientEvent::Refused => "MySQL_Client_Connect_ERR",
        ClientEvent::Gone => "MySQL_Client_Close",
    };
    let mut line = moment(event, at);
    line.insert("username".to_owned(), json!(one.user));
    line.insert("client_addr".to_owned(), json!(one.client));
    line.insert("schemaname".to_owned(), json!(one.schema));
    line.insert("session_id".to_owned(), json!(one.session));
    line.insert("ssl".to_owned(), json!(one.secure));
    if one.event == ClientEvent::Gone {
        let seconds = one.lasted.as_secs_f64();
        line.insert("duration".to_owned(), json!(format!("{seconds:.3}s")));
    }
    if let Some(error) = &one.error {
        line.insert("extra_info".to_owned(), json!(error));
    }
    Value::Object(line)
}

fn admin(one: &AdminRecord, at: Duration) -> Value {
    let mut line = moment(one.event, at);
    line.insert("username".to_owned(), json!(one.user));
    line.insert("client_addr".to_owned(), json!(one.client));
    if !one.statement.is_empty() {
        line.insert("query".to_owned(), json!(one.statement));
    }
    Value::Object(line)
}

fn moment(event: &str, at: Duration) -> Map<String, Value> {
    let mut line = Map::new();
    line.insert("event".to_owned(), json!(event));
    line.insert("time".to_owned(), json!(rfc3339(at)));
    line.insert("timestamp".to_owned(), json!(millis(at)));
    line
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
