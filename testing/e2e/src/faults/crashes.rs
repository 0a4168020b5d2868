//! Processes of servers end.

use std::thread::sleep;
use std::time::Duration;

use rustix::process::Signal;

use super::catalogue::{ENDING, NO_PRIMARY, UNKNOWN};
use super::{Fault, Stage, dialect};
use crate::Client;
use crate::lab::{self, Way};
use crate::wait::wait_until;

pub(super) const FAULTS: [Fault; 12] = [
    Fault {
        number: 1,
        name: "kill-primary",
        moves: 1..=1,
        errors: &[UNKNOWN],
        act: kill_primary,
    },
    Fault {
        number: 2,
        name: "kill-primary-back-at-once",
        moves: 0..=2,
        errors: &[UNKNOWN],
        act: kill_primary_back_at_once,
    },
    Fault {
        number: 3,
        name: "terminate-primary",
        moves: 1..=1,
        errors: &[UNKNOWN, ENDING],
        act: terminate_primary,
    },
    Fault {
        number: 3,
        name: "crash-loop-of-primary",
        moves: 0..=4,
        errors: &[UNKNOWN],
        act: crash_loop_of_primary,
    },
    Fault {
        number: 57,
        name: "old-primary-returns-writable",
        moves: 1..=1,
        errors: &[UNKNOWN],
        act: old_primary_returns_writable,
    },
    Fault {
        number: 85,
        name: "only-acknowledging-replica-forgets",
        moves: 0..=2,
        errors: &[UNKNOWN, NO_PRIMARY],
        act: only_acknowledging_replica_forgets,
    },
    Fault {
        number: 33,
        name: "kill-primary-best-receiver-blocked",
        moves: 1..=1,
        errors: &[UNKNOWN],
        act: kill_primary_best_receiver_blocked,
    },
    Fault {
        number: 31,
        name: "kill-primary-appliers-blocked",
        moves: 1..=1,
        errors: &[UNKNOWN],
        act: kill_primary_appliers_blocked,
    },
    Fault {
        number: 39,
        name: "kill-primary-one-receiver-stopped",
        moves: 1..=1,
        errors: &[UNKNOWN],
        act: kill_primary_one_receiver_stopped,
    },
    Fault {
        number: 64,
        name: "kill-primary-and-replica",
        moves: 0..=2,
        errors: &[UNKNOWN, NO_PRIMARY],
        act: kill_primary_and_replica,
    },
    Fault {
        number: 65,
        name: "kill-primary-and-the-next",
        moves: 2..=2,
        errors: &[UNKNOWN],
        act: kill_primary_and_the_next,
    },
    Fault {
        number: 66,
        name: "kill-replicas",
        moves: 0..=0,
        errors: &[],
        act: kill_replicas,
    },
];

fn kill_primary(stage: &mut Stage<'_>) {
    stage.lab.end_server(stage.primary, Signal::KILL);
    stage.wait_for_failover();
    stage.wait_for_writes();
    stage.lab.start_server(stage.primary);
}

/// The service manager is faster than the failover, or not.
fn kill_primary_back_at_once(stage: &mut Stage<'_>) {
    stage.lab.end_server(stage.primary, Signal::KILL);
    stage.lab.start_server(stage.primary);
}

fn terminate_primary(stage: &mut Stage<'_>) {
    stage.lab.end_server(stage.primary, Signal::TERM);
    stage.wait_for_failover();
    stage.wait_for_writes();
    stage.lab.start_server(stage.primary);
}

/// It is started as often as it dies.
fn crash_loop_of_primary(stage: &mut Stage<'_>) {
    for _ in 0..4 {
        stage.lab.end_server(stage.primary, Signal::KILL);
        stage.lab.start_server(stage.primary);
    }
}

/// Somebody has changed its options. It must not stay so.
fn old_primary_returns_writable(stage: &mut Stage<'_>) {
    stage.lab.end_server(stage.primary, Signal::KILL);
    stage.wait_for_failover();
    stage.wait_for_writes();
    let options = dialect::writable_options(stage.lab);
    stage.lab.start_server_with(stage.primary, options);
    wait_until("a fenced server", || {
        let session = Client::try_connect(&stage.lab.person(stage.primary));
        let rows = session.and_then(|mut session| session.try_query("SELECT @@GLOBAL.read_only"));
        rows.is_ok_and(|rows| rows.scalar() == Some("1"))
    });
    stage.wait_for_writes();
}

