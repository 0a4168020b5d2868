//! Servers that run and do not answer, or answer and do not write.

use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use rustix::process::Signal;

use super::catalogue::UNKNOWN;
use super::{Fault, Stage, dialect};
use crate::lab;

pub(super) const FAULTS: [Fault; 11] = [
    Fault {
        number: 4,
        name: "hang-primary",
        moves: 1..=1,
        errors: &[UNKNOWN],
        act: hang_primary,
    },
    Fault {
        number: 5,
        name: "hang-primary-that-wakes",
        moves: 1..=1,
        errors: &[UNKNOWN],
        act: hang_primary_that_wakes,
    },
    Fault {
        number: 7,
        name: "hang-replica",
        moves: 0..=0,
        errors: &[],
        act: hang_replica,
    },
    Fault {
        number: 7,
        name: "hang-replicas",
        moves: 0..=0,
        errors: &[],
        act: hang_replicas,
    },
    Fault {
        number: 8,
        name: "full-disk-of-primary",
        moves: 0..=1,
        errors: &[UNKNOWN, FULL],
        act: full_disk_of_primary,
    },
    Fault {
        number: 8,
        name: "full-disk-of-replica",
        moves: 0..=0,
        errors: &[],
        act: full_disk_of_replica,
    },
    Fault {
        number: 11,
        name: "stuttering-primary",
        moves: 0..=0,
        errors: &[],
        act: stuttering_primary,
    },
    Fault {
        number: 49,
        name: "too-many-connections",
        moves: 0..=0,
        errors: &[],
        act: too_many_connections,
    },
    Fault {
        number: 61,
        name: "table-lock-on-primary",
        moves: 0..=0,
        errors: &[],
        act: table_lock_on_primary,
    },
    Fault {
        number: 61,
        name: "global-lock-on-primary",
        moves: 0..=0,
        errors: &[],
        act: global_lock_on_primary,
    },
    Fault {
        number: 83,
        name: "busy-processors",
        moves: 0..=0,
        errors: &[],
        act: busy_processors,
    },
];

/// The table is full.
const FULL: u16 = 1114;
/// Longer than the silence after which a primary counts as hung.
const LONG: Duration = Duration::from_secs(4);

fn hang_primary(stage: &mut Stage<'_>) {
    stage.lab.signal_server(stage.primary, Signal::STOP);
    stage.wait_for_failover();
    stage.wait_for_writes();
    stage.lab.end_server(stage.primary, Signal::KILL);
    stage.lab.start_server(stage.primary);
}

fn hang_primary_that_wakes(stage: &mut Stage<'_>) {
    stage.lab.signal_server(stage.primary, Signal::STOP);
    stage.wait_for_failover();
    stage.wait_for_writes();
    stage.lab.signal_server(stage.primary, Signal::CONT);
}

fn hang_replica(stage: &mut Stage<'_>) {
    let [hung, _] = stage.replicas;
    stage.lab.signal_server(hung, Signal::STOP);
    stage.wait_until_silent(hung);
    stage.wait_for_writes();
    stage.lab.signal_server(hung, Signal::CONT);
}

fn hang_replicas(stage: &mut Stage<'_>) {
    for hung in stage.replicas {
        stage.lab.signal_server(hung, Signal::STOP);
    }
    for hung in stage.replicas {
        stage.wait_until_silent(hung);
    }
    for hung in stage.replicas {
        stage.lab.signal_server(hung, Signal::CONT);
    }
}

fn full_disk_of_primary(stage: &mut Stage<'_>) {
    stage.lab.fill_disk(stage.primary);
    sleep(LONG);
    stage.lab.free_disk(stage.primary);
}

fn full_disk_of_replica(stage: &mut Stage<'_>) {
    let [full, _] = stage.replicas;
    stage.lab.fill_disk(full);
    sleep(LONG);
    stage.wait_for_writes();
    stage.lab.free_disk(full);
}

/// It stands still for a third of a second, again and again: starved, and alive.
fn stuttering_primary(stage: &mut Stage<'_>) {
    for _ in 0..8 {
        stage.lab.signal_server(stage.primary, Signal::STOP);
        sleep(Duration::from_millis(350));
        stage.lab.signal_server(stage.primary, Signal::CONT);
        sleep(Duration::from_millis(150));
    }
}

/// A server that lets nobody in is alive.
fn too_many_connections(stage: &mut Stage<'_>) {
    let mut first = stage.lab.client(stage.primary);
    first.execute("SET GLOBAL max_connections = 30");
    let login = stage.lab.beside_the_proxy(stage.primary);
    let others: Vec<_> = (0..60)
        .map_while(|_| crate::Client::try_connect(&login).ok())
        .collect();
    assert!(others.len() < 60, "there is no limit");
    sleep(LONG);
    stage.wait_for_writes();
    drop(others);
    first.execute("SET GLOBAL max_connections = 100");
}

fn table_lock_on_primary(stage: &mut Stage<'_>) {
    let mut session = stage.lab.client(stage.primary);
    session.execute("LOCK TABLES app.mainstay_drill WRITE");
    sleep(LONG);
    session.execute(dialect::UNLOCK);
}

fn global_lock_on_primary(stage: &mut Stage<'_>) {
    let mut session = stage.lab.client(stage.primary);
    session.execute(dialect::LOCK_ALL);
    sleep(LONG);
    session.execute(dialect::UNLOCK);
}

/// Somebody else takes every processor of the machine, the manager's too.
fn busy_processors(stage: &mut Stage<'_>) {
    let count = std::thread::available_parallelism().map_or(2, usize::from);
    let _busy: Vec<_> = (0..count * 2).map(|_| Busy::start()).collect();
    sleep(LONG);
    stage.wait_for_writes();
}

struct Busy(Child);

impl Busy {
    fn start() -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", "while :; do :; done"]);
        let child = command.stdin(Stdio::null()).spawn();
        Self(child.expect("there is a shell"))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        // Nothing else ends it.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Stage<'_> {
    #[track_caller]
    fn wait_until_silent(&mut self, server: usize) {
        let name = lab::name(server);
        self.lab.wait("a silent server", |status| {
            status.server(&name)["reachability"] != "reachable"
        });
    }
}
