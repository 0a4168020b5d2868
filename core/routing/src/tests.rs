//! The rules, one by one, and the one that must hold over all of them.

use mainstay_sql::{Access, classify};
use proptest::prelude::*;

use super::*;

const IDLE: Context = Context {
    in_transaction: false,
    autocommit: true,
    tied: false,
    has_readers: true,
    policy: Policy { split_reads: true },
};

fn decided(context: Context, sql: &str) -> (Route, Reason) {
    let Decision { route, reason } = route(&context, &classify(sql.as_bytes()));
    (route, reason)
}

#[test]
fn a_plain_read_goes_to_a_reader() {
    assert_eq!(
        decided(IDLE, "SELECT 1 FROM t"),
        (Route::Reader, Reason::PlainRead)
    );
}

#[test]
fn reads_go_to_the_writer_when_there_is_no_reader() {
    let alone = Context {
        has_readers: false,
        ..IDLE
    };
    assert_eq!(
        decided(alone, "SELECT 1"),
        (Route::Writer, Reason::NoReader)
    );
}

#[test]
fn each_need_of_the_writer_is_named() {
    let cases = [
        ("UPDATE t SET a = 1", Reason::NotARead),
        ("SELECT * FROM t FOR UPDATE", Reason::LockingRead),
        ("SELECT LAST_INSERT_ID()", Reason::LastInsertId),
        ("SELECT FOUND_ROWS()", Reason::RowCount),
        ("SELECT SQL_CALC_FOUND_ROWS * FROM t", Reason::RowCount),
        ("SELECT @a", Reason::UserVariable),
        ("SELECT GET_LOCK('a', 1)", Reason::NamedLock),
        ("SELECT NEXT VALUE FOR s", Reason::Sequence),
        ("SELECT charge(1)", Reason::UnknownFunction),
        ("CREATE TEMPORARY TABLE t (a INT)", Reason::NotARead),
        ("/* mainstay: primary */ SELECT 1", Reason::HintPrimary),
    ];
    for (sql, reason) in cases {
        assert_eq!(decided(IDLE, sql), (Route::Writer, reason), "{sql}");
    }
}

#[test]
fn all_of_a_transaction_runs_on_the_writer() {
    let open = Context {
        in_transaction: true,
        ..IDLE
    };
    assert_eq!(
        decided(open, "SELECT 1"),
        (Route::Writer, Reason::InTransaction)
    );
    let hinted = "/* mainstay: replica */ SELECT 1";
    assert_eq!(
        decided(open, hinted),
        (Route::Writer, Reason::InTransaction)
    );
}

#[test]
fn without_autocommit_a_read_opens_a_transaction_on_the_writer() {
    let manual = Context {
        autocommit: false,
        ..IDLE
    };
    assert_eq!(
        decided(manual, "SELECT 1"),
        (Route::Writer, Reason::AutocommitOff)
    );
}

#[test]
fn a_read_only_transaction_runs_on_the_writer() {
    let begin = "START TRANSACTION READ ONLY";
    assert_eq!(decided(IDLE, begin), (Route::Writer, Reason::NotARead));
}

#[test]
fn a_replica_hint_is_honoured_for_reads_only() {
    let unsplit = Context {
        policy: Policy { split_reads: false },
        ..IDLE
    };
    let read = "/* mainstay: replica */ SELECT 1";
    assert_eq!(decided(unsplit, read), (Route::Reader, Reason::HintReplica));
    assert_eq!(
        decided(unsplit, "SELECT 1"),
        (Route::Writer, Reason::SplitOff)
    );
    let write = "/* mainstay: replica */ DELETE FROM t";
    assert_eq!(decided(IDLE, write), (Route::Writer, Reason::NotARead));
}

#[test]
fn a_tied_session_keeps_its_connection_and_warnings_follow_their_statement() {
    let tied = Context { tied: true, ..IDLE };
    assert_eq!(
        decided(tied, "SELECT 1"),
        (Route::Tied, Reason::SessionTied)
    );
    assert_eq!(
        decided(IDLE, "SHOW WARNINGS"),
        (Route::Tied, Reason::FollowsPrevious)
    );
}

fn any_context() -> impl Strategy<Value = Context> {
    any::<[bool; 5]>().prop_map(|bits| Context {
        in_transaction: bits[0],
        autocommit: bits[1],
        tied: bits[2],
        has_readers: bits[3],
        policy: Policy {
            split_reads: bits[4],
        },
    })
}

fn any_statement() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "SELECT",
        "1",
        "FROM t",
        "FOR UPDATE",
        "INSERT INTO t",
        "VALUES (1)",
        "DELETE FROM t",
        "/* mainstay: replica */",
        "/*!",
        "*/",
        "'",
        "`f`(",
        ")",
        "(",
        "WITH a AS (",
        "@a",
        ":=",
        "BEGIN",
        "READ ONLY",
        "START TRANSACTION",
        "SHOW",
        "EXPLAIN",
        "INTO OUTFILE 'f'",
        ";",
    ]);
    prop::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #[test]
    fn nothing_but_a_proved_read_gets_a_reader(
        context in any_context(),
        sql in any_statement(),
    ) {
        let statement = classify(sql.as_bytes());
        let decision = route(&context, &statement);
        if statement.access == Access::Write || !context.has_readers || !context.autocommit {
            prop_assert_ne!(decision.route, Route::Reader);
        }
    }
}
