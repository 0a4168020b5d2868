//! The store against real files.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use mainstay_failover::pause::Pause;
use mainstay_failover::{Effect, OnFailure, OperationId, Output, Plan, Purpose, Step, StepResult};
use mainstay_gtid::{Family, GtidSet};
use mainstay_topology::{Epoch, Maintenance, Record, ServerName, Wish};
use tempfile::TempDir;

use crate::{Entry, Schedule, StepOutcome, Store, StoreError};

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    (folder, path)
}

fn record(epoch: u64, primary: &str, joined: &[&str]) -> Record {
    Record {
        epoch: Epoch(epoch),
        primary: Some(ServerName::new(primary)),
        joined: joined.iter().map(|name| ServerName::new(name)).collect(),
        baseline: None,
        began_at: None,
        acknowledgements: 1,
    }
}

fn step(sentence: &str) -> Step {
    Step {
        effect: Effect::StopReceiver {
            server: ServerName::new("db2"),
        },
        place: None,
        group: 1,
        precondition: "db2 can be reached".to_owned(),
        sentence: sentence.to_owned(),
        sql: vec!["STOP REPLICA IO_THREAD".to_owned()],
        limit: Duration::from_secs(1),
        on_failure: OnFailure::Replan,
        undo: None,
    }
}

fn began(operation: u64, at_us: u64) -> Entry {
    Entry::Began {
        operation,
        at_us,
        plan: Plan {
            purpose: Purpose::Failover {
                from: ServerName::new("db1"),
            },
            epoch: Epoch(2),
            steps: vec![step("stop the receiver of db2"), step("promote db2")],
            continues: true,
        },
    }
}

fn entered(at_us: u64, phase: &str) -> Entry {
    Entry::Entered {
        at_us,
        phase: phase.to_owned(),
        reason: format!("because of {phase}"),
    }
}

#[test]
fn a_new_file_has_no_reign() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    assert_eq!(store.record().unwrap(), Record::default());
    assert_eq!(store.last_operation().unwrap(), OperationId(0));
}

#[test]
fn a_record_survives_a_restart() {
    let (_folder, path) = folder();
    let text = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5";
    let written = Record {
        baseline: GtidSet::parse(Family::Mysql, text).ok(),
        ..record(3, "db2", &["db1", "db3"])
    };
    assert!(written.baseline.is_some());
    Store::open(&path).unwrap().write_record(&written).unwrap();
    assert_eq!(Store::open(&path).unwrap().record().unwrap(), written);
}

#[test]
fn an_epoch_never_shrinks() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    store.write_record(&record(3, "db2", &[])).unwrap();
    let error = store.write_record(&record(2, "db1", &[])).unwrap_err();
    assert!(matches!(error, StoreError::StaleEpoch { .. }));
    assert_eq!(store.record().unwrap(), record(3, "db2", &[]));
}

#[test]
fn an_epoch_has_one_primary() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    store.write_record(&record(3, "db2", &[])).unwrap();
    let error = store.write_record(&record(3, "db1", &[])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "epoch 3 belongs to db2 and cannot be given to db1"
    );
}

#[test]
fn versions_of_routes_are_never_given_twice() {
    let (_folder, path) = folder();
    let first = Store::open(&path).unwrap().reserve_route_versions(1_000);
    let second = Store::open(&path).unwrap().reserve_route_versions(1_000);
    assert_eq!((first.unwrap(), second.unwrap()), (0, 1_000));
}

#[test]
fn servers_may_join_the_current_reign() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    store.write_record(&record(1, "db1", &["db2"])).unwrap();
    let wider = record(1, "db1", &["db2", "db3"]);
    store.write_record(&wider).unwrap();
    assert_eq!(store.record().unwrap(), wider);
}

