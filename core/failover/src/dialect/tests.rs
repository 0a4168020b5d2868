//! The order of statements where it decides over false OKs and lost relay logs.

use mainstay_gtid::{Family as SetFamily, GtidSet};
use mainstay_topology::{Address, ServerName, Target};

use super::*;
use crate::effect::Manner;

fn place(dialect: Dialect) -> Place {
    Place {
        name: ServerName::new("db2"),
        address: address(3302),
        channel: String::new(),
        dialect,
        semi_sync: SemiSyncWords::Present,
        positions: false,
    }
}

fn address(port: u16) -> Address {
    Address {
        host: "127.0.0.1".to_owned(),
        port,
    }
}

fn statements(effect: &Effect, dialect: Dialect) -> String {
    sql(effect, &place(dialect)).join("; ")
}

fn before(text: &str, first: &str, second: &str) -> bool {
    let at = |part: &str| text.find(part).expect("the statement is there");
    at(first) < at(second)
}

#[test]
fn a_fence_cuts_clients_off_before_it_ends_their_wait_with_an_ok() {
    let effect = Effect::Fence {
        server: ServerName::new("db2"),
    };
    for dialect in [Dialect::Mysql, Dialect::Mariadb] {
        let text = statements(&effect, dialect);
        assert!(before(&text, KILL_CLIENTS, "semi_sync"), "{text}");
    }
}

#[test]
fn an_attach_stops_waiting_for_acknowledgements_before_it_starts_to_apply() {
    let effect = Effect::Attach {
        server: ServerName::new("db2"),
        source: Target {
            name: ServerName::new("db1"),
            address: address(3301),
        },
        manner: Manner::ACKNOWLEDGING,
        start: None,
    };
    for (dialect, start) in [
        (Dialect::Mysql, "START REPLICA"),
        (Dialect::Mariadb, "START SLAVE"),
    ] {
        let text = statements(&effect, dialect);
        assert!(before(&text, "_enabled = OFF", start), "{text}");
        assert!(before(&text, "read_only = ON", start), "{text}");
        assert!(text.contains("'<replication password>'"), "{text}");
    }
}

#[test]
fn mariadb_starts_no_thread_to_apply_what_was_received() {
    let effect = Effect::ApplyReceived {
        server: ServerName::new("db2"),
    };
    assert!(!statements(&effect, Dialect::Mariadb).contains("START"));
}

#[test]
fn waiting_for_transactions_uses_the_form_of_the_family() {
    let wait = |family, text| Effect::AwaitApplied {
        server: ServerName::new("db2"),
        transactions: GtidSet::parse(family, text).expect("a set"),
    };
    assert_eq!(
        statements(&wait(SetFamily::Mariadb, "0-1-5,0-2-9"), Dialect::Mariadb),
        "SELECT MASTER_GTID_WAIT('0-2-9', <seconds left>)"
    );
    let two = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5,4e11fa47-71ca-11e1-9e33-c80aa9429562:1";
    let text = statements(&wait(SetFamily::Mysql, two), Dialect::Mysql);
    assert!(!text.contains('\n') && text.contains(two), "{text}");
}

#[test]
fn enabling_asks_whether_all_of_it_is_in_force() {
    let enable = |afresh| Effect::EnableSemiSync {
        server: ServerName::new("db2"),
        acknowledgements: 1,
        afresh,
    };
    for dialect in [Dialect::Mysql, Dialect::Mariadb] {
        let last = sql(&enable(false), &place(dialect)).pop();
        assert!(last.is_some_and(|sql| sql.starts_with("SELECT NOT (")));
        assert!(!statements(&enable(false), dialect).contains("_enabled = OFF"));
        let afresh = statements(&enable(true), dialect);
        assert!(
            before(&afresh, "_enabled = OFF", "_enabled = ON"),
            "{afresh}"
        );
    }
}

#[test]
fn a_wait_is_ended_only_while_nothing_was_written_since_the_proof() {
    let effect = Effect::ReleaseProved {
        server: ServerName::new("db2"),
        transactions: GtidSet::parse(SetFamily::Mariadb, "0-1-5,0-2-9").expect("a set"),
    };
    let text = statements(&effect, Dialect::Mariadb);
    assert!(
        before(&text, "gtid_binlog_pos = '0-2-9'", "KILL QUERY ID"),
        "{text}"
    );
    assert!(statements(&effect, Dialect::Mysql).is_empty());
}

