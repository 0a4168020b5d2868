//! Servers and clients of MySQL 5.6.

use mainstay_wire::auth::Plugin;
use mainstay_wire::{Capabilities, ChangeUser};

use crate::client::{Client, Reply};
use crate::fake::{PASSWORD, World};

fn world() -> World {
    let mut world = World::of_version("5.6.24-log");
    world.publish(crate::fake::routes(1, 1, Some("db1"), &[]));
    world
}

/// A client that knows no plugins, no session tracking and no new end of results.
fn old_login(world: &mut World) -> u32 {
    let id = world.accept();
    let client = world.clients.get_mut(&id).expect("a client");
    let new = Capabilities::PLUGIN_AUTH | Capabilities::DEPRECATE_EOF;
    client.capabilities = client.capabilities.without(new);
    let salt = client.greeting().salt;
    let proof = Plugin::Native.scramble(PASSWORD.as_bytes(), &salt);
    let hello = client.hello_without_plugin(proof, "app");
    world.client_sends(id, &hello);
    assert!(world.reply(id).is_ok(), "the login succeeds");
    id
}

#[test]
fn nothing_is_offered_that_servers_of_5_6_cannot_do() {
    let mut world = world();
    let client = world.accept();
    let offered = world.clients[&client].greeting().capabilities;
    let new = [Capabilities::DEPRECATE_EOF, Capabilities::SESSION_TRACK];
    assert!(new.into_iter().all(|bit| !offered.contains(bit)));
}

#[test]
fn a_connection_with_traces_is_cleaned_by_a_change_of_user() {
    let mut world = world();
    let (client, other) = (old_login(&mut world), old_login(&mut world));
    world.query(client, "CREATE TEMPORARY TABLE t (id INT)");
    world.leave(client);
    assert_eq!(world.query(other, "SELECT 1"), Reply::rows(&["db1"]));
    assert_eq!(world.connections.len(), 1);
    assert!(world.log("db1").contains(&"change user"));
}

#[test]
fn variables_of_one_session_do_not_reach_another() {
    let mut world = world();
    let (client, other) = (old_login(&mut world), old_login(&mut world));
    world.query(client, "SET sql_mode=ANSI");
    world.query(client, "USE shop");
    let mode = world.query(other, "SELECT @@sql_mode");
    assert_eq!(mode, Reply::rows(&[""]));
    assert_eq!(world.query(other, "SELECT DATABASE()"), Reply::rows(&[""]));
    assert_eq!(
        world.query(client, "SELECT @@sql_mode"),
        Reply::rows(&["ANSI"])
    );
    assert_eq!(
        world.query(client, "SELECT DATABASE()"),
        Reply::rows(&["shop"])
    );
}

#[test]
fn what_an_opaque_text_did_stays_with_its_session_where_servers_tell_nothing() {
    let mut world = world();
    let (client, other) = (old_login(&mut world), old_login(&mut world));
    world.query(client, "USE before");
    world.query(client, "USE shop; SELECT DATABASE()");
    let (_, connection) = world.connections.iter_mut().next().expect("a connection");
    connection.schema = "shop".to_owned();
    let own = world.query(client, "SELECT DATABASE()");
    assert_eq!(own, Reply::rows(&["shop"]));
    world.query(other, "SELECT 1");
    assert_eq!(world.connections.len(), 2);
    world.leave(client);
    assert!(world.log("db1").contains(&"change user"));
}

#[test]
fn a_reset_is_unknown_as_on_the_servers() {
    let mut world = world();
    let client = old_login(&mut world);
    assert_eq!(world.command(client, 0x1f, &[]).code(), 1047);
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db1"]));
}

#[test]
fn an_old_client_changes_its_user_with_the_salt_of_its_greeting() {
    let mut world = world();
    let client = old_login(&mut world);
    let salt = world.clients[&client].greeting().salt;
    for (password, right) in [(PASSWORD, true), ("wrong", false)] {
        let login = ChangeUser {
            user: "app".to_owned(),
            auth_response: Plugin::Native.scramble(password.as_bytes(), &salt),
            charset: 33,
            ..ChangeUser::default()
        };
        let mut payload = Vec::new();
        login.encode(&mut payload, Capabilities::NONE);
        world.clients.get_mut(&client).expect("a client").logs_in();
        world.client_sends(client, &Client::command(payload[0], &payload[1..]));
        let reply = world.reply(client);
        assert_eq!(reply.is_ok(), right, "{reply:?}");
    }
    assert!(world.clients[&client].closed);
}

#[test]
fn an_old_client_of_a_user_that_needs_another_plugin_is_told() {
    let mut world = crate::hashed::world();
    let id = world.accept();
    let client = world.clients.get_mut(&id).expect("a client");
    client.capabilities = client.capabilities.without(Capabilities::PLUGIN_AUTH);
    let hello = client.hello_without_plugin(vec![1; 20], "hashed");
    world.client_sends(id, &hello);
    assert_eq!(world.reply(id).code(), 1251);
    assert!(world.clients[&id].closed);
}
