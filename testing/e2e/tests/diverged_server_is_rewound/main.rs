//! What only one server has is saved and undone on it: it comes back with its own data, and they
//! are those of the others.

use std::fs;

use mainstay_e2e::{Client, Family, NumberedWriters, Paused, Sandbox, on_both_families, wait_for};

on_both_families!(
    rows_that_somebody_wrote_on_a_replica_are_undone,
    what_an_isolated_primary_wrote_before_it_was_killed_is_undone,
    a_server_that_has_lost_its_gtids_in_the_middle_of_it_is_finished_before_it_is_attached,
);

const STOCK: &str = "CREATE TABLE app.stock (item INT PRIMARY KEY, name VARCHAR(300), \
     price DECIMAL(12,4), picture BLOB, changed TIMESTAMP(3) NULL)";

fn rows_that_somebody_wrote_on_a_replica_are_undone(family: Family) {
    let sandbox = Sandbox::start(family);
    fill(&sandbox);
    let writers = NumberedWriters::start(&sandbox, "numbers", 2);
    let replica = sandbox.status().named("replica").remove(0);
    let mut client = Client::connect(&sandbox.manager_login(&replica));
    client.execute(stop(family));
    if family == Family::MySql {
        client.execute("SET GLOBAL super_read_only = OFF");
    }
    change(&mut client);
    client.execute(start(family));
    drop(client);
    is_rewound(&sandbox, &replica);
    writers.stop_and_compare(&sandbox);
}

fn what_an_isolated_primary_wrote_before_it_was_killed_is_undone(family: Family) {
    let sandbox = Sandbox::start(family);
    fill(&sandbox);
    let old = sandbox.primary();
    let manager = Paused::new(sandbox.pid());
    let mut replicas: Vec<Client> = sandbox
        .servers()
        .iter()
        .filter(|server| server.name != old)
        .map(|server| Client::connect(&sandbox.manager_login(&server.name)))
        .collect();
    for replica in &mut replicas {
        replica.execute(stop(family));
    }
    let mut client = Client::connect(&sandbox.manager_login(&old));
    client.execute(alone(family));
    change(&mut client);
    // What is in an older log is committed for good: a restart does not cut it off.
    client.execute("FLUSH BINARY LOGS");
    sandbox.kill_server(&old);
    for replica in &mut replicas {
        replica.execute(start(family));
    }
    drop(manager);
    is_rewound(&sandbox, &old);
    assert_ne!(sandbox.primary(), old);
}

/// As a manager leaves it that is killed between the last two statements.
fn a_server_that_has_lost_its_gtids_in_the_middle_of_it_is_finished_before_it_is_attached(
    family: Family,
) {
    let sandbox = Sandbox::start(family);
    fill(&sandbox);
    let replica = sandbox.status().named("replica").remove(0);
    let manager = Paused::new(sandbox.pid());
    let mut client = Client::connect(&sandbox.manager_login(&replica));
    let (both, set, reset) = match family {
        Family::MariaDb => ("STOP SLAVE", "@@GLOBAL.gtid_binlog_state", "RESET MASTER"),
        Family::MySql => (
            "STOP REPLICA",
            "@@GLOBAL.gtid_executed",
            "RESET BINARY LOGS AND GTIDS",
        ),
    };
    client.execute(both);
    if family == Family::MySql {
        client.execute("SET GLOBAL super_read_only = OFF");
    }
    let position = match family {
        Family::MariaDb => "@@GLOBAL.gtid_slave_pos",
        Family::MySql => "''",
    };
    client.execute("SET SESSION sql_log_bin = 0");
    client.execute(
        "CREATE TABLE mainstay.rewind (id TINYINT PRIMARY KEY, state LONGTEXT NOT NULL, \
         position LONGTEXT NOT NULL) ENGINE = InnoDB",
    );
    client.execute(&format!(
        "INSERT INTO mainstay.rewind VALUES (1, {set}, {position})"
    ));
    client.execute(reset);
    drop(manager);
    wait_for_rewinding(&sandbox, &replica);
    sandbox.wait_until_whole();
    let left = client.query("SHOW TABLES FROM mainstay LIKE 'rewind'");
    assert!(left.rows.is_empty(), "{left:?}");
    Client::connect(&sandbox.proxy()).execute("UPDATE app.stock SET name = 'after' WHERE item = 3");
    wait_for("a later write on the server", || {
        match client.value("SELECT name FROM app.stock WHERE item = 3") {
            name if name == "after" => Ok(()),
            name => Err(name),
        }
    });
}

