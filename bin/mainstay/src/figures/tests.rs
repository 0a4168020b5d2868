//! The rows have the columns that their tables have, and say what was counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use mainstay_admin::Cell;
use mainstay_proxy::{Io, ProxyStats};
use mainstay_session::inventory::{Inventory, PreparedKey, PreparedRow};
use mainstay_session::{GroupStats, QueryStats, ServerStats, Stats};
use mainstay_topology::{Address, ServerName};

use super::pool::Before;
use super::*;

fn group(statements: u64, member: bool) -> GroupStats {
    GroupStats {
        statements,
        member,
        sent: 10 * statements,
        received: 100 * statements,
        ..GroupStats::default()
    }
}

/// `db1` is the writer and was a reader, `db2` is a reader that cannot be reached.
fn stats() -> Stats {
    let (db1, db2) = (ServerName::new("db1"), ServerName::new("db2"));
    let mut stats = Stats::default();
    for (host, name) in [("10.0.0.1", &db1), ("10.0.0.2", &db2)] {
        let address = Address {
            host: host.to_owned(),
            port: 3306,
        };
        stats.tally.addresses.insert(name.clone(), address);
    }
    stats.tally.groups = BTreeMap::from([
        ((0, db1.clone()), group(3, true)),
        ((1, db1.clone()), group(5, false)),
        ((1, db2.clone()), group(7, true)),
    ]);
    let server = |left_alone| ServerStats {
        idle: 2,
        opened: 4,
        failed: 1,
        latency: Duration::from_micros(250),
        left_alone,
        ..ServerStats::default()
    };
    stats.servers = BTreeMap::from([(db1, server(false)), (db2, server(true))]);
    stats
}

fn proxy_stats(sessions: Stats) -> ProxyStats {
    ProxyStats {
        io: Io::Epoll,
        sessions,
        clients: vec![0, 0],
        restarts: 0,
    }
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Integer(number) => number.to_string(),
        Cell::Real(number) => number.to_string(),
        Cell::Text(text) => text.clone(),
    }
}

fn lines(rows: &[Row]) -> Vec<String> {
    let line = |row: &Row| row.iter().map(text).collect::<Vec<_>>().join(" ");
    rows.iter().map(line).collect()
}

#[test]
fn connections_are_told_once_and_statements_by_hostgroup() {
    let rows = pool::rows(&stats(), &Before::default(), &[]);
    let expected = [
        "0 10.0.0.1 3306 ONLINE 0 2 4 1 0 3 0 30 300 250",
        "1 10.0.0.1 3306 OFFLINE_HARD 0 0 0 0 0 5 0 50 500 250",
        "1 10.0.0.2 3306 SHUNNED 0 2 4 1 0 7 0 70 700 250",
    ];
    assert_eq!(lines(&rows), expected);
}

#[test]
fn counters_of_pools_begin_anew_after_a_reset() {
    let stats = stats();
    let rows = pool::rows(&stats, &Before::of(&stats), &[]);
    assert_eq!(
        lines(&rows)[0],
        "0 10.0.0.1 3306 ONLINE 0 2 0 0 0 0 0 0 0 250"
    );
}

#[test]
fn each_global_counter_has_a_name_of_its_own() {
    let found = dialect::globals(&proxy_stats(stats()), Duration::from_secs(9));
    let names: BTreeSet<_> = found.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), found.len());
    assert!(found.len() > 70);
    assert!(found.contains(&("ProxySQL_Uptime", 9)));
    assert!(found.contains(&("Queries_backends_bytes_recv", 1_500)));
    assert!(found.contains(&("Server_Connections_created", 8)));
}

#[test]
fn commands_that_nobody_sent_have_a_row_as_well() {
    let rows = queries::commands(&QueryStats::default());
    assert!(rows.iter().all(|row| row.len() == 15));
    let names: Vec<_> = rows.iter().map(|row| text(&row[0])).collect();
    for name in ["SELECT", "SELECT_FOR_UPDATE", "CHANGE_MASTER", "UNKNOWN"] {
        assert_eq!(names.iter().filter(|one| *one == name).count(), 1, "{name}");
    }
}

#[test]
fn users_without_a_limit_have_that_of_the_proxy() {
    let mut policy = mainstay_session::Policy::default();
    let mut user = mainstay_session::User::default();
    policy.users.insert("app".to_owned(), user.clone());
    user.connections_max = Some(3);
    policy.users.insert("job".to_owned(), user);
    let mut stats = stats();
    stats.tally.users.insert(Arc::from("job"), 2);
    let rows = clients::users(&proxy_stats(stats), &policy);
    assert_eq!(lines(&rows), ["app 0 10000", "job 2 3"]);
}

#[test]
fn prepared_statements_are_numbered() {
    let key = PreparedKey {
        schema: "shop".to_owned(),
        user: Arc::from("app"),
        text: "SELECT ?".to_owned(),
    };
    let row = PreparedRow {
        clients: 2,
        servers: 1,
        parameters: 1,
        columns: 1,
        ..PreparedRow::default()
    };
    let rows = clients::prepared(&Inventory::from([(key, row)]));
    assert_eq!(
        lines(&rows),
        ["1 shop app 0x0000000000000000 2 1 1 1 SELECT ?"]
    );
}
