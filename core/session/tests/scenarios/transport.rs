//! TLS, compression and where clients come from, as the machine sees them. What is in between is
//! the driver's: here it is taken away.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_session::{
    Algorithms, ClientTls, CloseReason, Compression, ConnId, Ops, Plugin, Policy, Require,
    ServerTls,
};
use mainstay_wire::Capabilities;
use mainstay_wire::auth::{AuthSwitchRequest, caching_sha2};
use mainstay_wire::handshake::SslRequest;
use mainstay_wire::packet::{PacketReader, build_packet, put_packet};

use crate::client::Reply;
use crate::fake::{PASSWORD, World, policy, routes};

fn world(change: impl FnOnce(&mut Policy)) -> World {
    let mut policy = policy();
    change(&mut policy);
    World::with(policy, routes(1, 0, Some("db1"), &["db2"]))
}

fn user(policy: &mut Policy) -> &mut mainstay_session::User {
    policy.users.get_mut("app").expect("the user of all tests")
}

/// The request for TLS, and behind it what is said inside.
pub(crate) fn inside_tls(world: &World, client: u32, mut hello: Vec<u8>) -> Vec<u8> {
    let request = SslRequest {
        capabilities: world.clients[&client].capabilities | Capabilities::SSL,
        max_packet_size: 1 << 24,
        charset: 45,
    };
    let mut bytes = Vec::new();
    build_packet(&mut bytes, 1, |payload| request.encode(payload));
    hello[3] = 2;
    bytes.extend(hello);
    bytes
}

/// A client that logs in, inside TLS or not.
fn login(world: &mut World, tls: bool) -> Reply {
    let client = world.accept();
    let hello = world.clients[&client].hello("app", PASSWORD, None);
    let bytes = if tls {
        inside_tls(world, client, hello)
    } else {
        hello
    };
    world.client_sends(client, &bytes);
    world.reply(client)
}

fn by_plugin(world: &mut World, client: u32, proof: impl Fn(&[u8]) -> Vec<u8>) -> Reply {
    let inbox = std::mem::take(&mut world.clients.get_mut(&client).expect("a client").inbox);
    let packet = PacketReader::new(&inbox).last().expect("a packet");
    let request = AuthSwitchRequest::parse(packet.payload).expect("a switch");
    let mut answer = Vec::new();
    let sequence = packet.header.sequence + 1;
    put_packet(&mut answer, sequence, &proof(&request.nonce));
    world.client_sends(client, &answer);
    world.reply(client)
}

#[test]
fn what_follows_the_request_for_tls_in_the_same_bytes_belongs_to_tls() {
    for cut in [1, 7, 36, 40, usize::MAX] {
        let mut world = world(|policy| policy.client_tls = ClientTls::Offered);
        world.cut = cut;
        assert!(login(&mut world, true).is_ok(), "cut at {cut}");
        assert_eq!(world.core.stats().clients_secured, 1);
    }
}

#[test]
fn tls_is_offered_only_where_it_can_be_had() {
    let mut world = world(|_| {});
    let client = world.accept();
    let greeting = world.clients[&client].greeting();
    assert!(!greeting.capabilities.contains(Capabilities::SSL));
    assert_eq!(login(&mut world, true).code(), 1043);
}

#[test]
fn where_tls_is_required_nobody_logs_in_without_it() {
    let mut world = world(|policy| policy.client_tls = ClientTls::Required);
    assert_eq!(login(&mut world, false).code(), 3159);
    assert!(login(&mut world, true).is_ok());
}

#[test]
fn a_user_that_requires_tls_or_a_certificate_is_refused_like_a_wrong_password() {
    for (require, certified, code) in [
        (Require::Tls, false, None),
        (Require::Certificate, true, None),
        (Require::Certificate, false, Some(1045)),
    ] {
        let mut world = world(|policy| {
            policy.client_tls = ClientTls::Offered;
            user(policy).require = require;
        });
        world.certified = certified;
        assert_eq!(login(&mut world, false).code(), 1045);
        let reply = login(&mut world, true);
        match code {
            None => assert!(reply.is_ok(), "{require:?}"),
            Some(code) => assert_eq!(reply.code(), code),
        }
    }
}

#[test]
fn a_client_is_compressed_as_it_asks_once_it_has_logged_in() {
    let both = Algorithms {
        zlib: true,
        zstd: true,
    };
    let none = Algorithms::default();
    let (zlib, zstd) = (Capabilities::COMPRESS, Capabilities::ZSTD_COMPRESSION);
    for (allowed, asked, expected) in [
        (both, zlib, Some(Compression::Zlib)),
        (both, zstd, Some(Compression::Zstd { level: 1 })),
        (both, zlib | zstd, Some(Compression::Zlib)),
        (both, Capabilities::NONE, None),
        (none, zlib | zstd, None),
    ] {
        let mut world = world(|policy| policy.client_compression = allowed);
        let client = world.accept();
        let one = world.clients.get_mut(&client).expect("a client");
        one.capabilities = one.capabilities | asked;
        let hello = world.clients[&client].hello("app", PASSWORD, None);
        assert!(world.compressed.is_empty());
        world.client_sends(client, &hello);
        assert!(world.reply(client).is_ok());
        let found = world.compressed.get(&ConnId::Client(client)).copied();
        assert_eq!(found, expected);
    }
}

