//! What each form of `SET` is taken apart into.

use super::*;

/// `scope name=value` of each assignment, and the verdict.
fn parsed(sql: &str) -> (String, Verdict) {
    let Set {
        assignments,
        verdict,
    } = parse(sql.as_bytes());
    let one = |a: &Assignment| format!("{:?} {}={}", a.scope, a.name, &sql[a.value.clone()]);
    (
        assignments.iter().map(one).collect::<Vec<_>>().join("; "),
        verdict,
    )
}

#[test]
fn settings_with_literal_values_can_be_replayed() {
    let cases = [
        ("SET sql_mode = ''", "Session sql_mode=''"),
        (
            "SET SQL_MODE='ANSI', time_zone = '+00:00'",
            "Session sql_mode='ANSI'; Session time_zone='+00:00'",
        ),
        ("SET SESSION wait_timeout = 60;", "Session wait_timeout=60"),
        (
            "SET LOCAL foreign_key_checks := OFF",
            "Session foreign_key_checks=OFF",
        ),
        ("set @@session.autocommit=1", "Session autocommit=1"),
        ("SET @@`sql_mode` = DEFAULT", "Session sql_mode=DEFAULT"),
        ("SET a = -1", "Session a=-1"),
        ("SET NAMES utf8mb4", "Session names=utf8mb4"),
        (
            "SET NAMES 'utf8mb4' COLLATE 'utf8mb4_bin'",
            "Session names='utf8mb4' COLLATE 'utf8mb4_bin'",
        ),
        ("SET CHARACTER SET latin1", "Session character set=latin1"),
        ("SET CHARSET DEFAULT", "Session character set=DEFAULT"),
        (
            "SET NAMES utf8, sql_mode = ''",
            "Session names=utf8; Session sql_mode=''",
        ),
        (
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY",
            "Session transaction=ISOLATION LEVEL READ COMMITTED, READ ONLY",
        ),
        (
            "SET transaction_isolation = 'SERIALIZABLE'",
            "Session transaction_isolation='SERIALIZABLE'",
        ),
    ];
    for (sql, expected) in cases {
        assert_eq!(
            parsed(sql),
            (expected.to_owned(), Verdict::Replayable),
            "{sql}"
        );
    }
}

#[test]
fn values_of_user_variables_that_are_exact_can_be_replayed() {
    let cases = [
        ("SET @a = 1", "User a=1"),
        ("SET @A.b := -1.5e3", "User a.b=-1.5e3"),
        ("SET @a = 'it''s'", "User a='it''s'"),
        ("SET @a = NULL, @b = true", "User a=NULL; User b=true"),
        ("SET sql_mode = '', @a = 1", "Session sql_mode=''; User a=1"),
        ("/*!40101 SET NAMES utf8 */", "Session names=utf8"),
        ("SET GLOBAL a = 1, SESSION b = 2", "Global a=1; Session b=2"),
    ];
    for (sql, expected) in cases {
        assert_eq!(
            parsed(sql),
            (expected.to_owned(), Verdict::Replayable),
            "{sql}"
        );
    }
}

#[test]
fn values_that_the_server_computes_are_learned_from_it() {
    for sql in [
        "SET sql_mode = CONCAT(@@sql_mode, ',ANSI')",
        "SET sql_mode = @old",
        "SET sql_mode = (SELECT 'ANSI'), @a = 1",
        "SET sql_mode = @@global.sql_mode, NAMES utf8",
    ] {
        assert_eq!(parsed(sql).1, Verdict::Computed, "{sql}");
    }
}

#[test]
fn what_is_not_certain_elsewhere_ties() {
    let cases = [
        "SET @a := (SELECT MAX(id) FROM t), sql_mode = ''",
        "SET @a = 'it\\n'",
        "SET @a = \"text\"",
        "SET @`a b` = 1",
        "SET @a = b",
        "SET GLOBAL a = 1, b = 2",
        "SET @@transaction_isolation = 'SERIALIZABLE', a = 1",
        "SET NAMES gbk",
        "SET character_set_client = 'sjis'",
        "SET gtid_next = 'AUTOMATIC'",
        "SET ROLE r",
        "SET DEFAULT ROLE r TO u; SELECT 1",
        "SET RESOURCE GROUP g",
        "SET STATEMENT a = 1 FOR SELECT 1",
        "SET a = 'it\\'s'",
        "SET a = 'open",
        "SET a = 1; SELECT 1",
        "/*!80000 SET NAMES utf8 */",
        "SET TRANSACTION nonsense",
        "SET a",
        "SET a =",
        "SET",
        "SELECT 1",
        "",
    ];
    for sql in cases {
        assert_eq!(parsed(sql).1, Verdict::Ties, "{sql}");
    }
}

#[test]
fn settings_of_the_server_do_not_tie() {
    let cases = [
        (
            "SET GLOBAL max_connections = 10",
            "Global max_connections=10",
        ),
        (
            "SET PERSIST a = 1, PERSIST_ONLY b = 2",
            "Global a=1; Global b=2",
        ),
        ("SET @@global.a = @@global.b + 1", "Global a=@@global.b + 1"),
        ("SET PASSWORD = 'x'", "Global password=PASSWORD"),
        (
            "SET GLOBAL TRANSACTION READ WRITE",
            "Global transaction=READ WRITE",
        ),
    ];
    for (sql, expected) in cases {
        assert_eq!(parsed(sql), (expected.to_owned(), Verdict::Global), "{sql}");
    }
}

#[test]
fn settings_of_the_next_transaction_are_told_apart() {
    for sql in [
        "SET TRANSACTION READ ONLY",
        "SET @@transaction_isolation = 'SERIALIZABLE'",
    ] {
        assert_eq!(parsed(sql).1, Verdict::NextTransaction, "{sql}");
    }
}

#[test]
fn collations_of_the_misleading_character_sets_are_known_by_number() {
    assert!(collation_hides_quotes(28) && collation_hides_quotes(1052));
    assert!(!collation_hides_quotes(45) && !collation_hides_quotes(255));
}
