//! The query log, the slow log and the audit log say what clients did, and why statements went
//! where they went.

use std::fs;
use std::path::Path;

use mainstay_e2e::wait::wait_until;
use mainstay_e2e::{Client, Family, Home, Sandbox, on_both_families};
use serde_json::Value;

on_both_families!(logs_in_files_say_what_happened_and_why);

const SETTINGS: &str = r"
[proxy]

[logs]
queries = 'queries.log'
slow = 'slow.log'
slow_after = '200ms'
audit = 'audit.log'

[[query_rules]]
rule_id = 4
match_digest = 'AS logged'
log = true
";

fn lines(folder: &Path, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder.join(name)).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let line = |line: &str| serde_json::from_str(line).expect("each line is JSON");
    whole.lines().map(line).collect()
}

fn logs_in_files_say_what_happened_and_why(family: Family) {
    let home = Home::new();
    let file = home.join("proxy.toml");
    fs::write(&file, SETTINGS).expect("the settings are written");
    let folder = file.parent().expect("a folder").to_owned();
    let file = file.display().to_string();
    let sandbox = Sandbox::start_with(family, &["--settings", &file]);
    let mut app = Client::connect(&sandbox.proxy());
    app.execute("CREATE TABLE app.seen (id INT PRIMARY KEY)");
    assert_eq!(app.value("SELECT 7 AS logged"), "7");
    app.query("SELECT 8 AS nothing_special");
    app.query("SELECT SLEEP(0.3) FROM app.seen RIGHT JOIN (SELECT 1) AS one ON TRUE");
    drop(app);

    wait_until("the client is gone from the audit log", || {
        let gone = |line: &Value| line["event"] == "MySQL_Client_Close";
        lines(&folder, "audit.log").iter().any(gone)
    });
    let audit = lines(&folder, "audit.log");
    assert_eq!(audit[0]["event"], "MySQL_Client_Connect_OK");
    assert_eq!(audit[0]["username"], "app");
    assert_eq!(audit[0]["schemaname"], "app");

    let queries = lines(&folder, "queries.log");
    assert_eq!(queries.len(), 1, "{queries:?}");
    assert_eq!(queries[0]["query"], "SELECT 7 AS logged");
    assert_eq!(queries[0]["rule_id"], 4);
    assert_eq!(queries[0]["hostgroup_id"], 1);
    assert_eq!(queries[0]["rows_sent"], 1);
    assert_eq!(
        queries[0]["reason"],
        "The statement is a read outside of any transaction."
    );

    let slow = lines(&folder, "slow.log");
    let sleeps = |line: &&Value| {
        line["query"]
            .as_str()
            .is_some_and(|sql| sql.contains("SLEEP"))
    };
    let slept = slow.iter().find(sleeps).expect("the slow statement");
    assert!(
        slept["duration_us"]
            .as_u64()
            .is_some_and(|us| us >= 200_000)
    );
    assert!(
        slept["server"]
            .as_str()
            .is_some_and(|name| name.starts_with("db"))
    );
    sandbox.stop();
}
