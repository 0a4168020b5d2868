//! Query rules, hostgroups, limits and the firewall, as clients see them.

use std::sync::Arc;
use std::time::Duration;

use mainstay_routing::firewall::{FirewallRule, FirewallUser, Mode};
use mainstay_routing::hostgroups::{Hostgroup, Members, WhenEmpty};
use mainstay_routing::rules::{Actions, Conditions, Multiplex, Rule};
use mainstay_routing::{Firewall, Hostgroups, Limits, Rules};
use mainstay_session::Policy;
use mainstay_sql::Digest;
use mainstay_topology::ServerName;

use crate::client::Reply;
use crate::fake::{World, policy, routes};

pub(crate) fn rule(rule_id: u32, match_digest: &str, actions: Actions) -> Rule {
    Rule {
        rule_id,
        conditions: Conditions {
            match_digest: Some(match_digest.to_owned()),
            caseless: true,
            ..Conditions::default()
        },
        actions,
        apply: true,
        ..Rule::default()
    }
}

pub(crate) fn to(hostgroup: u32) -> Actions {
    Actions {
        destination_hostgroup: Some(hostgroup),
        ..Actions::default()
    }
}

fn group(id: u32, servers: &[&str], when_empty: WhenEmpty) -> Hostgroup {
    Hostgroup {
        id,
        name: format!("group{id}"),
        members: Members::Servers(servers.iter().map(|name| ServerName::new(name)).collect()),
        when_empty,
        limits: Limits::default(),
    }
}

/// Primary `db1`, replicas `db2` and `db3`; hostgroup 5 is `db3`.
pub(crate) fn world(rules: Vec<Rule>, change: impl FnOnce(&mut Policy)) -> World {
    let mut policy = policy();
    policy.rules = Arc::new(Rules::compile(rules, Vec::new()).expect("rules"));
    policy.hostgroups = Arc::new(Hostgroups::new(vec![group(5, &["db3"], WhenEmpty::Writer)]));
    change(&mut policy);
    World::with(policy, routes(1, 0, Some("db1"), &["db2", "db3"]))
}

fn error(reply: &Reply) -> (u16, String) {
    match reply {
        Reply::Error(code, _, message) => (*code, message.clone()),
        other => panic!("an error was expected, not {other:?}"),
    }
}

#[test]
fn a_rule_sends_reads_to_a_hostgroup_and_the_split_does_the_rest() {
    let mut world = world(vec![rule(1, "FROM reports", to(5))], |_| {});
    let client = world.login(None);
    for _ in 0..3 {
        assert_eq!(
            world.query(client, "SELECT 1 FROM reports"),
            Reply::rows(&["db3"])
        );
    }
    assert!(world.query(client, "INSERT INTO t VALUES (1)").is_ok());
    assert_eq!(world.log("db1"), ["INSERT INTO t VALUES (1)"]);
    let stats = world.core.queries(false);
    assert_eq!(stats.rule_hits[&1], 3);
    assert!(stats.queries.keys().any(|key| key.hostgroup == 5));
}

#[test]
fn a_write_that_a_rule_sends_to_a_replica_runs_on_the_writer_and_nowhere_else() {
    let mut world = world(vec![rule(1, ".", to(5))], |_| {});
    let client = world.login(None);
    world.servers.get_mut("db3").expect("db3").read_only = false;
    assert!(world.query(client, "INSERT INTO t VALUES (1)").is_ok());
    assert_eq!(world.servers["db3"].written, Vec::<String>::new());
    assert_eq!(world.servers["db1"].written.len(), 1);
}

#[test]
fn a_transaction_stays_where_it_began_whatever_rules_say() {
    let mut world = world(vec![rule(1, "^SELECT", to(5))], |_| {});
    let client = world.login(None);
    world.query(client, "BEGIN");
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db1"]));
    world.query(client, "COMMIT");
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db3"]));
}

#[test]
fn a_comment_has_the_last_word() {
    let mut world = world(vec![rule(1, "^SELECT", to(1))], |_| {});
    let client = world.login(None);
    let named = [
        "/* hostgroup=5 */ SELECT 1",
        "SELECT /* hostgroup=group5 */ 1",
    ];
    for sql in named {
        world.query(client, sql);
    }
    assert_eq!(world.log("db3"), named);
    let writer = "/* hostgroup=0 */ SELECT 1";
    world.query(client, writer);
    assert_eq!(world.log("db1").last(), Some(&writer));
}

