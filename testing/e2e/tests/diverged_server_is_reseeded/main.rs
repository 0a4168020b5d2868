//! A replica on which somebody has written gets the cluster's data again, and what only it had is
//! kept: as binary logs, and as SQL that brings it back.

use std::fs;
use std::path::PathBuf;

use mainstay_e2e::{Client, Family, NumberedWriters, Sandbox, on_both_families, wait_for};

on_both_families!(what_only_a_replica_has_is_kept_and_its_data_replaced);

fn what_only_a_replica_has_is_kept_and_its_data_replaced(family: Family) {
    let sandbox = Sandbox::start(family);
    let writers = NumberedWriters::start(&sandbox, "numbers", 2);
    writers.wait_for_progress();
    let replica = sandbox.status().named("replica").remove(0);
    let mut client = Client::connect(&sandbox.manager_login(&replica));
    if family == Family::MySql {
        client.execute("SET GLOBAL super_read_only = OFF");
    }
    client.execute("CREATE DATABASE elsewhere");
    client.execute("CREATE TABLE elsewhere.notes (id INT PRIMARY KEY, text VARCHAR(40))");
    client.execute("INSERT INTO elsewhere.notes VALUES (1, 'only here'), (2, 'and this')");
    drop(client);

    let script = wait_for("the salvage of the replica's transactions", || {
        let found = salvaged(&sandbox, &replica);
        found.ok_or_else(|| "there is no transactions.sql".to_owned())
    });
    wait_for("the replica without what only it had", || {
        let login = sandbox.manager_login(&replica);
        let mut client = Client::try_connect(&login).map_err(|error| error.to_string())?;
        let found = client
            .try_query("SHOW DATABASES LIKE 'elsewhere'")
            .map_err(|error| error.to_string())?;
        if found.rows.is_empty() {
            return Ok(());
        }
        Err("the schema is still there".to_owned())
    });
    sandbox.wait_until_whole();
    writers.wait_for_progress();
    writers.stop_and_compare(&sandbox);

    assert!(script.contains("CREATE TABLE elsewhere.notes"), "{script}");
    let logs = binary_logs(&sandbox, &replica);
    let mut arguments = vec!["binlog".into(), "list".into(), "--json".into()];
    arguments.extend(logs.into_iter().map(PathBuf::into_os_string));
    let list = mainstay_e2e::mainstay(arguments).json();
    let rows = list.as_array().expect("a list").iter();
    let kept: Vec<_> = rows.map(|one| &one["rows"]["elsewhere.notes"]).collect();
    assert!(kept.iter().any(|rows| **rows == 2), "{list}");
}

fn folder(sandbox: &Sandbox, replica: &str) -> PathBuf {
    sandbox.dir().join("salvage").join(format!("{replica}-1"))
}

/// The SQL, once it is whole: what is saved later has a folder of its own.
fn salvaged(sandbox: &Sandbox, replica: &str) -> Option<String> {
    let script = fs::read_to_string(folder(sandbox, replica).join("transactions.sql")).ok()?;
    script.contains("CREATE TABLE").then_some(script)
}

fn binary_logs(sandbox: &Sandbox, replica: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(sandbox, replica)).expect("the salvage");
    let paths = entries.map(|entry| entry.expect("a file").path());
    paths
        .filter(|path| path.extension().is_some_and(|end| end != "sql"))
        .collect()
}
