//! A primary whose process stands still, with all its connections open, is replaced.

use mainstay_e2e::{Family, NumberedWriters, Sandbox, on_both_families, processes};
use rustix::process::Signal;

on_both_families!(
    the_drill_with_a_stopped_process_finds_nothing_missing,
    a_primary_that_stands_still_for_a_moment_is_left_alone,
);

fn the_drill_with_a_stopped_process_finds_nothing_missing(family: Family) {
    let sandbox = Sandbox::start(family);
    let before = sandbox.status();
    let report = sandbox
        .run(&["drill", "stop-primary", "--json", "--rounds", "1"])
        .json();
    let round = &report["rounds"][0];
    assert_eq!(round["fault"], "stop-primary");
    assert!(round["acknowledged"].as_u64() > Some(0), "{round:#}");
    assert_eq!(round["missing"], 0, "{round:#}");
    assert_eq!(round["two_writers"], 0, "{round:#}");
    let after = sandbox.wait_until_whole();
    assert!(after.epoch() > before.epoch(), "{after}");
    assert_ne!(after.primary(), before.primary(), "{after}");
}

/// Far less than the time after which a silent primary counts as hung.
fn a_primary_that_stands_still_for_a_moment_is_left_alone(family: Family) {
    let sandbox = Sandbox::start_with(family, &["--hang-after", "30s"]);
    let before = sandbox.status();
    let writers = NumberedWriters::start(&sandbox, "numbers", 2);
    let pid = sandbox.server(&sandbox.primary()).pid;
    processes::signal(pid, Signal::STOP);
    let silent = sandbox.wait("a primary that is seen to be silent", |status| {
        let primary = status.primary().expect("a primary on record");
        status.server(primary)["reachability"] == "silent"
    });
    assert_eq!(silent.epoch(), before.epoch(), "{silent}");
    processes::signal(pid, Signal::CONT);
    writers.wait_for_progress();
    let after = sandbox.wait_until_whole();
    assert_eq!(after.primary(), before.primary(), "{after}");
    assert_eq!(after.epoch(), before.epoch(), "{after}");
    let account = writers.stop_and_compare(&sandbox);
    assert!(account.errors.is_empty(), "{:?}", account.errors);
}
