//! What people do to servers by hand, without asking the manager.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::Signal;

use super::catalogue::UNKNOWN;
use super::{Fault, Stage, dialect};
use crate::lab;
use crate::wait::wait_until;

pub(super) const FAULTS: [Fault; 16] = [
    Fault {
        number: 35,
        name: "errant-write-on-replica",
        moves: 0..=0,
        errors: &[],
        act: errant_write_on_replica,
    },
    Fault {
        number: 37,
        name: "applier-fails",
        moves: 0..=0,
        errors: &[],
        act: applier_fails,
    },
    Fault {
        number: 38,
        name: "replication-stopped",
        moves: 0..=0,
        errors: &[],
        act: replication_stopped,
    },
    Fault {
        number: 36,
        name: "replication-reset",
        moves: 0..=0,
        errors: &[],
        act: replication_reset,
    },
    Fault {
        number: 68,
        name: "replica-repointed",
        moves: 0..=0,
        errors: &[],
        act: replica_repointed,
    },
    Fault {
        number: 45,
        name: "wait-switched-off-on-primary",
        moves: 0..=0,
        errors: &[],
        act: wait_switched_off_on_primary,
    },
    Fault {
        number: 45,
        name: "wait-shortened-on-primary",
        moves: 0..=0,
        errors: &[],
        act: wait_shortened_on_primary,
    },
    Fault {
        number: 48,
        name: "acknowledging-switched-off",
        moves: 0..=0,
        errors: &[],
        act: acknowledging_switched_off,
    },
    Fault {
        number: 50,
        name: "password-of-replication-changed",
        moves: 0..=0,
        errors: &[],
        act: password_of_replication_changed,
    },
    Fault {
        number: 51,
        name: "password-of-manager-changed",
        moves: 0..=0,
        errors: &[],
        act: password_of_manager_changed,
    },
    Fault {
        number: 55,
        name: "primary-made-read-only",
        moves: 0..=1,
        errors: &[UNKNOWN],
        act: primary_made_read_only,
    },
    Fault {
        number: 56,
        name: "replica-made-writable",
        moves: 0..=0,
        errors: &[],
        act: replica_made_writable,
    },
    Fault {
        number: 86,
        name: "relay-log-damaged",
        moves: 0..=0,
        errors: &[],
        act: relay_log_damaged,
    },
    Fault {
        number: 90,
        name: "replica-returns-empty",
        moves: 0..=0,
        errors: &[],
        act: replica_returns_empty,
    },
    Fault {
        number: 90,
        name: "primary-returns-empty",
        moves: 1..=1,
        errors: &[UNKNOWN],
        act: primary_returns_empty,
    },
    Fault {
        number: 40,
        name: "needed-logs-purged",
        moves: 0..=0,
        errors: &[],
        act: needed_logs_purged,
    },
];

const LONG: Duration = Duration::from_secs(4);

fn errant_write_on_replica(stage: &mut Stage<'_>) {
    let [errant, _] = stage.replicas;
    let mut session = stage.lab.client(errant);
    session.execute("SET GLOBAL read_only = OFF");
    // The manager may be faster with its repair.
    let _ = session.try_execute("CREATE TABLE app.errant (id INT PRIMARY KEY)");
    stage.wait_for_writes();
}

/// A row that should not be there is in the way of the primary's.
fn applier_fails(stage: &mut Stage<'_>) {
    let [failing, _] = stage.replicas;
    let mut session = stage.lab.client(failing);
    session.execute("SET sql_log_bin = 0");
    session.execute(dialect::writable(stage.lab));
    session.execute("INSERT INTO app.beside VALUES (1000000)");
    session.execute("SET GLOBAL read_only = ON");
    stage
        .lab
        .client(stage.primary)
        .execute("INSERT INTO app.beside VALUES (1000000)");
    let name = lab::name(failing);
    stage.lab.wait("an applier that has failed", |status| {
        status.server(&name)["applier"] != "running"
    });
    stage.wait_for_writes();
    session.execute(dialect::writable(stage.lab));
    session.execute("DELETE FROM app.beside WHERE id = 1000000");
    session.execute("SET GLOBAL read_only = ON");
    dialect::start_replication(stage.lab, failing);
}

/// Whoever stopped it starts it again, unless the manager has.
fn replication_stopped(stage: &mut Stage<'_>) {
    let [stopped, _] = stage.replicas;
    dialect::stop_replication(stage.lab, stopped);
    sleep(LONG);
    stage.wait_for_writes();
    dialect::start_replication(stage.lab, stopped);
}

fn replication_reset(stage: &mut Stage<'_>) {
    let [reset, _] = stage.replicas;
    dialect::reset_replication(stage.lab, reset);
    stage.wait_for_writes();
}

fn replica_repointed(stage: &mut Stage<'_>) {
    let [repointed, source] = stage.replicas;
    dialect::repoint(stage.lab, repointed, source);
    stage.wait_for_writes();
}

fn wait_switched_off_on_primary(stage: &mut Stage<'_>) {
    let primary = stage.primary;
    dialect::set(stage.lab, primary, &dialect::WAIT, "OFF");
    wait_until("the wait for acknowledgements", || {
        dialect::get(stage.lab, primary, &dialect::WAIT) == "1"
    });
    stage.wait_for_writes();
}

