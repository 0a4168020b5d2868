//! Planned moves of the primary, and what comes between.

use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::Duration;

use rustix::process::Signal;

use super::catalogue::{ENDING, NO_PRIMARY, UNKNOWN};
use super::{Fault, Stage};
use crate::Client;
use crate::lab::{self, Lab};
use crate::wait::wait_until;

pub(super) const FAULTS: [Fault; 7] = [
    Fault {
        number: 75,
        name: "switchover",
        moves: 1..=1,
        errors: &[],
        act: switchover,
    },
    Fault {
        number: 75,
        name: "restart-one-after-the-other",
        moves: 1..=1,
        errors: &[ENDING],
        act: restart_one_after_the_other,
    },
    Fault {
        number: 59,
        name: "switchover-beside-open-transaction",
        moves: 0..=1,
        errors: &[],
        act: switchover_beside_open_transaction,
    },
    Fault {
        number: 61,
        name: "switchover-beside-locked-table",
        moves: 0..=0,
        errors: &[],
        act: switchover_beside_locked_table,
    },
    Fault {
        number: 26,
        name: "kill-primary-in-switchover",
        moves: 1..=2,
        errors: &[UNKNOWN],
        act: kill_primary_in_switchover,
    },
    Fault {
        number: 26,
        name: "kill-candidate-in-switchover",
        moves: 0..=2,
        errors: &[UNKNOWN],
        act: kill_candidate_in_switchover,
    },
    Fault {
        number: 64,
        name: "kill-candidate-in-failover",
        moves: 0..=2,
        errors: &[UNKNOWN, NO_PRIMARY],
        act: kill_candidate_in_failover,
    },
];

fn switchover(stage: &mut Stage<'_>) {
    stage.lab.run(&["switchover"]).succeeded();
    stage.wait_for_writes();
}

/// Replicas first, then the primary, when it is one no more: an upgrade of everything.
fn restart_one_after_the_other(stage: &mut Stage<'_>) {
    for server in stage.replicas {
        restart(stage, server);
    }
    stage.lab.run(&["switchover"]).succeeded();
    stage.lab.heal().unwrap_or_else(|wrong| panic!("{wrong}"));
    restart(stage, stage.primary);
}

fn restart(stage: &mut Stage<'_>, server: usize) {
    stage.lab.end_server(server, Signal::TERM);
    stage.lab.start_server(server);
    stage.lab.heal().unwrap_or_else(|wrong| panic!("{wrong}"));
}

/// Whatever is decided about it, everybody else's writes go on.
fn switchover_beside_open_transaction(stage: &mut Stage<'_>) {
    let mut client = Client::connect(&stage.lab.proxy());
    client.execute("BEGIN");
    client.execute("INSERT INTO app.beside VALUES (NULL)");
    let moved = stage.lab.run(&["switchover"]);
    assert!(moved.code.is_some(), "{moved}");
    stage.wait_for_writes();
    // It may have been rolled back, and says so.
    let _ = client.try_execute("COMMIT");
}

/// No write can end, so nothing moves, and nothing stays frozen.
fn switchover_beside_locked_table(stage: &mut Stage<'_>) {
    let mut session = stage.lab.client(stage.primary);
    session.execute("LOCK TABLES app.mainstay_drill WRITE");
    let moved = stage.lab.run(&["switchover"]);
    assert_ne!(moved.code, Some(0), "{moved}");
    session.execute("UNLOCK TABLES");
    stage.wait_for_writes();
}

fn kill_primary_in_switchover(stage: &mut Stage<'_>) {
    let [candidate, _] = stage.replicas;
    let mut moving = begin_switchover(stage, &["--to", &lab::name(candidate)]);
    stage.wait_for_operation();
    stage.lab.end_server(stage.primary, Signal::KILL);
    moving.wait().expect("it is our child");
    stage.wait_for_failover();
    stage.wait_for_writes();
    stage.lab.start_server(stage.primary);
}

fn kill_candidate_in_switchover(stage: &mut Stage<'_>) {
    let [candidate, _] = stage.replicas;
    let mut moving = begin_switchover(stage, &["--to", &lab::name(candidate)]);
    stage.wait_for_operation();
    stage.lab.end_server(candidate, Signal::KILL);
    moving.wait().expect("it is our child");
    stage.wait_for_writes();
    stage.lab.start_server(candidate);
}

/// The best one dies while it is being promoted: two failures at once, or the other one goes on.
fn kill_candidate_in_failover(stage: &mut Stage<'_>) {
    let [candidate, _] = stage.replicas;
    stage.lab.end_server(stage.primary, Signal::KILL);
    sleep(Duration::from_millis(25));
    stage.lab.end_server(candidate, Signal::KILL);
    sleep(Duration::from_secs(2));
    stage.lab.start_server(stage.primary);
    stage.lab.start_server(candidate);
}

/// The command runs on; what it says does not matter.
pub(super) fn begin_switchover(stage: &Stage<'_>, arguments: &[&str]) -> Child {
    let mut command = stage.lab.command(&["switchover"]);
    command.args(arguments).stdin(Stdio::null());
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    child.expect("it can be started")
}

impl Stage<'_> {
    /// Waits until the manager has begun something, or is through with it already.
    pub(super) fn wait_for_operation(&mut self) {
        let known = self.operation;
        wait_until("an operation", || newest_operation(self.lab) > known);
    }
}

/// The number of what the manager did last.
pub(super) fn newest_operation(lab: &Lab) -> u64 {
    let history = lab.history();
    let newest = history.first().and_then(|newest| newest["id"].as_u64());
    newest.unwrap_or_default()
}
