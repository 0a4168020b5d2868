//! What the machine says of itself: `PROXYSQL INTERNAL SESSION`, the explanation of a route, the
//! prepared statements, and the hosts of failed logins.

use std::sync::Arc;

use mainstay_routing::Rules;
use mainstay_routing::rules::{Actions, Conditions, Rule};
use mainstay_session::explain::Asked;

use crate::client::Reply;
use crate::fake::{World, policy, routes};

fn asked(sql: &str) -> Asked {
    Asked {
        user: "app".to_owned(),
        schema: Some("shop".to_owned()),
        client: "10.0.0.7".to_owned(),
        sql: sql.to_owned(),
    }
}

fn explained(world: &mut World, sql: &str, step: &str) -> String {
    let steps = world.core.explain(&asked(sql));
    let found = steps.iter().find(|(name, _)| name == step);
    found.map_or_else(String::new, |(_, found)| found.clone())
}

fn with_rule(actions: Actions) -> World {
    let rule = Rule {
        rule_id: 7,
        conditions: Conditions {
            match_digest: Some("^SELECT".to_owned()),
            caseless: true,
            ..Conditions::default()
        },
        actions,
        apply: true,
        ..Rule::default()
    };
    let mut policy = policy();
    policy.rules = Arc::new(Rules::compile(vec![rule], Vec::new()).expect("a rule"));
    World::with(policy, routes(1, 0, Some("db1"), &["db2"]))
}

fn session_of(world: &mut World, client: u32) -> String {
    match world.query(client, "PROXYSQL INTERNAL SESSION") {
        Reply::Rows(rows) => rows.into_iter().next().expect("one row"),
        other => panic!("rows were expected, not {other:?}"),
    }
}

#[test]
fn a_session_is_told_what_is_known_of_it() {
    let mut world = World::new();
    let client = world.login(Some("shop"));
    world.query(client, "SET sql_mode = 'ANSI'");
    let json = session_of(&mut world, client);
    for part in [
        "\"locked_on_hostgroup\":-1",
        "\"username\":\"app\"",
        "\"schemaname\":\"shop\"",
        "\"sql_mode\":\"ANSI\"",
        "\"backends\":[]",
        "\"active_transactions\":0",
    ] {
        assert!(json.contains(part), "{part} is not in {json}");
    }
    assert!(world.log("db1").iter().all(|sql| !sql.contains("INTERNAL")));
}

#[test]
fn a_tied_session_is_told_its_server_and_why() {
    let mut world = World::new();
    let client = world.login(None);
    world.query(client, "BEGIN");
    world.query(client, "CREATE TEMPORARY TABLE a (b INT)");
    let json = session_of(&mut world, client);
    for part in [
        "\"active_transactions\":1",
        "\"hostgroup_id\":0",
        "\"MultiplexDisabled\":true",
        "\"temporary_table\":true",
        "\"server\":\"db1\"",
        "\"an open transaction\"",
    ] {
        assert!(json.contains(part), "{part} is not in {json}");
    }
}

#[test]
fn the_route_of_a_statement_is_explained_without_running_it() {
    let mut world = World::new();
    let read = explained(&mut world, "SELECT a FROM t WHERE id = 5", "destination");
    assert_eq!(read, "db2 (db2:3306)");
    let locking = "SELECT a FROM t WHERE id = 5 FOR UPDATE";
    assert_eq!(
        explained(&mut world, locking, "destination"),
        "db1 (db1:3306)"
    );
    assert_eq!(
        explained(&mut world, locking, "reason"),
        "The statement locks the rows it reads."
    );
    assert_eq!(explained(&mut world, locking, "hostgroup"), "0 (writers)");
    let text = explained(&mut world, locking, "digest_text");
    assert_eq!(text, "SELECT a FROM t WHERE id = ? FOR UPDATE");
    assert!(world.log("db1").is_empty() && world.log("db2").is_empty());
    let stats = world.core.stats();
    assert_eq!((stats.sessions, stats.accepted), (0, 0));
}

#[test]
fn the_rules_that_match_are_named_and_not_counted() {
    let mut world = with_rule(Actions {
        destination_hostgroup: Some(0),
        ..Actions::default()
    });
    let sql = "SELECT 1 FROM t";
    let rules = explained(&mut world, sql, "rules");
    assert_eq!(rules, "7 matched, and the last one ends the chain");
    assert_eq!(
        explained(&mut world, sql, "actions"),
        "destination_hostgroup=0"
    );
    assert_eq!(explained(&mut world, sql, "hostgroup"), "0 (writers)");
    assert_eq!(world.core.queries(false).rule_hits[&7], 0);
}

#[test]
fn an_answer_of_a_rule_and_a_missing_writer_are_explained() {
    let mut world = with_rule(Actions {
        error_msg: Some("not now".into()),
        ..Actions::default()
    });
    let answer = explained(&mut world, "SELECT 1", "answer");
    assert_eq!(answer, "a rule answers with the error: not now");
    let mut world = World::with(policy(), routes(1, 0, None, &["db2"]));
    let held = explained(&mut world, "DELETE FROM t", "destination");
    assert_eq!(held, "it waits: there is no server for it now");
}

#[test]
fn prepared_statements_with_one_text_are_one_row() {
    let mut world = World::new();
    for _ in 0..2 {
        let client = world.login(Some("shop"));
        world.command(client, 0x16, b"SELECT a FROM t WHERE id = ?");
    }
    let found = world.core.inventory();
    assert_eq!(found.len(), 1);
    let (key, row) = found.first_key_value().expect("one");
    assert_eq!((&*key.user, key.schema.as_str()), ("app", "shop"));
    assert_eq!((row.clients, row.servers), (2, 1));
}

#[test]
fn hosts_of_failed_logins_are_kept_until_one_succeeds() {
    let mut world = World::new();
    for _ in 0..2 {
        let client = world.accept();
        let hello = world.clients[&client].hello("app", "wrong", None);
        world.client_sends(client, &hello);
        world.leave(client);
    }
    let (_, hosts) = world.core.hosts(false);
    assert_eq!(hosts["localhost"].errors, 2);
    world.login(None);
    assert!(world.core.hosts(true).1.is_empty());
}