#[test]
fn an_empty_hostgroup_falls_back_as_its_settings_say() {
    let mut world = world(
        vec![rule(1, "slow", to(5)), rule(2, "exact", to(6))],
        |policy| {
            policy.hostgroups = Arc::new(Hostgroups::new(vec![
                group(5, &["db9"], WhenEmpty::Writer),
                group(6, &["db9"], WhenEmpty::Error),
            ]));
        },
    );
    let client = world.login(None);
    assert_eq!(
        world.query(client, "SELECT 1 FROM slow"),
        Reply::rows(&["db1"])
    );
    let (code, message) = error(&world.query(client, "SELECT 1 FROM exact"));
    assert_eq!(code, 1159);
    assert!(message.contains("group6 (6)"), "{message}");
}

#[test]
fn a_rule_answers_with_an_error_or_with_ok() {
    let refused = Actions {
        error_msg: Some("not here".into()),
        ..Actions::default()
    };
    let ignored = Actions {
        ok_msg: Some("ignored".into()),
        ..Actions::default()
    };
    let rules = vec![rule(1, "^DROP", refused), rule(2, "^SET NAMES", ignored)];
    let mut world = world(rules, |_| {});
    let client = world.login(None);
    let dropped = world.query(client, "DROP TABLE t");
    assert_eq!(error(&dropped), (1148, "not here".to_owned()));
    assert!(world.query(client, "SET NAMES latin1").is_ok());
    assert!(world.log("db1").is_empty());
    assert_eq!(world.core.queries(false).gate.answered, 2);
    assert!(world.query(client, "INSERT INTO t VALUES (1)").is_ok());
}

#[test]
fn a_rewritten_statement_is_what_the_server_gets() {
    let rewrite = Rule {
        rule_id: 1,
        conditions: Conditions {
            match_pattern: Some("into old_(\\w+)".to_owned()),
            caseless: true,
            ..Conditions::default()
        },
        replace_pattern: Some("INTO new_\\1".to_owned()),
        ..Rule::default()
    };
    let mut world = world(vec![rewrite], |_| {});
    let client = world.login(None);
    assert!(world.query(client, "INSERT INTO old_t VALUES (1)").is_ok());
    assert_eq!(world.log("db1"), ["INSERT INTO new_t VALUES (1)"]);
    let stats = world.core.queries(false);
    let texts: Vec<_> = stats
        .queries
        .values()
        .map(|row| row.text.as_str())
        .collect();
    assert_eq!(texts, ["INSERT INTO old_t VALUES (?)"]);
}

#[test]
fn a_delayed_statement_runs_when_its_time_has_come() {
    let delayed = Actions {
        delay_ms: Some(500),
        ..Actions::default()
    };
    let mut world = world(vec![rule(1, "^INSERT", delayed)], |_| {});
    let client = world.login(None);
    world.send(client, "INSERT INTO t VALUES (1)");
    world.wait(Duration::from_millis(400));
    assert!(world.log("db1").is_empty());
    world.wait(Duration::from_millis(200));
    assert!(world.reply(client).is_ok());
    assert_eq!(world.log("db1").len(), 1);
}

#[test]
fn multiplex_0_keeps_the_connection_for_the_session() {
    let keep = Actions {
        multiplex: Some(Multiplex::Off),
        ..Actions::default()
    };
    let mut world = world(vec![rule(1, "keep", keep)], |_| {});
    let client = world.login(None);
    let first = world.query(client, "SELECT 1 FROM keep");
    for _ in 0..3 {
        assert_eq!(world.query(client, "SELECT 1"), first);
    }
}

#[test]
fn over_its_limit_a_user_waits_and_then_gets_1226() {
    let mut world = world(Vec::new(), |policy| {
        let app = policy.users.get_mut("app").expect("app");
        app.queries_per_second = Some(2);
        policy.limit_wait = Duration::from_millis(700);
    });
    let client = world.login(None);
    for _ in 0..2 {
        assert!(world.query(client, "INSERT INTO t VALUES (1)").is_ok());
    }
    world.send(client, "INSERT INTO t VALUES (2)");
    assert_eq!(world.log("db1").len(), 2);
    let other = world.login(None);
    let (code, message) = error(&world.query(other, "INSERT INTO t VALUES (3)"));
    assert_eq!(code, 1226);
    assert_eq!(
        message,
        "User 'app' has exceeded the 'max_queries_per_second' resource (current value: 2)"
    );
    world.wait(Duration::from_millis(600));
    assert!(world.reply(client).is_ok());
    assert_eq!(world.log("db1").len(), 3);
}

