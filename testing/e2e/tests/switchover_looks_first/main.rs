//! Before anything is frozen a switchover looks at what stands in its way, and says what to do; and
//! it takes along what does not come along by itself.

use mainstay_e2e::{Client, Family, Login, Sandbox, on_both_families, wait_for, wait_until};

on_both_families!(
    a_long_transaction_is_named_and_ended_only_when_that_is_said,
    replicas_that_could_not_log_in_are_noticed_before_anything_moves,
    events_run_on_the_new_primary_and_only_there,
);

fn a_long_transaction_is_named_and_ended_only_when_that_is_said(family: Family) {
    let sandbox = Sandbox::start(family);
    let before = sandbox.wait_until_whole();
    let primary = sandbox.primary();
    // Beside the proxy, where no drain would find it.
    let mut open = Client::connect(&sandbox.server(&primary).login);
    open.execute("CREATE TABLE app.t (id INT PRIMARY KEY)");
    open.execute("BEGIN");
    open.execute("INSERT INTO app.t VALUES (1)");
    let id = open.value("SELECT CONNECTION_ID()");
    let named = format!("connection {id} of ");
    wait_for("a plan that names the transaction", || {
        let plan = sandbox.run(&["plan", "switchover"]).succeeded();
        if plan.contains(&named) {
            Ok(())
        } else {
            Err(plan)
        }
    });
    let refused = sandbox.run(&["switchover"]).failed_with(1);
    assert!(
        refused.contains(&named) && refused.contains("--end-transactions"),
        "{refused}"
    );
    let after = sandbox.status();
    assert_eq!(after.epoch(), before.epoch(), "{after}");
    open.execute("SELECT 1");

    sandbox
        .run(&["switchover", "--end-transactions"])
        .succeeded();
    let moved = sandbox.wait_until_whole();
    assert_ne!(moved.primary(), Some(primary.as_str()), "{moved}");
    assert!(open.try_execute("COMMIT").is_err());
    let rows = Client::connect(&sandbox.proxy()).column("SELECT id FROM app.t FOR UPDATE");
    assert!(rows.is_empty(), "{rows:?}");
}

fn replicas_that_could_not_log_in_are_noticed_before_anything_moves(family: Family) {
    let sandbox = Sandbox::start(family);
    let before = sandbox.wait_until_whole();
    let next = before.named("replica")[0].clone();
    let (user, _) = sandbox.account("replication");
    let mut direct = Client::connect(&sandbox.manager_login(&next));
    if family == Family::MySql {
        direct.execute("SET GLOBAL super_read_only = OFF");
    }
    let log = "sql_log_bin";
    direct.execute(&format!("SET SESSION {log} = 0"));
    direct.execute(&format!("ALTER USER '{user}'@'%' IDENTIFIED BY 'Other-1'"));
    let refused = sandbox.run(&["switchover", "--to", &next]).failed_with(1);
    assert!(
        refused.contains("account of replicas") && refused.contains(&next),
        "{refused}"
    );
    let after = sandbox.wait_until_whole();
    assert_eq!(after.epoch(), before.epoch(), "{after}");
}

fn events_run_on_the_new_primary_and_only_there(family: Family) {
    let sandbox = Sandbox::start(family);
    let first = sandbox.primary();
    let other = sandbox.wait_until_whole().named("replica")[0].clone();
    let mut direct = Client::connect(&sandbox.manager_login(&first));
    direct.execute("CREATE TABLE app.ticks (id INT AUTO_INCREMENT PRIMARY KEY, server INT)");
    direct.execute(
        "CREATE DEFINER = CURRENT_USER EVENT app.tick ON SCHEDULE EVERY 1 SECOND \
         DO INSERT INTO app.ticks (server) VALUES (@@server_id)",
    );
    direct.execute("CREATE EVENT app.asleep ON SCHEDULE EVERY 1 SECOND DISABLE DO DO 1");
    direct.execute("SET GLOBAL event_scheduler = ON");
    ticks_on(&sandbox, &first);
    for (from, to) in [(&first, &other), (&other, &first)] {
        wait_for("a switchover that is not undone", || {
            let answer = sandbox.run(&["switchover", "--to", to]);
            let done = answer.code == Some(0);
            if done {
                Ok(())
            } else {
                Err(answer.to_string())
            }
        });
        sandbox.wait_until_whole();
        ticks_on(&sandbox, to);
        wait_until("the end of the event on the old primary", || {
            !enabled(&sandbox, from).contains(&"tick".to_owned())
        });
        assert_eq!(enabled(&sandbox, to), ["tick"]);
        let whole = sandbox.wait_until_whole();
        assert_eq!(whole.primary(), Some(to.as_str()), "{whole}");
    }
}

fn enabled(sandbox: &Sandbox, server: &str) -> Vec<String> {
    Client::connect(&sandbox.manager_login(server)).column(
        "SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'app' \
         AND STATUS = 'ENABLED'",
    )
}

/// Waits until the event has written there again.
#[track_caller]
fn ticks_on(sandbox: &Sandbox, server: &str) {
    let mut client = Client::connect(&sandbox.manager_login(server));
    let count = "SELECT COUNT(*) FROM app.ticks WHERE server = @@server_id";
    let before: u64 = client.value(count).parse().expect("a number");
    wait_until("a tick of the event", || {
        client.value(count).parse::<u64>().expect("a number") > before
    });
}

/// `MariaDB` has nothing that is stronger than `read_only`.
#[test]
fn whoever_may_write_to_a_read_only_server_is_cut_off() {
    let sandbox = Sandbox::start(Family::MariaDb);
    let primary = sandbox.primary();
    let login = sandbox.manager_login(&primary);
    let mut manager = Client::connect(&login);
    manager.execute("CREATE TABLE app.t (id INT PRIMARY KEY)");
    // Nobody in a sandbox may grant everything: the manager's own privileges are copied.
    let manager_user = &login.user;
    manager.execute(&format!(
        "INSERT INTO mysql.global_priv SELECT Host, 'chief', Priv FROM mysql.global_priv \
         WHERE User = '{manager_user}'"
    ));
    manager.execute("FLUSH PRIVILEGES");
    let chief = Login {
        user: "chief".to_owned(),
        ..login
    };
    let mut chief = Client::connect(&chief);
    chief.execute("INSERT INTO app.t VALUES (1)");
    sandbox.run(&["switchover"]).succeeded();
    assert!(chief.try_execute("INSERT INTO app.t VALUES (2)").is_err());
    let moved = sandbox.wait_until_whole();
    assert_ne!(moved.primary(), Some(primary.as_str()), "{moved}");
    let rows = Client::connect(&sandbox.proxy()).column("SELECT id FROM app.t FOR UPDATE");
    assert_eq!(rows, ["1"]);
}
