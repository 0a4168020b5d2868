//! Logins of a user known by a hash only, and of others whose fast response does not match.

use std::sync::{Arc, OnceLock};

use mainstay_session::{ClientTls, Credential, Policy, User};
use mainstay_wire::auth::{AuthMoreData, AuthSwitchRequest, Plugin, ServerKey, rsa_exchange};
use mainstay_wire::handshake::Salt;
use mainstay_wire::packet::{PacketReader, put_packet};

use crate::client::Reply;
use crate::fake::{PASSWORD, World, policy, routes};
use crate::transport::inside_tls;

const USER: &str = "hashed";
/// Of [`PASSWORD`].
const HASH: &str = "$A$001$abcdefghijklmnopqrstkBctVzhzuA1ysSvIzeMrpA/ebx.7yMhXojZUkBOVPD.";
/// Of another password.
const OTHER_HASH: &str = "$A$001$abcdefghijklmnopqrsTkBctVzhzuA1ysSvIzeMrpA/ebx.7yMhXojZUkBOVPD.";

pub(crate) fn key() -> Arc<ServerKey> {
    static KEY: OnceLock<Arc<ServerKey>> = OnceLock::new();
    let make = || Arc::new(ServerKey::generate([1; 32]).expect("a key"));
    KEY.get_or_init(make).clone()
}

fn hashed(hash: &str) -> Policy {
    let mut policy = policy();
    let user = User {
        credential: Credential::stored_hash(hash).expect("a hash"),
        ..mainstay_session::User::default()
    };
    policy.users.insert(USER.to_owned(), user);
    policy.key = Some(key());
    policy
}

pub(crate) fn world() -> World {
    World::with(hashed(HASH), routes(1, 0, Some("db1"), &["db2"]))
}

/// The payload of the last packet a client got, which it has then read.
fn last(world: &mut World, client: u32) -> Vec<u8> {
    let inbox = std::mem::take(&mut world.clients.get_mut(&client).expect("a client").inbox);
    let packet = PacketReader::new(&inbox).last().expect("a packet");
    packet.payload.to_vec()
}

fn data(world: &mut World, client: u32) -> Vec<u8> {
    let payload = last(world, client);
    AuthMoreData::parse(&payload).expect("data of the plugin").0
}

fn sends(world: &mut World, client: u32, sequence: u8, payload: &[u8]) {
    let mut bytes = Vec::new();
    put_packet(&mut bytes, sequence, payload);
    world.client_sends(client, &bytes);
}

/// A client that has named itself and sent its fast response.
fn named(world: &mut World, password: &str) -> u32 {
    named_as(world, USER, password)
}

pub(crate) fn named_as(world: &mut World, user: &str, password: &str) -> u32 {
    let client = world.accept();
    let hello = world.clients[&client].hello(user, password, None);
    world.client_sends(client, &hello);
    client
}

/// The rest of the full path, with the salt of the greeting or of a switch.
pub(crate) fn by_key(
    world: &mut World,
    client: u32,
    (salt, sequence): (&Salt, u8),
    password: &str,
) -> Reply {
    assert_eq!(data(world, client), [4]);
    sends(world, client, sequence, &[2]);
    let pem = data(world, client);
    let secret = rsa_exchange::encrypt_password(password.as_bytes(), salt, &pem, [3; 32]);
    sends(world, client, sequence + 2, &secret.expect("encrypted"));
    world.reply(client)
}

fn full_login(world: &mut World, password: &str) -> (u32, Reply) {
    let client = named(world, password);
    let salt = world.clients[&client].greeting().salt;
    let reply = by_key(world, client, (&salt, 3), password);
    (client, reply)
}

#[test]
fn the_first_login_takes_the_full_path_and_the_next_the_fast_one() {
    let mut world = world();
    let (first, reply) = full_login(&mut world, PASSWORD);
    assert!(reply.is_ok());
    let second = named(&mut world, PASSWORD);
    assert!(world.reply(second).is_ok());
    for client in [first, second] {
        assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db2"]));
    }
}

#[test]
fn a_wrong_password_is_refused_by_either_path() {
    let mut world = world();
    let (client, reply) = full_login(&mut world, "guess");
    assert_eq!(reply.code(), 1045);
    assert!(world.clients[&client].closed);
    assert!(full_login(&mut world, PASSWORD).1.is_ok());
    assert_eq!(full_login(&mut world, "guess").1.code(), 1045);
}

