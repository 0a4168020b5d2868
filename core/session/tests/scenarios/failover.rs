//! The reason for all this: what sessions see when the primary goes.

use std::time::Duration;

use crate::client::Reply;
use crate::fake::{World, policy, routes};

/// `db2` becomes the primary of the next reign.
fn promote(world: &mut World) {
    world.servers.get_mut("db2").expect("db2").read_only = false;
    world.publish(routes(2, 0, Some("db2"), &[]));
}

#[test]
fn a_write_without_a_primary_is_held_and_runs_on_the_new_one() {
    let mut world = World::new();
    let client = world.login(None);
    world.kill("db1");
    world.publish(routes(1, 1, None, &["db2"]));
    world.send(client, "INSERT INTO t VALUES (1)");
    assert_eq!(world.reply(client), Reply::Nothing);
    assert_eq!(world.core.stats().held, 1);
    promote(&mut world);
    assert!(world.reply(client).is_ok());
    assert_eq!(world.log("db2"), ["INSERT INTO t VALUES (1)"]);
    assert_eq!(world.core.stats().held, 0);
}

#[test]
fn a_write_to_a_dead_primary_is_held_before_anybody_says_so() {
    let mut world = World::new();
    let client = world.login(None);
    assert!(world.query(client, "INSERT INTO t VALUES (1)").is_ok());
    world.kill("db1");
    world.send(client, "INSERT INTO t VALUES (2)");
    assert_eq!(world.reply(client), Reply::Nothing);
    world.wait(Duration::from_secs(3));
    assert_eq!(world.reply(client), Reply::Nothing);
    promote(&mut world);
    assert!(world.reply(client).is_ok());
    assert_eq!(world.log("db2"), ["INSERT INTO t VALUES (2)"]);
}

#[test]
fn a_primary_that_comes_back_serves_the_held_sessions() {
    let mut world = World::new();
    let client = world.login(None);
    world.kill("db1");
    world.send(client, "INSERT INTO t VALUES (1)");
    world.servers.get_mut("db1").expect("db1").alive = true;
    world.wait(Duration::from_secs(1));
    assert!(world.reply(client).is_ok());
}

#[test]
fn held_sessions_proceed_in_the_order_of_their_arrival() {
    let mut world = World::new();
    let clients: Vec<u32> = (0..20).map(|_| world.login(None)).collect();
    world.publish(routes(1, 1, None, &["db2"]));
    for (number, client) in clients.iter().enumerate() {
        world.send(*client, &format!("INSERT INTO t VALUES ({number})"));
    }
    promote(&mut world);
    let expected: Vec<String> = (0..20)
        .map(|n| format!("INSERT INTO t VALUES ({n})"))
        .collect();
    assert_eq!(world.log("db2"), expected);
}

#[test]
fn the_hold_ends_with_an_error_that_says_that_nothing_ran() {
    let mut world = World::new();
    let client = world.login(None);
    world.publish(routes(1, 1, None, &["db2"]));
    world.send(client, "INSERT INTO t VALUES (1)");
    world.wait(Duration::from_secs(31));
    let Reply::Error(code, state, text) = world.reply(client) else {
        panic!("an error")
    };
    assert_eq!((code, state.as_str()), (1159, "08S01"));
    assert!(
        text.contains("no primary for 30 s") && text.contains("did not run"),
        "{text}"
    );
    assert!(
        world.command(client, 0x0e, &[]).is_ok(),
        "the session is usable"
    );
}

#[test]
fn the_hold_is_bounded_in_sessions() {
    let mut policy = policy();
    policy.hold.sessions_max = 1;
    let mut world = World::with(policy, routes(1, 0, None, &["db2"]));
    let [first, second] = [(); 2].map(|()| world.login(None));
    world.send(first, "INSERT INTO t VALUES (1)");
    assert_eq!(world.query(second, "INSERT INTO t VALUES (2)").code(), 1159);
    assert_eq!(world.reply(first), Reply::Nothing);
}

