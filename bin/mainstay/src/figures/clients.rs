//! `stats_mysql_users`, `_processlist`, `_free_connections`, `_prepared_statements_info` and
//! `_client_host_cache`. No cell is NULL: exporters read these columns as texts.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_admin::Row;
use mainstay_proxy::ProxyStats;
use mainstay_session::inventory::Inventory;
use mainstay_session::{FreeRow, Policy, SessionRow, Sessions};
use serde_json::json;

use super::{millis, seconds_at};

/// username, `frontend_connections`, `frontend_max_connections`.
pub(super) fn users(stats: &ProxyStats, policy: &Policy) -> Vec<Row> {
    let now = &stats.sessions.tally.users;
    let rows = policy.users.iter().map(|(name, user)| {
        let connections = now.get(name.as_str()).copied().unwrap_or(0);
        let most = user.connections_max.unwrap_or(policy.clients_max);
        vec![
            name.as_str().into(),
            (connections as u64).into(),
            (most as u64).into(),
        ]
    });
    rows.collect()
}

/// `ThreadID`, `SessionID`, user, db, `cli_host`, `cli_port`, hostgroup, `l_srv_host`,
/// `l_srv_port`, `srv_host`, `srv_port`, command, `time_ms`, info, `status_flags`, `extended_info`.
pub(super) fn processes(seen: &Sessions) -> Vec<Row> {
    seen.sessions.iter().map(process).collect()
}

fn process(one: &SessionRow) -> Row {
    let address = one.on.as_ref().map(|on| &on.address);
    let ties: Vec<_> = one.ties.iter().map(|reason| reason.what()).collect();
    let extended = json!({
        "state": one.state.name(),
        "ties": ties,
        "transaction_time_ms": one.transaction.map(millis),
        "prepared_statements": one.statements,
        "encrypted": one.secure,
        "compression": one.compressed,
        "server": one.on.as_ref().map(|on| on.server.as_str()),
        "server_thread_id": one.on.as_ref().map(|on| on.thread),
    });
    vec![
        u64::from(one.worker).into(),
        u64::from(one.number).into(),
        one.user.to_string().into(),
        one.schema.clone().unwrap_or_default().into(),
        one.client.clone().into(),
        0_u64.into(),
        one.hostgroup.map_or(-1, i64::from).into(),
        "".into(),
        0_u64.into(),
        address.map_or("", |address| address.host.as_str()).into(),
        u64::from(address.map_or(0, |address| address.port)).into(),
        one.command.into(),
        millis(one.in_state).into(),
        one.statement.clone().unwrap_or_default().into(),
        u64::from(one.on.is_some()).into(),
        extended.to_string().into(),
    ]
}

/// fd, hostgroup, `srv_host`, `srv_port`, user, schema, `init_connect`, `time_zone`, `sql_mode`,
/// autocommit, `idle_ms`, statistics, `mysql_info`. For fd stands the number in its worker.
pub(super) fn free(seen: &Sessions) -> Vec<Row> {
    seen.free.iter().map(free_row).collect()
}

fn free_row(one: &FreeRow) -> Row {
    let value = |name: &str| {
        let assigned = one.variables.iter().find_map(|text| {
            let (left, right) = text.split_once('=')?;
            left.trim().eq_ignore_ascii_case(name).then_some(right)
        });
        assigned.unwrap_or_default().trim().trim_matches('\'')
    };
    let statistics = json!({
        "age_ms": millis(one.age),
        "prepared_statements": one.statements,
        "worker": one.worker,
    });
    let info = json!({
        "host": one.on.address.host,
        "port": one.on.address.port,
        "thread_id": one.on.thread,
    });
    vec![
        u64::from(one.number).into(),
        u64::from(one.hostgroup).into(),
        one.on.address.host.clone().into(),
        u64::from(one.on.address.port).into(),
        one.user.to_string().into(),
        one.schema.clone().unwrap_or_default().into(),
        "".into(),
        value("time_zone").into(),
        value("sql_mode").into(),
        u64::from(value("autocommit") != "0").into(),
        millis(one.idle).into(),
        statistics.to_string().into(),
        info.to_string().into(),
    ]
}

/// `global_stmt_id`, schemaname, username, digest, `ref_count_client`, `ref_count_server`,
/// `num_columns`, `num_params`, query.
pub(super) fn prepared(inventory: &Inventory) -> Vec<Row> {
    let rows = (1_u64..).zip(inventory).map(|(id, (key, row))| {
        vec![
            id.into(),
            key.schema.clone().into(),
            key.user.to_string().into(),
            row.digest.to_string().into(),
            row.clients.into(),
            row.servers.into(),
            u64::from(row.columns).into(),
            u64::from(row.parameters).into(),
            key.text.clone().into(),
        ]
    });
    rows.collect()
}

/// `client_address`, `error_count`, `last_updated` (seconds since 1970).
pub(super) fn hosts(hosts: &BTreeMap<String, (u64, Duration)>) -> Vec<Row> {
    let rows = hosts.iter().map(|(host, (errors, ago))| {
        vec![
            host.as_str().into(),
            (*errors).into(),
            seconds_at(*ago).into(),
        ]
    });
    rows.collect()
}
