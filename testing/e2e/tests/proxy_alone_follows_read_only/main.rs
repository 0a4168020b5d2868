//! A proxy without a manager: `read_only` of real servers decides who is written to, and never two
//! at a time.

mod served;

use mainstay_e2e::{Client, Family, Paused, Sandbox, Status, on_both_families};
use serde_json::Value;

use served::Served;

on_both_families!(
    a_change_of_roles_by_hand_is_followed_and_a_second_writable_server_is_not,
    a_killed_writer_is_noticed_and_recovery_is_by_probes,
    a_server_that_drains_gets_no_reads,
    a_file_of_proxysql_is_imported_and_splits_reads_and_writes,
);

/// The servers of a sandbox behind a proxy that is alone.
fn alone(family: Family) -> (Sandbox, Paused, Served) {
    let sandbox = Sandbox::start(family);
    Client::connect(&sandbox.proxy()).execute("CREATE TABLE app.t (id INT PRIMARY KEY)");
    let manager = Paused::new(sandbox.pid());
    let served = Served::start(&sandbox, "");
    served.wait("a writer and two readers", |status| uses(status) == (1, 2));
    (sandbox, manager, served)
}

/// How many servers are written to, and read from.
fn uses(status: &Status) -> (usize, usize) {
    let servers = status.0["servers"].as_array().expect("a list");
    let count = |key: &str| servers.iter().filter(|one| one[key] == true).count();
    (count("writer"), count("reader"))
}

fn findings(status: &Status) -> String {
    status.0["findings"].to_string()
}

fn execute(sandbox: &Sandbox, server: &str, sql: &str) {
    let mut client = Client::connect(&sandbox.manager_login(server));
    client.execute(sql);
}

/// On which port a transaction runs, which may write.
fn writer_port(client: &mut Client) -> String {
    client.execute("BEGIN");
    let port = client.value("SELECT @@port");
    client.execute("ROLLBACK");
    port
}

fn port(sandbox: &Sandbox, server: &str) -> String {
    sandbox.server(server).login.port.to_string()
}

fn promote(sandbox: &Sandbox, family: Family, server: &str) {
    let (stop, reset) = match family {
        Family::MariaDb => ("STOP SLAVE", "RESET SLAVE ALL"),
        Family::MySql => ("STOP REPLICA", "RESET REPLICA ALL"),
    };
    for sql in [stop, reset, "SET GLOBAL read_only = 0"] {
        execute(sandbox, server, sql);
    }
}

fn a_change_of_roles_by_hand_is_followed_and_a_second_writable_server_is_not(family: Family) {
    let (sandbox, manager, served) = alone(family);
    let first = served.status().primary().expect("a primary").to_owned();
    let others = sandbox.servers().into_iter().map(|server| server.name);
    let next = others
        .into_iter()
        .find(|name| *name != first)
        .expect("another");
    let mut client = Client::connect(&served.login(&sandbox));
    client.execute("INSERT INTO app.t VALUES (1)");
    assert_eq!(writer_port(&mut client), port(&sandbox, &first));
    // Forgotten on a replica: it is no second writer, and the status says why.
    execute(&sandbox, &next, "SET GLOBAL read_only = 0");
    let status = served.wait("a finding", |status| {
        findings(status).contains("read_only=1 here")
    });
    assert_eq!(status.primary(), Some(first.as_str()), "{status}");
    assert_eq!(writer_port(&mut client), port(&sandbox, &first));
    // Planned, by hand.
    execute(&sandbox, &first, "SET GLOBAL read_only = 1");
    promote(&sandbox, family, &next);
    let moved = served.wait("the next writer", |one| {
        one.primary() == Some(next.as_str())
    });
    assert!(moved.epoch() > status.epoch(), "{moved}");
    client.execute("INSERT INTO app.t VALUES (2)");
    assert_eq!(writer_port(&mut client), port(&sandbox, &next));
    // The old one is writable again.
    execute(&sandbox, &first, "SET GLOBAL read_only = 0");
    let stayed = served.wait("a finding", |status| {
        findings(status).contains(&format!("{first}: read_only=0, but {next} is the writer"))
    });
    assert_eq!(stayed.primary(), Some(next.as_str()), "{stayed}");
    assert_eq!(stayed.epoch(), moved.epoch());
    assert_eq!(writer_port(&mut client), port(&sandbox, &next));
    drop((served, manager));
}

