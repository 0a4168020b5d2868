//! Answers of servers of all versions: those of 5.6.24, 9.7.4 and 10.11.19 were recorded from real
//! ones, the others are written after their vendors' manuals (the first line of each says so).

use super::*;
use crate::facts::{Applier, Receiver, SemiSyncWords};

/// The files, each with the words that its server understands.
const RECORDED: [(&str, Dialect); 17] = [
    (
        include_str!("recorded/mysql-5.6.24-gtid-replica.txt"),
        Dialect::Mysql56,
    ),
    (
        include_str!("recorded/mysql-5.6.24-positions-primary.txt"),
        Dialect::Mysql56,
    ),
    (
        include_str!("recorded/mysql-5.6.24-positions-replica.txt"),
        Dialect::Mysql56,
    ),
    (
        include_str!("recorded/mysql-5.6.51-gtid-primary.txt"),
        Dialect::Mysql56,
    ),
    (
        include_str!("recorded/mysql-5.7.44-gtid-replica.txt"),
        Dialect::Mysql57,
    ),
    (
        include_str!("recorded/mysql-5.7.44-positions-replica.txt"),
        Dialect::Mysql57,
    ),
    (
        include_str!("recorded/mysql-8.0.25-gtid-replica.txt"),
        Dialect::Mysql80,
    ),
    (
        include_str!("recorded/mysql-8.0.36-old-plugin-primary.txt"),
        Dialect::Mysql8026,
    ),
    (
        include_str!("recorded/mysql-8.0.36-replica.txt"),
        Dialect::Mysql8026,
    ),
    (
        include_str!("recorded/mysql-8.4.3-replica.txt"),
        Dialect::Mysql,
    ),
    (
        include_str!("recorded/mysql-9.7.4-primary.txt"),
        Dialect::Mysql,
    ),
    (
        include_str!("recorded/mysql-9.7.4-replica.txt"),
        Dialect::Mysql,
    ),
    (
        include_str!("recorded/mariadb-10.5.29-replica.txt"),
        Dialect::Mariadb,
    ),
    (
        include_str!("recorded/mariadb-10.6.22-replica.txt"),
        Dialect::Mariadb,
    ),
    (
        include_str!("recorded/mariadb-10.11.19-primary.txt"),
        Dialect::Mariadb,
    ),
    (
        include_str!("recorded/mariadb-10.11.19-replica.txt"),
        Dialect::Mariadb,
    ),
    (
        include_str!("recorded/mariadb-11.8.6-replica.txt"),
        Dialect::Mariadb,
    ),
];

/// What the server of a file says: its greeting, and the answers to what it was asked.
fn read(text: &str) -> (Version, Vec<Vec<Row>>) {
    let (head, answers) = text.split_once("\n## ").expect("an answer");
    let greeting = head
        .lines()
        .find_map(|line| line.strip_prefix("version = "));
    let version = version(greeting.expect("a version")).expect("a version");
    let answers = answers.split("\n## ").map(|answer| {
        let (_, rows) = answer.split_once('\n').unwrap_or((answer, ""));
        let rows = rows.split("\n\n").map(row);
        rows.filter(|row| !row.is_empty()).collect()
    });
    (version, answers.collect())
}

fn row(text: &str) -> Row {
    let field = |line: &str| {
        let (name, value) = line.split_once(" =")?;
        let value = value.trim_start().to_owned();
        Some((name.to_owned(), (value != "NULL").then_some(value)))
    };
    text.lines().filter_map(field).collect()
}

/// The facts of the file of this name.
fn of(text: &str) -> Facts {
    let (version, answers) = read(text);
    facts(&version, &answers).unwrap_or_else(|error| panic!("{version}: {error}"))
}

