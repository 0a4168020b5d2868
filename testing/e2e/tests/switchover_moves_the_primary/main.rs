//! An operator moves the primary: planned first, refused where it makes no sense, free of errors.

use mainstay_e2e::{Client, Family, NumberedWriters, Sandbox, Status, on_both_families, wait_for};
use serde_json::Value;

on_both_families!(
    a_plan_touches_nothing_and_a_senseless_switchover_is_refused,
    clients_under_load_see_no_error_while_the_primary_moves,
    a_transaction_that_does_not_end_is_not_broken_by_a_switchover,
);

fn a_plan_touches_nothing_and_a_senseless_switchover_is_refused(family: Family) {
    let sandbox = Sandbox::start(family);
    Client::connect(&sandbox.proxy()).execute("CREATE TABLE app.t (id INT PRIMARY KEY)");
    let before = sandbox.wait_until_whole();
    let (operations, arranged) = (sandbox.history().len(), arrangement(&before));
    let (primary, next) = (sandbox.primary(), before.named("replica")[0].clone());

    let plan = sandbox
        .run(&["plan", "switchover", "--to", &next, "--json"])
        .json();
    the_steps_tell_everything(&plan);
    let text = sandbox
        .run(&["plan", "switchover", "--to", &next])
        .succeeded();
    assert!(
        text.contains(&next) && text.contains("Nothing has been touched"),
        "{text}"
    );
    let plan = sandbox.run(&["plan", "failover", "--json"]).json();
    the_steps_tell_everything(&plan);
    let text = sandbox.run(&["plan", "failover"]).succeeded();
    assert!(text.contains(&primary), "{text}");

    let unknown = sandbox
        .run(&["switchover", "--to", "nobody"])
        .failed_with(1);
    for part in ["nobody", "db1", "db2", "db3"] {
        assert!(unknown.contains(part), "{part} is not in: {unknown}");
    }
    let planned = sandbox
        .run(&["plan", "switchover", "--to", "nobody"])
        .failed_with(1);
    assert!(planned.contains("nobody"), "{planned}");
    let present = sandbox
        .run(&["switchover", "--to", &primary])
        .failed_with(1);
    assert!(
        present.contains(&primary) && present.contains("primary"),
        "{present}"
    );

    let after = sandbox.wait_until_whole();
    assert_eq!(after.epoch(), before.epoch(), "{after}");
    assert_eq!(after.primary(), before.primary(), "{after}");
    assert_eq!(arrangement(&after), arranged);
    assert_eq!(sandbox.history().len(), operations);
}

fn the_steps_tell_everything(plan: &Value) {
    let steps = plan["steps"].as_array().expect("steps are a list");
    assert!(!steps.is_empty(), "{plan:#}");
    for step in steps {
        assert!(
            !step["sentence"].as_str().unwrap_or_default().is_empty(),
            "{step:#}"
        );
        assert!(step["limit_ms"].as_u64() > Some(0), "{step:#}");
        assert!(step["on_failure"].is_string(), "{step:#}");
    }
    let with_sql = |step: &&Value| step["sql"].as_array().is_some_and(|sql| !sql.is_empty());
    assert!(steps.iter().find(with_sql).is_some(), "{plan:#}");
}

/// What a plan would change on the servers. Not their GTIDs: the manager's heartbeat moves those.
fn arrangement(status: &Status) -> Vec<Vec<Value>> {
    let fields = [
        "name",
        "role",
        "read_only",
        "source",
        "receiver",
        "applier",
        "semi_sync_source",
    ];
    let of = |server: &Value| fields.map(|field| server[field].clone()).to_vec();
    status.servers().iter().map(of).collect()
}

fn clients_under_load_see_no_error_while_the_primary_moves(family: Family) {
    let sandbox = Sandbox::start(family);
    let writers = NumberedWriters::start(&sandbox, "numbers", 4);
    let start = sandbox.status();
    let mut moved: Status = sandbox.status();
    // There and back again, then without a name.
    let (first, other) = (sandbox.primary(), start.named("replica")[1].clone());
    for to in [Some(&other), Some(&first), None] {
        let from = sandbox.primary();
        let mut arguments = vec!["switchover", "--json"];
        if let Some(to) = to {
            arguments.extend(["--to", to]);
        }
        // On a busy machine it may give way to a replica that is late or does not answer in time.
        // That, too, no client may notice.
        wait_for("a switchover that is not undone", || {
            let answer = sandbox.run(&arguments);
            let done = answer.code == Some(0);
            if done {
                Ok(())
            } else {
                Err(answer.to_string())
            }
        });
        writers.wait_for_progress();
        let before = moved;
        moved = sandbox.wait_until_whole();
        assert!(moved.epoch() > before.epoch(), "{moved}");
        assert_ne!(moved.primary(), Some(from.as_str()), "{moved}");
        if let Some(to) = to {
            assert_eq!(moved.primary(), Some(to.as_str()), "{moved}");
        }
    }
    let account = writers.stop_and_compare(&sandbox);
    assert!(account.errors.is_empty(), "{:?}", account.errors);
}

/// The switchover gives way: it is undone, and says so.
fn a_transaction_that_does_not_end_is_not_broken_by_a_switchover(family: Family) {
    let sandbox = Sandbox::start(family);
    let before = sandbox.status();
    let primary = sandbox.primary();
    let mut open = Client::connect(&sandbox.proxy());
    open.execute("CREATE TABLE app.t (id INT PRIMARY KEY)");
    open.execute("BEGIN");
    open.execute("INSERT INTO app.t VALUES (1)");

    let complaint = sandbox.run(&["switchover"]).failed_with(1);
    assert!(complaint.contains("switchover"), "{complaint}");
    assert!(complaint.contains(&primary), "{complaint}");

    let mut other = Client::connect(&sandbox.proxy());
    other.execute("INSERT INTO app.t VALUES (2)");
    open.execute("INSERT INTO app.t VALUES (3)");
    open.execute("COMMIT");
    let ids = other.column("SELECT id FROM app.t ORDER BY id FOR UPDATE");
    assert_eq!(ids, ["1", "2", "3"]);
    let after = sandbox.wait_until_whole();
    assert_eq!(after.primary(), before.primary(), "{after}");
    assert_eq!(after.epoch(), before.epoch(), "{after}");
    // With the transaction gone, the same command succeeds.
    sandbox.run(&["switchover"]).succeeded();
    let moved = sandbox.wait_until_whole();
    assert_ne!(moved.primary(), before.primary(), "{moved}");
}