#[test]
fn a_held_client_that_leaves_is_forgotten() {
    let mut world = World::new();
    let client = world.login(None);
    world.publish(routes(1, 1, None, &["db2"]));
    world.send(client, "INSERT INTO t VALUES (1)");
    world.leave(client);
    promote(&mut world);
    assert!(world.log("db2").is_empty());
    assert_eq!(world.core.stats().held_bytes, 0);
}

#[test]
fn a_write_in_flight_gets_an_honest_error_and_is_never_sent_again() {
    let mut world = World::new();
    let client = world.login(None);
    world.hang("db1", true);
    world.send(client, "INSERT INTO t VALUES (1)");
    world.hang("db1", false);
    assert!(world.reply(client).is_ok());
    world.mute("db1");
    world.send(client, "INSERT INTO t VALUES (2)");
    assert_eq!(world.log("db1").last(), Some(&"INSERT INTO t VALUES (2)"));
    world.kill("db1");
    let Reply::Error(code, state, text) = world.reply(client) else {
        panic!("an error")
    };
    assert_eq!((code, state.as_str()), (2013, "08S01"));
    assert!(text.contains("unknown"), "{text}");
    promote(&mut world);
    assert!(world.log("db2").is_empty());
    assert!(world.query(client, "INSERT INTO t VALUES (3)").is_ok());
}

#[test]
fn a_read_in_flight_runs_again_elsewhere() {
    let mut world = World::with(policy(), routes(1, 0, Some("db1"), &["db2"]));
    let client = world.login(None);
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db2"]));
    world.hang("db2", true);
    world.send(client, "SELECT 2");
    world.kill("db2");
    assert_eq!(world.reply(client), Reply::rows(&["db1"]));
    assert_eq!(world.core.stats().reads_retried, 1);
}

#[test]
fn a_transaction_in_flight_gets_the_error_that_drivers_retry() {
    let mut world = World::new();
    let client = world.login(None);
    world.query(client, "BEGIN");
    world.hang("db1", true);
    world.send(client, "INSERT INTO t VALUES (1)");
    world.kill("db1");
    let Reply::Error(code, state, _) = world.reply(client) else {
        panic!("an error")
    };
    assert_eq!((code, state.as_str()), (1213, "40001"));
    promote(&mut world);
    let Reply::Ok(status) = world.query(client, "INSERT INTO t VALUES (2)") else {
        panic!("OK")
    };
    assert!(!status.contains(mainstay_wire::StatusFlags::IN_TRANS));
}

#[test]
fn a_commit_in_flight_has_an_unknown_outcome() {
    let mut world = World::new();
    let client = world.login(None);
    world.query(client, "BEGIN");
    world.hang("db1", true);
    world.send(client, "COMMIT");
    world.kill("db1");
    assert_eq!(world.reply(client).code(), 2013);
}

#[test]
fn a_statement_that_commits_by_itself_has_an_unknown_outcome() {
    let mut world = World::new();
    let client = world.login(None);
    world.query(client, "BEGIN");
    world.hang("db1", true);
    world.send(client, "CREATE TABLE t2 (a INT)");
    world.kill("db1");
    assert_eq!(world.reply(client).code(), 2013);
}

#[test]
fn after_a_deadlock_the_next_statement_may_be_outside_of_the_transaction() {
    let mut world = World::new();
    let client = world.login(None);
    world.query(client, "BEGIN");
    assert_eq!(world.query(client, "UPDATE t SET a = 1").code(), 1213);
    world.hang("db1", true);
    world.send(client, "INSERT INTO t VALUES (1)");
    world.kill("db1");
    assert_eq!(world.reply(client).code(), 2013);
}

#[test]
fn the_client_library_of_mariadb_gets_a_number_that_it_passes_on() {
    let mut world = World::new();
    let client = world.accept();
    let attribute = ("_client_name".to_owned(), "libmariadb".to_owned());
    world.clients.get_mut(&client).expect("open").attributes = vec![attribute];
    let hello = world.clients[&client].hello("app", crate::fake::PASSWORD, None);
    world.client_sends(client, &hello);
    assert!(world.reply(client).is_ok());
    world.query(client, "INSERT INTO t VALUES (1)");
    world.hang("db1", true);
    world.send(client, "INSERT INTO t VALUES (2)");
    world.kill("db1");
    let Reply::Error(code, state, _) = world.reply(client) else {
        panic!("an error");
    };
    assert_eq!((code, state.as_str()), (1158, "08S01"));
}