#[test]
fn every_version_is_asked_in_its_words_and_understood() {
    for (text, dialect) in RECORDED {
        let (version, answers) = read(text);
        assert_eq!(version.dialect(), dialect, "{version}");
        let asked = observe_statements(&version);
        let headings = text.lines().filter_map(|line| line.strip_prefix("## "));
        let more = more_statements(&version, &answers);
        let statements: Vec<&str> = asked.iter().chain(more).copied().collect();
        assert_eq!(answers.len(), statements.len(), "{version}");
        for (heading, statement) in headings.zip(statements) {
            let from_57 = heading.starts_with("SELECT");
            assert!(
                from_57 || statement.starts_with(heading),
                "{version}: {heading}"
            );
        }
        let facts = facts(&version, &answers).unwrap_or_else(|error| panic!("{version}: {error}"));
        assert!(facts.server_id > 0);
        let mysql = version.family == Family::Mysql;
        assert_eq!(facts.server_uuid.is_some(), mysql, "{version}");
    }
}

#[test]
fn every_replica_says_where_it_replicates_from_and_that_it_runs() {
    for (text, _) in RECORDED
        .iter()
        .filter(|(text, _)| text.contains("_Host = 127"))
    {
        let facts = of(text);
        let link = facts.link.expect("a link");
        let (receiver, applier) = (Receiver::Running, Applier::Running);
        assert_eq!((link.receiver, link.applier), (receiver, applier));
        assert_eq!(link.source.host, "127.0.0.1");
        assert_eq!(link.lag.map(|lag| lag.as_secs()), Some(0));
        assert!(link.received.contains(&facts.executed));
    }
}

#[test]
fn a_primary_of_each_age_says_whether_its_commits_wait() {
    let words = |text| {
        let semi_sync = of(text).semi_sync;
        (
            semi_sync.words,
            semi_sync.acknowledgements,
            semi_sync.clients,
        )
    };
    let old = include_str!("recorded/mysql-5.6.51-gtid-primary.txt");
    assert_eq!(words(old), (SemiSyncWords::Old, 1, 1));
    let between = include_str!("recorded/mysql-8.0.36-old-plugin-primary.txt");
    assert_eq!(words(between), (SemiSyncWords::Old, 1, 2));
    let new = include_str!("recorded/mysql-9.7.4-primary.txt");
    assert_eq!(words(new), (SemiSyncWords::Present, 1, 1));
    let mariadb = include_str!("recorded/mariadb-10.11.19-primary.txt");
    assert_eq!(words(mariadb), (SemiSyncWords::Present, 1, 1));
    let without = include_str!("recorded/mysql-5.6.24-gtid-replica.txt");
    assert_eq!(words(without), (SemiSyncWords::Absent, 0, 0));
}

#[test]
fn tags_and_domains_are_part_of_what_is_held() {
    let tagged = of(include_str!("recorded/mysql-8.4.3-replica.txt"));
    let held = tagged.held().to_string();
    assert!(held.contains(":1-7:blue:1-4"), "{held}");
    let domains = of(include_str!("recorded/mariadb-10.6.22-replica.txt"));
    let held = domains.held().to_string();
    assert!(held.contains("0-2-9") && held.contains("1-1-3"), "{held}");
}

#[test]
fn a_replica_without_gtids_stands_in_the_log_of_its_source() {
    let replica = of(include_str!("recorded/mysql-5.7.44-positions-replica.txt"));
    let source = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    let at = |set| crate::Coordinate::of(set, source).map(|at| at.to_string());
    assert_eq!(at(&replica.executed).as_deref(), Some("000011:107374"));
    assert_eq!(at(replica.held()).as_deref(), Some("000012:4711"));
    let own = replica.server_uuid.as_deref().expect("a uuid");
    assert_eq!(
        crate::Coordinate::of(replica.held(), own),
        None,
        "only copies are in its own log"
    );
    let positions = replica.positions.expect("positions");
    assert_eq!(positions.base, "binlog");
    assert_eq!(replica.setup.logging, crate::Logging::All);
}

#[test]
fn a_server_without_gtids_and_without_a_source_stands_in_its_own_log() {
    let primary = of(include_str!("recorded/mysql-5.6.24-positions-primary.txt"));
    assert_eq!(primary.own_log().as_ref(), Some(&primary.executed));
    let replica = of(include_str!("recorded/mysql-5.6.24-positions-replica.txt"));
    assert_eq!(
        replica.executed, primary.executed,
        "it has applied everything"
    );
}
