//! Everything ends at once, and comes back in some order.

use std::thread::sleep;
use std::time::Duration;

use rustix::process::Signal;

use super::catalogue::{NO_PRIMARY, REFUSED, UNKNOWN};
use super::{Fault, Stage};

pub(super) const FAULTS: [Fault; 4] = [
    Fault {
        number: 74,
        name: "outage-primary-back-first",
        moves: 0..=3,
        errors: &[UNKNOWN, NO_PRIMARY],
        act: outage_primary_back_first,
    },
    Fault {
        number: 74,
        name: "outage-primary-back-last",
        moves: 0..=3,
        errors: &[UNKNOWN, NO_PRIMARY],
        act: outage_primary_back_last,
    },
    Fault {
        number: 74,
        name: "outage-all-back-together",
        moves: 0..=3,
        errors: &[UNKNOWN, NO_PRIMARY],
        act: outage_all_back_together,
    },
    Fault {
        number: 74,
        name: "outage-manager-too",
        moves: 0..=3,
        errors: &[UNKNOWN, NO_PRIMARY, REFUSED],
        act: outage_manager_too,
    },
];

/// Between the return of one server and the next.
const BETWEEN: Duration = Duration::from_secs(2);

fn outage_primary_back_first(stage: &mut Stage<'_>) {
    let [one, other] = stage.replicas;
    kill_all(stage);
    come_back(stage, [stage.primary, one, other]);
}

fn outage_primary_back_last(stage: &mut Stage<'_>) {
    let [one, other] = stage.replicas;
    kill_all(stage);
    come_back(stage, [one, other, stage.primary]);
}

fn outage_all_back_together(stage: &mut Stage<'_>) {
    kill_all(stage);
    for server in [stage.primary, stage.replicas[0], stage.replicas[1]] {
        stage.lab.launch_server(server);
    }
}

fn outage_manager_too(stage: &mut Stage<'_>) {
    kill_all(stage);
    stage.lab.kill_mainstay();
    stage.lab.start_mainstay();
    let [one, other] = stage.replicas;
    come_back(stage, [one, stage.primary, other]);
}

fn kill_all(stage: &mut Stage<'_>) {
    for server in [stage.primary, stage.replicas[0], stage.replicas[1]] {
        stage.lab.end_server(server, Signal::KILL);
    }
    sleep(BETWEEN);
}

fn come_back(stage: &mut Stage<'_>, order: [usize; 3]) {
    for server in order {
        stage.lab.start_server(server);
        sleep(BETWEEN);
    }
}
