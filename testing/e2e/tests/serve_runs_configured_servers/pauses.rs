//! A pause of automatic operations outlives the manager; a primary that dies in it is not replaced,
//! and everybody who looks is told why.

use mainstay_e2e::{Family, Paused, Sandbox, Status, on_both_families, wait_until};

use crate::served::{Served, addresses};

on_both_families!(a_dead_primary_is_not_replaced_before_the_pause_is_over);

fn a_dead_primary_is_not_replaced_before_the_pause_is_over(family: Family) {
    let sandbox = Sandbox::start(family);
    let first = sandbox.primary();
    let _manager = Paused::new(sandbox.pid());
    let mut served = Served::start(&sandbox, &addresses(&sandbox));
    served.wait("a whole cluster", Status::is_whole);
    let said = served.run(&["pause", "--reason", "new switches", "--by", "jo"]);
    assert!(said.succeeded().contains("paused by jo (new switches)"));
    served.wait_until_told("began paused served");
    served.start_again(None);
    served.wait("a whole cluster that is still paused", |status| {
        let paused = status.0["paused"].as_str().unwrap_or_default();
        status.is_whole() && paused.contains("new switches")
    });
    let hung = Paused::new(sandbox.pid_of(&first).expect("it runs"));
    let halted = served.wait("a dead primary in a pause", |status| {
        let reason = status.0["reason"].as_str().unwrap_or_default();
        status.0["phase"] == "halted" && reason.contains("paused by jo")
    });
    assert_eq!(halted.primary(), Some(first.as_str()), "{halted}");
    wait_until("the pause among the reasons", || {
        let why = served.run(&["why"]).succeeded();
        why.contains("it cannot go on") && why.contains("paused by jo")
    });
    served.run(&["resume"]).succeeded();
    served.wait("another primary", |status| {
        status.0["writes_held"] == false && status.primary().is_some_and(|now| now != first)
    });
    drop(hung);
    served.wait("a whole cluster", Status::is_whole);
}
