//! Results kept for a while: who gets them, and what makes them old.

use std::sync::Arc;
use std::time::Duration;

use mainstay_session::{CachePolicy, Written};

use crate::client::Reply;
use crate::fake::{World, policy, routes};
use crate::statements::{execute, prepare};

fn caching(readers: &[&str]) -> World {
    let mut policy = policy();
    policy.cache = CachePolicy {
        on: true,
        ttl: Duration::from_secs(10),
        written: Arc::new(Written::default()),
        ..CachePolicy::default()
    };
    World::with(policy, routes(1, 0, Some("db1"), readers))
}

fn reads(world: &World) -> usize {
    let reads = |name| {
        world
            .log(name)
            .iter()
            .filter(|sql| sql.starts_with("SELECT") && !sql.contains("session_track"))
            .count()
    };
    reads("db1") + reads("db2")
}

#[test]
fn a_result_is_read_once_and_served_to_all_sessions_of_the_user() {
    let mut world = caching(&["db2"]);
    let [one, other] = [(); 2].map(|()| world.login(None));
    for client in [one, other, one] {
        assert_eq!(
            world.query(client, "SELECT a FROM t"),
            Reply::rows(&["db2"])
        );
    }
    assert_eq!(reads(&world), 1);
    let cache = world.core.stats().cache;
    assert_eq!((cache.hits, cache.stored, cache.entries), (2, 1, 1));
}

#[test]
fn a_result_ends_with_its_time() {
    let mut world = caching(&["db2"]);
    let client = world.login(None);
    world.query(client, "SELECT a FROM t");
    world.wait(Duration::from_secs(11));
    world.query(client, "SELECT a FROM t");
    assert_eq!(reads(&world), 2);
}

#[test]
fn a_write_to_a_table_makes_its_results_old_and_no_others() {
    let mut world = caching(&[]);
    let client = world.login(None);
    world.query(client, "SELECT a FROM t");
    world.query(client, "SELECT a FROM u");
    world.query(client, "INSERT INTO shop.T VALUES (1)");
    world.query(client, "SELECT a FROM t");
    world.query(client, "SELECT a FROM u");
    assert_eq!(reads(&world), 3);
}

#[test]
fn a_write_of_a_transaction_counts_again_when_it_is_committed() {
    let mut world = caching(&[]);
    let [writer, reader] = [(); 2].map(|()| world.login(None));
    world.query(writer, "BEGIN");
    world.query(writer, "INSERT INTO t VALUES (1)");
    world.query(reader, "SELECT a FROM t");
    world.query(writer, "COMMIT");
    world.query(reader, "SELECT a FROM t");
    assert_eq!(reads(&world), 2, "the old rows were read before the commit");
}

#[test]
fn a_procedure_makes_every_result_old() {
    let mut world = caching(&[]);
    let client = world.login(None);
    world.query(client, "SELECT a FROM t");
    world.query(client, "CALL p()");
    world.query(client, "SELECT a FROM t");
    assert_eq!(reads(&world), 2);
}

#[test]
fn a_replica_may_lag_so_its_results_of_tables_written_just_now_are_not_kept() {
    let mut world = caching(&["db2"]);
    let client = world.login(None);
    world.query(client, "INSERT INTO t VALUES (1)");
    world.query(client, "SELECT a FROM t");
    world.query(client, "SELECT a FROM t");
    assert_eq!(reads(&world), 2);
    world.wait(Duration::from_secs(3));
    world.query(client, "SELECT a FROM t");
    world.query(client, "SELECT a FROM t");
    assert_eq!(reads(&world), 3);
}

#[test]
fn what_depends_on_more_than_its_tables_is_not_kept() {
    let mut world = caching(&[]);
    let client = world.login(None);
    let volatile = [
        "SELECT NOW()",
        "SELECT a FROM t WHERE b=@@hostname",
        "SELECT RAND() FROM t",
    ];
    for sql in volatile {
        world.query(client, sql);
        world.query(client, sql);
    }
    world.query(client, "BEGIN");
    world.query(client, "SELECT a FROM t");
    world.query(client, "SELECT a FROM t");
    assert_eq!(reads(&world), 8);
    assert_eq!(world.core.stats().cache.stored, 0);
}

#[test]
fn another_session_state_gets_its_own_result() {
    let mut world = caching(&[]);
    let [one, other] = [(); 2].map(|()| world.login(None));
    world.query(one, "SELECT a FROM t");
    world.query(other, "SET time_zone='+02:00'");
    world.query(other, "SELECT a FROM t");
    assert_eq!(reads(&world), 2);
}

#[test]
fn an_execution_is_answered_from_the_cache_too_and_not_by_the_result_of_a_text() {
    let mut world = caching(&[]);
    let client = world.login(None);
    let id = prepare(&mut world, client, "SELECT a FROM t");
    world.query(client, "SELECT a FROM t");
    execute(&mut world, client, id);
    execute(&mut world, client, id);
    assert_eq!(reads(&world), 2, "its rows have another form");
    assert_eq!(world.core.stats().cache.hits, 1);
}
