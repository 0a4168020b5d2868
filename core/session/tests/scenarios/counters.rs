//! What a session asks about its last statement is never answered with another session's.

use std::time::Duration;

use mainstay_session::policy::Causal;

use crate::client::Reply;
use crate::fake::{World, policy, routes};

const ASKS: [&str; 2] = ["SELECT ROW_COUNT()", "SELECT ROW_COUNT() + 0"];
const TWO_ROWS: &str = "INSERT INTO t VALUES (1), (2)";
const ONE_ROW: &str = "INSERT INTO t VALUES (3)";

/// One connection for all.
fn single() -> World {
    let mut policy = policy();
    policy.pool.server_connections_max = 1;
    World::with(policy, routes(1, 0, Some("db1"), &[]))
}

#[test]
fn the_row_count_is_asked_of_the_connection_that_has_it() {
    for sql in ASKS {
        let mut world = World::new();
        let [client, other] = [(); 2].map(|()| world.login(None));
        world.query(other, "BEGIN");
        world.query(client, TWO_ROWS);
        world.query(other, "COMMIT");
        assert_eq!(world.query(client, sql), Reply::rows(&["2"]));
        assert_eq!(world.log("db1").last(), Some(&sql));
    }
}

#[test]
fn a_row_count_whose_connection_serves_another_is_told_from_memory_or_not_at_all() {
    let mut world = single();
    let [client, other] = [(); 2].map(|()| world.login(None));
    for (sql, right) in ASKS.iter().zip([true, false]) {
        world.query(client, TWO_ROWS);
        world.query(other, ONE_ROW);
        let reply = world.query(client, sql);
        if right {
            assert_eq!(reply, Reply::rows(&["2"]));
            assert_eq!(world.query(client, sql), Reply::rows(&["-1"]));
        } else {
            assert_eq!(reply.code(), 1159);
        }
    }
}

#[test]
fn a_session_that_has_asked_keeps_its_connection_from_then_on() {
    let mut world = World::new();
    let [client, other] = [(); 2].map(|()| world.login(None));
    world.query(client, "SELECT ROW_COUNT()");
    world.query(client, TWO_ROWS);
    world.query(other, ONE_ROW);
    let reply = world.query(client, "SELECT ROW_COUNT() + 0");
    assert_eq!(reply, Reply::rows(&["2"]));
    assert!(world.command(client, 0x1f, &[]).is_ok());
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db2"]));
}

#[test]
fn the_row_count_after_a_read_is_that_of_the_read() {
    for sql in ASKS {
        let mut world = World::new();
        let client = world.login(None);
        world.query(client, TWO_ROWS);
        world.query(client, "SELECT 1");
        assert_eq!(world.query(client, sql), Reply::rows(&["-1"]));
    }
}

#[test]
fn warnings_of_another_session_are_not_shown() {
    let mut world = single();
    let [client, other] = [(); 2].map(|()| world.login(None));
    world.query(client, TWO_ROWS);
    let own = world.query(client, "SHOW WARNINGS");
    assert_eq!(own, Reply::rows(&[TWO_ROWS]));
    world.query(other, ONE_ROW);
    let none = world.query(client, "SHOW WARNINGS");
    assert_eq!(none, Reply::rows(&["SELECT 1 LIMIT 0"]));
}

#[test]
fn the_row_count_is_known_after_a_failover() {
    let mut world = World::new();
    let client = world.login(None);
    world.query(client, TWO_ROWS);
    world.kill("db1");
    world.servers.get_mut("db2").expect("db2").read_only = false;
    world.publish(routes(2, 0, Some("db2"), &[]));
    world.wait(Duration::from_secs(1));
    let reply = world.query(client, "SELECT ROW_COUNT()");
    assert_eq!(reply, Reply::rows(&["2"]));
}

#[test]
fn the_last_insert_id_is_that_of_the_last_insert_of_the_session() {
    let mut world = World::new();
    let [client, other] = [(); 2].map(|()| world.login(None));
    world.query(client, ONE_ROW);
    world.query(other, "BEGIN");
    world.query(client, ONE_ROW);
    world.query(other, "COMMIT");
    let reply = world.query(client, "SELECT LAST_INSERT_ID()");
    assert_eq!(reply, Reply::rows(&["2"]));
}

