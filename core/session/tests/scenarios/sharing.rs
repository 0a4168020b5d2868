//! Which server runs what, and what sessions share without noticing.

use std::time::Duration;

use mainstay_session::TieReason;

use crate::client::Reply;
use crate::fake::{World, policy, routes};

fn single(connections_max: usize) -> World {
    let mut policy = policy();
    policy.pool.server_connections_max = connections_max;
    World::with(policy, routes(1, 0, Some("db1"), &[]))
}

#[test]
fn a_read_goes_to_a_reader_and_a_write_to_the_writer() {
    let mut world = World::new();
    let client = world.login(None);
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db2"]));
    assert!(world.query(client, "INSERT INTO t VALUES (1)").is_ok());
    assert_eq!(world.log("db1"), ["INSERT INTO t VALUES (1)"]);
    assert_eq!(world.log("db2"), ["SELECT 1"]);
}

#[test]
fn without_a_reader_the_writer_serves_reads() {
    let mut world = single(4);
    let client = world.login(None);
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db1"]));
}

#[test]
fn a_transaction_stays_on_one_connection_and_then_lets_it_go() {
    let mut world = World::new();
    let client = world.login(None);
    let other = world.login(None);
    world.query(client, "BEGIN");
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db1"]));
    assert!(world.query(other, "INSERT INTO t VALUES (1)").is_ok());
    assert_eq!(world.connections.len(), 2, "the other session got its own");
    assert_eq!(world.core.writes_in_flight(), 1);
    world.query(client, "COMMIT");
    assert_eq!(world.core.writes_in_flight(), 0);
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db2"]));
}

#[test]
fn sessions_share_one_connection_one_after_the_other() {
    let mut world = single(8);
    let clients: Vec<u32> = (0..5).map(|_| world.login(None)).collect();
    for client in clients {
        assert!(world.query(client, "INSERT INTO t VALUES (1)").is_ok());
    }
    assert_eq!(world.connections.len(), 1);
}

#[test]
fn at_the_cap_sessions_wait_in_order() {
    let mut world = single(1);
    let [first, second, third] = [(); 3].map(|()| world.login(None));
    world.query(first, "BEGIN");
    world.send(second, "INSERT INTO t VALUES (2)");
    world.send(third, "INSERT INTO t VALUES (3)");
    assert_eq!(world.reply(second), Reply::Nothing);
    world.query(first, "COMMIT");
    assert!(world.reply(second).is_ok() && world.reply(third).is_ok());
    let log = world.log("db1");
    assert_eq!(
        log[2..],
        ["INSERT INTO t VALUES (2)", "INSERT INTO t VALUES (3)"]
    );
    assert_eq!(world.connections.len(), 1);
}

#[test]
fn who_waits_too_long_for_a_connection_is_told_that_nothing_ran() {
    let mut world = single(1);
    let [first, second] = [(); 2].map(|()| world.login(None));
    world.query(first, "BEGIN");
    world.send(second, "INSERT INTO t VALUES (2)");
    world.wait(Duration::from_secs(31));
    assert_eq!(world.reply(second).code(), 1159);
    assert!(!world.log("db1").contains(&"INSERT INTO t VALUES (2)"));
}

#[test]
fn a_client_that_leaves_in_a_transaction_leaves_nothing_behind() {
    let mut world = single(1);
    let [first, second] = [(); 2].map(|()| world.login(None));
    world.query(first, "BEGIN");
    world.leave(first);
    let Reply::Ok(status) = world.query(second, "INSERT INTO t VALUES (2)") else {
        panic!("OK")
    };
    assert!(!status.contains(mainstay_wire::StatusFlags::IN_TRANS));
}

#[test]
fn a_client_that_leaves_while_waiting_is_forgotten() {
    let mut world = single(1);
    let [first, second, third] = [(); 3].map(|()| world.login(None));
    world.query(first, "BEGIN");
    world.send(second, "INSERT INTO t VALUES (2)");
    world.send(third, "INSERT INTO t VALUES (3)");
    world.leave(second);
    world.query(first, "COMMIT");
    assert!(world.reply(third).is_ok());
    assert!(!world.log("db1").contains(&"INSERT INTO t VALUES (2)"));
}

#[test]
fn a_connection_with_an_unread_reply_is_never_used_again() {
    let mut world = single(1);
    let [first, second] = [(); 2].map(|()| world.login(None));
    assert!(world.query(first, "INSERT INTO t VALUES (1)").is_ok());
    world.hang("db1", true);
    world.send(first, "SELECT @@secret");
    world.leave(first);
    world.hang("db1", false);
    assert!(world.query(second, "INSERT INTO t VALUES (2)").is_ok());
    assert_eq!(world.connections.len(), 1);
}

#[test]
fn variables_and_schema_do_not_leak_between_sessions() {
    let mut world = single(1);
    let first = world.login(Some("shop"));
    let second = world.login(Some("crm"));
    assert!(world.query(first, "SET sql_mode='ANSI'").is_ok());
    assert_eq!(world.query(second, "SELECT @@sql_mode"), Reply::rows(&[""]));
    assert_eq!(
        world.query(second, "SELECT DATABASE()"),
        Reply::rows(&["crm"])
    );
    assert_eq!(
        world.query(first, "SELECT @@sql_mode"),
        Reply::rows(&["'ANSI'"])
    );
    assert_eq!(
        world.query(first, "SELECT DATABASE()"),
        Reply::rows(&["shop"])
    );
}

