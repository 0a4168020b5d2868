//! What a failover does to more than one statement: readers that hang, crowds that are held,
//! transactions and results that are cut in the middle.

use std::time::Duration;

use mainstay_session::{CloseReason, ConnId, Op};
use mainstay_wire::codec::put_u32;

use crate::client::{Client, Reply};
use crate::fake::{World, policy, routes};

#[test]
fn reads_on_a_hung_reader_run_elsewhere_when_it_leaves_the_routes() {
    let mut world = World::with(policy(), routes(1, 0, Some("db1"), &["db2"]));
    let [first, second] = [(); 2].map(|()| world.login(None));
    world.query(first, "SELECT 1");
    world.hang("db2", true);
    world.send(first, "SELECT 2");
    world.send(second, "SELECT 3");
    world.wait(Duration::from_millis(500));
    assert_eq!(world.reply(first), Reply::Nothing);
    world.publish(routes(1, 1, Some("db1"), &["db3"]));
    assert_eq!(world.reply(first), Reply::rows(&["db3"]));
    assert_eq!(world.reply(second), Reply::rows(&["db3"]));
}

#[test]
fn a_hung_reader_in_a_set_up_is_left_when_it_leaves_the_routes() {
    let mut world = World::new();
    let client = world.login(None);
    world.query(client, "SELECT 1");
    assert!(world.command(client, 0x02, b"shop").is_ok());
    world.hang("db2", true);
    world.send(client, "SELECT DATABASE()");
    world.publish(routes(1, 1, Some("db1"), &[]));
    assert_eq!(world.reply(client), Reply::rows(&["shop"]));
}

#[test]
fn ten_thousand_held_sessions_are_served_and_none_is_forgotten() {
    const COUNT: usize = 10_000;
    let mut policy = policy();
    policy.clients_max = COUNT;
    let mut world = World::with(policy, routes(1, 0, None, &["db2"]));
    let clients: Vec<u32> = (0..COUNT).map(|_| world.login(None)).collect();
    for client in &clients {
        world.send(*client, "INSERT INTO t VALUES (1)");
    }
    assert_eq!(world.core.stats().held, COUNT);
    world.publish(routes(2, 0, Some("db1"), &["db2"]));
    assert!(clients.iter().all(|client| world.reply(*client).is_ok()));
    assert_eq!(world.log("db1").len(), COUNT);
    let stats = world.core.stats();
    assert_eq!((stats.held, stats.held_bytes), (0, 0));
}

#[test]
fn sessions_are_counted_as_held_while_a_dead_primary_is_tried_again() {
    let mut world = World::new();
    let client = world.login(None);
    world.hang("db1", true);
    world.send(client, "INSERT INTO t VALUES (1)");
    world.wait(Duration::from_millis(1020));
    assert_eq!(world.core.stats().held, 1);
    world.wait(Duration::from_millis(200));
    let stats = world.core.stats();
    let tried = stats.servers.values().map(|one| one.connecting);
    assert_eq!((stats.held, tried.sum::<usize>()), (1, 1));
}

#[test]
fn a_session_in_the_set_up_of_a_hung_primary_is_counted_as_held() {
    let mut world = World::new();
    let [client, other] = [(); 2].map(|()| world.login(Some("shop")));
    world.hang("db1", true);
    world.clients.get_mut(&client).expect("open").expects(0x02);
    world.client_sends(client, &Client::command(0x02, b"crm"));
    world.send(other, "INSERT INTO t VALUES (1)");
    world.wait(Duration::from_millis(300));
    assert_eq!(world.core.stats().held, 2);
    world.hang("db1", false);
    assert!(world.reply(client).is_ok() && world.reply(other).is_ok());
    assert_eq!(world.core.stats().held, 0);
}

#[test]
fn a_read_only_transaction_in_flight_gets_the_error_that_drivers_retry() {
    let mut world = World::new();
    let client = world.login(None);
    world.query(client, "BEGIN READ ONLY");
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db1"]));
    world.hang("db1", true);
    world.send(client, "SELECT 2");
    world.kill("db1");
    assert_eq!(world.reply(client).code(), 1213);
    assert_eq!(world.query(client, "SELECT 3"), Reply::rows(&["db2"]));
}

#[test]
fn several_statements_with_a_write_in_flight_are_never_sent_again() {
    let mut world = World::new();
    let client = world.login(None);
    // What the server tells of the session is asked for before the first text of its kind.
    world.query(client, "DO 0; DO 0");
    world.hang("db1", true);
    world.send(client, "SELECT 1; INSERT INTO t VALUES (2)");
    world.servers.get_mut("db2").expect("db2").read_only = false;
    world.publish(routes(2, 0, Some("db2"), &[]));
    assert_eq!(world.reply(client).code(), 2013);
    assert!(world.log("db2").is_empty());
}

#[test]
fn several_statements_cut_off_after_rows_promise_no_rollback() {
    let mut world = World::new();
    let client = world.login(None);
    world.query(client, "BEGIN");
    world.query(client, "SELECT 0; SELECT 0");
    world.hang("db1", true);
    world.send(client, "SELECT 1; COMMIT");
    let (&id, _) = world.connections.iter().next().expect("one");
    let (who, mut ops) = (ConnId::Server(id), Vec::new());
    // Count, definition, row, and an end that announces more.
    let head = b"\x01\0\0\x01\x01\x09\0\0\x02\x03def\0\0\0\x01c\x02\0\0\x03\x011";
    let end = [7, 0, 0, 4, 0xfe, 0, 0, 9, 0, 0, 0];
    for bytes in [&head[..], &end] {
        world.core.input(world.now, who, bytes, &mut ops);
    }
    ops.clear();
    world
        .core
        .closed(world.now, who, CloseReason::Reset, &mut ops);
    let [Op::Send { chunk, .. }] = &ops[..] else {
        panic!("an error is sent, not {ops:?}");
    };
    let mainstay_session::Chunk::Owned(bytes) = chunk else {
        panic!("an error is made here");
    };
    assert_eq!(bytes[5..7], 2013_u16.to_le_bytes());
}

#[test]
fn a_lost_transaction_is_told_although_parameter_data_comes_first() {
    let mut world = World::new();
    let client = world.login(None);
    let Reply::Prepared(id) = world.command(client, 0x16, b"INSERT INTO t VALUES (?)") else {
        panic!("a prepared statement");
    };
    world.query(client, "BEGIN");
    world.kill("db1");
    world.servers.get_mut("db2").expect("db2").read_only = false;
    world.publish(routes(2, 0, Some("db2"), &[]));
    let mut argument = Vec::new();
    put_u32(&mut argument, id);
    argument.extend_from_slice(&[0, 0, 7]);
    world.client_sends(client, &Client::command(0x18, &argument));
    let mut argument = Vec::new();
    put_u32(&mut argument, id);
    argument.extend_from_slice(&[0, 1, 0, 0, 0]);
    assert_eq!(world.command(client, 0x17, &argument).code(), 1213);
    assert!(world.log("db2").is_empty());
}