#[test]
fn a_link_that_its_own_server_cannot_read_is_reset_where_relay_logs_are_worthless() {
    let server = || ServerName::new("db2");
    let attach = Effect::Attach {
        server: server(),
        source: Target {
            name: ServerName::new("db1"),
            address: address(3301),
        },
        manner: Manner::ACKNOWLEDGING,
        start: None,
    };
    let of_a_candidate = [
        Effect::ApplyReceived { server: server() },
        Effect::StopReceiver { server: server() },
    ];
    for (dialect, error, reset) in [
        (Dialect::Mysql, 1872, "RESET REPLICA FOR CHANNEL ''"),
        (Dialect::Mariadb, 1201, "RESET SLAVE"),
    ] {
        assert_eq!(cure(&attach, dialect, error), Some(reset));
        assert_eq!(cure(&attach, dialect, 1045), None);
        for effect in &of_a_candidate {
            assert_eq!(cure(effect, dialect, error), None);
        }
    }
}

#[test]
fn no_words_of_another_age_are_sent_to_an_old_server() {
    let server = || ServerName::new("db2");
    let source = Target {
        name: ServerName::new("db1"),
        address: address(3301),
    };
    let transactions = GtidSet::parse(SetFamily::Mysql, "").expect("a set");
    let effects = [
        Effect::StopReceiver { server: server() },
        Effect::Fence { server: server() },
        Effect::Demote { server: server() },
        Effect::ApplyReceived { server: server() },
        Effect::OpenWrites { server: server() },
        Effect::ForgetSource { server: server() },
        Effect::AwaitApplied {
            server: server(),
            transactions,
        },
        Effect::Attach {
            server: server(),
            source,
            manner: Manner::ACKNOWLEDGING,
            start: None,
        },
        Effect::EnableSemiSync {
            server: server(),
            acknowledgements: 1,
            afresh: true,
        },
    ];
    let too_new_for_57 = [
        "REPLICA ",
        "SOURCE_",
        "semi_sync_source",
        "semi_sync_replica",
    ];
    let too_new_for_56 = ["super_read_only", "offline_mode", "CHANNEL", "wait_point"];
    for effect in &effects {
        let text = statements(effect, Dialect::Mysql57);
        assert!(
            too_new_for_57.iter().all(|word| !text.contains(word)),
            "{text}"
        );
        let text = statements(effect, Dialect::Mysql56);
        assert!(
            too_new_for_57.iter().all(|word| !text.contains(word)),
            "{text}"
        );
        assert!(
            too_new_for_56.iter().all(|word| !text.contains(word)),
            "{text}"
        );
    }
}

#[test]
fn an_old_server_is_read_only_before_its_clients_are_cut_off_for_the_last_time() {
    let effect = Effect::Fence {
        server: ServerName::new("db2"),
    };
    let text = statements(&effect, Dialect::Mysql56);
    let (_, after) = text.split_once("read_only = ON").expect("it is read-only");
    assert!(after.contains(KILL_CLIENTS), "{text}");
    assert!(
        before(&text, "event_scheduler = OFF", KILL_CLIENTS),
        "{text}"
    );
}

#[test]
fn semi_sync_is_spoken_of_in_the_words_of_the_plugin_that_is_there() {
    let enable = Effect::EnableSemiSync {
        server: ServerName::new("db2"),
        acknowledgements: 2,
        afresh: false,
    };
    let fence = Effect::Fence {
        server: ServerName::new("db2"),
    };
    let with = |effect: &Effect, semi_sync| {
        let place = Place {
            semi_sync,
            ..place(Dialect::Mysql8026)
        };
        sql(effect, &place).join("; ")
    };
    let old = with(&enable, SemiSyncWords::Old);
    assert!(
        old.contains("rpl_semi_sync_master_wait_for_slave_count = 2"),
        "{old}"
    );
    assert!(!old.contains("source") && !old.contains("replica"), "{old}");
    assert!(with(&enable, SemiSyncWords::Absent).contains("_enabled = ON"));
    assert!(!with(&fence, SemiSyncWords::Absent).contains("semi_sync"));
}

#[test]
fn a_replica_without_gtids_is_told_a_place_that_is_found_when_it_is_stopped() {
    let start = crate::effect::Start {
        uuid: "3e11fa47-71ca-11e1-9e33-c80aa9429562".to_owned(),
        base: "binlog".to_owned(),
        equal: GtidSet::empty(SetFamily::Mysql),
    };
    let effect = Effect::Attach {
        server: ServerName::new("db2"),
        source: Target {
            name: ServerName::new("db1"),
            address: address(3301),
        },
        manner: Manner::ACKNOWLEDGING,
        start: Some(start),
    };
    for dialect in [Dialect::Mysql56, Dialect::Mysql57, Dialect::Mysql] {
        let text = statements(&effect, dialect);
        assert!(text.contains("LOG_FILE = '<log of the source>'"), "{text}");
        assert!(text.contains("AUTO_POSITION = 0"), "{text}");
        assert!(before(&text, "STOP ", "<log of the source>"), "{text}");
        assert_eq!(
            cure(&effect, dialect, 1201),
            None,
            "a reset forgets the place"
        );
    }
}
