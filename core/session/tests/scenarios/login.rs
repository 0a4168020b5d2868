//! Who gets in, and how others are told.

use std::time::Duration;

use mainstay_wire::ErrorCode;
use mainstay_wire::auth::Plugin;

use crate::client::{Client, Reply};
use crate::fake::{PASSWORD, World, policy, routes};

#[test]
fn the_right_password_opens_a_session() {
    let mut world = World::new();
    let client = world.login(None);
    assert!(world.command(client, 0x0e, &[]).is_ok());
    assert!(
        world.connections.is_empty(),
        "a login without a schema needs no server"
    );
}

#[test]
fn a_wrong_password_is_refused_as_a_server_would() {
    let mut world = World::new();
    let client = world.accept();
    let hello = world.clients[&client].hello("app", "guess", None);
    world.client_sends(client, &hello);
    let Reply::Error(code, state, text) = world.reply(client) else {
        panic!("an error")
    };
    assert_eq!((code, state.as_str()), (1045, "28000"));
    assert!(text.contains("using password: YES") && !text.contains("guess"));
    assert!(world.clients[&client].closed);
}

#[test]
fn an_unknown_user_is_refused_like_a_wrong_password() {
    let mut world = World::new();
    let client = world.accept();
    let hello = world.clients[&client].hello("nobody", PASSWORD, None);
    world.client_sends(client, &hello);
    assert_eq!(world.reply(client).code(), 1045);
}

#[test]
fn a_native_password_is_accepted() {
    let mut world = World::new();
    let client = world.accept();
    let salt = world.clients[&client].greeting().salt;
    let proof = Plugin::Native.scramble(PASSWORD.as_bytes(), &salt);
    let hello = world.clients[&client].hello_by(Plugin::Native.name(), proof, "app", None);
    world.client_sends(client, &hello);
    assert!(world.reply(client).is_ok());
}

#[test]
fn a_client_of_an_unknown_plugin_is_asked_to_switch() {
    let mut world = World::new();
    let client = world.accept();
    let hello = world.clients[&client].hello_by("auth_gssapi_client", vec![1; 64], "app", None);
    world.client_sends(client, &hello);
    let inbox = std::mem::take(&mut world.clients.get_mut(&client).expect("open").inbox);
    let request = mainstay_wire::packet::PacketReader::new(&inbox)
        .last()
        .expect("a request");
    let request = mainstay_wire::auth::AuthSwitchRequest::parse(request.payload).expect("a switch");
    let plugin = Plugin::from_name(&request.plugin).expect("a plugin we speak");
    let mut answer = Vec::new();
    let proof = plugin.scramble(PASSWORD.as_bytes(), &request.salt());
    mainstay_wire::packet::put_packet(&mut answer, 3, &proof);
    world.client_sends(client, &answer);
    assert!(world.reply(client).is_ok());
}

#[test]
fn an_unknown_schema_is_refused_by_the_server_at_login() {
    let mut world = World::new();
    let client = world.accept();
    let hello = world.clients[&client].hello("app", PASSWORD, Some("missing"));
    world.client_sends(client, &hello);
    assert_eq!(world.reply(client).code(), 1049);
    assert!(world.clients[&client].closed);
}

#[test]
fn a_schema_with_a_name_of_no_schema_is_refused_as_on_servers() {
    let mut world = World::new();
    let client = world.accept();
    let schema = "x".repeat(200);
    let hello = world.clients[&client].hello("app", PASSWORD, Some(&schema));
    world.client_sends(client, &hello);
    assert_eq!(world.reply(client).code(), 1059);
    assert!(world.clients[&client].closed);
}

#[test]
fn the_schema_of_the_login_is_in_force() {
    let mut world = World::new();
    let client = world.login(Some("shop"));
    assert_eq!(
        world.query(client, "SELECT DATABASE()"),
        Reply::rows(&["shop"])
    );
}

#[test]
fn an_account_that_a_reader_does_not_have_yet_is_asked_for_at_the_writer() {
    let mut world = World::new();
    let client = world.login(None);
    let reader = world.servers.get_mut("db2").expect("db2");
    reader.refuse_login = Some(ErrorCode::AccessDenied);
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db1"]));
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db2"]));
}

#[test]
fn a_schema_that_a_reader_does_not_have_yet_is_no_reason_to_refuse_anything() {
    let mut world = World::new();
    world.servers.get_mut("db2").expect("db2").lacks = Some("new".to_owned());
    let client = world.login(Some("new"));
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db1"]));
    assert!(world.command(client, 0x02, b"shop").is_ok());
    assert_eq!(world.query(client, "SELECT 2"), Reply::rows(&["db2"]));
    assert!(world.command(client, 0x02, b"new").is_ok());
    let schema = world.query(client, "SELECT DATABASE()");
    assert_eq!(schema, Reply::rows(&["new"]));
    assert_eq!(world.command(client, 0x02, b"missing").code(), 1049);
    let schema = world.query(client, "SELECT DATABASE()");
    assert_eq!(schema, Reply::rows(&["new"]));
    assert_eq!(world.log("db2"), ["SELECT 2"]);
}

#[test]
fn a_login_with_a_schema_is_held_while_there_is_no_writer() {
    let mut world = World::with(policy(), routes(1, 0, None, &["db2"]));
    world.servers.get_mut("db2").expect("db2").lacks = Some("new".to_owned());
    let client = world.accept();
    let hello = world.clients[&client].hello("app", PASSWORD, Some("new"));
    world.client_sends(client, &hello);
    world.wait(Duration::from_secs(15));
    assert_eq!(world.reply(client), Reply::Nothing);
    assert_eq!(world.core.stats().held, 1);
    world.publish(routes(2, 0, Some("db1"), &["db2"]));
    assert!(world.reply(client).is_ok());
}

