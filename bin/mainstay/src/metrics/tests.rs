//! The text is what Prometheus reads, and dashboards name nothing that is not in it.

use std::collections::BTreeSet;

use mainstay_dashboard::views::StatusParts;
use mainstay_proxy::Io;
use mainstay_session::queries::CommandRow;
use mainstay_topology::{Routes, Topology};
use serde_json::Value;

use super::*;

const DASHBOARD: &str = include_str!("../../../../packaging/grafana/mainstay.json");

fn exposition() -> String {
    let status = StatusView::new(&StatusParts {
        cluster: "main",
        durability: "",
        phase: "watching",
        reason: "",
        topology: &Topology::default(),
        routes: &Routes::default(),
    });
    let mut asked = QueryStats::default();
    asked.commands.insert("SELECT", CommandRow::default());
    let numbers = Numbers {
        proxy: ProxyStats {
            io: Io::Epoll,
            sessions: Stats::default(),
            clients: vec![0],
            restarts: 0,
        },
        asked,
        uptime: Duration::from_secs(1),
        logs: Vec::new(),
    };
    text(&status, Some(&numbers))
}

/// The names of all families; of histograms also those of their parts.
fn names(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in text.lines() {
        let Some((name, kind)) = line
            .strip_prefix("# TYPE ")
            .and_then(|rest| rest.split_once(' '))
        else {
            continue;
        };
        assert!(names.insert(name.to_owned()), "{name} is there twice");
        if kind == "histogram" {
            names.extend(["bucket", "sum", "count"].map(|part| format!("{name}_{part}")));
        }
    }
    names
}

/// The metrics that a query names: words that begin like ours.
fn named(query: &str) -> impl Iterator<Item = &str> {
    let words = query.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| {
        let begins = ["mainstay_", "proxysql_", "mysql_"];
        begins.iter().any(|begin| word.starts_with(begin))
    })
}

fn queries<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                match member {
                    Value::String(text) if key == "expr" || key == "definition" => found.push(text),
                    member => queries(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| queries(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_metric_of_the_dashboard_exists() {
    let names = names(&exposition());
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("the dashboard is JSON");
    let mut found = Vec::new();
    queries(&dashboard, &mut found);
    assert!(found.len() > 50);
    for query in found {
        let mut metrics = named(query).peekable();
        assert!(metrics.peek().is_some(), "{query} asks for nothing of ours");
        for metric in metrics {
            assert!(names.contains(metric), "{metric} is not exposed");
        }
    }
}

#[test]
fn the_names_that_dashboards_of_proxysql_ask_for_are_there() {
    let names = names(&exposition());
    for name in [
        "proxysql_uptime_seconds_total",
        "proxysql_questions_total",
        "proxysql_client_connections_total",
        "proxysql_connpool_conns_status",
        "proxysql_com_frontend_stmt_total",
        "proxysql_generated_error_packets_total",
        "proxysql_query_cache_count_get_total",
        "mysql_error_total",
    ] {
        assert!(names.contains(name), "{name}");
    }
    assert!(
        names
            .iter()
            .filter(|name| name.starts_with("proxysql_"))
            .count()
            > 55
    );
}

#[test]
fn each_sample_belongs_to_the_family_above_it() {
    let text = exposition();
    let mut family = "";
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            family = rest.split(' ').next().unwrap_or_default();
        } else if !line.starts_with('#') {
            assert!(line.starts_with(family), "{line} is not of {family}");
            let value = line.rsplit(' ').next().unwrap_or_default();
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
}
