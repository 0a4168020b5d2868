//! The limits of a transaction's time.

use std::time::Duration;

use crate::client::Reply;
use crate::fake::{World, policy, routes};

const SECOND: Duration = Duration::from_secs(1);

fn world(open: Option<Duration>, idle: Option<Duration>) -> World {
    let mut policy = policy();
    policy.timeouts.transaction = open;
    policy.timeouts.transaction_idle = idle;
    World::with(policy, routes(1, 0, Some("db1"), &["db2"]))
}

#[test]
fn who_is_idle_in_a_transaction_for_too_long_is_told_and_closed() {
    let mut world = world(None, Some(5 * SECOND));
    let client = world.login(None);
    world.query(client, "BEGIN");
    world.wait(4 * SECOND);
    world.query(client, "INSERT INTO t VALUES (1)");
    world.wait(4 * SECOND);
    assert!(!world.clients[&client].closed);
    world.wait(2 * SECOND);
    assert_eq!(world.reply(client).code(), 4031);
    assert!(world.clients[&client].closed);
    assert_eq!(world.core.stats().transactions_expired, 1);
}

#[test]
fn who_is_idle_outside_of_a_transaction_is_left_alone() {
    let mut world = world(Some(5 * SECOND), Some(5 * SECOND));
    let client = world.login(None);
    world.query(client, "BEGIN");
    world.query(client, "COMMIT");
    world.wait(60 * SECOND);
    assert!(!world.clients[&client].closed);
}

#[test]
fn a_transaction_that_is_open_for_too_long_ends_however_busy_its_client_is() {
    let mut world = world(Some(10 * SECOND), None);
    let client = world.login(None);
    world.query(client, "BEGIN");
    for _ in 0..4 {
        world.wait(2 * SECOND);
        world.query(client, "INSERT INTO t VALUES (1)");
    }
    assert!(!world.clients[&client].closed);
    world.wait(3 * SECOND);
    assert!(world.clients[&client].closed);
    let other = world.login(None);
    assert_eq!(world.query(other, "SELECT 1"), Reply::rows(&["db2"]));
}

#[test]
fn the_statement_of_a_transaction_that_is_open_for_too_long_is_killed_at_its_server() {
    let mut world = world(Some(3 * SECOND), None);
    let client = world.login(None);
    world.query(client, "BEGIN");
    world.send(client, "SELECT SLEEP(100)");
    world.wait(4 * SECOND);
    assert_eq!(world.reply(client).code(), 1317);
    assert!(world.clients[&client].closed);
    let killed = world.log("db1").iter().any(|sql| sql.starts_with("KILL "));
    assert!(killed, "{:?}", world.log("db1"));
}

#[test]
fn the_time_of_a_transaction_begins_with_it_and_not_with_the_one_before() {
    let mut world = world(Some(10 * SECOND), None);
    let client = world.login(None);
    for _ in 0..4 {
        world.query(client, "BEGIN");
        world.wait(6 * SECOND);
        world.query(client, "COMMIT");
    }
    assert!(!world.clients[&client].closed);
}
