//! Steps whose statements do not come back, on a server that answers as it is told to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mainstay_failover::{Effect, Manner, OnFailure, Place};
use mainstay_topology::{Address, Dialect, SemiSyncWords};

use super::{Bench, done, server};
use crate::executor::*;
use crate::fake::{Answer, Fake};

const STOP: &str = "STOP REPLICA FOR CHANNEL ''";
const OFFLINE: &str = "SET GLOBAL offline_mode = ON";
const ONLINE: &str = "SET GLOBAL offline_mode = OFF";
const READ_ONLY: &str = "SET GLOBAL super_read_only = ON";

fn step(effect: Effect, sql: &[&str]) -> Step {
    step_of(Dialect::Mysql, effect, sql)
}

fn step_of(dialect: Dialect, effect: Effect, sql: &[&str]) -> Step {
    let address = Address {
        host: "127.0.0.1".to_owned(),
        port: 3301,
    };
    Step {
        effect,
        place: Some(Place {
            name: server(),
            address,
            channel: String::new(),
            dialect,
            semi_sync: SemiSyncWords::Present,
            positions: false,
        }),
        group: 1,
        precondition: String::new(),
        sentence: String::new(),
        sql: sql.iter().map(|text| (*text).to_owned()).collect(),
        limit: Duration::from_mins(1),
        on_failure: OnFailure::Undo,
        undo: None,
    }
}

/// Runs a step until the server has this statement of it, which it does not answer.
async fn cut_off(bench: &Bench, step: Step, fake: &mut Fake, at: &str) {
    tokio::select! {
        result = bench.run_step(step) => panic!("it ended: {result:?}"),
        _ = fake.receives(at) => {}
    }
}

/// The process list that holds one connection.
fn process(id: &str, user: &str, statement: &str) -> Answer {
    let row = [id, user, statement].map(str::to_owned);
    Answer::Row(&["Id", "User", "Info"], row.to_vec())
}

#[tokio::test]
async fn a_stop_that_waits_for_an_applier_has_the_applier_killed() {
    let fake = Fake::start(|_, statement| match statement {
        STOP => Answer::After("KILL 1"),
        // One row for both: the stop is of the first connection, and so is the applier.
        "SHOW PROCESSLIST" => process("1", "system user", STOP),
        "SHOW REPLICA STATUS" => Answer::Row(&["Replica_IO_Running"], vec!["No".to_owned()]),
        _ => Answer::Ok,
    })
    .await;
    let bench = Bench::with_server(&fake.options);
    let effect = Effect::ForgetSource { server: server() };
    let step = step(effect, &[STOP]);
    assert_eq!(bench.run_step(step).await, done());
}

#[tokio::test]
async fn an_applier_is_left_alone_at_first_while_the_receiver_runs() {
    let fake = Fake::start(|_, statement| match statement {
        STOP => Answer::After("SHOW REPLICA STATUS"),
        "SHOW PROCESSLIST" => process("1", "system user", STOP),
        "SHOW REPLICA STATUS" => Answer::Row(&["Replica_IO_Running"], vec!["Yes".to_owned()]),
        other => panic!("not to be sent: {other}"),
    })
    .await;
    let bench = Bench::with_server(&fake.options);
    let effect = Effect::ForgetSource { server: server() };
    let step = step(effect, &[STOP]);
    assert_eq!(bench.run_step(step).await, done());
}

#[tokio::test]
async fn an_applier_that_keeps_a_stop_waiting_is_killed_though_the_receiver_runs() {
    const STOP: &str = "STOP SLAVE";
    let fake = Fake::start(|_, statement| match statement {
        STOP => Answer::After("KILL 1"),
        "SHOW PROCESSLIST" => Answer::Row(
            &["Id", "User", "Command", "Info"],
            ["1", "system user", "Slave_SQL", STOP]
                .map(str::to_owned)
                .to_vec(),
        ),
        "SHOW ALL SLAVES STATUS" => Answer::Row(&["Slave_IO_Running"], vec!["Yes".to_owned()]),
        _ => Answer::Ok,
    })
    .await;
    let bench = Bench::with_server(&fake.options);
    let effect = Effect::ForgetSource { server: server() };
    let step = step_of(Dialect::Mariadb, effect, &[STOP]);
    assert_eq!(bench.run_step(step).await, done());
}

/// `db1` is made a replica of `db2` by one statement.
fn attach(change: &str) -> Step {
    let address = Address {
        host: "127.0.0.1".to_owned(),
        port: 3302,
    };
    let source = Target {
        name: ServerName::new("db2"),
        address,
    };
    let effect = Effect::Attach {
        server: server(),
        source,
        manner: Manner::ACKNOWLEDGING,
        start: None,
    };
    step_of(Dialect::Mariadb, effect, &["STOP SLAVE", change])
}

