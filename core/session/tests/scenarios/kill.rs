//! `KILL` by the proxy's own numbers, and the number that a session is told.

use mainstay_session::{Credential, Secret};
use mainstay_topology::Routes;

use crate::client::Reply;
use crate::fake::{PASSWORD, World, policy, routes};

fn number(world: &World, client: u32) -> u32 {
    world.clients[&client].greeting().connection_id
}

/// There is no other worker.
fn undeliver(world: &mut World) {
    let (_, note) = world.notes.remove(0);
    world.note(note.undelivered().expect("somebody waits for it"));
}

#[test]
fn a_session_is_told_the_number_that_its_greeting_told() {
    let mut world = World::new();
    let client = world.login(None);
    let own = number(&world, client).to_string();
    let reply = world.query(client, "SELECT CONNECTION_ID()");
    assert_eq!(reply, Reply::rows(&[&own]));
    world.query(client, "BEGIN");
    let reply = world.query(client, "SELECT connection_id() AS id");
    assert_eq!(reply, Reply::rows(&[&own]));
    assert_eq!(world.log("db1"), ["BEGIN"]);
}

#[test]
fn kill_query_interrupts_the_statement_at_its_server() {
    let mut world = World::new();
    let (victim, killer) = (world.login(None), world.login(None));
    world.send(victim, "SELECT SLEEP(100)");
    let sql = format!("KILL QUERY {}", number(&world, victim));
    assert!(world.query(killer, &sql).is_ok());
    assert_eq!(world.reply(victim).code(), 1317);
    assert_eq!(world.query(victim, "SELECT 1"), Reply::rows(&["db2"]));
    let log = world.log("db2");
    assert!(log[1].starts_with("KILL QUERY "), "{log:?}");
}

#[test]
fn a_connection_whose_statement_was_killed_serves_nobody_else() {
    let mut world = World::new();
    let (victim, killer) = (world.login(None), world.login(None));
    world.send(victim, "SELECT SLEEP(100)");
    let before: Vec<u32> = world.connections.keys().copied().collect();
    let sql = format!("KILL QUERY {}", number(&world, victim));
    world.query(killer, &sql);
    world.reply(victim);
    world.query(victim, "SELECT 1");
    // The connection that carried the KILL is gone as well.
    assert!(before.iter().all(|id| !world.connections.contains_key(id)));
}

#[test]
fn kill_of_a_connection_closes_it_and_ends_its_statement_at_the_server() {
    let mut world = World::new();
    let (victim, killer) = (world.login(None), world.login(None));
    world.send(victim, "SELECT SLEEP(100)");
    let sql = format!("KILL {}", number(&world, victim));
    assert!(world.query(killer, &sql).is_ok());
    assert!(world.clients[&victim].closed);
    let log = world.log("db2");
    assert!(
        log[1].starts_with("KILL ") && !log[1].contains("QUERY"),
        "{log:?}"
    );
}

#[test]
fn a_held_statement_that_is_killed_leaves_the_hold() {
    let mut world = World::with(policy(), Routes::default());
    let (victim, killer) = (world.login(None), world.login(None));
    world.send(victim, "INSERT INTO t VALUES (1)");
    assert_eq!(world.core.stats().held, 1);
    let sql = format!("KILL QUERY {}", number(&world, victim));
    assert!(world.query(killer, &sql).is_ok());
    assert_eq!(world.reply(victim).code(), 1317);
    assert_eq!(world.core.stats().held, 0);
    world.publish(routes(1, 1, Some("db1"), &["db2"]));
    assert!(world.query(victim, "INSERT INTO t VALUES (2)").is_ok());
    assert_eq!(world.servers["db1"].written, ["INSERT INTO t VALUES (2)"]);
}

#[test]
fn kill_names_errors_as_servers_do() {
    let mut policy = policy();
    let other = mainstay_session::User {
        credential: Credential::Clear(Secret::new(PASSWORD)),
        ..mainstay_session::User::default()
    };
    policy.users.insert("hashed".to_owned(), other);
    let mut world = World::with(policy, routes(1, 0, Some("db1"), &["db2"]));
    let client = world.login(None);
    let stranger = world.accept();
    let hello = world.clients[&stranger].hello("hashed", PASSWORD, None);
    world.client_sends(stranger, &hello);
    world.reply(stranger);
    let unknown = number(&world, client) + 5;
    world.send(client, &format!("KILL {unknown}"));
    undeliver(&mut world);
    let reply = world.reply(client);
    let text = format!("Unknown thread id: {unknown}");
    assert_eq!(reply, Reply::Error(1094, "HY000".to_owned(), text));
    let theirs = number(&world, stranger);
    let reply = world.query(client, &format!("KILL QUERY {theirs}"));
    let text = format!("You are not owner of thread {theirs}");
    assert_eq!(reply, Reply::Error(1095, "HY000".to_owned(), text));
    assert_eq!(world.query(client, "KILL USER app").code(), 1235);
    assert_eq!(
        world.query(client, "KILL QUERY CONNECTION_ID()").code(),
        1317
    );
    assert!(!world.clients[&client].closed);
    let own = number(&world, client);
    assert_eq!(world.command(client, 0x0c, &own.to_le_bytes()).code(), 1317);
    assert!(world.clients[&client].closed);
}

#[test]
fn a_session_of_another_worker_is_killed_there() {
    let (mut here, mut there) = (World::new(), World::of_worker(1));
    let (killer, victim) = (here.login(None), there.login(None));
    there.send(victim, "SELECT SLEEP(100)");
    here.send(killer, &format!("KILL QUERY {}", number(&there, victim)));
    assert_eq!(here.reply(killer), Reply::Nothing);
    let (worker, note) = here.notes.remove(0);
    assert_eq!(worker, 1);
    there.note(note);
    assert_eq!(there.reply(victim).code(), 1317);
    let (worker, note) = there.notes.remove(0);
    assert_eq!(worker, 0);
    here.note(note);
    assert!(here.reply(killer).is_ok());
}

#[test]
fn a_number_of_a_worker_that_does_not_exist_is_unknown() {
    let mut world = World::new();
    let client = world.login(None);
    world.send(
        client,
        &format!("KILL {}", number(&world, client) | 7 << 23),
    );
    undeliver(&mut world);
    assert_eq!(world.reply(client).code(), 1094);
}

#[test]
fn a_number_of_a_server_is_for_the_server() {
    let mut world = World::new();
    let client = world.login(None);
    assert!(world.query(client, "KILL 7").is_ok());
    assert_eq!(world.log("db1"), ["KILL 7"]);
}

#[test]
fn a_session_finds_itself_in_the_list_of_connections() {
    let mut world = World::new();
    let [client, other] = [(); 2].map(|()| world.login(None));
    for one in [client, other] {
        let own = world.clients[&one].greeting().connection_id.to_string();
        assert_eq!(world.query(one, "SHOW PROCESSLIST"), Reply::rows(&[&own]));
    }
}
