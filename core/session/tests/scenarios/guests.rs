//! Users who are in no settings: servers say who they are.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use mainstay_session::{PassThrough, Policy};

use crate::client::Reply;
use crate::fake::{PASSWORD, World, policy, routes};
use crate::hashed::{by_key, key, named_as};

const USER: &str = "guest";

fn passing(users_max: usize) -> Policy {
    Policy {
        key: Some(key()),
        pass_through: Some(PassThrough {
            kept: Duration::from_mins(10),
            users_max,
            never: BTreeSet::from(["manager".to_owned()]),
        }),
        ..policy()
    }
}

fn world() -> World {
    World::with(passing(10), routes(1, 0, Some("db1"), &["db2"]))
}

/// A login that takes the full path; the reply may come later.
fn begins(world: &mut World, user: &str, password: &str) -> (u32, Reply) {
    let client = named_as(world, user, password);
    let salt = world.clients[&client].greeting().salt;
    let reply = by_key(world, client, (&salt, 3), password);
    (client, reply)
}

fn logins(world: &World, name: &str) -> usize {
    world.servers[name].guest_logins
}

#[test]
fn a_server_is_asked_once_and_then_the_fast_path_does() {
    let mut world = world();
    let (first, reply) = begins(&mut world, USER, PASSWORD);
    assert!(reply.is_ok());
    assert_eq!((logins(&world, "db1"), logins(&world, "db2")), (1, 0));
    let second = named_as(&mut world, USER, PASSWORD);
    assert!(world.reply(second).is_ok());
    assert_eq!(logins(&world, "db1"), 1);
    for client in [first, second] {
        assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db2"]));
    }
}

#[test]
fn a_wrong_password_gets_the_error_of_the_server_later_each_time() {
    let mut world = world();
    let mut delay = Duration::from_millis(100);
    for _ in 0..3 {
        let (client, reply) = begins(&mut world, USER, "guess");
        assert_eq!(reply, Reply::Nothing);
        world.wait(delay.saturating_sub(Duration::from_millis(1)));
        assert_eq!(world.reply(client), Reply::Nothing);
        world.wait(Duration::from_millis(2));
        let Reply::Error(1045, _, text) = world.reply(client) else {
            panic!("it is refused");
        };
        assert_eq!(text, "by the server");
        assert!(world.clients[&client].closed);
        delay *= 2;
    }
}

#[test]
fn the_accounts_of_the_manager_and_empty_passwords_never_pass() {
    let mut world = world();
    assert_eq!(begins(&mut world, "manager", PASSWORD).1.code(), 1045);
    let client = named_as(&mut world, USER, "odd");
    let salt = world.clients[&client].greeting().salt;
    assert_eq!(by_key(&mut world, client, (&salt, 3), "").code(), 1045);
    assert_eq!(logins(&world, "db1") + logins(&world, "db2"), 0);
}

#[test]
fn without_the_setting_nobody_passes() {
    let mut policy = passing(10);
    policy.pass_through = None;
    let mut world = World::with(policy, routes(1, 0, Some("db1"), &["db2"]));
    assert_eq!(begins(&mut world, USER, PASSWORD).1.code(), 1045);
    assert_eq!(logins(&world, "db1"), 0);
}

#[test]
fn a_password_is_asked_for_again_when_its_time_is_over_or_the_settings_change() {
    let mut world = world();
    assert!(begins(&mut world, USER, PASSWORD).1.is_ok());
    world.wait(Duration::from_mins(11));
    assert!(begins(&mut world, USER, PASSWORD).1.is_ok());
    assert_eq!(logins(&world, "db1"), 2);
    world.core.policy(Arc::new(passing(10)));
    assert!(begins(&mut world, USER, PASSWORD).1.is_ok());
    assert_eq!(logins(&world, "db1"), 3);
}

#[test]
fn a_new_password_is_taken_as_soon_as_servers_have_it() {
    let mut world = world();
    assert!(begins(&mut world, USER, PASSWORD).1.is_ok());
    for server in world.servers.values_mut() {
        server.guest = "newer";
    }
    let (client, reply) = begins(&mut world, USER, "newer");
    assert!(reply.is_ok());
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db2"]));
}

#[test]
fn without_a_writer_a_reader_judges_and_without_servers_the_login_waits() {
    let mut world = world();
    world.kill("db1");
    assert!(begins(&mut world, USER, PASSWORD).1.is_ok());
    assert_eq!(logins(&world, "db2"), 1);
    world.kill("db2");
    let (late, reply) = begins(&mut world, USER, "another");
    assert_eq!(reply, Reply::Nothing);
    world.wait(Duration::from_secs(3));
    assert_eq!(world.reply(late), Reply::Nothing);
    for server in world.servers.values_mut() {
        server.alive = true;
        server.guest = "another";
    }
    world.wait(Duration::from_secs(3));
    assert!(world.reply(late).is_ok());
}

#[test]
fn a_login_that_no_server_can_judge_ends_with_its_time() {
    let mut world = world();
    world.kill("db1");
    world.kill("db2");
    let (client, _) = begins(&mut world, USER, PASSWORD);
    world.wait(Duration::from_secs(11));
    assert_eq!(world.reply(client).code(), 1159);
    assert!(world.clients[&client].closed);
}

#[test]
fn clients_that_leave_while_servers_are_asked_leave_nothing_behind() {
    let mut world = world();
    world.hang("db1", true);
    let (client, _) = begins(&mut world, USER, PASSWORD);
    world.leave(client);
    world.hang("db1", false);
    assert!(begins(&mut world, USER, PASSWORD).1.is_ok());
}

#[test]
fn no_more_users_are_known_than_allowed_and_those_who_left_go_first() {
    let mut world = World::with(passing(1), routes(1, 0, Some("db1"), &["db2"]));
    let (first, reply) = begins(&mut world, USER, PASSWORD);
    assert!(reply.is_ok());
    assert_eq!(begins(&mut world, "guest2", PASSWORD).1.code(), 1040);
    world.leave(first);
    assert!(begins(&mut world, "guest2", PASSWORD).1.is_ok());
}

#[test]
fn a_session_goes_to_another_process_with_what_it_needs() {
    let mut world = world();
    let (client, reply) = begins(&mut world, USER, PASSWORD);
    assert!(reply.is_ok());
    let who = mainstay_session::ConnId::Client(client);
    let mut ops = mainstay_session::Ops::new();
    let bytes = world.core.give(world.now, who, &mut ops).expect("at rest");
    let mut other = self::world();
    let mainstay_session::ConnId::Client(there) =
        other.core.receive(other.now, &bytes).expect("it passes")
    else {
        panic!("a client")
    };
    let mut moved = crate::client::Client::default();
    moved.logs_in();
    other.clients.insert(there, moved);
    assert_eq!(other.query(there, "SELECT 1"), Reply::rows(&["db2"]));
}