#[test]
fn servers_of_an_older_reign_do_not_count_in_a_newer() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    store
        .write_record(&record(1, "db1", &["db2", "db3"]))
        .unwrap();
    store.write_record(&record(2, "db2", &["db3"])).unwrap();
    let joined: BTreeSet<_> = [ServerName::new("db3")].into();
    assert_eq!(store.record().unwrap().joined, joined);
}

#[test]
fn the_journal_gives_back_an_operation_with_what_led_to_it() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    store
        .append(&[
            entered(1_000, "suspecting"),
            entered(2_000, "watching"),
            entered(3_000, "suspecting"),
            entered(4_000, "confirmed"),
            began(1, 5_000),
            Entry::Started {
                operation: 1,
                step: 0,
                at_us: 5_100,
                what: Box::new(step("stop the receiver of db2")),
            },
        ])
        .unwrap();
    let purpose = Purpose::Failover {
        from: ServerName::new("db1"),
    };
    assert_eq!(store.unfinished().unwrap(), [(OperationId(1), purpose)]);
    store
        .append(&[
            Entry::Ended {
                operation: 1,
                step: 0,
                at_us: 5_900,
                result: StepResult::Done(Output::Done),
            },
            Entry::Finished {
                operation: 1,
                at_us: 6_000,
                outcome: Ok(()),
                certificate: Some("nothing is missing".to_owned()),
            },
        ])
        .unwrap();
    let operations = store.operations(10).unwrap();
    let [operation] = operations.as_slice() else {
        panic!("one operation, not {operations:?}");
    };
    let phases: Vec<_> = operation
        .phases
        .iter()
        .map(|change| change.phase.as_str())
        .collect();
    assert_eq!(phases, ["suspecting", "confirmed"]);
    assert_eq!(
        operation.plan,
        "1. stop the receiver of db2\n2. promote db2"
    );
    assert_eq!(operation.steps[0].outcome, Some(StepOutcome::Done));
    assert_eq!(operation.steps[0].ended_us, Some(5_900));
    assert_eq!(operation.certificate.as_deref(), Some("nothing is missing"));
    assert_eq!(store.operation(1).unwrap().as_ref(), Some(operation));
    assert_eq!(store.operation(2).unwrap(), None);
    assert!(store.unfinished().unwrap().is_empty());
}

#[test]
fn a_step_may_be_journaled_twice() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    let started = |at_us| Entry::Started {
        operation: 1,
        step: 0,
        at_us,
        what: Box::new(step("stop the receiver of db2")),
    };
    store
        .append(&[began(1, 1), started(2), started(9)])
        .unwrap();
    let operation = store.operation(1).unwrap().unwrap();
    assert_eq!(operation.steps.len(), 1);
    assert_eq!(operation.steps[0].started_us, 9);
}

#[test]
fn what_ends_without_having_begun_changes_nothing() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    let finished = Entry::Finished {
        operation: 1,
        at_us: 1,
        outcome: Ok(()),
        certificate: None,
    };
    store.append(&[finished]).unwrap();
    assert_eq!(store.operation(1).unwrap(), None);
}

#[test]
fn a_step_of_an_operation_that_is_not_journaled_is_refused() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    let started = Entry::Started {
        operation: 1,
        step: 0,
        at_us: 1,
        what: Box::new(step("promote db2")),
    };
    assert!(store.append(&[started]).is_err());
}

#[test]
fn entries_are_written_all_or_none() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    store.append(&[began(1, 1)]).unwrap();
    assert!(
        store
            .append(&[entered(2, "executing"), began(1, 3)])
            .is_err()
    );
    assert!(store.operation(1).unwrap().unwrap().phases.is_empty());
}

#[test]
fn two_managers_never_share_a_state_file() {
    let (_folder, path) = folder();
    let _first = Store::open(&path).unwrap();
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("another manager runs with it"));
}

