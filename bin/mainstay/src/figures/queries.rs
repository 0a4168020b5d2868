//! `stats_mysql_query_digest`, `_commands_counters`, `_errors` and `_query_rules`.

use std::collections::BTreeMap;

use mainstay_admin::Row;
use mainstay_clock::Timestamp;
use mainstay_session::QueryStats;
use mainstay_session::queries::{CommandRow, command_names};
use mainstay_topology::{Address, ServerName};

use super::dialect::command;
use super::{micros, seconds_at};

/// hostgroup, schemaname, username, `client_address`, digest, `digest_text`, `count_star`,
/// `first_seen`, `last_seen`, `sum_time`, `min_time`, `max_time`, `sum_rows_affected`,
/// `sum_rows_sent`.
pub(super) fn digests(asked: &QueryStats) -> Vec<Row> {
    let seen = |at: Timestamp| seconds_at(asked.now.since(at));
    let row = |(key, row): (
        &mainstay_session::queries::QueryKey,
        &mainstay_session::queries::QueryRow,
    )| {
        vec![
            key.hostgroup.into(),
            key.schema.clone().into(),
            key.user.to_string().into(),
            key.client.clone().into(),
            key.digest.to_string().into(),
            row.text.clone().into(),
            row.count.into(),
            seen(row.first_seen).into(),
            seen(row.last_seen).into(),
            micros(row.time_sum).into(),
            micros(row.time_min).into(),
            micros(row.time_max).into(),
            row.rows_affected.into(),
            row.rows_sent.into(),
        ]
    };
    asked.queries.iter().map(row).collect()
}

/// Command, `Total_Time_us`, `Total_cnt`, and the classes of times: all commands, also those that
/// nobody sent.
pub(super) fn commands(asked: &QueryStats) -> Vec<Row> {
    let none = CommandRow::default();
    let row = |name: &'static str| {
        let counted = asked.commands.get(name).unwrap_or(&none);
        let mut row: Row = vec![
            command(name).into(),
            micros(counted.time_sum).into(),
            counted.count.into(),
        ];
        row.extend(counted.classes.map(mainstay_admin::Cell::from));
        row
    };
    command_names().map(row).collect()
}

/// hostgroup, hostname, port, username, `client_address`, schemaname, errno, `count_star`,
/// `first_seen`, `last_seen`, `last_error`.
pub(super) fn errors(asked: &QueryStats, addresses: &BTreeMap<ServerName, Address>) -> Vec<Row> {
    let seen = |at: Timestamp| seconds_at(asked.now.since(at));
    let rows = asked.errors.iter().map(|(key, row)| {
        let address = addresses.get(&key.server);
        let host = address.map_or(key.server.as_str(), |one| one.host.as_str());
        vec![
            key.hostgroup.into(),
            host.into(),
            u64::from(address.map_or(0, |one| one.port)).into(),
            key.user.to_string().into(),
            key.client.clone().into(),
            key.schema.clone().into(),
            u64::from(key.code).into(),
            row.count.into(),
            seen(row.first_seen).into(),
            seen(row.last_seen).into(),
            row.last_error.clone().into(),
        ]
    });
    rows.collect()
}

/// `rule_id`, hits.
pub(super) fn rules(asked: &QueryStats) -> Vec<Row> {
    let rows = asked.rule_hits.iter();
    rows.map(|(&rule, &hits)| vec![u64::from(rule).into(), hits.into()])
        .collect()
}
