//! The limits of a client's time.

use std::time::Duration;

use crate::client::Reply;
use crate::fake::{World, policy, routes};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn an_idle_client_is_told_and_closed_after_the_wait_timeout_it_has_set() {
    let mut world = World::new();
    let client = world.login(None);
    world.query(client, "SET wait_timeout=5");
    world.wait(4 * SECOND);
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db2"]));
    world.wait(4 * SECOND);
    assert!(!world.clients[&client].closed);
    world.wait(2 * SECOND);
    assert_eq!(world.reply(client).code(), 4031);
    assert!(world.clients[&client].closed);
}

#[test]
fn a_client_that_does_not_take_its_replies_is_closed() {
    let mut world = World::new();
    let (slow, other) = (world.login(None), world.login(None));
    let limit = policy().timeouts.write;
    world.block(slow, true);
    let nearly = limit.saturating_sub(SECOND);
    world.wait(nearly);
    world.block(slow, false);
    world.block(slow, true);
    world.wait(nearly);
    assert!(!world.clients[&slow].closed);
    world.wait(2 * SECOND);
    assert!(world.clients[&slow].closed);
    assert_eq!(world.query(other, "SELECT 1"), Reply::rows(&["db2"]));
}

#[test]
fn a_statement_that_runs_too_long_is_interrupted_at_its_server() {
    let mut policy = policy();
    policy.timeouts.query = Some(3 * SECOND);
    let mut world = World::with(policy, routes(1, 0, Some("db1"), &["db2"]));
    let client = world.login(None);
    world.send(client, "SELECT SLEEP(100)");
    world.wait(2 * SECOND);
    assert_eq!(world.reply(client), Reply::Nothing);
    world.wait(2 * SECOND);
    assert_eq!(world.reply(client).code(), 1317);
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db2"]));
}

#[test]
fn a_proxy_that_stops_tells_its_clients() {
    let mut world = World::new();
    let (idle, held) = (world.login(None), world.login(None));
    world.publish(routes(2, 0, None, &["db2"]));
    world.send(held, "INSERT INTO t VALUES (1)");
    world.stop();
    for client in [idle, held] {
        assert_eq!(world.reply(client).code(), 1053);
        assert!(world.clients[&client].closed);
    }
}

#[test]
fn a_user_with_all_its_connections_gets_no_more_until_one_has_left() {
    let mut policy = policy();
    policy.users.get_mut("app").expect("a user").connections_max = Some(1);
    let mut world = World::with(policy, routes(1, 0, Some("db1"), &["db2"]));
    let first = world.login(None);
    let second = world.accept();
    let hello = world.clients[&second].hello("app", crate::fake::PASSWORD, None);
    world.client_sends(second, &hello);
    let text = "User 'app' has exceeded the 'max_user_connections' resource (current value: 1)";
    let refused = Reply::Error(1226, "42000".to_owned(), text.to_owned());
    assert_eq!(world.reply(second), refused);
    world.leave(first);
    world.login(None);
}