#[test]
fn an_idle_transaction_that_is_lost_is_told_with_the_next_statement() {
    let mut world = World::new();
    let client = world.login(None);
    world.query(client, "BEGIN");
    world.kill("db1");
    promote(&mut world);
    assert_eq!(world.query(client, "INSERT INTO t VALUES (1)").code(), 1213);
    assert!(world.log("db2").is_empty());
    assert!(world.query(client, "INSERT INTO t VALUES (1)").is_ok());
}

#[test]
fn the_rollback_of_a_lost_transaction_succeeds() {
    let mut world = World::new();
    let client = world.login(None);
    world.query(client, "BEGIN");
    world.kill("db1");
    assert!(world.query(client, "ROLLBACK").is_ok());
}

#[test]
fn what_else_was_lost_with_a_connection_is_named_once() {
    let mut world = World::new();
    let client = world.login(None);
    world.query(client, "SELECT @a:=1");
    world.kill("db1");
    promote(&mut world);
    let Reply::Error(code, _, text) = world.query(client, "INSERT INTO t VALUES (1)") else {
        panic!("an error");
    };
    assert_eq!(code, 2013);
    assert!(text.contains("user variables"), "{text}");
    assert!(world.query(client, "INSERT INTO t VALUES (1)").is_ok());
}

#[test]
fn a_refusal_by_a_server_that_became_read_only_is_held_and_tried_on_the_new_primary() {
    let mut world = World::new();
    let client = world.login(None);
    world.servers.get_mut("db1").expect("db1").read_only = true;
    world.send(client, "INSERT INTO t VALUES (1)");
    assert_eq!(world.reply(client), Reply::Nothing);
    promote(&mut world);
    assert!(world.reply(client).is_ok());
    assert_eq!(world.log("db2"), ["INSERT INTO t VALUES (1)"]);
    assert_eq!(world.core.stats().refusals_retried, 1);
}

#[test]
fn a_read_that_a_server_gives_up_since_it_ends_runs_elsewhere() {
    let mut world = World::new();
    let client = world.login(None);
    world.servers.get_mut("db2").expect("db2").ending = true;
    for _ in 0..3 {
        let reply = world.query(client, "SELECT @@hostname");
        assert!(!matches!(reply, Reply::Error(..)), "{reply:?}");
    }
    assert_eq!(world.core.stats().reads_retried, 1);
    world.servers.get_mut("db1").expect("db1").ending = true;
    assert_eq!(world.query(client, "INSERT INTO t VALUES (1)").code(), 1053);
}

#[test]
fn a_read_that_a_replica_refuses_as_a_write_runs_on_the_writer() {
    let mut world = World::new();
    let client = world.login(None);
    let reply = world.query(client, "SELECT hidden FROM view_that_writes");
    assert_eq!(reply, Reply::rows(&["db1"]));
}

#[test]
fn a_transaction_refused_by_a_read_only_server_is_to_be_retried_by_the_client() {
    let mut world = World::new();
    let client = world.login(None);
    world.query(client, "BEGIN");
    world.servers.get_mut("db1").expect("db1").read_only = true;
    assert_eq!(world.query(client, "INSERT INTO t VALUES (1)").code(), 1213);
    promote(&mut world);
    assert!(world.query(client, "INSERT INTO t VALUES (1)").is_ok());
}

