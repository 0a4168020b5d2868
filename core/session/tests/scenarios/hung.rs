//! Readers that hang, told from readers whose queries are slow.

use std::time::Duration;

use mainstay_session::policy::Choice;

use crate::client::Reply;
use crate::fake::{World, policy, routes};

const SECOND: Duration = Duration::from_secs(1);

/// Reads go to `db2` and `db3` in turn.
fn world() -> World {
    let mut policy = policy();
    policy.readers.choice = Choice::Weight;
    World::with(policy, routes(1, 0, Some("db1"), &["db2", "db3"]))
}

/// A client whose next read is on `db2`, on a connection that is open.
fn before_db2(world: &mut World) -> u32 {
    let client = world.login(None);
    for _ in 0..4 {
        world.query(client, "SELECT 1");
    }
    while world.query(client, "SELECT 1") != Reply::rows(&["db3"]) {}
    client
}

#[test]
fn the_read_of_a_reader_that_hangs_is_answered_by_another() {
    let mut world = world();
    let client = before_db2(&mut world);
    world.hang("db2", true);
    world.send(client, "SELECT a FROM t");
    world.wait(SECOND);
    assert_eq!(world.reply(client), Reply::Nothing);
    world.wait(4 * SECOND);
    assert_eq!(world.reply(client), Reply::rows(&["db3"]));
    for _ in 0..6 {
        assert_eq!(
            world.query(client, "SELECT 1"),
            Reply::rows(&["db3"]),
            "it gets no more"
        );
    }
    assert_eq!(world.core.stats().readers_hung, 1);
}

#[test]
fn a_reader_that_lives_again_gets_reads_again() {
    let mut world = world();
    let client = before_db2(&mut world);
    world.hang("db2", true);
    world.send(client, "SELECT a FROM t");
    world.wait(5 * SECOND);
    world.reply(client);
    world.hang("db2", false);
    world.wait(4 * SECOND);
    let seen = [(); 4].map(|()| world.query(client, "SELECT 1"));
    assert!(seen.contains(&Reply::rows(&["db2"])), "{seen:?}");
}

#[test]
fn a_slow_query_is_left_to_its_reader() {
    let mut world = world();
    let client = before_db2(&mut world);
    world.send(client, "SELECT SLEEP(9)");
    world.wait(20 * SECOND);
    assert_eq!(world.reply(client), Reply::Nothing);
    let stats = world.core.stats();
    assert_eq!((stats.readers_hung, stats.reads_retried), (0, 0));
}

#[test]
fn a_reader_that_answers_no_new_connection_is_left_alone_until_it_does() {
    let mut world = world();
    world.hang("db2", true);
    let client = world.login(None);
    for _ in 0..2 {
        world.send(client, "SELECT 1");
        world.wait(2 * SECOND);
        assert_eq!(world.reply(client), Reply::rows(&["db3"]));
    }
    for _ in 0..8 {
        assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db3"]));
        world.wait(SECOND);
    }
}

#[test]
fn with_all_readers_hung_the_writer_serves_reads() {
    let mut world = world();
    let client = before_db2(&mut world);
    world.hang("db2", true);
    world.hang("db3", true);
    world.send(client, "SELECT 1");
    world.wait(10 * SECOND);
    assert_eq!(world.reply(client), Reply::rows(&["db1"]));
}