fn wait_shortened_on_primary(stage: &mut Stage<'_>) {
    let primary = stage.primary;
    dialect::set(stage.lab, primary, &dialect::WAIT_LIMIT, "10");
    wait_until("the old time limit", || {
        dialect::get(stage.lab, primary, &dialect::WAIT_LIMIT) != "10"
    });
    stage.wait_for_writes();
}

fn acknowledging_switched_off(stage: &mut Stage<'_>) {
    for replica in stage.replicas {
        dialect::set(stage.lab, replica, &dialect::ACKNOWLEDGING, "OFF");
        dialect::stop_receiver(stage.lab, replica);
        dialect::start_receiver(stage.lab, replica);
    }
    stage.wait_for_writes();
}

/// A link that is up stays up, and a new one is refused.
fn password_of_replication_changed(stage: &mut Stage<'_>) {
    let [refused, _] = stage.replicas;
    let mut session = stage.lab.client(stage.primary);
    session.execute("ALTER USER 'replication'@'%' IDENTIFIED BY 'another-password'");
    dialect::stop_receiver(stage.lab, refused);
    dialect::start_receiver(stage.lab, refused);
    let name = lab::name(refused);
    stage.lab.wait("a receiver that is refused", |status| {
        status.server(&name)["receiver"] != "running"
    });
    stage.wait_for_writes();
    session.execute("ALTER USER 'replication'@'%' IDENTIFIED BY 'password-of-replication'");
}

/// A primary that lets the manager in no more is alive.
fn password_of_manager_changed(stage: &mut Stage<'_>) {
    let mut session = stage.lab.client(stage.primary);
    session.execute("SET sql_log_bin = 0");
    session.execute("ALTER USER 'manager'@'%' IDENTIFIED BY 'another-password'");
    let managers = "SELECT id FROM information_schema.processlist WHERE user = 'manager'";
    for connection in session.column(managers) {
        // It may have ended by itself.
        let _ = session.try_execute(&format!("KILL {connection}"));
    }
    let name = lab::name(stage.primary);
    stage
        .lab
        .wait("a primary that refuses the manager", |status| {
            status.server(&name)["reachability"] != "reachable"
        });
    sleep(LONG);
    stage.wait_for_writes();
    session.execute("ALTER USER 'manager'@'%' IDENTIFIED BY 'password-of-the-manager'");
}

fn primary_made_read_only(stage: &mut Stage<'_>) {
    let mut session = stage.lab.client(stage.primary);
    session.execute("SET GLOBAL read_only = ON");
    stage.wait_for_writes();
}

fn replica_made_writable(stage: &mut Stage<'_>) {
    let [writable, _] = stage.replicas;
    // The manager ends all sessions there: somebody may be writing.
    let mut session = stage.lab.client(writable);
    session.execute("SET GLOBAL read_only = OFF");
    wait_until("a read-only replica", || {
        let mut session = stage.lab.client(writable);
        session
            .try_query("SELECT @@GLOBAL.read_only")
            .is_ok_and(|rows| rows.scalar() == Some("1"))
    });
    stage.wait_for_writes();
}

/// What it has received and not applied becomes unreadable.
fn relay_log_damaged(stage: &mut Stage<'_>) {
    let [damaged, _] = stage.replicas;
    dialect::stop_applier(stage.lab, damaged);
    stage.wait_for_writes();
    stage.lab.end_server(damaged, Signal::KILL);
    let mut logs: Vec<_> = fs::read_dir(stage.lab.data(damaged))
        .expect("its data are there")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().contains("/relay.0"))
        .collect();
    logs.sort();
    let last = logs.last().expect("it had a relay log");
    let mut bytes = fs::read(last).expect("it can be read");
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0xa5);
    fs::write(last, bytes).expect("it can be written");
    stage.lab.start_server(damaged);
}

/// Binary logs do not reach back to the beginning, as in any cluster of some age.
fn replica_returns_empty(stage: &mut Stage<'_>) {
    let [emptied, other] = stage.replicas;
    stage.lab.end_server(emptied, Signal::KILL);
    stage.lab.empty_server(emptied);
    for server in [stage.primary, other] {
        dialect::purge_logs(stage.lab, server);
    }
    stage.wait_for_writes();
    stage.lab.start_server(emptied);
}

/// On a new disk, at once: it must not be taken for what it was.
fn primary_returns_empty(stage: &mut Stage<'_>) {
    for server in stage.replicas {
        dialect::purge_logs(stage.lab, server);
    }
    stage.lab.end_server(stage.primary, Signal::KILL);
    stage.lab.empty_server(stage.primary);
    stage.lab.start_server(stage.primary);
    stage.wait_for_failover();
    stage.wait_for_writes();
}

fn needed_logs_purged(stage: &mut Stage<'_>) {
    let [late, other] = stage.replicas;
    stage.lab.end_server(late, Signal::KILL);
    stage.wait_for_writes();
    for server in [stage.primary, other] {
        dialect::purge_logs(stage.lab, server);
    }
    stage.wait_for_writes();
    stage.lab.start_server(late);
}