#[test]
fn a_session_that_has_run_nothing_is_told_nothing_of_another() {
    let mut world = single();
    let other = world.login(None);
    for (sql, none) in [
        ("SELECT ROW_COUNT() + 0", "0"),
        ("SELECT FOUND_ROWS()", "0"),
        ("SHOW WARNINGS", "SELECT 1 LIMIT 0"),
    ] {
        world.query(other, TWO_ROWS);
        world.query(other, "SELECT 1");
        let client = world.login(None);
        assert_eq!(world.query(client, sql), Reply::rows(&[none]), "{sql}");
    }
}

#[test]
fn rows_that_another_session_got_are_not_found() {
    let mut world = single();
    let [client, other] = [(); 2].map(|()| world.login(None));
    world.query(other, "SELECT 1");
    world.query(client, ONE_ROW);
    let found = world.query(client, "SELECT FOUND_ROWS()");
    assert_eq!(found, Reply::rows(&["0"]));
}

#[test]
fn below_the_cap_a_connection_that_was_used_just_now_is_left_to_who_may_ask_it() {
    let mut world = World::new();
    let [client, other] = [(); 2].map(|()| world.login(None));
    world.query(other, "SELECT ROW_COUNT() + 0");
    for session in [client, other] {
        world.query(session, "BEGIN");
    }
    for session in [client, other] {
        world.query(session, "COMMIT");
    }
    let third = world.login(None);
    world.query(client, TWO_ROWS);
    world.query(third, ONE_ROW);
    let own = world.query(client, "SELECT ROW_COUNT() + 0");
    assert_eq!(own, Reply::rows(&["2"]));
}

#[test]
fn a_ping_makes_the_row_count_zero() {
    for sql in ASKS {
        let mut world = World::new();
        let client = world.login(None);
        world.query(client, TWO_ROWS);
        assert!(world.command(client, 0x0e, &[]).is_ok());
        assert_eq!(world.query(client, sql), Reply::rows(&["0"]), "{sql}");
    }
}

#[test]
fn a_reset_of_a_statement_makes_the_row_count_zero() {
    for sql in ASKS {
        let mut world = World::new();
        let client = world.login(None);
        world.command(client, 0x16, b"SELECT 1");
        world.query(client, TWO_ROWS);
        assert!(world.command(client, 0x1a, &[1, 0, 0, 0]).is_ok());
        assert_eq!(world.query(client, sql), Reply::rows(&["0"]), "{sql}");
    }
}

#[test]
fn nothing_is_asked_of_a_server_between_a_statement_and_the_question_about_it() {
    let mut policy = policy();
    policy.causal.reads = Causal::Session;
    let mut world = World::with(policy, routes(1, 0, Some("db1"), &[]));
    let client = world.login(None);
    let question = "SELECT LAST_INSERT_ID(), ROW_COUNT()";
    world.query(client, "SELECT 1");
    world.query(client, question);
    assert_eq!(world.log("db1"), ["SELECT 1", question]);
}

#[test]
fn warnings_are_kept_while_the_question_for_them_is_prepared() {
    let mut world = World::new();
    let [client, other] = [(); 2].map(|()| world.login(None));
    assert_eq!(world.query(client, "UPDATE t SET a = 1").code(), 1213);
    world.command(client, 0x16, b"SHOW WARNINGS");
    world.query(other, ONE_ROW);
    let own = world.command(client, 0x17, &[1, 0, 0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(own, Reply::rows(&["UPDATE t SET a = 1"]));
}

#[test]
fn an_answer_of_the_proxy_counts_as_the_statement_before() {
    let mut world = single();
    let [client, other] = [(); 2].map(|()| world.login(None));
    world.query(other, TWO_ROWS);
    world.query(client, "SELECT CONNECTION_ID()");
    let count = world.query(client, "SELECT ROW_COUNT() + 0");
    assert_eq!(count, Reply::rows(&["-1"]));
}

#[test]
fn warnings_are_kept_while_an_option_is_set() {
    let mut world = World::new();
    let [client, other] = [(); 2].map(|()| world.login(None));
    assert_eq!(world.query(client, "UPDATE t SET a = 1").code(), 1213);
    world.command(client, 0x1b, &[1, 0]);
    world.query(other, ONE_ROW);
    let own = world.query(client, "SHOW WARNINGS");
    assert_eq!(own, Reply::rows(&["UPDATE t SET a = 1"]));
}
