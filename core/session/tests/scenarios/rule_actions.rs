//! What single actions of query rules do: copies by flag, sticky reads, causal reads, the cache.

use mainstay_routing::rules::Actions;
use mainstay_session::policy::Choice;

use crate::client::Reply;
use crate::rules::{rule, to, world};

#[test]
fn a_mirror_is_asked_of_the_rules_behind_its_flag() {
    let copies = Actions {
        mirror_flag_out: Some(7),
        ..Actions::default()
    };
    let mut behind = rule(20, "^SELECT", to(5));
    behind.conditions.flag_in = 7;
    behind.conditions.match_pattern = Some("old_t".to_owned());
    behind.replace_pattern = Some("new_t".to_owned());
    let rules = vec![rule(10, "^SELECT", copies), behind];
    let mut world = world(rules, |policy| {
        policy.mirrors_max = 4;
    });
    let client = world.login(None);
    world.query(client, "SELECT a FROM old_t");
    let seen = world.log("db3").contains(&"SELECT a FROM new_t");
    assert!(seen, "{:?}", world.log("db3"));
    assert_eq!(world.core.stats().mirrored, 1);
}

#[test]
fn a_mirror_whose_rules_make_a_write_of_it_is_not_sent() {
    let copies = Actions {
        mirror_flag_out: Some(7),
        ..Actions::default()
    };
    let mut behind = rule(20, "^SELECT", to(5));
    behind.conditions.flag_in = 7;
    behind.conditions.match_pattern = Some("^SELECT .*".to_owned());
    behind.replace_pattern = Some("DELETE FROM t".to_owned());
    let rules = vec![rule(10, "^SELECT", copies), behind];
    let mut world = world(rules, |policy| policy.mirrors_max = 4);
    let client = world.login(None);
    world.query(client, "SELECT a FROM t");
    assert_eq!(world.core.stats().mirrored, 0);
    for name in ["db1", "db2", "db3"] {
        assert!(!world.log(name).contains(&"DELETE FROM t"));
    }
}

#[test]
fn a_sticky_read_goes_back_to_the_server_of_the_one_before() {
    let sticky = Actions {
        sticky_conn: Some(true),
        ..Actions::default()
    };
    let mut world = world(vec![rule(1, "FROM t", sticky)], |policy| {
        policy.readers.choice = Choice::Weight;
    });
    let client = world.login(None);
    let first = world.query(client, "SELECT a FROM t");
    for _ in 0..6 {
        assert_eq!(world.query(client, "SELECT a FROM t"), first);
    }
    let free: Vec<Reply> = (0..6)
        .map(|_| world.query(client, "SELECT a FROM u"))
        .collect();
    assert!(free.iter().any(|reply| *reply != free[0]), "{free:?}");
}

#[test]
fn a_rule_with_gtid_from_hostgroup_makes_its_reads_wait_for_the_writes_of_their_session() {
    let waits = Actions {
        gtid_from_hostgroup: Some(0),
        ..Actions::default()
    };
    let mut world = world(vec![rule(1, "FROM t", waits)], |_| {});
    let client = world.login(None);
    world.query(client, "INSERT INTO t VALUES (1)");
    world.query(client, "SELECT a FROM u");
    assert_eq!(world.core.stats().causal_waits, 0);
    world.query(client, "SELECT a FROM t");
    assert_eq!(world.core.stats().causal_waits, 1);
}

#[test]
fn an_empty_result_is_kept_only_where_that_is_wanted() {
    for (wanted, hits) in [(None, 1), (Some(true), 1), (Some(false), 0)] {
        let cached = Actions {
            cache_ttl_ms: Some(60_000),
            cache_empty_result: wanted,
            ..Actions::default()
        };
        let mut world = world(vec![rule(1, "FROM t", cached)], |policy| {
            policy.cache.on = true;
        });
        let client = world.login(None);
        for _ in 0..2 {
            world.query(client, "SELECT a FROM t WHERE nothing");
        }
        assert_eq!(world.core.stats().cache.hits, hits, "{wanted:?}");
    }
}
