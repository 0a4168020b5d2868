//! Prepared statements: the client's numbers hold on every connection.

use mainstay_session::ConnId;
use mainstay_wire::codec::put_u32;
use mainstay_wire::packet::{MAX_PAYLOAD, put_packet};

use crate::client::{Client, Reply};
use crate::fake::{World, policy, routes};

pub(crate) fn prepare(world: &mut World, client: u32, sql: &str) -> u32 {
    match world.command(client, 0x16, sql.as_bytes()) {
        Reply::Prepared(id) => id,
        other => panic!("a prepared statement was expected, not {other:?}"),
    }
}

pub(crate) fn execute(world: &mut World, client: u32, id: u32) -> Reply {
    let mut argument = Vec::new();
    put_u32(&mut argument, id);
    argument.extend_from_slice(&[0, 1, 0, 0, 0]);
    world.command(client, 0x17, &argument)
}

#[test]
fn a_prepared_read_runs_on_a_reader_and_a_prepared_write_on_the_writer() {
    let mut world = World::new();
    let client = world.login(None);
    let read = prepare(&mut world, client, "SELECT 1");
    let write = prepare(&mut world, client, "INSERT INTO t VALUES (1)");
    assert_eq!(execute(&mut world, client, read), Reply::rows(&["db2"]));
    assert!(execute(&mut world, client, write).is_ok());
    assert_eq!(world.log("db1"), ["INSERT INTO t VALUES (1)"]);
}

#[test]
fn a_statement_is_prepared_again_on_the_new_primary() {
    let mut world = World::new();
    let client = world.login(None);
    let id = prepare(&mut world, client, "INSERT INTO t VALUES (1)");
    assert!(execute(&mut world, client, id).is_ok());
    world.kill("db1");
    world.servers.get_mut("db2").expect("db2").read_only = false;
    world.publish(routes(2, 0, Some("db2"), &[]));
    assert!(execute(&mut world, client, id).is_ok());
    assert_eq!(world.log("db2"), ["INSERT INTO t VALUES (1)"]);
}

#[test]
fn a_statement_is_prepared_again_on_another_connection_of_the_pool() {
    let mut policy = policy();
    policy.pool.server_connections_max = 2;
    let mut world = World::with(policy, routes(1, 0, Some("db1"), &[]));
    let [client, other] = [(); 2].map(|()| world.login(None));
    let id = prepare(&mut world, client, "SELECT 1");
    world.query(other, "BEGIN");
    assert_eq!(execute(&mut world, client, id), Reply::rows(&["db1"]));
    assert_eq!(execute(&mut world, client, id), Reply::rows(&["db1"]));
    assert_eq!(world.connections.len(), 2);
}

#[test]
fn equal_statements_of_two_sessions_have_their_own_numbers() {
    let mut world = World::new();
    let [first, second] = [(); 2].map(|()| world.login(None));
    let one = prepare(&mut world, first, "SELECT 1");
    let two = prepare(&mut world, second, "SELECT 1");
    let mut close = Vec::new();
    put_u32(&mut close, one);
    world.client_sends(first, &Client::command(0x19, &close));
    assert_eq!(execute(&mut world, second, two), Reply::rows(&["db2"]));
    assert_eq!(execute(&mut world, first, one).code(), 1243);
}

#[test]
fn data_sent_in_pieces_and_lost_is_told_before_the_execution_runs_without_it() {
    let mut world = World::new();
    let client = world.login(None);
    let id = prepare(&mut world, client, "INSERT INTO t VALUES (1)");
    let mut piece = Vec::new();
    put_u32(&mut piece, id);
    piece.extend_from_slice(b"\0\0data");
    world.client_sends(client, &Client::command(0x18, &piece));
    world.kill("db1");
    world.publish(routes(2, 0, Some("db3"), &[]));
    world.servers.get_mut("db3").expect("db3").read_only = false;
    assert_eq!(execute(&mut world, client, id).code(), 2013);
    assert!(world.log("db3").is_empty());
}

#[test]
fn a_reset_of_the_session_forgets_its_statements() {
    let mut world = World::new();
    let client = world.login(None);
    let id = prepare(&mut world, client, "SELECT 1");
    assert!(world.command(client, 0x1f, &[]).is_ok());
    assert_eq!(execute(&mut world, client, id).code(), 1243);
}

#[test]
fn data_of_several_packets_belong_to_one_command() {
    let mut world = World::new();
    let client = world.login(None);
    let id = prepare(&mut world, client, "INSERT INTO t VALUES (1)");
    let mut piece = vec![0x18];
    put_u32(&mut piece, id);
    piece.resize(MAX_PAYLOAD + 100, b'x');
    let mut bytes = Vec::new();
    put_packet(&mut bytes, 0, &piece);
    for cut in [1 << 22, usize::MAX] {
        world.cut = cut;
        world.client_sends(client, &bytes);
        assert!(execute(&mut world, client, id).is_ok());
    }
    let long = world.servers["db1"].long_data;
    assert_eq!(long, 2 * (MAX_PAYLOAD + 100));
}

#[test]
fn a_long_command_that_waited_for_its_connection_is_read_to_its_end() {
    let mut policy = policy();
    policy.pool.server_connections_max = 1;
    let mut world = World::with(policy, routes(1, 0, Some("db1"), &[]));
    let [client, other] = [(); 2].map(|()| world.login(None));
    let id = prepare(&mut world, client, "INSERT INTO t VALUES (1)");
    let mut piece = vec![0x18];
    put_u32(&mut piece, id);
    piece.resize(MAX_PAYLOAD + (300 << 10), b'x');
    let mut bytes = Vec::new();
    put_packet(&mut bytes, 0, &piece);
    let (first, rest) = bytes.split_at(bytes.len() - 100);
    assert!(world.query(other, "BEGIN").is_ok());
    assert!(world.query(other, "INSERT INTO t VALUES (2)").is_ok());
    world.client_sends(client, first);
    assert_eq!(world.paused, [ConnId::Client(client)]);
    assert!(world.query(other, "COMMIT").is_ok());
    assert!(world.paused.is_empty());
    world.client_sends(client, rest);
    assert!(execute(&mut world, client, id).is_ok());
    assert_eq!(world.servers["db1"].long_data, piece.len());
}
