//! MySQL 5.6 under `mainstay serve`, with GTIDs and without. Asynchronous: the package of 5.6 that
//! the tests use has no semi-synchronous plugin.
//!
//! `make e2e-mysql56` installs the server and runs these.

mod cluster;

use std::collections::BTreeSet;

use cluster::{Cluster, Mode};
use mainstay_e2e::{Client, wait_until};

/// Makes a test with GTIDs and one with positions of each function.
macro_rules! in_both_modes {
    ($($name:ident),+ $(,)?) => {
        mod gtid {
            $(#[test]
            fn $name() {
                super::$name(super::Mode::Gtid);
            })+
        }
        mod position {
            $(#[test]
            fn $name() {
                super::$name(super::Mode::Position);
            })+
        }
    };
}

in_both_modes!(
    a_switchover_there_and_back_keeps_every_row_on_every_server,
    a_killed_primary_is_replaced_and_comes_back_as_a_replica,
);

mod behind {
    #[test]
    fn a_replica_that_missed_the_end_of_a_log_is_found_in_the_next_one_by_content() {
        super::a_replica_that_missed_the_end_is_placed();
    }

    #[test]
    fn a_former_primary_that_has_more_than_the_others_is_not_attached() {
        super::a_former_primary_with_more_stays_away();
    }
}

/// Writes these numbers through the proxy, each answered with OK.
fn write(client: &mut Client, numbers: std::ops::Range<u64>, written: &mut BTreeSet<u64>) {
    for number in numbers {
        client.execute(&format!("INSERT INTO app.numbers VALUES ({number})"));
        written.insert(number);
    }
}

fn begin(cluster: &Cluster) -> Client {
    cluster.wait_until_whole();
    let mut client = Client::connect(&cluster.proxy());
    client.execute("CREATE DATABASE app");
    client.execute("CREATE TABLE app.numbers (number BIGINT UNSIGNED PRIMARY KEY)");
    client
}

fn a_switchover_there_and_back_keeps_every_row_on_every_server(mode: Mode) {
    let cluster = Cluster::start(mode);
    let mut client = begin(&cluster);
    let mut written = BTreeSet::new();
    write(&mut client, 0..50, &mut written);
    let first = cluster.primary();
    cluster.run(&["switchover"]).succeeded();
    write(&mut client, 50..100, &mut written);
    assert_ne!(cluster.primary(), first);
    cluster.run(&["switchover", "--to", &first]).succeeded();
    write(&mut client, 100..150, &mut written);
    assert_eq!(cluster.primary(), first);
    cluster.wait_until_all_hold(&written);
}

fn a_killed_primary_is_replaced_and_comes_back_as_a_replica(mode: Mode) {
    let mut cluster = Cluster::start(mode);
    let mut client = begin(&cluster);
    let mut written = BTreeSet::new();
    write(&mut client, 0..50, &mut written);
    cluster.wait_until_all_hold(&written);
    let old = cluster.primary();
    cluster.server(&old).kill();
    write(&mut client, 50..100, &mut written);
    cluster.server(&old).restart();
    let whole = cluster.wait_until_whole();
    assert_ne!(whole.primary(), Some(old.as_str()), "{whole}");
    write(&mut client, 100..150, &mut written);
    cluster.wait_until_all_hold(&written);
}

fn a_replica_that_missed_the_end_is_placed() {
    let mut cluster = Cluster::start(Mode::Position);
    let mut client = begin(&cluster);
    let mut written = BTreeSet::new();
    write(&mut client, 0..50, &mut written);
    cluster.wait_until_all_hold(&written);
    let old = cluster.primary();
    let names = cluster.servers.iter().map(|server| server.name.clone());
    let replicas: Vec<String> = names.filter(|name| *name != old).collect();
    let [behind, other] = replicas.as_slice() else {
        panic!("three servers");
    };
    cluster.server(behind).pause();
    write(&mut client, 50..60, &mut written);
    wait_until("the other replica to have all", || {
        cluster
            .server(other)
            .numbers()
            .is_ok_and(|held| held == written)
    });
    cluster.server(&old).kill();
    write(&mut client, 60..100, &mut written);
    cluster.server(behind).resume();
    cluster.server(&old).restart();
    let whole = cluster.wait_until_whole();
    assert_eq!(whole.primary(), Some(other.as_str()), "{whole}");
    cluster.wait_until_all_hold(&written);
}

fn a_former_primary_with_more_stays_away() {
    let mut cluster = Cluster::start(Mode::Position);
    let mut client = begin(&cluster);
    let mut written = BTreeSet::new();
    write(&mut client, 0..50, &mut written);
    cluster.wait_until_all_hold(&written);
    let old = cluster.primary();
    cluster.server(&old).kill();
    write(&mut client, 50..60, &mut written);
    cluster.stop_serving();
    cluster.server(&old).restart();
    let mut alone = Client::connect(&cluster.server(&old).login());
    alone.execute("INSERT INTO app.numbers VALUES (1000)");
    cluster.serve();
    cluster.wait("a finding about what only it has", |status| {
        let findings = status.0["findings"].to_string();
        findings.contains("transactions that the primary lacks")
    });
    let status = cluster.wait("a primary that serves", |status| {
        !status.0["writes_held"].as_bool().unwrap_or(true)
    });
    assert_ne!(status.server(&old)["role"], "replica", "{status}");
    let held = cluster.server(&old).numbers().expect("it answers");
    assert!(!held.contains(&59), "nothing was replicated to it");
}
