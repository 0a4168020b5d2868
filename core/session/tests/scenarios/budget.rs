//! Connections to one server, counted over all workers of a proxy; and how long sessions wait for
//! one.

use std::sync::Arc;
use std::time::Duration;

use mainstay_session::policy::Budget;

use crate::client::Reply;
use crate::fake::{World, policy, routes};

const WRITE: &str = "INSERT INTO t VALUES (1)";

fn worker(budget: &Arc<Budget>) -> World {
    let mut policy = policy();
    policy.pool.budget = Some(Arc::clone(budget));
    World::with(policy, routes(1, 0, Some("db1"), &[]))
}

#[test]
fn two_workers_never_have_more_connections_than_the_cap() {
    let budget = Arc::new(Budget::new(2, 2));
    let [mut one, mut other] = [worker(&budget), worker(&budget)];
    let [first, second] = [(); 2].map(|()| one.login(None));
    one.query(first, "BEGIN");
    one.query(second, "BEGIN");
    let waiting = other.login(None);
    other.send(waiting, WRITE);
    other.wait(Duration::from_millis(50));
    assert_eq!(other.reply(waiting), Reply::Nothing);
    assert_eq!((one.connections.len(), other.connections.len()), (2, 0));
    one.query(first, "COMMIT");
    assert_eq!(one.connections.len(), 1, "it is wanted elsewhere");
    other.wait(Duration::from_millis(10));
    assert!(other.reply(waiting).is_ok());
}

#[test]
fn an_idle_connection_is_given_up_when_another_worker_wants_it() {
    let budget = Arc::new(Budget::new(1, 2));
    let [mut one, mut other] = [worker(&budget), worker(&budget)];
    let (first, waiting) = (one.login(None), other.login(None));
    assert!(one.query(first, WRITE).is_ok());
    other.send(waiting, WRITE);
    assert_eq!(other.reply(waiting), Reply::Nothing);
    one.wait(Duration::from_secs(1));
    other.wait(Duration::from_secs(1));
    assert!(other.reply(waiting).is_ok());
}

#[test]
fn what_a_worker_had_is_given_back_when_it_ends() {
    let budget = Arc::new(Budget::new(1, 2));
    let mut one = worker(&budget);
    let client = one.login(None);
    one.query(client, "BEGIN");
    drop(one);
    let mut other = worker(&budget);
    let client = other.login(None);
    assert!(other.query(client, WRITE).is_ok());
}

#[test]
fn new_settings_count_the_connections_that_are_open() {
    let budget = Arc::new(Budget::new(1, 2));
    let mut one = worker(&budget);
    let client = one.login(None);
    one.query(client, "BEGIN");
    let smaller = Arc::new(Budget::new(1, 2));
    let mut policy = policy();
    policy.pool.budget = Some(Arc::clone(&smaller));
    one.core.policy(Arc::new(policy));
    let mut other = worker(&smaller);
    let waiting = other.login(None);
    other.send(waiting, WRITE);
    assert_eq!(other.reply(waiting), Reply::Nothing);
}

#[test]
fn the_time_in_the_queue_is_measured() {
    let mut policy = policy();
    policy.pool.server_connections_max = 1;
    let mut world = World::with(policy, routes(1, 0, Some("db1"), &[]));
    let [first, second] = [(); 2].map(|()| world.login(None));
    world.query(first, "BEGIN");
    world.send(second, WRITE);
    world.wait(Duration::from_millis(70));
    world.query(first, "COMMIT");
    assert!(world.reply(second).is_ok());
    let stats = world.core.stats();
    let server = stats.servers.values().next().expect("db1");
    assert_eq!(server.queue_time_max, Duration::from_millis(70));
    assert!(server.queued >= 1 && server.queue_time >= server.queue_time_max);
}

#[test]
fn a_connection_of_some_age_is_closed_when_it_is_free() {
    let mut policy = policy();
    policy.pool.age_max = Some(Duration::from_mins(1));
    let mut world = World::with(policy, routes(1, 0, Some("db1"), &[]));
    let client = world.login(None);
    world.query(client, WRITE);
    world.wait(Duration::from_secs(61));
    world.query(client, WRITE);
    assert!(world.connections.is_empty());
}

#[test]
fn a_read_that_waits_for_one_reader_takes_the_first_that_is_free() {
    for freed in ["db2", "db3"] {
        let mut policy = policy();
        policy.pool.server_connections_max = 1;
        let mut world = World::with(policy, routes(1, 0, Some("db1"), &["db2", "db3"]));
        let busy = [(); 2].map(|()| world.login(None));
        for client in busy.into_iter().cycle().take(6) {
            world.query(client, "SELECT 1");
        }
        world.hang("db2", true);
        world.hang("db3", true);
        for client in busy {
            world.send(client, "SELECT 2");
        }
        let waiting = world.login(None);
        world.send(waiting, "SELECT 3");
        assert_eq!(world.reply(waiting), Reply::Nothing);
        world.hang(freed, false);
        assert_eq!(world.reply(waiting), Reply::rows(&[freed]));
    }
}