#[test]
fn a_switchover_drains_transactions_and_holds_new_ones() {
    let mut world = World::new();
    let [open, new] = [(); 2].map(|()| world.login(None));
    world.query(open, "BEGIN");
    let mut holding = routes(1, 1, Some("db1"), &["db2"]);
    holding.hold_writes = true;
    world.publish(holding);
    world.send(new, "BEGIN");
    assert_eq!(world.reply(new), Reply::Nothing);
    assert!(world.query(open, "INSERT INTO t VALUES (1)").is_ok());
    assert_eq!(world.core.writes_in_flight(), 1);
    assert!(world.query(open, "COMMIT").is_ok());
    assert_eq!(world.core.writes_in_flight(), 0);
    promote(&mut world);
    assert!(world.reply(new).is_ok());
    assert_eq!(world.log("db2"), ["BEGIN"]);
}

#[test]
fn reads_go_on_while_writes_are_held() {
    let mut world = World::new();
    let client = world.login(None);
    let mut holding = routes(1, 1, Some("db1"), &["db2"]);
    holding.hold_writes = true;
    world.publish(holding);
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db2"]));
}

#[test]
fn a_hung_primary_is_left_when_a_new_reign_begins() {
    let mut world = World::new();
    let [waiting, held] = [(); 2].map(|()| world.login(None));
    assert!(world.query(waiting, "INSERT INTO t VALUES (0)").is_ok());
    world.hang("db1", true);
    world.send(waiting, "INSERT INTO t VALUES (1)");
    world.publish(routes(1, 1, None, &["db2"]));
    world.send(held, "INSERT INTO t VALUES (2)");
    assert_eq!(
        (world.reply(waiting), world.reply(held)),
        (Reply::Nothing, Reply::Nothing)
    );
    promote(&mut world);
    assert_eq!(world.reply(waiting).code(), 2013);
    assert!(world.reply(held).is_ok());
    assert!(
        world
            .connections
            .values()
            .all(|connection| connection.server == "db2")
    );
}

#[test]
fn a_read_on_a_hung_primary_runs_on_the_new_one() {
    let mut world = World::with(policy(), routes(1, 0, Some("db1"), &[]));
    let client = world.login(None);
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db1"]));
    world.hang("db1", true);
    world.send(client, "SELECT 2");
    promote(&mut world);
    assert_eq!(world.reply(client), Reply::rows(&["db2"]));
}

#[test]
fn a_primary_that_does_not_greet_is_given_up() {
    let mut world = World::new();
    let client = world.login(None);
    world.hang("db1", true);
    world.send(client, "INSERT INTO t VALUES (1)");
    world.wait(Duration::from_secs(2));
    assert_eq!(world.core.stats().statements_held, 1);
    promote(&mut world);
    assert!(world.reply(client).is_ok());
}

#[test]
fn older_routes_are_ignored() {
    let mut world = World::new();
    let client = world.login(None);
    promote(&mut world);
    world.publish(routes(1, 9, Some("db1"), &[]));
    assert!(world.query(client, "INSERT INTO t VALUES (1)").is_ok());
    assert_eq!(world.log("db2"), ["INSERT INTO t VALUES (1)"]);
}

#[test]
fn a_server_that_left_the_routes_is_left() {
    let mut world = World::new();
    let client = world.login(None);
    world.query(client, "SELECT 1");
    world.publish(routes(1, 1, Some("db1"), &["db3"]));
    assert!(world.connections.is_empty());
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db3"]));
}

#[test]
fn a_result_cut_off_in_a_row_closes_the_client() {
    let mut world = World::new();
    let client = world.login(None);
    world.query(client, "SELECT 1");
    world.hang("db2", true);
    world.send(client, "SELECT 2");
    let (&id, _) = world
        .connections
        .iter()
        .find(|(_, one)| one.server == "db2")
        .expect("one");
    let mut ops = Vec::new();
    // A column count, and half of a definition.
    let who = mainstay_session::ConnId::Server(id);
    world
        .core
        .input(world.now, who, &[1, 0, 0, 1, 1, 9, 0, 0, 2, 3], &mut ops);
    ops.clear();
    world.core.closed(
        world.now,
        who,
        mainstay_session::CloseReason::Reset,
        &mut ops,
    );
    let client = mainstay_session::ConnId::Client(client);
    assert_eq!(ops, [mainstay_session::Op::Close(client)]);
}
