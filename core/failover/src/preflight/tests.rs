//! Each condition: what refuses, and what is said.

use super::*;

fn activity(seconds: u64, statement: &str) -> Activity {
    Activity {
        id: 17,
        user: "app".to_owned(),
        age: Duration::from_secs(seconds),
        statement: statement.to_owned(),
    }
}

fn terms() -> Terms {
    Terms {
        transaction_max: Duration::from_secs(1),
        end_transactions: false,
        allow_newer: false,
    }
}

fn survey() -> Survey {
    Survey {
        primary: ServerName::new("db1"),
        candidate: ServerName::new("db2"),
        transactions: Ok(Vec::new()),
        prepared: Ok(Vec::new()),
        running: Ok(Vec::new()),
        replayed: Ok(Vec::new()),
        locks: Ok(Vec::new()),
        login: Ok(ReplicaLogin::Accepted),
        filters: Ok(Vec::new()),
        logs: Ok(true),
        events: Ok(Events::default()),
        room_mib: None,
    }
}

fn judged(survey: &Survey, terms: &Terms) -> Option<String> {
    refusal(&preflight(survey, &Topology::default(), terms))
}

#[test]
fn nothing_is_in_the_way_of_an_idle_cluster() {
    assert_eq!(judged(&survey(), &terms()), None);
}

#[test]
fn what_cannot_be_asked_does_not_refuse() {
    let survey = Survey {
        transactions: Err("access denied".to_owned()),
        ..survey()
    };
    assert_eq!(judged(&survey, &terms()), None);
}

#[test]
fn a_long_transaction_is_named_and_may_be_ended() {
    let survey = Survey {
        transactions: Ok(vec![activity(9, ""), activity(1, "SELECT 1")]),
        ..survey()
    };
    let refused = judged(&survey, &terms()).expect("refused");
    assert!(
        refused.contains("connection 17 of app for 9 s, between two statements"),
        "{refused}"
    );
    assert!(!refused.contains("SELECT 1"), "{refused}");
    let terms = Terms {
        end_transactions: true,
        ..terms()
    };
    assert_eq!(judged(&survey, &terms), None);
}

#[test]
fn a_change_of_a_table_is_seen_behind_its_comment() {
    let change = activity(4, "/* mine */ alter table t add c int");
    for survey in [
        Survey {
            running: Ok(vec![change.clone()]),
            ..survey()
        },
        Survey {
            replayed: Ok(vec![change.clone()]),
            ..survey()
        },
    ] {
        let refused = judged(&survey, &terms()).expect("refused");
        assert!(refused.contains("alter table t add c int"), "{refused}");
    }
    let survey = Survey {
        running: Ok(vec![activity(4, "INSERT INTO t SELECT * FROM u")]),
        ..survey()
    };
    assert_eq!(judged(&survey, &terms()), None);
}

#[test]
fn an_account_that_only_the_present_primary_knows_refuses() {
    let refused = |primary_accepts| Survey {
        login: Ok(ReplicaLogin::Refused {
            reason: "Access denied".to_owned(),
            primary_accepts,
        }),
        ..survey()
    };
    assert!(judged(&refused(true), &terms()).is_some());
    assert_eq!(judged(&refused(false), &terms()), None);
}

#[test]
fn events_need_a_scheduler_and_their_definers() {
    let events = Events {
        enabled: vec![("app.tidy".to_owned(), "jo@%".to_owned())],
        scheduler: "ON".to_owned(),
        candidate_scheduler: "OFF".to_owned(),
        candidate_accounts: vec!["jo@%".to_owned()],
    };
    let judged = |events: Events| {
        let survey = Survey {
            events: Ok(events),
            ..survey()
        };
        judged(&survey, &terms())
    };
    assert_eq!(judged(events.clone()), None);
    let disabled = Events {
        candidate_scheduler: "DISABLED".to_owned(),
        ..events.clone()
    };
    assert!(judged(disabled).is_some());
    let orphan = Events {
        candidate_accounts: Vec::new(),
        ..events
    };
    let refused = judged(orphan).expect("refused");
    assert!(refused.contains("app.tidy of jo@%"), "{refused}");
}

#[test]
fn all_reasons_are_told_at_once() {
    let survey = Survey {
        prepared: Ok(vec!["order-7".to_owned()]),
        logs: Ok(false),
        ..survey()
    };
    let refused = judged(&survey, &terms()).expect("refused");
    assert!(refused.contains("order-7") && refused.contains("log_bin"));
}
