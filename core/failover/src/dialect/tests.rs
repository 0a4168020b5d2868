//! The order of statements where it decides over false OKs and lost relay logs.

use mainstay_gtid::{Family as SetFamily, GtidSet};
use mainstay_topology::{Address, ServerName, Target};

use super::*;
use crate::effect::Manner;

fn place(family: Family) -> Place {
    Place {
        name: ServerName::new("db2"),
        address: address(3302),
        family,
        channel: String::new(),
    }
}

fn address(port: u16) -> Address {
    Address {
        host: "127.0.0.1".to_owned(),
        port,
    }
}

fn statements(effect: &Effect, family: Family) -> String {
    sql(effect, &place(family)).join("; ")
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
    for family in [Family::Mysql, Family::Mariadb] {
        let text = statements(&effect, family);
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
    };
    for (family, start) in [
        (Family::Mysql, "START REPLICA"),
        (Family::Mariadb, "START SLAVE"),
    ] {
        let text = statements(&effect, family);
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
    assert!(!statements(&effect, Family::Mariadb).contains("START"));
}

#[test]
fn waiting_for_transactions_uses_the_form_of_the_family() {
    let wait = |family, text| Effect::AwaitApplied {
        server: ServerName::new("db2"),
        transactions: GtidSet::parse(family, text).expect("a set"),
    };
    assert_eq!(
        statements(&wait(SetFamily::Mariadb, "0-1-5,0-2-9"), Family::Mariadb),
        "SELECT MASTER_GTID_WAIT('0-2-9', <seconds left>)"
    );
    let two = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5,4e11fa47-71ca-11e1-9e33-c80aa9429562:1";
    let text = statements(&wait(SetFamily::Mysql, two), Family::Mysql);
    assert!(!text.contains('\n') && text.contains(two), "{text}");
}

#[test]
fn enabling_asks_whether_all_of_it_is_in_force() {
    let enable = |afresh| Effect::EnableSemiSync {
        server: ServerName::new("db2"),
        acknowledgements: 1,
        afresh,
    };
    for family in [Family::Mysql, Family::Mariadb] {
        let last = sql(&enable(false), &place(family)).pop();
        assert!(last.is_some_and(|sql| sql.starts_with("SELECT NOT (")));
        assert!(!statements(&enable(false), family).contains("_enabled = OFF"));
        let afresh = statements(&enable(true), family);
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
    let text = statements(&effect, Family::Mariadb);
    assert!(
        before(&text, "gtid_binlog_pos = '0-2-9'", "KILL QUERY ID"),
        "{text}"
    );
    assert!(statements(&effect, Family::Mysql).is_empty());
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
    };
    let of_a_candidate = [
        Effect::ApplyReceived { server: server() },
        Effect::StopReceiver { server: server() },
    ];
    for (family, error, reset) in [
        (Family::Mysql, 1872, "RESET REPLICA FOR CHANNEL ''"),
        (Family::Mariadb, 1201, "RESET SLAVE"),
    ] {
        assert_eq!(cure(&attach, family, error), Some(reset));
        assert_eq!(cure(&attach, family, 1045), None);
        for effect in &of_a_candidate {
            assert_eq!(cure(effect, family, error), None);
        }
    }
}
