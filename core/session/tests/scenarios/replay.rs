//! Open transactions of users who want them replayed, when their primary is lost.

use std::time::Duration;

use crate::client::Reply;
use crate::fake::{World, policy, routes};

const WRITE: &str = "INSERT INTO t VALUES (1)";

fn replaying() -> World {
    let mut policy = policy();
    policy
        .users
        .get_mut("app")
        .expect("app")
        .replays_transactions = true;
    World::with(policy, routes(1, 0, Some("db1"), &[]))
}

/// The primary dies, and the other server is promoted.
fn fail_over(world: &mut World) {
    world.kill("db1");
    promote(world);
}

fn promote(world: &mut World) {
    let server = world.servers.get_mut("db2").expect("db2");
    server.read_only = false;
    world.publish(routes(2, 0, Some("db2"), &[]));
}

#[test]
fn a_transaction_goes_on_after_a_failover_between_its_statements() {
    let mut world = replaying();
    let client = world.login(None);
    world.query(client, "BEGIN");
    world.query(client, WRITE);
    fail_over(&mut world);
    assert!(world.query(client, WRITE).is_ok());
    assert!(world.query(client, "COMMIT").is_ok());
    assert_eq!(world.log("db2"), ["BEGIN", WRITE, WRITE, "COMMIT"]);
    assert_eq!(world.core.stats().transactions_replayed, 1);
}

#[test]
fn a_commit_that_was_not_sent_follows_the_replay() {
    let mut world = replaying();
    let client = world.login(None);
    world.query(client, "BEGIN");
    world.query(client, WRITE);
    fail_over(&mut world);
    assert!(world.query(client, "COMMIT").is_ok());
    assert_eq!(world.log("db2"), ["BEGIN", WRITE, "COMMIT"]);
}

#[test]
fn a_statement_in_flight_in_a_transaction_waits_for_the_new_primary_and_runs_there() {
    let mut world = replaying();
    let client = world.login(None);
    world.query(client, "BEGIN");
    world.query(client, WRITE);
    world.hang("db1", true);
    world.send(client, "INSERT INTO t VALUES (2)");
    world.kill("db1");
    assert_eq!(world.reply(client), Reply::Nothing);
    promote(&mut world);
    assert!(world.reply(client).is_ok());
    assert!(world.query(client, "COMMIT").is_ok());
}

#[test]
fn a_commit_that_was_sent_is_never_replayed() {
    let mut world = replaying();
    let client = world.login(None);
    world.query(client, "BEGIN");
    world.query(client, WRITE);
    world.hang("db1", true);
    world.send(client, "COMMIT");
    fail_over(&mut world);
    assert_eq!(world.reply(client).code(), 2013);
    assert!(world.log("db2").is_empty());
}

#[test]
fn other_results_give_the_error_that_drivers_retry_and_nothing_is_kept() {
    let mut world = replaying();
    let client = world.login(None);
    world.query(client, "BEGIN");
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db1"]));
    fail_over(&mut world);
    assert_eq!(world.query(client, WRITE).code(), 1213);
    assert!(world.servers["db2"].written.is_empty());
    assert_eq!(world.core.stats().replays_failed, 1);
    assert!(world.query(client, WRITE).is_ok());
}

#[test]
fn a_transaction_whose_primary_became_read_only_goes_on_at_the_new_one() {
    let mut world = replaying();
    let client = world.login(None);
    world.query(client, "BEGIN");
    world.servers.get_mut("db1").expect("db1").read_only = true;
    world.send(client, WRITE);
    promote(&mut world);
    assert!(world.reply(client).is_ok());
    assert_eq!(world.log("db2"), ["BEGIN", WRITE]);
}

#[test]
fn prepared_statements_of_a_transaction_are_replayed_as_well() {
    let mut world = replaying();
    let client = world.login(None);
    let prepared = world.command(client, 0x16, WRITE.as_bytes());
    assert_eq!(prepared, Reply::Prepared(1));
    world.query(client, "BEGIN");
    let execution = [1, 0, 0, 0, 0, 1, 0, 0, 0];
    assert!(world.command(client, 0x17, &execution).is_ok());
    fail_over(&mut world);
    assert!(world.command(client, 0x17, &execution).is_ok());
    assert!(world.query(client, "COMMIT").is_ok());
    assert_eq!(world.log("db2"), ["BEGIN", WRITE, WRITE, "COMMIT"]);
}

#[test]
fn a_transaction_with_more_than_itself_on_its_connection_is_not_replayed() {
    for spoils in ["CREATE TEMPORARY TABLE a", "SELECT @a:=1", "CALL p()"] {
        let mut world = replaying();
        let client = world.login(None);
        world.query(client, "BEGIN");
        world.query(client, spoils);
        fail_over(&mut world);
        assert_eq!(world.query(client, WRITE).code(), 1213, "{spoils}");
    }
}

#[test]
fn a_transaction_that_is_too_long_is_not_kept() {
    let mut policy = policy();
    policy
        .users
        .get_mut("app")
        .expect("app")
        .replays_transactions = true;
    policy.replay_bytes_max = 20;
    let mut world = World::with(policy, routes(1, 0, Some("db1"), &[]));
    let client = world.login(None);
    world.query(client, "BEGIN");
    world.query(client, WRITE);
    fail_over(&mut world);
    assert_eq!(world.query(client, WRITE).code(), 1213);
}

#[test]
fn without_a_new_primary_in_time_the_client_learns_that_its_transaction_is_gone() {
    let mut world = replaying();
    let client = world.login(None);
    world.query(client, "BEGIN");
    world.query(client, WRITE);
    world.kill("db1");
    world.send(client, WRITE);
    world.wait(Duration::from_secs(31));
    assert_eq!(world.reply(client).code(), 1213);
}

#[test]
fn who_has_not_asked_for_it_gets_the_error() {
    let mut world = World::with(policy(), routes(1, 0, Some("db1"), &[]));
    let client = world.login(None);
    world.query(client, "BEGIN");
    world.query(client, WRITE);
    fail_over(&mut world);
    assert_eq!(world.query(client, WRITE).code(), 1213);
}
