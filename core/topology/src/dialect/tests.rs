//! Answers of real servers, shortened to the columns that are read.

use std::time::Duration;

use super::*;
use crate::facts::{Applier, Receiver};
use crate::setup::{Logging, Setup};

const UUID: &str = "a2b14340-e4b3-11f1-86f7-02fc00000001";

fn row(pairs: &[(&str, &str)]) -> Row {
    let value = |text: &str| (text != "NULL").then(|| text.to_owned());
    pairs
        .iter()
        .map(|(name, text)| ((*name).to_owned(), value(text)))
        .collect()
}

fn mariadb_answers() -> Vec<Vec<Row>> {
    vec![
        vec![row(&[
            ("server_id", "2"),
            ("read_only", "1"),
            ("binlog_state", "0-1-2"),
            ("replica_position", "0-1-2"),
            ("source_enabled", "0"),
            ("timeout", "10000"),
            ("wait_point", "AFTER_COMMIT"),
            ("wait_alone", "1"),
            ("wait_count", "1"),
            ("replica_enabled", "1"),
        ])],
        vec![row(&[
            ("Master_Host", "127.0.0.1"),
            ("Master_Port", "23401"),
            ("Master_Log_File", "binlog.000001"),
            ("Read_Master_Log_Pos", "642"),
            ("Slave_IO_Running", "Yes"),
            ("Slave_SQL_Running", "No"),
            ("Seconds_Behind_Master", "NULL"),
            ("Last_IO_Errno", "0"),
            ("Last_SQL_Errno", "1062"),
            ("Gtid_IO_Pos", "0-1-5"),
        ])],
        vec![
            row(&[
                ("Variable_name", "Rpl_semi_sync_master_clients"),
                ("Value", "0"),
            ]),
            row(&[
                ("Variable_name", "Slave_received_heartbeats"),
                ("Value", "17"),
            ]),
        ],
    ]
}

fn mysql_answers() -> Vec<Vec<Row>> {
    vec![
        vec![row(&[
            ("server_id", "2"),
            ("server_uuid", UUID),
            ("read_only", "0"),
            ("super_read_only", "0"),
            ("offline", "0"),
            ("executed", &format!("{UUID}:1-5")),
            ("gtid_mode", "ON"),
            ("log_base", "/data/binlog"),
            ("semi_sync", "rpl_semi_sync_replica_enabled"),
            ("source_enabled", "ON"),
            ("timeout", "4294967295"),
            ("wait_point", "AFTER_SYNC"),
            ("wait_alone", "ON"),
            ("wait_count", "2"),
            ("replica_enabled", "NULL"),
            ("heartbeats", "NULL"),
        ])],
        vec![],
        vec![
            row(&[
                ("Variable_name", "Rpl_semi_sync_source_clients"),
                ("Value", "2"),
            ]),
            row(&[
                ("Variable_name", "Rpl_semi_sync_source_status"),
                ("Value", "ON"),
            ]),
        ],
    ]
}

#[test]
fn versions_are_read_from_the_greetings_of_both_families() {
    let texts = [
        ("9.7.4-2", "MySQL 9.7.4"),
        ("5.6.24-log", "MySQL 5.6.24"),
        ("5.5.5-10.11.19-MariaDB-0+deb12u1-log", "MariaDB 10.11.19"),
        ("11.8.6-MariaDB-0+deb13u1 from Debian-log", "MariaDB 11.8.6"),
    ];
    for (greeting, expected) in texts {
        let version = version(greeting).expect("a version");
        assert_eq!(version.to_string(), expected);
    }
    assert_eq!(version("nonsense"), None);
}

#[test]
fn a_mariadb_replica_holds_what_it_has_received_and_not_applied() {
    let version = version("10.11.19-MariaDB").expect("a version");
    let facts = facts(&version, &mariadb_answers()).expect("facts");
    let link = facts.link.as_ref().expect("a link");
    assert_eq!(facts.executed.to_string(), "0-1-2");
    assert_eq!(facts.held().to_string(), "0-1-5");
    assert_eq!(link.source.to_string(), "127.0.0.1:23401");
    assert_eq!(
        (link.receiver, link.applier),
        (Receiver::Running, Applier::Failed(1062))
    );
    assert_eq!(link.lag, None::<Duration>);
    assert!(facts.read_only && facts.semi_sync.replica_enabled);
}

#[test]
fn a_heartbeat_changes_what_was_heard() {
    let version = version("10.11.19-MariaDB").expect("a version");
    let heard = |answers: &[Vec<Row>]| {
        let facts = facts(&version, answers).expect("facts");
        facts.link.expect("a link").heard
    };
    let before = mariadb_answers();
    let mut after = before.clone();
    after[2][1] = row(&[
        ("Variable_name", "Slave_received_heartbeats"),
        ("Value", "18"),
    ]);
    assert_ne!(heard(&before), heard(&after));
    assert_eq!(heard(&before), heard(&mariadb_answers()));
}

#[test]
fn a_mysql_primary_has_no_link_and_counts_its_clients() {
    let version = version("9.7.4-2").expect("a version");
    let facts = facts(&version, &mysql_answers()).expect("facts");
    assert_eq!(facts.link, None);
    assert_eq!(facts.semi_sync.clients, 2);
    assert!(facts.semi_sync.source_enabled && !facts.semi_sync.replica_enabled);
    assert_eq!(facts.server_uuid.as_deref(), Some(UUID));
}

