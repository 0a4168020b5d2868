//! `mainstay queries`: what clients ask of the servers, as a table or as JSON; and how what the
//! proxy counted becomes what the API shows.

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use mainstay_clock::Timestamp;
use mainstay_dashboard::views::{
    CommandView, ErrorView, GateView, QueriesView, QueryView, RuleView,
};
use mainstay_session::QueryStats;
use serde_json::{Map, Value};

use crate::api::Api;
use crate::args::{QueriesArgs, QueryOrder};
use crate::output::{emit, table};

/// Characters of a statement that a terminal shows.
const TEXT_SHOWN: usize = 100;

pub(crate) fn run(args: &QueriesArgs) -> Result<ExitCode> {
    let api = Api::find(&args.cluster)?;
    let mut seen: QueriesView = if args.reset {
        api.post("/api/v1/queries/reset", &Value::Object(Map::new()))?
    } else {
        api.get("/api/v1/queries")?
    };
    seen.queries
        .sort_by_key(|row| std::cmp::Reverse(weight(row, args.by)));
    if args.json {
        seen.queries.truncate(args.limit);
        emit(&format!("{}\n", serde_json::to_string_pretty(&seen)?));
    } else {
        emit(&text_of(&seen, args));
    }
    Ok(ExitCode::SUCCESS)
}

fn weight(row: &QueryView, by: QueryOrder) -> u64 {
    match by {
        QueryOrder::Time => row.sum_time_us,
        QueryOrder::Count => row.count_star,
        QueryOrder::Average => row.sum_time_us / row.count_star.max(1),
        QueryOrder::Max => row.max_time_us,
        QueryOrder::Rows => row.sum_rows_sent + row.sum_rows_affected,
    }
}

fn text_of(seen: &QueriesView, args: &QueriesArgs) -> String {
    let all: u64 = seen.queries.iter().map(|row| row.sum_time_us).sum();
    let header = [
        "time", "share", "count", "average", "max", "rows", "hg", "user", "schema", "digest",
        "text",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for row in seen.queries.iter().take(args.limit) {
        rows.push(vec![
            time(row.sum_time_us),
            format!(
                "{:.1} %",
                row.sum_time_us as f64 * 100.0 / all.max(1) as f64
            ),
            row.count_star.to_string(),
            time(row.sum_time_us / row.count_star.max(1)),
            time(row.max_time_us),
            (row.sum_rows_sent + row.sum_rows_affected).to_string(),
            row.hostgroup.to_string(),
            row.username.clone(),
            row.schemaname.clone(),
            row.digest.clone(),
            shortened(&row.digest_text),
        ]);
    }
    let mut text = table(&rows);
    let hidden = seen.queries.len().saturating_sub(args.limit);
    if hidden > 0 {
        text.push_str(&format!("… and {hidden} more (--limit)\n"));
    }
    if seen.evicted > 0 {
        text.push_str(&format!(
            "{} digests were not seen for longest and had to go (proxy.digests_max)\n",
            seen.evicted
        ));
    }
    if args.all {
        text.push_str(&format!("\n{}", others(seen)));
    }
    text
}

/// Commands, errors, rules.
fn others(seen: &QueriesView) -> String {
    let mut commands = vec![cells(&["command", "count", "time"])];
    for row in &seen.commands {
        let count = row.total_cnt.to_string();
        commands.push(vec![row.command.clone(), count, time(row.total_time_us)]);
    }
    let mut errors = vec![cells(&["error", "count", "server", "user", "last message"])];
    for row in &seen.errors {
        errors.push(vec![
            row.errno.to_string(),
            row.count_star.to_string(),
            row.server.clone(),
            row.username.clone(),
            shortened(&row.last_error),
        ]);
    }
    let mut rules = vec![cells(&["rule", "hits"])];
    for row in &seen.rules {
        rules.push(vec![row.rule_id.to_string(), row.hits.to_string()]);
    }
    let tables = [commands, errors, rules];
    let filled = tables.iter().filter(|rows| rows.len() > 1);
    let mut shown: Vec<String> = filled.map(|rows| table(rows)).collect();
    let gate = &seen.gate;
    shown.push(format!(
        "answered by rules {}, blocked by the firewall {}, only detected {}, delayed by limits {}, \
         refused by limits {}\n",
        gate.answered, gate.blocked, gate.detected, gate.delayed, gate.limited
    ));
    shown.join("\n")
}

fn cells(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(TEXT_SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

fn time(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} us"),
        1_000..1_000_000 => format!("{:.1} ms", micros as f64 / 1e3),
        _ => format!("{:.1} s", micros as f64 / 1e6),
    }
}

/// What the proxy counted, as the API shows it.
pub(crate) fn view(stats: &QueryStats) -> QueriesView {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH);
    let clock = clock.unwrap_or_default();
    let wall = |at: Timestamp| millis(clock.saturating_sub(stats.now.since(at)));
    let query = |(key, row): (
        &mainstay_session::queries::QueryKey,
        &mainstay_session::queries::QueryRow,
    )| {
        QueryView {
            hostgroup: key.hostgroup,
            schemaname: key.schema.clone(),
            username: key.user.to_string(),
            client_address: key.client.clone(),
            digest: key.digest.to_string(),
            digest_text: row.text.clone(),
            count_star: row.count,
            first_seen_ms: wall(row.first_seen),
            last_seen_ms: wall(row.last_seen),
            sum_time_us: micros(row.time_sum),
            min_time_us: micros(row.time_min),
            max_time_us: micros(row.time_max),
            sum_rows_affected: row.rows_affected,
            sum_rows_sent: row.rows_sent,
        }
    };
    let mut queries: Vec<QueryView> = stats.queries.iter().map(query).collect();
    queries.sort_by_key(|row| std::cmp::Reverse(row.sum_time_us));
    let commands = stats.commands.iter().map(|(name, row)| CommandView {
        command: (*name).to_owned(),
        total_time_us: micros(row.time_sum),
        total_cnt: row.count,
        classes: row.classes.to_vec(),
    });
    let errors = stats.errors.iter().map(|(key, row)| ErrorView {
        hostgroup: key.hostgroup,
        server: key.server.to_string(),
        username: key.user.to_string(),
        client_address: key.client.clone(),
        schemaname: key.schema.clone(),
        errno: key.code,
        count_star: row.count,
        first_seen_ms: wall(row.first_seen),
        last_seen_ms: wall(row.last_seen),
        last_error: row.last_error.clone(),
    });
    let rules = stats
        .rule_hits
        .iter()
        .map(|(&rule_id, &hits)| RuleView { rule_id, hits });
    QueriesView {
        queries,
        evicted: stats.evicted,
        commands: commands.collect(),
        errors: errors.collect(),
        rules: rules.collect(),
        gate: GateView {
            answered: stats.gate.answered,
            blocked: stats.gate.blocked,
            detected: stats.gate.detected,
            delayed: stats.gate.delayed,
            limited: stats.gate.limited,
        },
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_statement_is_shortened_and_times_have_a_unit() {
        assert_eq!(shortened(&"é".repeat(101)).chars().count(), 101);
        assert_eq!(shortened("SELECT ?"), "SELECT ?");
        assert_eq!(
            [time(7), time(1_500), time(2_500_000)],
            ["7 us", "1.5 ms", "2.5 s"]
        );
    }
}