fn fill(sandbox: &Sandbox) {
    let mut client = Client::connect(&sandbox.proxy());
    client.execute(STOCK);
    client.execute(
        "INSERT INTO app.stock VALUES (1, 'apple', 1.5, x'00ff27', '2026-01-02 03:04:05.678'), \
         (2, REPEAT('x', 200), -0.0001, NULL, NULL), (3, '', 99999999.9999, '', NULL)",
    );
    for server in sandbox.servers() {
        wait_for("the rows on every server", || {
            let login = sandbox.manager_login(&server.name);
            let mut client = Client::try_connect(&login).map_err(|error| error.to_string())?;
            let count = client.try_query("SELECT COUNT(*) FROM app.stock");
            let count = count.map_err(|error| error.to_string())?;
            if count.scalar() == Some("3") {
                return Ok(());
            }
            Err(format!("{count:?}"))
        });
    }
}

fn change(client: &mut Client) {
    client.execute("START TRANSACTION");
    client.execute("UPDATE app.stock SET price = price - 1, item = item + 10, picture = NULL");
    client.execute("INSERT INTO app.stock (item, name) VALUES (1, 'other'), (2, 'more')");
    client.execute("COMMIT");
    client.execute("DELETE FROM app.stock WHERE item IN (2, 11)");
    client.execute("INSERT INTO app.stock (item, changed) VALUES (20, NOW(3))");
}

/// Waits until the server follows, with the data of the others, and what it had is kept.
fn is_rewound(sandbox: &Sandbox, server: &str) {
    wait_for_rewinding(sandbox, server);
    sandbox.wait_until_whole();
    let checksum = |name: &str| {
        let mut client = Client::connect(&sandbox.manager_login(name));
        format!("{:?}", client.query("CHECKSUM TABLE app.stock").rows)
    };
    assert_eq!(checksum(server), checksum(&sandbox.primary()));
    let mut client = Client::connect(&sandbox.manager_login(server));
    let count = client.value("SELECT COUNT(*) FROM app.stock WHERE item IN (1, 2, 3)");
    assert_eq!(count, "3");
    let left = client.query("SHOW TABLES FROM mainstay LIKE 'rewind'");
    assert!(left.rows.is_empty(), "{left:?}");
    let folder = sandbox.dir().join("salvage").join(format!("{server}-1"));
    let script = fs::read_to_string(folder.join("transactions.sql")).expect("the salvage");
    assert!(script.contains("BINLOG"), "{script}");
    let reseeded = sandbox.history();
    let reseeded = reseeded
        .iter()
        .filter(|one| one["purpose"] == format!("reseed {server}"));
    assert_eq!(reseeded.count(), 0);
}

fn wait_for_rewinding(sandbox: &Sandbox, server: &str) {
    wait_for("a rewinding", || {
        let history = sandbox.history();
        let done = history
            .iter()
            .any(|one| one["purpose"] == format!("rewind {server}") && one["outcome"] == "done");
        if done {
            return Ok(());
        }
        Err(format!("{history:?}"))
    });
}

fn stop(family: Family) -> &'static str {
    match family {
        Family::MariaDb => "STOP SLAVE IO_THREAD",
        Family::MySql => "STOP REPLICA IO_THREAD",
    }
}

fn start(family: Family) -> &'static str {
    match family {
        Family::MariaDb => "START SLAVE IO_THREAD",
        Family::MySql => "START REPLICA IO_THREAD",
    }
}

/// Commits wait for nobody from now on.
fn alone(family: Family) -> &'static str {
    match family {
        Family::MariaDb => "SET GLOBAL rpl_semi_sync_master_enabled = OFF",
        Family::MySql => "SET GLOBAL rpl_semi_sync_source_enabled = OFF",
    }
}