#[tokio::test]
async fn a_server_that_cannot_read_its_own_link_is_attached_after_a_reset() {
    const CHANGE: &str = "CHANGE MASTER TO";
    const RESET: &str = "RESET SLAVE";
    let unreadable = AtomicBool::new(true);
    let mut fake = Fake::start(move |_, statement| match statement {
        CHANGE if unreadable.load(Ordering::Relaxed) => Answer::Error(1201),
        RESET => {
            unreadable.store(false, Ordering::Relaxed);
            Answer::Ok
        }
        _ => Answer::Ok,
    })
    .await;
    let bench = Bench::with_server(&fake.options);
    assert_eq!(bench.run_step(attach(CHANGE)).await, done());
    let received = fake.receives(RESET).await;
    let sent: Vec<_> = received.iter().map(|(_, one)| one.as_str()).collect();
    assert_eq!(sent, ["STOP SLAVE", CHANGE, RESET, "STOP SLAVE", CHANGE]);
}

#[tokio::test]
async fn a_reset_that_does_not_help_is_not_tried_again() {
    const CHANGE: &str = "CHANGE MASTER TO";
    let mut fake = Fake::start(|_, statement| match statement {
        CHANGE => Answer::Error(1201),
        _ => Answer::Ok,
    })
    .await;
    let bench = Bench::with_server(&fake.options);
    let result = bench.run_step(attach(CHANGE)).await;
    assert!(matches!(result, StepResult::Failed(_)), "{result:?}");
    let received = fake.receives(CHANGE).await;
    assert_eq!(received.len(), 5, "{received:?}");
}

#[tokio::test]
async fn events_that_ran_before_writes_ended_run_again_when_they_are_open() {
    const OFF: &str = "SET GLOBAL event_scheduler = OFF";
    const ON: &str = "SET GLOBAL event_scheduler = ON";
    let mut fake = Fake::start(|_, statement| match statement {
        "SELECT @@GLOBAL.event_scheduler" => Answer::Row(&["on"], vec!["ON".to_owned()]),
        _ => Answer::Ok,
    })
    .await;
    let bench = Bench::with_server(&fake.options);
    let open = || {
        step_of(
            Dialect::Mariadb,
            Effect::OpenWrites { server: server() },
            &["OPEN"],
        )
    };
    let fence = step_of(Dialect::Mariadb, Effect::Fence { server: server() }, &[OFF]);
    for step in [open(), fence, open(), open()] {
        assert_eq!(bench.run_step(step).await, done());
    }
    let received = fake.receives(ON).await;
    let sent = |wanted| received.iter().filter(|(_, one)| one == wanted).count();
    assert_eq!((sent("OPEN"), sent(OFF), sent(ON)), (3, 1, 1));
}

#[tokio::test]
async fn clients_that_come_back_are_cut_off_before_a_lock_is_asked_for_again() {
    const READ_ONLY: &str = "SET GLOBAL read_only = ON";
    let locked = AtomicBool::new(true);
    let mut fake = Fake::start(move |_, statement| match statement {
        READ_ONLY if locked.swap(false, Ordering::Relaxed) => Answer::Error(1205),
        "SHOW PROCESSLIST" => process("8", "app", "COMMIT"),
        _ => Answer::Ok,
    })
    .await;
    let bench = Bench::with_server(&fake.options);
    let fence = Effect::Fence { server: server() };
    let sql = ["<kill client connections>", READ_ONLY];
    let step = step_of(Dialect::Mariadb, fence, &sql);
    assert_eq!(bench.run_step(step).await, done());
    let received = fake.receives(READ_ONLY).await;
    let kills = received.iter().filter(|(_, one)| one == "KILL 8");
    assert_eq!(kills.count(), 2);
}

#[tokio::test]
async fn a_fence_that_is_cut_off_leaves_no_server_offline() {
    let mut fake = Fake::start(|_, statement| match statement {
        OFFLINE => Answer::After("never"),
        "SHOW PROCESSLIST" => Answer::Nothing,
        _ => Answer::Ok,
    })
    .await;
    let bench = Bench::with_server(&fake.options);
    let effect = Effect::Fence { server: server() };
    let step = step(effect, &[OFFLINE, ONLINE]);
    cut_off(&bench, step, &mut fake, OFFLINE).await;
    fake.receives(ONLINE).await;
}

#[tokio::test]
async fn a_statement_that_is_cut_off_is_killed_before_the_next_step() {
    let mut fake = Fake::start(|id, statement| match statement {
        READ_ONLY if id == 1 => Answer::After("never"),
        "SHOW PROCESSLIST" if id == 2 => process("1", "m", READ_ONLY),
        _ => Answer::Ok,
    })
    .await;
    let bench = Bench::with_server(&fake.options);
    let demote = Effect::Demote { server: server() };
    let cut = step(demote, &[READ_ONLY]);
    cut_off(&bench, cut, &mut fake, READ_ONLY).await;
    let open = Effect::OpenWrites { server: server() };
    let next = step(open, &["NEXT"]);
    assert_eq!(bench.run_step(next).await, done());
    let received = fake.receives("NEXT").await;
    let place = |wanted| received.iter().position(|(_, one)| one == wanted);
    assert!(place("KILL 1") < place("NEXT"));
    assert!(place("KILL 1").is_some());
}
