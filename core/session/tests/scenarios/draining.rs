//! Servers that drain: what is open there ends well, and nothing new begins.

use mainstay_topology::{Routes, ServerName};

use crate::client::Reply;
use crate::fake::{World, routes};

fn draining(version: u64, writer: Option<&str>, readers: &[&str], drains: &str) -> Routes {
    Routes {
        draining: routes(0, 0, None, &[drains]).readers,
        ..routes(1, version, writer, readers)
    }
}

fn idle(world: &World, name: &str) -> usize {
    world.core.stats().servers[&ServerName::new(name)].idle
}

#[test]
fn an_open_transaction_ends_on_a_writer_that_drains_and_new_writes_wait() {
    let mut world = World::new();
    let [busy, other] = [(); 2].map(|()| world.login(None));
    assert!(world.query(busy, "BEGIN").is_ok());
    assert!(world.query(busy, "INSERT INTO t VALUES (1)").is_ok());
    world.publish(draining(1, None, &["db2"], "db1"));
    world.send(other, "INSERT INTO t VALUES (2)");
    assert_eq!(world.reply(other), Reply::Nothing);
    assert!(world.query(busy, "INSERT INTO t VALUES (3)").is_ok());
    assert!(world.query(busy, "COMMIT").is_ok());
    assert_eq!(world.reply(other), Reply::Nothing);
    assert_eq!(idle(&world, "db1"), 0, "what is free is closed");
    world.publish(routes(1, 2, Some("db1"), &["db2"]));
    assert!(world.reply(other).is_ok());
    let writes = world.log("db1").into_iter();
    assert_eq!(writes.filter(|sql| sql.starts_with("INSERT")).count(), 3);
}

#[test]
fn a_reader_that_drains_gets_no_reads_and_its_idle_connections_are_closed() {
    let mut world = World::new();
    let client = world.login(None);
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db2"]));
    world.publish(draining(1, Some("db1"), &[], "db2"));
    assert_eq!(idle(&world, "db2"), 0);
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db1"]));
    world.publish(routes(1, 2, Some("db1"), &["db2"]));
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db2"]));
}
