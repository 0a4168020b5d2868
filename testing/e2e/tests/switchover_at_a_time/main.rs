//! A switchover is made at its time, also by a manager that was started since; or it says why not.

use mainstay_e2e::{Client, Family, Sandbox, wait_for};
use serde_json::Value;

fn schedules(sandbox: &Sandbox) -> Vec<Value> {
    let all = sandbox.run(&["schedule", "list", "--json"]).json();
    all.as_array().expect("a list").clone()
}

#[track_caller]
fn wait_for_outcome(sandbox: &Sandbox, id: u64, words: &str) {
    wait_for("the end of a switchover at a time", || {
        let all = schedules(sandbox);
        let one = all.iter().find(|one| one["id"] == id);
        let outcome = one
            .and_then(|one| one["outcome"].as_str())
            .unwrap_or_default();
        if outcome.starts_with(words) {
            Ok(())
        } else {
            Err(format!("{all:?}"))
        }
    });
}

#[test]
fn a_switchover_waits_for_its_time_over_a_restart() {
    let mut sandbox = Sandbox::start(Family::MariaDb);
    let first = sandbox.primary();
    let to = sandbox.wait_until_whole().named("replica")[0].clone();
    sandbox
        .run(&["switchover", "--in", "1h", "--by", "jo"])
        .succeeded();
    let cancelled = sandbox
        .run(&["schedule", "cancel", "1", "--by", "jo"])
        .succeeded();
    assert!(cancelled.contains("cancelled by jo"), "{cancelled}");
    sandbox.run(&["schedule", "cancel", "1"]).failed_with(1);
    sandbox
        .run(&["switchover", "--in", "4s", "--to", &to])
        .succeeded();
    assert_eq!(sandbox.primary(), first);
    sandbox.stop();
    sandbox.start_again();
    wait_for_outcome(&sandbox, 2, "done");
    let moved = sandbox.wait_until_whole();
    assert_eq!(moved.primary(), Some(to.as_str()), "{moved}");
}

#[test]
fn what_stands_in_the_way_for_the_whole_window_is_told() {
    let sandbox = Sandbox::start(Family::MariaDb);
    let before = sandbox.wait_until_whole();
    let mut open = Client::connect(&sandbox.server(&sandbox.primary()).login);
    open.execute("CREATE TABLE app.t (id INT PRIMARY KEY)");
    open.execute("BEGIN");
    open.execute("INSERT INTO app.t VALUES (1)");
    sandbox
        .run(&["switchover", "--in", "3s", "--window", "1s"])
        .succeeded();
    wait_for_outcome(&sandbox, 1, "not made: no switchover");
    open.execute("COMMIT");
    let after = sandbox.wait_until_whole();
    assert_eq!(after.epoch(), before.epoch(), "{after}");
}
