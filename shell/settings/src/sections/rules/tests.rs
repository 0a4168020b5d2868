//! The sections about routing, as an operator writes them.

use std::path::Path;
use std::time::Duration;

use mainstay_routing::hostgroups::WhenEmpty;
use mainstay_routing::rules::Multiplex;

use crate::{Settings, SettingsError};

const BASE: &str = r#"
[[server]]
name = "db1"
address = "127.0.0.1:3301"
[[server]]
name = "db2"
address = "127.0.0.1:3302"
[manager]
user = "mainstay"
password = "m"
replication_user = "repl"
replication_password = "r"
[proxy]
limit_wait = "200ms"
[api]
password = "a"
"#;

const ROUTING: &str = r#"
[[user]]
name = "app"
password = "p"
default_hostgroup = 10
schema_locked = true
queries_per_second = 500
[[hostgroups]]
id = 10
name = "reports"
servers = ["db2"]
when_empty = "error"
bytes_per_second = 1000000
connections_max = 20
[[query_rules]]
rule_id = 2
match_digest = '^SELECT.*FOR UPDATE'
destination_hostgroup = 0
apply = 1
[[query_rules]]
rule_id = 1
username = "app"
client_addr = "10.0.%"
match_pattern = 'old_(\w+)'
replace_pattern = 'new_\1'
re_modifiers = "CASELESS,GLOBAL"
attributes = { flagOUTs = [{ id = 5, weight = 1 }, { id = 6, weight = 3 }] }
timeout = 100
multiplex = 0
queries_per_second = 7
connections_max = 2
comment = "the old names"
[[query_rules]]
rule_id = 3
active = 0
match_pattern = "(not looked at"
[[fast_routing]]
username = "app"
schemaname = "shop"
destination_hostgroup = 10
[[firewall_users]]
username = "app"
mode = "DETECTING"
[[firewall_rules]]
username = "app"
schemaname = "shop"
digest = "0x226CD90D52A2BA0B"
"#;

fn parse(text: &str) -> Result<Settings, SettingsError> {
    // In front, so that the lines of the test keep their numbers.
    Settings::parse(&format!("{text}{BASE}"), Path::new("/etc/mainstay.toml"))
}

fn problems(text: &str) -> Vec<String> {
    match parse(text) {
        Ok(_) => Vec::new(),
        Err(SettingsError::Invalid { problems, .. }) => problems
            .iter()
            .map(|one| format!("{}: {}: {}", one.line, one.key, one.sentence))
            .collect(),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn rules_are_written_with_the_columns_of_proxysql() {
    let settings = parse(ROUTING).unwrap();
    let routing = &settings.routing;
    let ids: Vec<u32> = routing.rules.iter().map(|rule| rule.rule_id).collect();
    assert_eq!(ids, [2, 1]);
    let rewrite = &routing.rules[1];
    assert!(rewrite.global && rewrite.conditions.caseless && !rewrite.apply);
    assert_eq!(rewrite.flag_outs[1].weight, 3);
    assert_eq!(rewrite.actions.multiplex, Some(Multiplex::Off));
    assert_eq!(rewrite.actions.timeout_ms, Some(100));
    assert_eq!(routing.fast_routes.len(), 1);
    let reports = routing.hostgroups.get(10).unwrap();
    assert_eq!(
        (&*reports.name, reports.when_empty),
        ("reports", WhenEmpty::Error)
    );
    assert_eq!(reports.limits.bytes_per_second, Some(1_000_000));
    assert_eq!(reports.limits.connections_max, Some(20));
    assert_eq!(rewrite.limits.queries_per_second, Some(7));
    assert_eq!(rewrite.limits.connections_max, Some(2));
    assert!(routing.firewall.is_some());
    let policy = settings.session_policy().unwrap();
    assert_eq!(policy.rules.ids().collect::<Vec<_>>(), [1, 2]);
    let user = &policy.users["app"];
    assert_eq!(user.default_hostgroup, Some(10));
    assert_eq!(
        (user.schema_locked, user.queries_per_second),
        (true, Some(500))
    );
    assert_eq!(policy.limit_wait, Duration::from_millis(200));
}

#[test]
fn mistakes_in_rules_are_named_with_their_line() {
    let found = problems(
        r#"[[user]]
name = "app"
password = "p"
transaction_persistent = false
default_hostgroup = 8
[[hostgroups]]
id = 10
servers = ["db9"]
[[query_rules]]
rule_id = 1
match_digest = '^SELECT (?!1)'
destination_hostgroup = 7
[[query_rules]]
match_diggest = "a"
multiplex = 3
[[fast_routing]]
username = "app"
"#,
    );
    let expected = [
        "1: user.default_hostgroup: user `app`: there is no hostgroup 8: add it",
        "4: user.transaction_persistent: cannot be false: the statements of a transaction stay on \
         its server, since on another one they would read other data",
        "8: hostgroups.servers: there is no server `db9`",
        "11: query_rules.match_digest: rule 1: is no regular expression that can be used: \
         look-around, including look-ahead and look-behind, is not supported",
        "12: query_rules.destination_hostgroup: there is no hostgroup 7: add it with \
         [[hostgroups]]",
        "13: query_rules.rule_id: is missing: rules are asked in the order of their numbers",
        "14: query_rules.match_diggest: is not known; did you mean `match_digest`?",
        "15: query_rules.multiplex: expected 0, 1 or 2, found the number 3",
        "16: fast_routing.destination_hostgroup: is missing: say where its statements go",
        "16: fast_routing.schemaname: is missing: a fast route is for one schema",
    ];
    assert_eq!(found, expected);
}
