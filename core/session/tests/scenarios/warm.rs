//! The warm minimum of connections to each server.

use std::time::Duration;

use mainstay_session::Pool;

use crate::client::Reply;
use crate::fake::{World, policy, routes};

const SECOND: Duration = Duration::from_secs(1);

fn world(min: usize) -> World {
    world_with(min, |_| {})
}

fn world_with(min: usize, change: impl FnOnce(&mut Pool)) -> World {
    let mut policy = policy();
    policy.pool.server_connections_min = min;
    change(&mut policy.pool);
    World::with(policy, routes(1, 0, Some("db1"), &["db2"]))
}

fn open(world: &World, name: &str) -> usize {
    let connections = world.connections.values();
    connections.filter(|one| one.server == name).count()
}

#[test]
fn each_server_has_its_minimum_once_somebody_has_logged_in() {
    let mut world = world(3);
    world.wait(SECOND);
    assert_eq!([open(&world, "db1"), open(&world, "db2")], [0, 0]);
    let client = world.login(None);
    world.wait(SECOND);
    assert_eq!([open(&world, "db1"), open(&world, "db2")], [3, 3]);
    for _ in 0..3 {
        assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db2"]));
    }
    assert_eq!(open(&world, "db2"), 3);
}

#[test]
fn the_minimum_outlives_the_age_of_idle_connections() {
    let mut world = world_with(2, |pool| pool.idle_age_max = 10 * SECOND);
    let clients = [(); 4].map(|()| world.login(None));
    for client in clients {
        world.query(client, "BEGIN");
    }
    for client in clients {
        world.query(client, "COMMIT");
    }
    assert_eq!(open(&world, "db1"), 4);
    world.wait(60 * SECOND);
    assert_eq!([open(&world, "db1"), open(&world, "db2")], [2, 2]);
}

#[test]
fn what_was_lost_is_opened_again_when_the_server_is_back() {
    let mut world = world(2);
    world.login(None);
    world.wait(SECOND);
    world.kill("db2");
    world.wait(5 * SECOND);
    assert_eq!(open(&world, "db2"), 0);
    world.servers.get_mut("db2").expect("a server").alive = true;
    world.wait(3 * SECOND);
    assert_eq!(open(&world, "db2"), 2);
}

#[test]
fn a_new_primary_finds_its_minimum_open() {
    let mut world = world(2);
    world.login(None);
    world.wait(SECOND);
    world.kill("db1");
    world.publish(routes(2, 0, Some("db3"), &["db2"]));
    world.wait(SECOND);
    assert_eq!([open(&world, "db3"), open(&world, "db2")], [2, 2]);
}

#[test]
fn the_minimum_never_goes_beyond_the_cap() {
    let mut world = world_with(8, |pool| pool.server_connections_max = 3);
    world.login(None);
    world.wait(5 * SECOND);
    assert_eq!([open(&world, "db1"), open(&world, "db2")], [3, 3]);
}