fn a_killed_writer_is_noticed_and_recovery_is_by_probes(family: Family) {
    let (sandbox, manager, served) = alone(family);
    let status = served.status();
    let first = status.primary().expect("a primary").to_owned();
    // A new session waits for the writer, as nobody else is sure to have its schema.
    let mut client = Client::connect(&served.login(&sandbox));
    sandbox.kill_server(&first);
    let without = served.wait("no writer", |status| uses(status).0 == 0);
    assert!(
        findings(&without).contains("it is not reached"),
        "{without}"
    );
    // Replicas serve reads all the while.
    assert_eq!(client.column("SELECT id FROM app.t").len(), 0);
    let next = sandbox.servers().into_iter().map(|server| server.name);
    let next = next
        .into_iter()
        .find(|name| *name != first)
        .expect("another");
    promote(&sandbox, family, &next);
    served.wait("the next writer", |one| {
        one.primary() == Some(next.as_str())
    });
    assert_eq!(writer_port(&mut client), port(&sandbox, &next));
    drop((served, manager));
}

fn a_server_that_drains_gets_no_reads(family: Family) {
    let (sandbox, manager, served) = alone(family);
    let readers: Vec<String> = (served.status().0["servers"].as_array())
        .expect("a list")
        .iter()
        .filter(|server| server["reader"] == true)
        .map(|server| server["name"].as_str().expect("a name").to_owned())
        .collect();
    served.write(&sandbox, &format!("intent of {}", readers[0]));
    let shown: Value = served.run(&["config", "apply", "--json"]).json();
    assert_eq!(
        shown["waits_for_restart"],
        Value::Array(Vec::new()),
        "{shown}"
    );
    served.wait("one reader", |status| uses(status) == (1, 1));
    let mut client = Client::connect(&served.login(&sandbox));
    for _ in 0..4 {
        let read = client.value("SELECT @@port FROM app.t RIGHT JOIN (SELECT 1) AS one ON TRUE");
        assert_ne!(read, port(&sandbox, &readers[0]));
    }
    drop((served, manager));
}

/// One hostgroup for all, as people have it: nothing in it says that reads go to replicas.
fn a_file_of_proxysql_is_imported_and_splits_reads_and_writes(family: Family) {
    let sandbox = Sandbox::start(family);
    Client::connect(&sandbox.proxy()).execute("CREATE TABLE app.t (id INT PRIMARY KEY)");
    let first = sandbox.primary();
    let manager = Paused::new(sandbox.pid());
    let [monitor, app] = ["manager", "app"].map(|which| sandbox.account(which));
    let rows = sandbox.servers().into_iter().map(|server| {
        let group = if server.name == first { 10 } else { 20 };
        let port = server.login.port;
        format!("{{ address=\"127.0.0.1\" port={port} hostgroup={group} }}")
    });
    let rows = rows.collect::<Vec<_>>().join(",\n");
    let served = Served::imported(|port| {
        format!(
            "mysql_variables= {{ interfaces=\"127.0.0.1:{port}\" monitor_username=\"{}\" \
             monitor_password=\"{}\" }}\n\
             mysql_servers= ( {rows} )\n\
             mysql_users: ( {{ username=\"{}\" password=\"{}\" default_hostgroup=10 }} )\n\
             mysql_replication_hostgroups= ( {{ writer_hostgroup=10 reader_hostgroup=20 }} )\n",
            monitor.0, monitor.1, app.0, app.1
        )
    });
    served.wait("a writer and two readers", |status| uses(status) == (1, 2));
    let mut client = Client::connect(&served.login(&sandbox));
    client.execute("INSERT INTO app.t VALUES (1)");
    assert_eq!(writer_port(&mut client), port(&sandbox, &first));
    assert_ne!(
        client.value("SELECT @@port FROM app.t"),
        port(&sandbox, &first)
    );
    drop((served, manager));
}