#[test]
fn a_command_sent_before_the_client_can_know_that_frames_begin_closes_it() {
    let zlib = Algorithms {
        zlib: true,
        zstd: false,
    };
    let mut world = world(|policy| policy.client_compression = zlib);
    let client = world.accept();
    let one = world.clients.get_mut(&client).expect("a client");
    one.capabilities = one.capabilities | Capabilities::COMPRESS;
    let mut bytes = world.clients[&client].hello("app", PASSWORD, None);
    put_packet(&mut bytes, 0, b"\x0e");
    world.client_sends(client, &bytes);
    assert!(world.clients[&client].closed);
}

#[test]
fn a_server_gets_the_login_inside_tls_and_frames_after_it() {
    let mut world = world(|policy| {
        policy.server_tls = ServerTls::Required;
        policy.server_compression = Some(Compression::Zlib);
    });
    let client = world.login(None);
    assert!(world.query(client, "INSERT INTO t VALUES (1)").is_ok());
    assert!(world.connections.values().all(|one| one.secure));
    let servers = world.compressed.keys();
    assert_eq!(
        servers
            .filter(|who| matches!(who, ConnId::Server(_)))
            .count(),
        1
    );
}

#[test]
fn a_server_without_tls_is_an_error_only_where_it_is_required() {
    for (mode, code) in [
        (ServerTls::Required, Some(2026)),
        (ServerTls::Preferred, None),
    ] {
        let mut world = world(|policy| policy.server_tls = mode);
        for server in world.servers.values_mut() {
            server.offers_tls = false;
        }
        let client = world.login(None);
        let reply = world.query(client, "INSERT INTO t VALUES (1)");
        match code {
            Some(code) => assert_eq!(reply.code(), code),
            None => assert!(reply.is_ok()),
        }
    }
}

#[test]
fn where_tls_is_only_preferred_a_server_that_fails_at_it_is_used_without() {
    let mut world = world(|policy| policy.server_tls = ServerTls::Preferred);
    world.tls_fails = true;
    let client = world.login(None);
    world.send(client, "INSERT INTO t VALUES (1)");
    world.wait(Duration::from_secs(2));
    assert!(world.reply(client).is_ok());
    assert!(world.connections.values().all(|one| !one.secure));
    assert!(world.core.stats().tls_failed > 0);
}

#[test]
fn a_user_may_prove_its_password_by_ed25519() {
    let mut world = world(|policy| user(policy).plugin = Some(Plugin::Ed25519));
    for (password, right) in [(PASSWORD, true), ("wrong", false)] {
        let client = world.accept();
        let hello = world.clients[&client].hello("app", PASSWORD, None);
        world.client_sends(client, &hello);
        let reply = by_plugin(&mut world, client, |nonce| {
            assert_eq!(nonce.len(), 32);
            Plugin::Ed25519.scramble(password.as_bytes(), nonce)
        });
        assert_eq!(reply.is_ok(), right);
    }
}

#[test]
fn a_password_in_the_clear_is_taken_inside_tls_only() {
    let mut world = world(|policy| {
        policy.client_tls = ClientTls::Offered;
        user(policy).plugin = Some(Plugin::Clear);
    });
    assert_eq!(login(&mut world, false).code(), 3159);
    for (password, right) in [(PASSWORD, true), ("wrong", false)] {
        let client = world.accept();
        let hello = world.clients[&client].hello("app", PASSWORD, None);
        let bytes = inside_tls(&world, client, hello);
        world.client_sends(client, &bytes);
        let reply = by_plugin(&mut world, client, |_| {
            caching_sha2::clear_password(password.as_bytes())
        });
        assert_eq!(reply.is_ok(), right);
    }
}

#[test]
fn sessions_share_no_connection_whose_server_was_told_another_address() {
    for (told, connections) in [(false, 1), (true, 2)] {
        let mut world = world(|policy| policy.proxy_header = told);
        for ip in ["192.0.2.1", "192.0.2.2"] {
            let client = world.accept();
            let ip: IpAddr = ip.parse().expect("an address");
            let who = ConnId::Client(client);
            world.core.came_from(world.now, who, ip, &mut Ops::new());
            let hello = world.clients[&client].hello("app", PASSWORD, None);
            world.client_sends(client, &hello);
            assert!(world.reply(client).is_ok());
            assert!(world.query(client, "INSERT INTO t VALUES (1)").is_ok());
        }
        assert_eq!(world.connections.len(), connections);
    }
}

#[test]
fn what_a_filter_does_not_understand_is_counted() {
    let mut world = world(|_| {});
    let client = ConnId::Client(world.accept());
    let (now, out) = (world.now, &mut Ops::new());
    world.core.closed(now, client, CloseReason::Garbled, out);
    assert_eq!(world.core.stats().garbled, 1);
}

#[test]
fn a_header_of_the_proxy_protocol_from_a_stranger_is_refused_at_once() {
    for header in [&b"PROXY TCP4 192.0.2.7 "[..], b"\r\n\r\n\0\r\nQUIT\n"] {
        let mut world = world(|_| {});
        let client = world.accept();
        world.client_sends(client, header);
        assert_eq!(world.reply(client).code(), 1156);
        assert!(world.clients[&client].closed);
    }
}