#[test]
fn a_session_without_a_schema_never_gets_one_from_another() {
    let mut world = single(1);
    let first = world.login(Some("shop"));
    let second = world.login(None);
    assert_eq!(
        world.query(first, "SELECT DATABASE()"),
        Reply::rows(&["shop"])
    );
    assert_eq!(world.query(second, "SELECT DATABASE()"), Reply::rows(&[""]));
}

#[test]
fn a_schema_chosen_by_use_or_init_db_follows_the_session() {
    let mut world = World::new();
    let client = world.login(Some("shop"));
    world.query(client, "USE crm");
    assert_eq!(
        world.query(client, "SELECT DATABASE()"),
        Reply::rows(&["crm"])
    );
    assert!(world.command(client, 0x02, b"hr").is_ok());
    assert_eq!(
        world.query(client, "SELECT DATABASE()"),
        Reply::rows(&["hr"])
    );
    assert_eq!(world.command(client, 0x02, b"missing").code(), 1049);
    assert_eq!(
        world.query(client, "SELECT DATABASE()"),
        Reply::rows(&["hr"])
    );
}

#[test]
fn a_session_with_a_user_variable_keeps_its_connection() {
    let mut world = World::new();
    let client = world.login(None);
    assert_eq!(world.query(client, "SELECT @a:=1"), Reply::rows(&["1"]));
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db1"]));
    assert_eq!(world.core.stats().ties[&TieReason::UserVariable], 1);
    assert!(world.command(client, 0x1f, &[]).is_ok());
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db2"]));
}

#[test]
fn the_last_insert_id_follows_the_session_to_another_connection() {
    let mut world = single(1);
    let [first, second] = [(); 2].map(|()| world.login(None));
    world.query(first, "INSERT INTO t VALUES (1)");
    world.query(second, "INSERT INTO t VALUES (2)");
    assert_eq!(
        world.query(first, "SELECT LAST_INSERT_ID()"),
        Reply::rows(&["1"])
    );
}

#[test]
fn idle_connections_are_closed_after_their_time() {
    let mut world = World::new();
    let client = world.login(None);
    world.query(client, "SELECT 1");
    world.wait(Duration::from_mins(6));
    assert!(world.connections.is_empty());
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db2"]));
}

#[test]
fn a_slow_client_stops_the_reading_of_its_server() {
    let mut world = World::new();
    let client = world.login(None);
    world.query(client, "INSERT INTO t VALUES (1)");
    world.hang("db1", true);
    world.send(client, "INSERT INTO t VALUES (1)");
    let mut ops = Vec::new();
    let who = mainstay_session::ConnId::Client(client);
    world.core.blocked(world.now, who, 1 << 20, &mut ops);
    assert!(matches!(
        ops[..],
        [mainstay_session::Op::Pause(
            mainstay_session::ConnId::Server(_)
        )]
    ));
    ops.clear();
    world.core.unblocked(world.now, who, &mut ops);
    assert!(matches!(
        ops[..],
        [mainstay_session::Op::Resume(
            mainstay_session::ConnId::Server(_)
        )]
    ));
}

#[test]
fn a_client_that_sends_far_ahead_is_not_read_until_its_turn() {
    let mut world = World::new();
    let client = world.login(None);
    world.hang("db1", true);
    world.send(client, "INSERT INTO t VALUES (1)");
    let long = crate::client::Client::command(0x03, &vec![b' '; 300 << 10]);
    world.client_sends(client, &long);
    assert_eq!(world.paused, [mainstay_session::ConnId::Client(client)]);
    world.hang("db1", false);
    assert!(world.paused.is_empty());
}

#[test]
fn a_statement_and_its_reply_are_forwarded_without_a_copy() {
    use mainstay_session::{Chunk, ConnId, Op};
    let mut world = single(1);
    let client = world.login(None);
    world.query(client, "SELECT 1");
    let (&server, _) = world.connections.iter().next().expect("a connection");
    let mut ops = Vec::new();
    let statement = crate::client::Client::command(0x03, b"SELECT 2");
    world
        .core
        .input(world.now, ConnId::Client(client), &statement, &mut ops);
    let to = ConnId::Server(server);
    let chunk = Chunk::Input(0..statement.len());
    assert_eq!(ops, [Op::Send { to, chunk }]);
    ops.clear();
    let reply = [7, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0];
    world.core.input(world.now, to, &reply, &mut ops);
    let to = ConnId::Client(client);
    assert_eq!(
        ops,
        [Op::Send {
            to,
            chunk: Chunk::Input(0..reply.len())
        }]
    );
}

#[test]
fn a_connection_whose_schema_was_dropped_is_given_it_again() {
    let sqls = ["DROP DATABASE shop", "DO 1; DROP DATABASE shop"];
    for sql in sqls {
        let mut world = single(1);
        let [client, other] = [(); 2].map(|()| world.login(Some("shop")));
        world.query(client, sql);
        world.query(client, "CREATE DATABASE shop");
        let schema = world.query(other, "SELECT DATABASE()");
        assert_eq!(schema, Reply::rows(&["shop"]), "{sql}");
    }
}