#[test]
fn the_firewall_refuses_what_no_rule_of_it_allows() {
    let known = Digest::of_text(b"SELECT ?");
    let mut world = world(Vec::new(), |policy| {
        let user = FirewallUser {
            username: "app".to_owned(),
            client_address: String::new(),
            mode: Mode::Protecting,
        };
        let rule = FirewallRule {
            username: "app".to_owned(),
            client_address: String::new(),
            schemaname: String::new(),
            flag_in: 0,
            digest: known,
        };
        policy.firewall = Some(Arc::new(Firewall::new(vec![user], vec![rule])));
    });
    let client = world.login(None);
    assert!(matches!(world.query(client, "SELECT 1"), Reply::Rows(_)));
    let refused = world.query(client, "SELECT 1 FROM secrets");
    assert_eq!(
        error(&refused),
        (1148, "Firewall blocked this query".to_owned())
    );
    assert_eq!(world.core.queries(false).gate.blocked, 1);
}

#[test]
fn the_reads_of_a_user_go_to_its_default_hostgroup() {
    let mut world = world(Vec::new(), |policy| {
        policy.users.get_mut("app").expect("app").default_hostgroup = Some(5);
    });
    let client = world.login(None);
    for _ in 0..3 {
        assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db3"]));
    }
    assert!(world.query(client, "INSERT INTO t VALUES (1)").is_ok());
    assert_eq!(world.log("db1").len(), 1);
}

#[test]
fn a_locked_user_stays_in_its_schema() {
    let mut world = world(Vec::new(), |policy| {
        policy.users.get_mut("app").expect("app").schema_locked = true;
    });
    let client = world.login(Some("shop"));
    assert_eq!(error(&world.query(client, "USE crm")).0, 1044);
    assert_eq!(error(&world.command(client, 0x02, b"crm")).0, 1044);
    assert!(world.command(client, 0x02, b"shop").is_ok());
}

#[test]
fn new_rules_hold_for_the_next_statement() {
    let mut world = world(Vec::new(), |_| {});
    let client = world.login(None);
    let mut changed = policy();
    let rules = vec![rule(1, "^SELECT", to(0))];
    changed.rules = Arc::new(Rules::compile(rules, Vec::new()).expect("rules"));
    world.core.policy(Arc::new(changed));
    for _ in 0..2 {
        assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db1"]));
    }
    assert_eq!(world.core.queries(false).rule_hits[&1], 2);
}

#[test]
fn a_fast_forward_session_is_joined_to_the_writer() {
    let mut world = world(vec![rule(1, ".", to(5))], |policy| {
        policy.users.get_mut("app").expect("app").fast_forward = true;
    });
    let client = world.login(None);
    for _ in 0..2 {
        assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db1"]));
    }
    assert!(world.query(client, "INSERT INTO t VALUES (1)").is_ok());
    assert_eq!(world.log("db1").len(), 3);
}

fn mirrored(mirrors_max: usize) -> World {
    let copied = Actions {
        mirror_hostgroup: Some(5),
        destination_hostgroup: Some(0),
        ..Actions::default()
    };
    let rules = vec![rule(1, "^(SELECT|INSERT)", copied)];
    world(rules, |policy| policy.mirrors_max = mirrors_max)
}

#[test]
fn a_query_is_copied_to_its_mirror_and_its_client_sees_one_result() {
    let mut world = mirrored(4);
    let client = world.login(None);
    for _ in 0..3 {
        assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db1"]));
    }
    assert_eq!(world.log("db3"), ["SELECT 1"; 3]);
    let stats = world.core.stats();
    assert_eq!(
        (stats.mirrored, stats.mirrors_dropped, stats.sessions),
        (3, 0, 1)
    );
}

#[test]
fn a_write_is_never_copied_and_neither_is_a_read_of_a_transaction() {
    let mut world = mirrored(4);
    let client = world.login(None);
    assert!(world.query(client, "INSERT INTO t VALUES (1)").is_ok());
    world.query(client, "BEGIN");
    world.query(client, "SELECT 1");
    assert_eq!(world.log("db3"), [""; 0]);
}

#[test]
fn a_mirror_that_hangs_costs_its_copies_and_nothing_else() {
    let mut world = mirrored(2);
    let client = world.login(None);
    world.hang("db3", true);
    for _ in 0..5 {
        assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db1"]));
    }
    let stats = world.core.stats();
    assert_eq!((stats.mirrored, stats.mirrors_dropped), (2, 3));
    world.hang("db3", false);
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db1"]));
    assert_eq!(world.core.stats().mirrored, 3, "there is room again");
}