#[test]
fn an_answer_without_a_column_says_which_one() {
    let version = version("9.7.4-2").expect("a version");
    let mut answers = mysql_answers();
    answers[0][0].retain(|(name, _)| name != "executed");
    let error = facts(&version, &answers).expect_err("a column is missing");
    assert!(error.to_string().contains("executed"), "{error}");
    assert!(facts(&version, &[]).is_err());
}

#[test]
fn a_source_counts_only_with_settings_that_never_give_up() {
    let version = version("9.7.4-2").expect("a version");
    let semi_sync = |answers: &[Vec<Row>]| facts(&version, answers).expect("facts").semi_sync;
    assert_eq!(semi_sync(&mysql_answers()).acknowledgements, 2);
    let weaker = [
        ("source_enabled", "OFF"),
        ("timeout", "10000"),
        ("wait_point", "AFTER_COMMIT"),
        ("wait_alone", "OFF"),
    ];
    for (column, value) in weaker {
        let mut answers = mysql_answers();
        for (name, old) in &mut answers[0][0] {
            if name == column {
                *old = Some(value.to_owned());
            }
        }
        assert_eq!(semi_sync(&answers).acknowledgements, 0, "{column}");
    }
    let mut answers = mysql_answers();
    answers[2][1][1].1 = Some("OFF".to_owned());
    let given_up = semi_sync(&answers);
    assert!(given_up.given_up && given_up.acknowledgements == 0);
}

fn changed(answers: &mut [Vec<Row>], answer: usize, changes: &[(&str, &str)]) {
    for (name, value) in changes {
        answers[answer][0].retain(|(known, _)| known != name);
        answers[answer][0].push(((*name).to_owned(), Some((*value).to_owned())));
    }
}

#[test]
fn only_the_channel_of_this_cluster_is_read() {
    let version = version("10.11.19-MariaDB").expect("a version");
    let mut answers = mariadb_answers();
    let mut named = answers[1][0].clone();
    named.push(("Connection_name".to_owned(), Some("Reports".to_owned())));
    named.retain(|(name, _)| name != "Master_Port");
    named.push(("Master_Port".to_owned(), Some("23999".to_owned())));
    answers[1].insert(0, named);
    let port = |channel| {
        let facts = facts_on(&version, &answers, channel).expect("facts");
        let link = facts.link.expect("a link");
        (link.source.port, facts.setup.other_channels)
    };
    assert_eq!(port(""), (23401, vec!["Reports".to_owned()]));
    assert_eq!(port("reports"), (23999, vec![String::new()]));
    let other = facts_on(&version, &answers, "other").expect("facts");
    assert_eq!(other.link, None);
}

#[test]
fn a_channels_heartbeats_are_its_own() {
    let version = version("9.7.4-2").expect("a version");
    let heard = |heartbeats| {
        let mut answers = mysql_answers();
        changed(&mut answers, 0, &[("heartbeats", heartbeats)]);
        answers[1].push(row(&[
            ("Source_Host", "db1"),
            ("Source_Port", "3306"),
            ("Source_Log_File", "binlog.000001"),
            ("Read_Source_Log_Pos", "4"),
            ("Replica_IO_Running", "Yes"),
            ("Replica_SQL_Running", "Yes"),
            ("Seconds_Behind_Source", "0"),
            ("Last_IO_Errno", "0"),
            ("Last_SQL_Errno", "0"),
            ("Retrieved_Gtid_Set", ""),
            ("Channel_Name", ""),
        ]));
        facts(&version, &answers)
            .expect("facts")
            .link
            .expect("a link")
            .heard
    };
    assert_eq!(heard(" 4,reports 7"), heard(" 4,reports 8"));
    assert_ne!(heard(" 4,reports 7"), heard(" 5,reports 7"));
}

#[test]
fn filters_delay_and_logging_are_the_servers_own_words() {
    let version = version("10.11.19-MariaDB").expect("a version");
    let mut answers = mariadb_answers();
    assert_eq!(
        facts(&version, &answers).expect("facts").setup,
        Setup::default()
    );
    let own = [
        ("log_updates", "0"),
        ("increment_by", "2"),
        ("increment_offset", "2"),
    ];
    changed(&mut answers, 0, &own);
    let link = [
        ("SQL_Delay", "3600"),
        ("Replicate_Do_DB", "shop,app"),
        ("Replicate_Ignore_DB", "sys,mysql,performance_schema"),
    ];
    changed(&mut answers, 1, &link);
    let setup = facts(&version, &answers).expect("facts").setup;
    assert_eq!(setup.delay, Duration::from_hours(1));
    assert_eq!(setup.logging, Logging::Own);
    assert_eq!(
        (setup.auto_increment.offset, setup.auto_increment.increment),
        (2, 2)
    );
    let filters = [
        "replicate-do-db=app",
        "replicate-do-db=shop",
        "replicate-ignore-db=mysql",
    ];
    assert_eq!(setup.filters, filters);
    changed(&mut answers, 0, &[("log_bin", "0")]);
    let without = facts(&version, &answers).expect("facts").setup;
    assert_eq!(without.logging, Logging::Nothing);
}