#[test]
fn a_password_sent_in_the_clear_is_taken() {
    let mut world = world();
    for (password, right) in [("guess", false), (PASSWORD, true)] {
        let client = named(&mut world, password);
        assert_eq!(data(&mut world, client), [4]);
        sends(&mut world, client, 3, format!("{password}\0").as_bytes());
        assert_eq!(world.reply(client).is_ok(), right);
        assert_eq!(world.clients[&client].closed, !right);
    }
}

#[test]
fn a_native_client_is_switched() {
    let mut world = world();
    let client = world.accept();
    let salt = world.clients[&client].greeting().salt;
    let proof = Plugin::Native.scramble(PASSWORD.as_bytes(), &salt);
    let hello = world.clients[&client].hello_by(Plugin::Native.name(), proof, USER, None);
    world.client_sends(client, &hello);
    let request = AuthSwitchRequest::parse(&last(&mut world, client)).expect("a switch");
    assert_eq!(request.plugin, Plugin::CachingSha2.name());
    let proof = Plugin::CachingSha2.scramble(PASSWORD.as_bytes(), &request.salt());
    sends(&mut world, client, 3, &proof);
    let reply = by_key(&mut world, client, (&request.salt(), 5), PASSWORD);
    assert!(reply.is_ok());
}

#[test]
fn no_password_at_all_is_refused_without_asking() {
    let mut world = world();
    let client = named(&mut world, "");
    let switch = AuthSwitchRequest::parse(&last(&mut world, client)).expect("a switch");
    assert_eq!(switch.plugin, Plugin::CachingSha2.name());
    sends(&mut world, client, 3, &[]);
    assert_eq!(world.reply(client).code(), 1045);
}

#[test]
fn what_is_no_password_is_refused() {
    let long = [vec![b'x'; 257], vec![0]].concat();
    let cases: [(&[&[u8]], u16); 6] = [
        (&[b""], 1043),
        (&[b"no end"], 1043),
        (&[&long], 1045),
        (&[&[2], &[2]], 1045),
        (&[&[2], b""], 1045),
        (&[&[2], &[7; 256]], 1045),
    ];
    for (payloads, code) in cases {
        let mut world = world();
        let client = named(&mut world, PASSWORD);
        for (sequence, payload) in [3, 5].into_iter().zip(payloads) {
            assert!(matches!(data(&mut world, client).len(), 1 | 400..500));
            sends(&mut world, client, sequence, payload);
        }
        assert_eq!(world.reply(client).code(), code, "{payloads:?}");
        assert!(world.clients[&client].closed);
    }
}

#[test]
fn a_password_counts_no_longer_when_the_hash_has_changed() {
    let mut world = world();
    assert!(full_login(&mut world, PASSWORD).1.is_ok());
    world.core.policy(Arc::new(hashed(OTHER_HASH)));
    assert_eq!(full_login(&mut world, PASSWORD).1.code(), 1045);
}

/// The fast response of a client that computes it in its own way is wrong in any case.
const ODD: &str = "odd";

#[test]
fn a_fast_response_that_does_not_match_is_followed_by_the_full_path() {
    for (user, password, right) in [
        ("app", PASSWORD, true),
        ("app", "guess", false),
        ("app", "", false),
        ("nobody", PASSWORD, false),
    ] {
        let mut world = world();
        let client = named_as(&mut world, user, ODD);
        let salt = world.clients[&client].greeting().salt;
        let reply = by_key(&mut world, client, (&salt, 3), password);
        assert_eq!(reply.is_ok(), right, "{user} {password}");
        if !right {
            let text = format!("Access denied for user '{user}'@'");
            let Reply::Error(1045, _, message) = reply else {
                panic!("{reply:?}")
            };
            assert!(message.starts_with(&text) && message.ends_with("(using password: YES)"));
        }
    }
}

#[test]
fn inside_tls_the_password_itself_follows() {
    for (password, right) in [(PASSWORD, true), ("guess", false)] {
        let policy = Policy {
            client_tls: ClientTls::Offered,
            key: None,
            ..hashed(HASH)
        };
        let mut world = World::with(policy, routes(1, 0, Some("db1"), &["db2"]));
        let client = world.accept();
        let hello = world.clients[&client].hello("app", ODD, None);
        let bytes = inside_tls(&world, client, hello);
        world.client_sends(client, &bytes);
        assert_eq!(data(&mut world, client), [4]);
        sends(&mut world, client, 4, format!("{password}\0").as_bytes());
        assert_eq!(world.reply(client).is_ok(), right);
    }
}