/// One replica alone has acknowledged, and has applied nothing of it, when it crashes: MariaDB
/// drops relay logs at a start. Then the primary dies, and only the replica that knows least was
/// never down.
fn only_acknowledging_replica_forgets(stage: &mut Stage<'_>) {
    let [forgets, ignorant] = stage.replicas;
    let cut = [lab::name(ignorant)];
    stage.lab.cut(stage.primary, &[&cut[0]], Way::Both);
    let mut blocked = stage.lab.client(forgets);
    blocked.execute(dialect::LOCK_ALL);
    stage.wait_for_writes();
    stage.lab.end_server(forgets, Signal::KILL);
    stage.lab.end_server(stage.primary, Signal::KILL);
    stage.lab.start_server(forgets);
    sleep(Duration::from_secs(3));
    stage.lab.mend(stage.primary);
    stage.lab.start_server(stage.primary);
}

/// The case in which Orchestrator loses what only the relay log of a blocked replica holds: one
/// replica has received everything and applies nothing, the other has received less.
fn kill_primary_best_receiver_blocked(stage: &mut Stage<'_>) {
    let [best, other] = stage.replicas;
    let mut blocked = stage.lab.client(best);
    blocked.execute(dialect::LOCK_ALL);
    stage
        .lab
        .cut(stage.primary, &[&lab::name(other)], Way::Both);
    stage.wait_for_writes();
    stage.lab.end_server(stage.primary, Signal::KILL);
    stage.lab.wait("the end of the primary noticed", |status| {
        status.0["writes_held"] == true
    });
    blocked.execute(dialect::UNLOCK);
    let next = stage.wait_for_failover();
    assert_eq!(next, best, "the one that had received everything");
    stage.wait_for_writes();
    stage.lab.mend(stage.primary);
    stage.lab.start_server(stage.primary);
}

fn kill_primary_appliers_blocked(stage: &mut Stage<'_>) {
    let mut blocked = stage.replicas.map(|replica| stage.lab.client(replica));
    for session in &mut blocked {
        session.execute(dialect::LOCK_ALL);
    }
    stage.wait_for_writes();
    stage.lab.end_server(stage.primary, Signal::KILL);
    stage.lab.wait("the end of the primary noticed", |status| {
        status.0["writes_held"] == true
    });
    drop(blocked);
    stage.wait_for_failover();
    stage.wait_for_writes();
    stage.lab.start_server(stage.primary);
}

/// It does not matter whether the manager has started it again.
fn kill_primary_one_receiver_stopped(stage: &mut Stage<'_>) {
    let [_, stopped] = stage.replicas;
    dialect::stop_receiver(stage.lab, stopped);
    stage.wait_for_writes();
    dialect::stop_receiver(stage.lab, stopped);
    stage.lab.end_server(stage.primary, Signal::KILL);
    stage.wait_for_failover();
    stage.wait_for_writes();
    stage.lab.start_server(stage.primary);
}

/// Two failures at once: who is left cannot know what the dead replica had acknowledged.
fn kill_primary_and_replica(stage: &mut Stage<'_>) {
    let [dead, _] = stage.replicas;
    stage.lab.end_server(dead, Signal::KILL);
    stage.lab.end_server(stage.primary, Signal::KILL);
    stage.lab.wait_until_told("no failover: ");
    stage.lab.start_server(stage.primary);
    stage.lab.start_server(dead);
}

/// The second failure comes as soon as the first one is over.
fn kill_primary_and_the_next(stage: &mut Stage<'_>) {
    stage.lab.end_server(stage.primary, Signal::KILL);
    let next = stage.wait_for_failover();
    stage.lab.start_server(stage.primary);
    stage.lab.heal().unwrap_or_else(|wrong| panic!("{wrong}"));
    stage.lab.end_server(next, Signal::KILL);
    stage.wait_for_reign(stage.epoch + 2);
    stage.wait_for_writes();
    stage.lab.start_server(next);
}

/// One, then the other: writes go on with one, and wait without any.
fn kill_replicas(stage: &mut Stage<'_>) {
    let [one, other] = stage.replicas;
    stage.lab.end_server(one, Signal::KILL);
    stage.wait_for_writes();
    stage.lab.end_server(other, Signal::KILL);
    let name = lab::name(other);
    stage.lab.wait("the end of the replica noticed", |status| {
        status.server(&name)["reachability"] != "reachable"
    });
    stage.lab.start_server(one);
    stage.wait_for_writes();
    stage.lab.start_server(other);
}
