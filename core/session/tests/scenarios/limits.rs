//! The limits of a client's time.

use std::time::Duration;

use mainstay_wire::{ErrPacket, PacketReader};

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

#[test]
fn a_client_that_does_not_log_in_is_closed_as_servers_close_it() {
    for (version, told) in [("9.7.4", Some(1159)), ("10.11.19-MariaDB", None)] {
        let mut policy = policy();
        policy.server_version = version.to_owned();
        let limit = policy.timeouts.handshake;
        let mut world = World::with(policy, routes(1, 0, Some("db1"), &[]));
        let client = world.accept();
        world.wait(limit);
        assert!(world.clients[&client].closed);
        let error = error_in(&world.clients[&client].everything);
        assert_eq!(error, told.map(|code| (1, code)));
    }
}

#[test]
fn a_packet_out_of_order_gets_the_number_that_was_expected() {
    let mut world = World::new();
    let client = world.login(None);
    let before = world.clients[&client].everything.len();
    world.client_sends(client, b"\x09\0\0\x03\x03SELECT 1");
    let error = error_in(&world.clients[&client].everything[before..]);
    assert_eq!(error, Some((0, 1156)));
    assert!(world.clients[&client].closed);
}

/// Sequence number and code of the error among these packets.
fn error_in(bytes: &[u8]) -> Option<(u8, u16)> {
    let mut packets = PacketReader::new(bytes);
    let error = packets.find(|packet| packet.payload.first() == Some(&0xff))?;
    let code = ErrPacket::parse(error.payload).expect("an error").code;
    Some((error.header.sequence, code))
}