#[test]
fn a_file_that_is_no_database_is_damaged() {
    let (_folder, path) = folder();
    std::fs::write(
        &path,
        "this is a letter, not a database, and long enough to tell. ".repeat(20),
    )
    .unwrap();
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let (_folder, path) = folder();
    let other = rusqlite::Connection::open(&path).unwrap();
    other
        .execute_batch("CREATE TABLE recipes (cake TEXT)")
        .unwrap();
    drop(other);
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
}

#[test]
fn a_file_of_a_newer_version_is_refused() {
    let (_folder, path) = folder();
    drop(Store::open(&path).unwrap());
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    let error = Store::open(&path).unwrap_err();
    assert!(
        matches!(error, StoreError::TooNew { found: 99, .. }),
        "{error}"
    );
}

#[test]
fn a_damaged_page_is_noticed_when_the_file_is_opened() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    for operation in 1..200 {
        store.append(&[began(operation, operation)]).unwrap();
    }
    drop(store);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0xAA);
    std::fs::write(&path, bytes).unwrap();
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[test]
fn a_full_disk_is_an_error_and_loses_nothing() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    store.write_record(&record(1, "db1", &["db2"])).unwrap();
    store.limit_pages(1);
    let error = (1..1_000)
        .find_map(|operation| store.append(&[began(operation, operation)]).err())
        .expect("the disk is full at some point");
    assert!(matches!(error, StoreError::DiskFull { .. }), "{error}");
    assert_eq!(store.record().unwrap(), record(1, "db1", &["db2"]));
}

#[test]
fn a_missing_folder_is_named() {
    let (folder, _) = folder();
    let path = folder.path().join("absent/state.db");
    let error = Store::open(&path).unwrap_err();
    assert!(error.to_string().contains("absent/state.db"), "{error}");
}

#[test]
fn wishes_are_kept_until_they_are_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let server = ServerName::new("db2");
    let wish = Wish {
        maintenance: Some(Maintenance {
            reason: "new disk".to_owned(),
            by: "jo".to_owned(),
            until_ms: Some(1_795_162_051_893),
        }),
        source: Some(ServerName::new("db3")),
        ..Wish::default()
    };
    let store = Store::open(&path).unwrap();
    store.write_wish(&server, &wish).unwrap();
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.wishes().unwrap(), [(server.clone(), wish)].into());
    store.write_wish(&server, &Wish::default()).unwrap();
    assert!(store.wishes().unwrap().is_empty());
}

#[test]
fn a_switchover_waits_for_its_time_and_ends_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let store = Store::open(&path).unwrap();
    let wanted = Schedule {
        at_ms: 1_795_162_051_893,
        window_ms: 60_000,
        to: Some("db2".to_owned()),
        by: "jo".to_owned(),
        ..Schedule::default()
    };
    let id = store.schedule(&wanted).unwrap();
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.schedules().unwrap(), [Schedule { id, ..wanted }]);
    assert!(store.end_schedule(id, "cancelled by jo").unwrap());
    assert!(!store.end_schedule(id, "done").unwrap());
    let ended = &store.schedules().unwrap()[0];
    assert_eq!(ended.outcome.as_deref(), Some("cancelled by jo"));
}

#[test]
fn a_pause_and_what_was_acknowledged_outlive_the_manager() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    assert_eq!(store.pause().unwrap(), None);
    let pause = Pause {
        reason: "new switches".to_owned(),
        by: "jo".to_owned(),
        until_ms: Some(1_700_000_000_000),
    };
    store.write_pause(Some(&pause)).unwrap();
    let ended = Entry::Finished {
        operation: 7,
        at_us: 500,
        outcome: Ok(()),
        certificate: None,
    };
    store.append(&[began(7, 400), ended]).unwrap();
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.pause().unwrap(), Some(pause));
    assert_eq!(store.unacknowledged().unwrap(), Some((OperationId(7), 500)));
    store.write_pause(None).unwrap();
    store.acknowledge().unwrap();
    assert_eq!(store.pause().unwrap(), None);
    assert_eq!(store.unacknowledged().unwrap(), None);
}
