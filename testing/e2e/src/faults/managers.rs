//! The manager, and with it the proxy, ends or stands still.

use std::thread::sleep;
use std::time::Duration;

use rustix::process::Signal;

use super::catalogue::{NO_PRIMARY, REFUSED, UNKNOWN};
use super::switchovers::begin_switchover;
use super::{Fault, Stage};
use crate::lab::{self, EVERYONE, Way};

pub(super) const FAULTS: [Fault; 9] = [
    Fault {
        number: 23,
        name: "kill-manager",
        moves: 0..=0,
        errors: &[UNKNOWN, REFUSED],
        act: kill_manager,
    },
    Fault {
        number: 24,
        name: "kill-manager-then-primary",
        moves: 1..=1,
        errors: &[UNKNOWN, REFUSED],
        act: kill_manager_then_primary,
    },
    Fault {
        number: 24,
        name: "kill-primary-then-manager",
        moves: 1..=1,
        errors: &[UNKNOWN, REFUSED],
        act: kill_primary_then_manager,
    },
    Fault {
        number: 24,
        name: "hang-primary-then-kill-manager",
        moves: 1..=1,
        errors: &[UNKNOWN, REFUSED],
        act: hang_primary_then_kill_manager,
    },
    Fault {
        number: 24,
        name: "cut-primary-off-then-kill-manager",
        moves: 1..=1,
        errors: &[UNKNOWN, REFUSED],
        act: cut_primary_off_then_kill_manager,
    },
    Fault {
        number: 25,
        name: "kill-manager-in-failovers",
        moves: 6..=6,
        errors: &[UNKNOWN, REFUSED, NO_PRIMARY],
        act: kill_manager_in_failovers,
    },
    Fault {
        number: 26,
        name: "kill-manager-in-switchovers",
        moves: 0..=6,
        errors: &[UNKNOWN, REFUSED, NO_PRIMARY],
        act: kill_manager_in_switchovers,
    },
    Fault {
        number: 27,
        name: "pause-manager-in-failover",
        moves: 1..=1,
        errors: &[UNKNOWN],
        act: pause_manager_in_failover,
    },
    Fault {
        number: 27,
        name: "pause-manager-in-switchover",
        moves: 0..=2,
        errors: &[UNKNOWN],
        act: pause_manager_in_switchover,
    },
];

/// From the beginning until the manager is killed; the next time it gets further.
const MOMENTS: [Duration; 6] = [
    Duration::from_millis(12),
    Duration::from_millis(30),
    Duration::from_millis(60),
    Duration::from_millis(120),
    Duration::from_millis(180),
    Duration::from_millis(260),
];

fn kill_manager(stage: &mut Stage<'_>) {
    stage.lab.kill_mainstay();
    sleep(Duration::from_secs(1));
    stage.lab.start_mainstay();
}

/// Nobody is there to see it; it is seen later.
fn kill_manager_then_primary(stage: &mut Stage<'_>) {
    stage.lab.kill_mainstay();
    sleep(Duration::from_secs(1));
    stage.lab.end_server(stage.primary, Signal::KILL);
    sleep(Duration::from_secs(1));
    stage.lab.start_mainstay();
    stage.wait_for_failover();
    stage.wait_for_writes();
    stage.lab.start_server(stage.primary);
}

fn kill_primary_then_manager(stage: &mut Stage<'_>) {
    stage.lab.end_server(stage.primary, Signal::KILL);
    stage.lab.kill_mainstay();
    sleep(Duration::from_secs(1));
    stage.lab.start_mainstay();
    stage.wait_for_failover();
    stage.wait_for_writes();
    stage.lab.start_server(stage.primary);
}

/// The next manager has never seen the primary alive.
fn hang_primary_then_kill_manager(stage: &mut Stage<'_>) {
    stage.lab.signal_server(stage.primary, Signal::STOP);
    stage.lab.kill_mainstay();
    stage.lab.start_mainstay();
    stage.wait_for_failover();
    stage.wait_for_writes();
    stage.lab.signal_server(stage.primary, Signal::CONT);
}

fn cut_primary_off_then_kill_manager(stage: &mut Stage<'_>) {
    stage.lab.cut(stage.primary, &EVERYONE, Way::Both);
    stage.lab.kill_mainstay();
    stage.lab.start_mainstay();
    stage.wait_for_failover();
    stage.wait_for_writes();
    stage.lab.mend(stage.primary);
}

fn kill_manager_in_failovers(stage: &mut Stage<'_>) {
    let mut primary = stage.primary;
    for (moment, reign) in MOMENTS.into_iter().zip(stage.epoch + 1..) {
        stage.lab.end_server(primary, Signal::KILL);
        sleep(moment);
        stage.lab.kill_mainstay();
        stage.lab.start_mainstay();
        let next = stage.wait_for_reign(reign);
        stage.wait_for_writes();
        stage.lab.start_server(primary);
        stage.lab.heal().unwrap_or_else(|wrong| panic!("{wrong}"));
        primary = next;
    }
}

fn kill_manager_in_switchovers(stage: &mut Stage<'_>) {
    for moment in MOMENTS {
        let mut moving = begin_switchover(stage, &[]);
        sleep(moment);
        stage.lab.kill_mainstay();
        moving.wait().expect("it is our child");
        stage.lab.start_mainstay();
        stage.lab.heal().unwrap_or_else(|wrong| panic!("{wrong}"));
        stage.wait_for_writes();
    }
}

fn pause_manager_in_failover(stage: &mut Stage<'_>) {
    stage.lab.end_server(stage.primary, Signal::KILL);
    sleep(MOMENTS[1]);
    pause(stage);
    stage.wait_for_failover();
    stage.wait_for_writes();
    stage.lab.start_server(stage.primary);
}

fn pause_manager_in_switchover(stage: &mut Stage<'_>) {
    let [candidate, _] = stage.replicas;
    let mut moving = begin_switchover(stage, &["--to", &lab::name(candidate)]);
    sleep(MOMENTS[2]);
    pause(stage);
    moving.wait().expect("it is our child");
}

fn pause(stage: &mut Stage<'_>) {
    stage.lab.signal_mainstay(Signal::STOP);
    sleep(Duration::from_secs(4));
    stage.lab.signal_mainstay(Signal::CONT);
}
