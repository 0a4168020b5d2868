//! The list of sessions: what each is doing, and why it keeps its connection.

use std::time::Duration;

use mainstay_session::{SessionRow, SessionState, TieReason};

use crate::fake::{World, routes};

const SECOND: Duration = Duration::from_secs(1);

fn only(world: &World) -> SessionRow {
    let mut seen = world.core.sessions(world.now, 10);
    assert_eq!((seen.sessions.len(), seen.left_out), (1, 0));
    seen.sessions.remove(0)
}

#[test]
fn a_session_that_is_tied_tells_why_and_for_how_long() {
    let mut world = World::new();
    let client = world.login(Some("shop"));
    world.query(client, "BEGIN");
    world.query(client, "CREATE TEMPORARY TABLE t (a INT)");
    world.wait(3 * SECOND);
    let seen = only(&world);
    assert_eq!((&*seen.user, seen.schema.as_deref()), ("app", Some("shop")));
    assert_eq!((seen.command, seen.state), ("Sleep", SessionState::Idle));
    assert_eq!(
        seen.ties,
        [TieReason::Transaction, TieReason::TemporaryTable]
    );
    assert_eq!(
        (seen.transaction, seen.in_state),
        (Some(3 * SECOND), 3 * SECOND)
    );
    let on = seen.on.expect("it keeps its connection");
    assert_eq!((on.server.as_str(), seen.hostgroup), ("db1", Some(0)));
    world.query(client, "COMMIT");
    assert_eq!(only(&world).transaction, None);
    world.query(client, "BEGIN");
    assert_eq!(only(&world).transaction, Some(Duration::ZERO));
}

#[test]
fn a_statement_under_way_is_shown_with_its_server() {
    let mut world = World::new();
    let client = world.login(None);
    world.query(client, "SELECT 1");
    world.hang("db2", true);
    world.send(client, "SELECT b FROM t");
    world.wait(2 * SECOND);
    let seen = only(&world);
    assert_eq!(seen.statement.as_deref(), Some("SELECT b FROM t"));
    assert_eq!(
        (seen.state, seen.in_state),
        (SessionState::Running, 2 * SECOND)
    );
    assert_eq!(seen.hostgroup, Some(1));
}

#[test]
fn a_session_that_waits_for_a_primary_has_no_server() {
    let mut world = World::new();
    let client = world.login(None);
    world.publish(routes(2, 0, None, &["db2"]));
    world.send(client, "INSERT INTO t VALUES (1)");
    let seen = only(&world);
    assert_eq!((seen.state, seen.on), (SessionState::Held, None));
}

#[test]
fn free_connections_are_listed_with_what_they_were_given() {
    let mut world = World::new();
    let client = world.login(Some("shop"));
    world.query(client, "SET sql_mode='ANSI'");
    world.query(client, "INSERT INTO t VALUES (1)");
    world.wait(SECOND);
    let seen = world.core.sessions(world.now, 10);
    let free: Vec<_> = seen
        .free
        .iter()
        .filter(|one| one.on.server.as_str() == "db1")
        .collect();
    let [free] = free[..] else {
        panic!("one free connection to db1, not {free:?}");
    };
    assert_eq!((&*free.user, free.hostgroup), ("app", 0));
    assert_eq!(free.schema.as_deref(), Some("shop"));
    assert_eq!(free.variables, ["sql_mode='ANSI'"]);
    assert_eq!(free.idle, SECOND);
}

#[test]
fn what_is_beyond_the_limit_is_only_counted() {
    let mut world = World::new();
    for _ in 0..5 {
        world.login(None);
    }
    let seen = world.core.sessions(world.now, 2);
    assert_eq!(seen.sessions.len(), 2);
    assert_eq!(seen.left_out, 3);
}
