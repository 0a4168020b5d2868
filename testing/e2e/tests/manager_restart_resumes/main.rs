//! Whoever kills the manager in the middle of things finds the cluster whole after the next start.

use std::thread;

use mainstay_e2e::{Client, Family, NumberedWriters, Sandbox, on_both_families, wait::wait_until};

on_both_families!(
    a_manager_killed_during_a_failover_is_succeeded_by_one_that_heals,
    a_manager_killed_during_a_switchover_is_succeeded_by_one_that_heals,
);

fn a_manager_killed_during_a_failover_is_succeeded_by_one_that_heals(family: Family) {
    let mut sandbox = Sandbox::start(family);
    let writers = NumberedWriters::start(&sandbox, "numbers", 4);
    sandbox.kill_server(&sandbox.primary());
    // At once, and so before or in the middle of the failover.
    sandbox.kill();
    heals(&mut sandbox, writers);
}

fn a_manager_killed_during_a_switchover_is_succeeded_by_one_that_heals(family: Family) {
    let mut sandbox = Sandbox::start(family);
    let writers = NumberedWriters::start(&sandbox, "numbers", 4);
    let to = sandbox.status().named("replica")[0].clone();
    let before = sandbox.history().len();
    thread::scope(|scope| {
        // Its answer never comes, or comes just before the end: a switchover is short.
        scope.spawn(|| sandbox.run(&["switchover", "--to", &to]));
        wait_until("the beginning of the switchover", || {
            let answer = sandbox.run(&["status", "--history", "--json"]);
            answer.code == Some(0) && answer.json().as_array().map_or(0, Vec::len) > before
        });
        sandbox.kill();
    });
    heals(&mut sandbox, writers);
}

/// Also after a second kill, in the middle of what the first start has to do.
fn heals(sandbox: &mut Sandbox, writers: NumberedWriters) {
    sandbox.start_again();
    sandbox.kill();
    sandbox.start_again();
    let whole = sandbox.wait_until_whole();
    assert!(whole.epoch() > 0, "{whole}");
    writers.wait_for_progress();
    writers.stop_and_compare(sandbox);
    Client::connect(&sandbox.proxy()).execute("CREATE TABLE app.t (id INT PRIMARY KEY)");
}
