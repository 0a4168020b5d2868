//! What the logs are told.

use std::sync::Arc;
use std::time::Duration;

use mainstay_routing::Rules;
use mainstay_routing::rules::{Actions, Conditions, Rule};
use mainstay_session::policy::LogPolicy;
use mainstay_session::records::{ClientEvent, Record, StatementRecord};

use mainstay_topology::ServerName;

use crate::fake::{World, policy, routes};

fn world(log: LogPolicy, rule_log: Option<bool>) -> World {
    let rule = Rule {
        rule_id: 3,
        conditions: Conditions {
            match_digest: Some("FROM orders".to_owned()),
            caseless: true,
            ..Conditions::default()
        },
        actions: Actions {
            log: rule_log,
            ..Actions::default()
        },
        ..Rule::default()
    };
    let mut policy = policy();
    policy.log = log;
    policy.rules = Arc::new(Rules::compile(vec![rule], Vec::new()).expect("a rule"));
    World::with(policy, routes(1, 0, Some("db1"), &["db2"]))
}

fn statements(world: &mut World) -> Vec<StatementRecord> {
    let records = world.core.take_records().into_iter();
    let statements = records.filter_map(|record| match record {
        Record::Statement(one) => Some(*one),
        Record::Client(_) => None,
    });
    statements.collect()
}

#[test]
fn nothing_is_recorded_unless_a_log_wants_it() {
    let mut world = world(LogPolicy::default(), Some(true));
    let client = world.login(None);
    world.query(client, "SELECT 1 FROM orders");
    world.leave(client);
    assert!(!world.core.has_records());
}

#[test]
fn a_rule_says_which_statements_the_query_log_gets() {
    let log = LogPolicy {
        by_rule: true,
        ..LogPolicy::default()
    };
    let mut world = world(log, Some(true));
    let client = world.login(Some("shop"));
    world.query(client, "SELECT 1 FROM orders");
    world.query(client, "SELECT 1 FROM t");
    let seen = statements(&mut world);
    assert_eq!(seen.len(), 1);
    let one = &seen[0];
    assert_eq!((one.logged, one.slow, one.rule), (true, false, Some(3)));
    assert_eq!((&*one.user, one.schema.as_str()), ("app", "shop"));
    assert_eq!(one.server.as_ref().map(ServerName::as_str), Some("db2"));
    assert_eq!((one.hostgroup, one.command), (1, "COM_QUERY"));
    assert_eq!(one.text, "SELECT 1 FROM orders");
    assert_eq!(
        one.reason,
        "The statement is a read outside of any transaction."
    );
}

#[test]
fn a_rule_keeps_its_statements_out_of_a_log_of_all() {
    let log = LogPolicy {
        by_rule: true,
        statements: true,
        text_bytes_max: 8,
        ..LogPolicy::default()
    };
    let mut world = world(log, Some(false));
    let client = world.login(None);
    world.query(client, "SELECT 1 FROM orders");
    world.query(client, "INSERT INTO t VALUES (1)");
    let seen = statements(&mut world);
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].text.as_str(), seen[0].hostgroup), ("INSERT I", 0));
}

#[test]
fn slow_statements_are_recorded_with_their_reason() {
    let log = LogPolicy {
        slow: true,
        slow_after: Duration::ZERO,
        ..LogPolicy::default()
    };
    let mut world = world(log, None);
    let client = world.login(None);
    world.query(client, "SELECT a FROM t FOR UPDATE");
    let seen = statements(&mut world);
    assert_eq!((seen[0].logged, seen[0].slow), (false, true));
    assert_eq!(seen[0].reason, "The statement locks the rows it reads.");
}

#[test]
fn clients_that_come_and_go_are_recorded_for_the_audit() {
    let log = LogPolicy {
        audit: true,
        ..LogPolicy::default()
    };
    let mut world = world(log, None);
    let client = world.login(None);
    world.leave(client);
    let events = world.core.take_records().into_iter();
    let events = events.map(|record| match record {
        Record::Client(one) => (one.event, one.user),
        Record::Statement(_) => panic!("no statement was sent"),
    });
    let events: Vec<_> = events.collect();
    let app = || "app".to_owned();
    assert_eq!(
        events,
        [(ClientEvent::Connected, app()), (ClientEvent::Gone, app())]
    );
}
