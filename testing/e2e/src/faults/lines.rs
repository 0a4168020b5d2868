//! Lines between hosts are cut, lossy or slow. A person still reaches every server.

use std::thread::sleep;
use std::time::Duration;

use super::catalogue::{NO_PRIMARY, UNKNOWN};
use super::{Fault, Stage};
use crate::lab::{self, EVERYONE, MANAGER, Way};

pub(super) const FAULTS: [Fault; 11] = [
    Fault {
        number: 12,
        name: "cut-primary-off",
        moves: 1..=1,
        errors: &[UNKNOWN],
        act: cut_primary_off,
    },
    Fault {
        number: 14,
        name: "cut-manager-from-primary",
        moves: 0..=0,
        errors: &[UNKNOWN, NO_PRIMARY],
        act: cut_manager_from_primary,
    },
    Fault {
        number: 15,
        name: "cut-replicas-from-primary",
        moves: 0..=0,
        errors: &[UNKNOWN, NO_PRIMARY],
        act: cut_replicas_from_primary,
    },
    Fault {
        number: 13,
        name: "cut-one-replica-off",
        moves: 0..=0,
        errors: &[],
        act: cut_one_replica_off,
    },
    Fault {
        number: 13,
        name: "cut-primary-and-one-replica-off",
        moves: 0..=0,
        errors: &[UNKNOWN, NO_PRIMARY],
        act: cut_primary_and_one_replica_off,
    },
    Fault {
        number: 18,
        name: "primary-sends-nothing",
        moves: 1..=1,
        errors: &[UNKNOWN],
        act: primary_sends_nothing,
    },
    Fault {
        number: 18,
        name: "primary-receives-nothing",
        moves: 1..=1,
        errors: &[UNKNOWN],
        act: primary_receives_nothing,
    },
    Fault {
        number: 20,
        name: "flapping-line-of-primary",
        moves: 0..=5,
        errors: &[UNKNOWN],
        act: flapping_line,
    },
    Fault {
        number: 21,
        name: "lossy-line-of-primary",
        moves: 0..=2,
        errors: &[UNKNOWN],
        act: lossy_line,
    },
    Fault {
        number: 21,
        name: "slow-line-of-primary",
        moves: 0..=2,
        errors: &[UNKNOWN],
        act: slow_line,
    },
    Fault {
        number: 22,
        name: "cut-manager-off",
        moves: 0..=0,
        errors: &[UNKNOWN, NO_PRIMARY],
        act: cut_manager_off,
    },
];

/// Longer than the silence after which a primary counts as hung.
const LONG: Duration = Duration::from_secs(4);

/// A client that goes past the proxy still reaches the old primary, and is never told that a write
/// is done.
fn cut_primary_off(stage: &mut Stage<'_>) {
    stage.lab.cut(stage.primary, &EVERYONE, Way::Both);
    let beside = stage.write_beside_the_proxy(stage.primary);
    stage.wait_for_failover();
    stage.wait_for_writes();
    assert!(!beside.is_finished(), "the old primary has answered");
    stage.lab.mend(stage.primary);
    let answer = beside.join().expect("a client does not panic");
    assert!(answer.is_err(), "the old primary has acknowledged");
}

/// The replicas still hear it: no failover.
fn cut_manager_from_primary(stage: &mut Stage<'_>) {
    stage.lab.cut(stage.primary, &[MANAGER], Way::Both);
    sleep(LONG * 2);
    stage.lab.mend(stage.primary);
}

/// Nobody acknowledges, so nothing is answered, and the manager still sees the primary.
fn cut_replicas_from_primary(stage: &mut Stage<'_>) {
    let replicas = stage.replicas.map(lab::name);
    let replicas = replicas.each_ref().map(String::as_str);
    stage.lab.cut(stage.primary, &replicas, Way::Both);
    sleep(LONG * 2);
    stage.lab.mend(stage.primary);
}

fn cut_one_replica_off(stage: &mut Stage<'_>) {
    let [lost, _] = stage.replicas;
    stage.lab.cut(lost, &EVERYONE, Way::Both);
    sleep(LONG);
    stage.wait_for_writes();
    stage.lab.mend(lost);
}

/// The two may go on together: no failover on the side of the manager, although one is there.
fn cut_primary_and_one_replica_off(stage: &mut Stage<'_>) {
    let [near, far] = stage.replicas.map(lab::name);
    for server in [stage.primary, stage.replicas[0]] {
        stage.lab.cut(server, &[MANAGER, &far], Way::Both);
    }
    stage.lab.wait_until_told("no failover: ");
    for server in [stage.primary, stage.replicas[0]] {
        stage.lab.mend(server);
    }
    drop(near);
}

fn primary_sends_nothing(stage: &mut Stage<'_>) {
    stage.lab.cut(stage.primary, &EVERYONE, Way::Outgoing);
    stage.wait_for_failover();
    stage.wait_for_writes();
    stage.lab.mend(stage.primary);
}

fn primary_receives_nothing(stage: &mut Stage<'_>) {
    stage.lab.cut(stage.primary, &EVERYONE, Way::Incoming);
    stage.wait_for_failover();
    stage.wait_for_writes();
    stage.lab.mend(stage.primary);
}

/// Whoever is the primary is cut off for a while, and comes back, five times.
fn flapping_line(stage: &mut Stage<'_>) {
    for _ in 0..5 {
        stage.lab.cut(stage.primary, &EVERYONE, Way::Both);
        sleep(Duration::from_millis(1_500));
        stage.lab.mend(stage.primary);
        sleep(Duration::from_millis(1_500));
    }
}

fn lossy_line(stage: &mut Stage<'_>) {
    stage.lab.lose_packets(stage.primary, 20);
    sleep(LONG * 2);
    stage.lab.mend(stage.primary);
}

fn slow_line(stage: &mut Stage<'_>) {
    stage.lab.make_slow(stage.primary, 256);
    sleep(LONG * 2);
    stage.lab.make_fast(stage.primary);
}

fn cut_manager_off(stage: &mut Stage<'_>) {
    for server in lab::SERVERS {
        stage.lab.cut(server, &[MANAGER], Way::Both);
    }
    sleep(LONG);
    for server in lab::SERVERS {
        stage.lab.mend(server);
    }
}
