//! An operator stops, moves and maintains replicas by plans that are printed first: what was
//! printed is run only while nothing has changed, and the manager does not fight what is wanted.

use mainstay_e2e::{
    Client, Family, Finished, NumberedWriters, Sandbox, Status, on_both_families, wait_for,
};

on_both_families!(
    a_printed_plan_runs_once_and_not_after_a_change,
    a_replica_is_moved_and_gathered_again_under_load,
    a_server_in_maintenance_may_die_and_comes_back_when_it_is_told,
    a_decommissioned_replica_is_missed_by_nobody,
);

/// Another operation may be under way, or have just ended.
#[track_caller]
fn done(sandbox: &Sandbox, arguments: &[&str]) -> String {
    wait_for("an operation that is not refused for a moment", || {
        let answer = sandbox.run(arguments);
        if answer.code == Some(0) {
            return Ok(answer.succeeded());
        }
        let text = answer.to_string();
        let passes = text.contains("try again") || text.contains("has ended");
        assert!(passes, "{text}");
        Err(text)
    })
}

fn plan_id(printed: &Finished) -> String {
    let plan = serde_json::from_str::<serde_json::Value>(&printed.stdout).expect("JSON");
    plan["id"].as_str().expect("a plan has a name").to_owned()
}

fn source_is(status: &Status, server: &str, source: &str) -> bool {
    status.server(server)["source"] == status.server(source)["address"]
        && status.server(server)["receiver"] == "running"
        && status.server(server)["applier"] == "running"
}

fn a_printed_plan_runs_once_and_not_after_a_change(family: Family) {
    let sandbox = Sandbox::start(family);
    let whole = sandbox.wait_until_whole();
    let replicas = whole.named("replica");
    let plan = ["plan", "maintenance", "on", &replicas[0], "--json"];
    let id = plan_id(&sandbox.run(&plan));
    assert_eq!(id, plan_id(&sandbox.run(&plan)), "nothing has changed");
    assert!(sandbox.status().is_whole());
    let said = done(&sandbox, &["apply", &id]);
    assert!(said.contains(&replicas[0]), "{said}");
    let refused = sandbox.run(&["apply", &id]).failed_with(1);
    assert!(refused.contains("made from another state"), "{refused}");
    let unknown = sandbox.run(&["apply", "12345678"]).failed_with(1);
    assert!(unknown.contains("there is no plan"), "{unknown}");
    let taken = sandbox
        .run(&["maintenance", "on", &replicas[1]])
        .failed_with(1);
    assert!(taken.contains("acknowledgement"), "{taken}");
    let history = sandbox.history();
    let recorded = history.iter().any(|operation| {
        operation["purpose"] == format!("maintenance on {}", replicas[0]).as_str()
    });
    assert!(recorded, "{history:#?}");
}

fn a_replica_is_moved_and_gathered_again_under_load(family: Family) {
    let sandbox = Sandbox::start(family);
    let writers = NumberedWriters::start(&sandbox, "numbers", 2);
    let primary = sandbox.primary();
    let replicas = sandbox.wait_until_whole().named("replica");
    let (one, other) = (&replicas[0], &replicas[1]);
    done(&sandbox, &["move", other, "--under", one]);
    sandbox.wait("the replica under its new source", |status| {
        source_is(status, other, one)
    });
    writers.wait_for_progress();
    let status = sandbox.status();
    let findings = status.0["findings"].to_string();
    assert!(!findings.contains("replicates from"), "{findings}");
    assert!(source_is(&status, other, one), "{status}");
    done(&sandbox, &["regroup"]);
    sandbox.wait("all under the primary", |status| {
        source_is(status, other, &primary)
    });
    sandbox.wait_until_whole();
    done(&sandbox, &["replica", "stop", other]);
    writers.wait_for_progress();
    let status = sandbox.status();
    assert_eq!(status.server(other)["receiver"], "stopped", "{status}");
    done(&sandbox, &["replica", "start", other]);
    sandbox.wait_until_whole();
    writers.wait_for_progress();
    let account = writers.stop_and_compare(&sandbox);
    assert!(account.errors.is_empty(), "{:?}", account.errors);
}

fn a_server_in_maintenance_may_die_and_comes_back_when_it_is_told(family: Family) {
    let mut sandbox = Sandbox::start(family);
    let replicas = sandbox.wait_until_whole().named("replica");
    let away = &replicas[0];
    let on = ["maintenance", "on", away, "--reason", "new disk"];
    done(&sandbox, &on);
    let shown = sandbox.run(&["status"]).succeeded();
    assert!(shown.contains("is in maintenance (new disk"), "{shown}");
    let why = sandbox.run(&["why", away]).succeeded();
    assert!(why.contains("it is left alone"), "{why}");
    // It outlives the manager.
    sandbox.stop();
    sandbox.start_again();
    let kept = sandbox.wait("a primary that serves", |status| {
        status.0["writes_held"] == false && status.primary().is_some()
    });
    assert!(kept.server(away)["wish"].is_string(), "{kept}");
    // Nobody misses it.
    sandbox.kill_server(away);
    Client::connect(&sandbox.proxy()).execute("CREATE TABLE app.t (id INT PRIMARY KEY)");
    let findings = sandbox.status().0["findings"].clone();
    assert!(
        !findings.to_string().contains("a failover would be refused"),
        "{findings}"
    );
    done(&sandbox, &["maintenance", "off", away]);
    sandbox.wait_until_whole();
}

fn a_decommissioned_replica_is_missed_by_nobody(family: Family) {
    let sandbox = Sandbox::start(family);
    let replicas = sandbox.wait_until_whole().named("replica");
    let primary = sandbox.primary();
    let refused = sandbox.run(&["decommission", &primary]).failed_with(1);
    assert!(refused.contains("is the primary"), "{refused}");
    done(&sandbox, &["decommission", &replicas[0]]);
    let refused = sandbox.run(&["decommission", &replicas[1]]).failed_with(1);
    assert!(refused.contains("acknowledgement"), "{refused}");
    let status = sandbox.wait("a replica without a source", |status| {
        status.server(&replicas[0])["source"].is_null()
    });
    assert_eq!(status.server(&replicas[0])["reader"], false, "{status}");
    Client::connect(&sandbox.proxy()).execute("CREATE TABLE app.t (id INT PRIMARY KEY)");
}