#[test]
fn a_login_held_too_long_is_told_and_closed() {
    let mut world = World::with(policy(), routes(1, 0, None, &["db2"]));
    let client = world.accept();
    let hello = world.clients[&client].hello("app", PASSWORD, Some("shop"));
    world.client_sends(client, &hello);
    world.wait(Duration::from_secs(31));
    assert_eq!(world.reply(client).code(), 1159);
    assert!(world.clients[&client].closed);
    assert_eq!(world.core.stats().held, 0);
}

#[test]
fn a_schema_is_checked_on_the_writer_while_writes_are_held() {
    let mut holding = routes(1, 0, Some("db1"), &["db2"]);
    holding.hold_writes = true;
    let mut world = World::with(policy(), holding);
    let client = world.login(Some("shop"));
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db2"]));
}

#[test]
fn one_client_too_many_is_told_so() {
    let mut policy = policy();
    policy.clients_max = 1;
    let mut world = World::with(policy, routes(1, 0, Some("db1"), &[]));
    let first = world.login(None);
    let second = world.accept();
    assert_eq!(world.reply(second).code(), 1040);
    assert!(world.clients[&second].closed && !world.clients[&first].closed);
}

#[test]
fn a_client_that_says_nothing_is_closed_after_the_handshake_time() {
    let mut world = World::new();
    let client = world.accept();
    world.wait(Duration::from_secs(11));
    assert!(world.clients[&client].closed);
}

#[test]
fn an_idle_client_is_closed_only_after_its_time() {
    let mut policy = policy();
    policy.timeouts.idle_client = Duration::from_mins(1);
    let mut world = World::with(policy, routes(1, 0, Some("db1"), &[]));
    let client = world.login(None);
    world.wait(Duration::from_secs(40));
    assert!(world.command(client, 0x0e, &[]).is_ok());
    world.wait(Duration::from_secs(40));
    assert!(!world.clients[&client].closed);
    world.wait(Duration::from_secs(21));
    assert!(world.clients[&client].closed);
}

#[test]
fn a_packet_out_of_order_closes_only_its_client() {
    let mut world = World::new();
    let other = world.login(None);
    let client = world.login(None);
    world.clients.get_mut(&client).expect("open").expects(0x0e);
    world.client_sends(client, &[1, 0, 0, 5, 0x0e]);
    assert!(world.clients[&client].closed);
    assert_eq!(world.query(other, "SELECT 1"), Reply::rows(&["db2"]));
}

#[test]
fn an_unknown_command_leaves_the_session_usable() {
    let mut world = World::new();
    let client = world.login(None);
    assert_eq!(world.command(client, 0x77, &[]).code(), 1047);
    assert!(world.command(client, 0x0e, &[]).is_ok());
}

#[test]
fn a_login_that_the_server_refuses_is_told_to_the_client() {
    let mut world = World::new();
    world.servers.get_mut("db1").expect("db1").refuse_login = Some(ErrorCode::AccessDenied);
    let client = world.login(None);
    assert_eq!(world.query(client, "INSERT INTO t VALUES (1)").code(), 1045);
    assert!(world.query(client, "INSERT INTO t VALUES (1)").is_ok());
}

#[test]
fn a_server_with_too_many_connections_is_tried_again() {
    let mut world = World::new();
    world.servers.get_mut("db1").expect("db1").refuse_login = Some(ErrorCode::TooManyConnections);
    let client = world.login(None);
    assert_eq!(
        world.query(client, "INSERT INTO t VALUES (1)"),
        Reply::Nothing
    );
    world.wait(Duration::from_millis(60));
    assert!(world.reply(client).is_ok());
}

#[test]
fn commands_sent_ahead_are_answered_in_order() {
    let mut world = World::new();
    let client = world.login(None);
    world.clients.get_mut(&client).expect("open").expects(0x03);
    let many = ["SELECT 1", "INSERT INTO t VALUES (1)", "SELECT @@x"]
        .map(|sql| Client::command(0x03, sql.as_bytes()))
        .concat();
    world.client_sends(client, &many);
    assert_eq!(world.reply(client), Reply::rows(&["db2"]));
    assert!(world.reply(client).is_ok());
    assert_eq!(world.reply(client), Reply::rows(&[""]));
}

#[test]
fn a_user_can_be_changed_on_an_open_connection() {
    let mut world = World::new();
    let client = world.login(Some("shop"));
    let change = mainstay_wire::ChangeUser {
        user: "app".to_owned(),
        database: Some("crm".to_owned()),
        charset: 45,
        auth_plugin: Some(Plugin::Native.name().to_owned()),
        ..mainstay_wire::ChangeUser::default()
    };
    let capabilities = world.clients[&client].capabilities;
    let mut payload = Vec::new();
    change.encode(&mut payload, capabilities);
    let mut packet = Vec::new();
    mainstay_wire::packet::put_packet(&mut packet, 0, &payload);
    world.client_sends(client, &packet);
    let inbox = std::mem::take(&mut world.clients.get_mut(&client).expect("open").inbox);
    let request = mainstay_wire::packet::PacketReader::new(&inbox)
        .last()
        .expect("a request");
    let request = mainstay_wire::auth::AuthSwitchRequest::parse(request.payload).expect("a switch");
    let mut answer = Vec::new();
    let proof = Plugin::Native.scramble(PASSWORD.as_bytes(), &request.salt());
    mainstay_wire::packet::put_packet(&mut answer, 2, &proof);
    world.client_sends(client, &answer);
    assert!(world.reply(client).is_ok());
    assert_eq!(
        world.query(client, "SELECT DATABASE()"),
        Reply::rows(&["crm"])
    );
}
