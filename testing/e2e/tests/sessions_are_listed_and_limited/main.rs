//! What `mainstay sessions` tells, the warm minimum of connections, and the end of idle
//! transactions, with real servers.

use mainstay_e2e::{Client, Family, Home, Sandbox, on_both_families, wait_for, wait_until};
use serde_json::Value;

on_both_families!(sessions_tell_what_ties_them_and_do_not_idle_in_transactions);

/// Two for each of two workers.
const SETTINGS: &str = r"
[proxy]
workers = 2
server_connections_min = 4
transaction_idle_limit = '3s'
";

fn sessions(sandbox: &Sandbox) -> Value {
    sandbox.run(&["sessions", "--json"]).json()
}

fn rows<'a>(seen: &'a Value, what: &str) -> &'a [Value] {
    seen[what].as_array().expect("a list").as_slice()
}

fn tied_by(seen: &Value, reason: &str) -> Option<Value> {
    let ties = |one: &&Value| rows(one, "ties").iter().any(|tie| tie == reason);
    rows(seen, "sessions").iter().find(ties).cloned()
}

/// Connections of the proxy to the server, free or in use.
fn connections(seen: &Value, server: &str) -> usize {
    let here = |one: &&Value| one["server"] == server;
    let used = rows(seen, "sessions").iter().filter(here).count();
    used + rows(seen, "free").iter().filter(here).count()
}

fn wait_for_minimum(sandbox: &Sandbox, servers: &[String]) {
    wait_for("two connections to each server", || {
        let seen = sessions(sandbox);
        let few = servers.iter().find(|name| connections(&seen, name) < 2);
        few.map_or(Ok(()), |name| Err(format!("{name} has few: {seen}")))
    });
}

fn sessions_tell_what_ties_them_and_do_not_idle_in_transactions(family: Family) {
    let home = Home::new();
    let file = home.join("proxy.toml");
    std::fs::write(&file, SETTINGS).expect("the settings are written");
    let file = file.display().to_string();
    let sandbox = Sandbox::start_with(family, &["--settings", &file]);
    let login = sandbox.proxy();
    let primary = sandbox.primary();
    let all: Vec<String> = ["db1", "db2", "db3"].map(str::to_owned).into();

    // Why a session keeps its connection, and which.
    let mut holder = Client::connect(&login);
    holder.execute("CREATE TEMPORARY TABLE app.mine (id INT)");
    let seen = tied_by(&sessions(&sandbox), "TemporaryTable").expect("it is tied");
    assert_eq!(seen["user"], login.user.as_str());
    assert_eq!(seen["server"], primary.as_str());
    assert_eq!(
        (&seen["state"], &seen["command"]),
        (&"idle".into(), &"Sleep".into())
    );
    let thread = holder.value("SELECT CONNECTION_ID() + 0");
    assert_eq!(seen["thread"].to_string(), thread);
    let table = sandbox.run(&["sessions", "--busy"]).succeeded();
    assert!(table.contains("TemporaryTable"), "{table}");

    // Who does nothing in a transaction is closed; who does nothing outside of one is not.
    let mut idle = Client::connect(&login);
    idle.execute("BEGIN");
    idle.execute("CREATE TABLE IF NOT EXISTS app.kept (id INT PRIMARY KEY)");
    idle.execute("BEGIN");
    idle.execute("INSERT INTO app.kept VALUES (1)");
    wait_until("the end of the idle transaction", || {
        tied_by(&sessions(&sandbox), "Transaction").is_none()
    });
    assert!(idle.try_execute("COMMIT").is_err());
    assert_eq!(holder.value("SELECT COUNT(*) FROM app.kept"), "0");

    // The minimum is there, and a new primary has it too.
    wait_for_minimum(&sandbox, &all);
    drop(holder);
    sandbox.kill_server(&primary);
    let status = sandbox.wait("another primary", |status| {
        status.primary().is_some_and(|name| name != primary)
    });
    let new = status.primary().expect("a primary").to_owned();
    wait_for_minimum(&sandbox, &[new]);
    sandbox.stop();
}
