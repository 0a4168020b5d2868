//! Steps whose statements do not come back, on a server that answers as it is told to.

use std::time::Duration;

use mainstay_failover::{Effect, OnFailure, Place};
use mainstay_topology::{Address, Family};

use super::tests::{Bench, done, server};
use super::*;
use crate::fake::{Answer, Fake};

const STOP: &str = "STOP REPLICA FOR CHANNEL ''";
const OFFLINE: &str = "SET GLOBAL offline_mode = ON";
const ONLINE: &str = "SET GLOBAL offline_mode = OFF";
const READ_ONLY: &str = "SET GLOBAL super_read_only = ON";

fn step(effect: Effect, sql: &[&str]) -> Step {
    let address = Address {
        host: "127.0.0.1".to_owned(),
        port: 3301,
    };
    Step {
        effect,
        place: Some(Place {
            name: server(),
            address,
            family: Family::Mysql,
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
async fn an_applier_is_left_alone_while_the_receiver_runs() {
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
