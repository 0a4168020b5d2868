//! Query rules, hostgroups, limits and annotations, through the real proxy to real servers.

use mainstay_e2e::{Client, Family, Home, Login, Sandbox, on_both_families};

on_both_families!(query_rules_decide_where_statements_go);

const SETTINGS: &str = r"
[proxy]
limit_wait = '50ms'

[[hostgroups]]
id = 10
name = 'primary-too'
servers = ['db1', 'db2', 'db3']

[[query_rules]]
rule_id = 1
match_digest = '^SELECT @@server_id,\? AS pinned'
destination_hostgroup = 0
apply = 1

[[query_rules]]
rule_id = 2
match_pattern = 'app\.old_(\w+)'
replace_pattern = 'app.new_\1'
re_modifiers = 'CASELESS,GLOBAL'

[[query_rules]]
rule_id = 3
match_digest = '^DROP DATABASE'
error_msg = 'not through this proxy'

[[query_rules]]
rule_id = 4
match_digest = '^SELECT SLEEP'
timeout = 300

[[query_rules]]
rule_id = 5
match_digest = '.'
username = 'app'
destination_hostgroup = 1
flagIN = 9
";

fn query_rules_decide_where_statements_go(family: Family) {
    let home = Home::new();
    let file = home.join("proxy.toml");
    std::fs::write(&file, SETTINGS).expect("the settings are written");
    let file = file.display().to_string();
    let sandbox = Sandbox::start_with(family, &["--settings", &file]);
    let login: Login = sandbox.proxy();
    let mut session = Client::connect(&login);
    let status = sandbox.status();
    let primary = status.server(status.primary().expect("a primary"))["server_id"].to_string();

    // By a rule, by a comment, and by the split where neither says anything.
    assert_eq!(session.value("SELECT @@server_id, 1 AS pinned"), primary);
    assert_eq!(
        session.value("/* hostgroup=0 */ SELECT @@server_id"),
        primary
    );
    assert_ne!(session.value("SELECT @@server_id"), primary);

    // Rewritten on its way.
    session.execute("CREATE TABLE app.old_names (id INT PRIMARY KEY)");
    session.execute("INSERT INTO app.new_names VALUES (7)");
    assert_eq!(
        session.value("SELECT id FROM app.old_names FOR UPDATE"),
        "7"
    );

    // Answered by a rule, and interrupted by one.
    assert_eq!(session.error_of("DROP DATABASE app"), 1148);
    // SLEEP itself gives 1 when it is interrupted, or its statement fails.
    if let Ok(slept) = session.try_query("SELECT SLEEP(60)") {
        assert_eq!(slept.scalar(), Some("1"));
    }

    // And all of it is counted.
    let seen = sandbox
        .run(&["queries", "--json", "--limit", "1000"])
        .json();
    let hits = |rule: u64| {
        let rules = seen["rules"].as_array().expect("rules");
        let found = rules.iter().find(|one| one["rule_id"] == rule);
        found.map_or(0, |one| one["hits"].as_u64().unwrap_or(0))
    };
    assert_eq!((hits(1), hits(3), hits(5)), (1, 1, 0));
    assert!(hits(2) >= 2);
    assert_eq!(seen["gate"]["answered"], 1);
    let digests = seen["queries"].as_array().expect("queries");
    let pinned = digests
        .iter()
        .find(|one| one["digest_text"] == "SELECT @@server_id,? AS pinned")
        .expect("the statement is in the table");
    assert_eq!(pinned["hostgroup"], 0);
    sandbox.stop();
}
