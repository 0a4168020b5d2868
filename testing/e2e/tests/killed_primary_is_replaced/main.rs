//! A primary that is killed is replaced, nothing acknowledged is missing, and it comes back.

use mainstay_e2e::{Client, Family, NumberedWriters, Sandbox, on_both_families};
use serde_json::Value;

on_both_families!(
    the_drill_finds_nothing_missing_and_never_two_writers,
    clients_see_a_pause_and_the_old_primary_comes_back_as_a_replica,
    two_failures_in_a_row_lose_nothing,
);

fn the_drill_finds_nothing_missing_and_never_two_writers(family: Family) {
    let sandbox = Sandbox::start(family);
    let before = sandbox.status();
    let report = sandbox
        .run(&["drill", "kill-primary", "--json", "--rounds", "1"])
        .json();

    let rounds = report["rounds"].as_array().expect("rounds are a list");
    assert_eq!(rounds.len(), 1);
    let round = &rounds[0];
    assert_eq!(round["fault"], "kill-primary");
    for field in ["write_gap_ms", "read_gap_ms"] {
        assert!(round[field].is_number(), "{round:#}");
        for sum in ["p50", "max"] {
            assert!(report["summary"][field][sum].is_number(), "{report:#}");
        }
    }
    for part in [round, &report["summary"]] {
        assert!(part["client_errors"].is_object(), "{part:#}");
        assert!(part["acknowledged"].as_u64() > Some(0), "{part:#}");
        assert_eq!(part["missing"], 0, "{part:#}");
        assert_eq!(part["two_writers"], 0, "{part:#}");
        assert!(part["unacknowledged_present"].is_u64(), "{part:#}");
    }
    let timeline = round["timeline"].as_array().expect("a time line");
    assert!(!timeline.is_empty(), "{round:#}");

    let after = sandbox.wait_until_whole();
    assert!(after.epoch() > before.epoch());
    assert_ne!(after.primary(), before.primary());
    let text = sandbox.run(&["status", "--history"]).succeeded();
    assert!(text.contains("certificate"), "{text}");
    assert!(!certificate_of_the_failover(&sandbox).is_empty());
}

fn clients_see_a_pause_and_the_old_primary_comes_back_as_a_replica(family: Family) {
    let sandbox = Sandbox::start(family);
    let before = sandbox.status();
    let old = sandbox.primary();
    let writers = NumberedWriters::start(&sandbox, "numbers", 4);
    let mut idle = Client::connect(&sandbox.proxy());
    idle.execute("CREATE TABLE app.marks (id INT PRIMARY KEY)");

    let pid = sandbox.server(&old).pid;
    sandbox.kill_server(&old);
    // Nothing of this session was on its way: it sees a slow OK, and no error.
    idle.execute("INSERT INTO app.marks VALUES (1)");
    writers.wait_for_progress();

    let now = sandbox.status();
    assert_ne!(now.primary(), Some(old.as_str()), "{now}");
    assert_eq!(now.epoch(), before.epoch() + 1, "{now}");
    let whole = sandbox.wait_until_whole();
    assert_eq!(whole.server(&old)["role"], "replica", "{whole}");
    assert_ne!(sandbox.pid_of(&old), Some(pid));
    // Each client may have had one statement on its way, whose fate nobody can tell it.
    let account = writers.stop_and_compare(&sandbox);
    assert!(
        account.errors.values().sum::<u64>() <= 4,
        "{:?}",
        account.errors
    );
    assert!(
        account.errors.keys().all(|code| *code == 2013),
        "{:?}",
        account.errors
    );
    let read = idle.value("SELECT COUNT(*) FROM app.marks FOR UPDATE");
    assert_eq!(read, "1");
}

fn two_failures_in_a_row_lose_nothing(family: Family) {
    let sandbox = Sandbox::start(family);
    let writers = NumberedWriters::start(&sandbox, "numbers", 4);
    let first = sandbox.primary();
    sandbox.kill_server(&first);
    let serving = sandbox.wait("a second primary that serves", |status| {
        let primary = status.primary().filter(|name| *name != first);
        primary.is_some_and(|name| status.server(name)["writer"] == true)
    });
    let second = serving.primary().expect("a primary").to_owned();
    sandbox.kill_server(&second);
    writers.wait_for_progress();
    let whole = sandbox.wait_until_whole();
    assert!(whole.epoch() >= serving.epoch(), "{whole}");
    writers.stop_and_compare(&sandbox);
}

fn certificate_of_the_failover(sandbox: &Sandbox) -> String {
    let history = sandbox.history();
    let is_failover = |operation: &&Value| {
        let purpose = operation["purpose"].as_str().unwrap_or_default();
        purpose.contains("failover") && operation["outcome"] == "done"
    };
    let failover = history.iter().find(is_failover);
    let failover = failover.unwrap_or_else(|| panic!("no failover in {history:#?}"));
    let certificate = failover["certificate"].as_str();
    certificate
        .unwrap_or_else(|| panic!("no certificate in {failover:#}"))
        .to_owned()
}
