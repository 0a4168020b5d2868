//! The tables of statements in `statements/`, and the laws that hold for any bytes.
//!
//! A line of a table is `statement | kind | access | flags`; `␤` stands for a new line.

use proptest::prelude::*;

use super::*;

const TABLES: [(&str, &str); 7] = [
    ("queries.txt", include_str!("../statements/queries.txt")),
    (
        "queries_for_the_writer.txt",
        include_str!("../statements/queries_for_the_writer.txt"),
    ),
    ("writes.txt", include_str!("../statements/writes.txt")),
    ("session.txt", include_str!("../statements/session.txt")),
    (
        "transactions.txt",
        include_str!("../statements/transactions.txt"),
    ),
    ("telling.txt", include_str!("../statements/telling.txt")),
    ("hidden.txt", include_str!("../statements/hidden.txt")),
];

fn verdict(sql: &str) -> String {
    let Statement {
        kind,
        access,
        flags,
        hint: _,
    } = classify(sql.as_bytes());
    let flags: Vec<_> = flags.names().collect();
    format!("{kind:?} | {access:?} | {}", flags.join(" "))
        .trim_end()
        .to_owned()
}

/// Statement and expected verdict of each line.
fn lines() -> impl Iterator<Item = (&'static str, String, &'static str)> {
    TABLES.into_iter().flat_map(|(file, text)| {
        text.lines().map(move |line| {
            let (rest, _flags) = line.rsplit_once('|').expect("a line has four columns");
            let (rest, _access) = rest.rsplit_once('|').expect("a line has four columns");
            let (sql, _kind) = rest.rsplit_once('|').expect("a line has four columns");
            (
                file,
                sql.trim_end().replace('␤', "\n"),
                line[sql.len() + 1..].trim(),
            )
        })
    })
}

#[test]
fn every_statement_of_the_tables_is_what_its_line_says() {
    let wrong: Vec<String> = lines()
        .filter(|(_, sql, expected)| verdict(sql) != *expected)
        .map(|(file, sql, want)| {
            format!("{file}: {sql}\n   want {want}\n   have {}", verdict(&sql))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} lines:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn a_hint_is_read_from_leading_comments_only() {
    let cases = [
        ("/* mainstay: primary */ SELECT 1", Some(Hint::Primary)),
        ("/*mainstay:replica*/SELECT 1", Some(Hint::Replica)),
        (
            "/* trace=1 */ /* MAINSTAY: Replica */ SELECT 1",
            Some(Hint::Replica),
        ),
        ("SELECT 1 /* mainstay: primary */", None),
        ("/* mainstay: elsewhere */ SELECT 1", None),
        ("/* the mainstay: primary */ SELECT 1", None),
        ("SELECT '/* mainstay: primary */'", None),
    ];
    for (sql, hint) in cases {
        assert_eq!(classify(sql.as_bytes()).hint, hint, "{sql}");
    }
}

#[test]
fn bytes_that_are_white_space_in_latin_1_prove_nothing() {
    let locking = classify(b"SELECT * FROM t FOR\xa0UPDATE");
    assert_eq!(
        (locking.access, locking.kind),
        (Access::Write, Kind::Unknown)
    );
    assert_eq!(classify(b"SELECT 1 \0 FROM t").access, Access::Write);
    // Two letters of Latin-1, the second one a blank, and one letter of UTF-8.
    let to_file = classify("SELECT 1 àINTO OUTFILE 'f'".as_bytes());
    assert_eq!(to_file.access, Access::Write);
}

#[test]
fn the_schema_of_use_is_found() {
    assert_eq!(use_schema(b"/* x */ USE `a b`;"), Some(&b"`a b`"[..]));
    assert_eq!(use_schema(b"use shop"), Some(&b"shop"[..]));
    assert_eq!(use_schema(b"SELECT 1"), None);
}

/// White space and comments that no server sees.
fn blank() -> impl Strategy<Value = &'static str> {
    let blanks = [
        " ",
        "\n",
        "\t",
        "/**/",
        "/* ; DELETE */",
        "-- x'\n",
        "# \"\n",
        "--\n",
        "/*/ */",
    ];
    prop::sample::select(blanks.to_vec())
}

/// What may stand before a write without making it a read.
fn prefix() -> impl Strategy<Value = String> {
    let pieces = [
        "(",
        " ",
        "/* x */",
        "-- x\n",
        "/*!",
        "/*!99999 x */",
        "*/",
        ";",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..5).prop_map(|all| all.concat())
}

fn piece() -> impl Strategy<Value = &'static str> {
    let pieces = [
        "SELECT", "SET", "WITH", "/*", "/*!", "*/", "'", "\"", "`", "\\", ";", "@", "@@", ":=",
        "(", ")", ",", ".", "=", "#", "-", "x", "1", " ", "é",
    ];
    prop::sample::select(pieces.to_vec())
}

/// The statements of the tables whose verdict begins so.
fn judged(verdict: &'static str) -> Vec<String> {
    lines()
        .filter(|(_, _, v)| v.starts_with(verdict))
        .map(|(_, sql, _)| sql)
        .collect()
}

proptest! {
    #[test]
    fn one_pass_finds_what_two_do(
        pieces in prop::collection::vec(piece(), 0..30),
        bytes in prop::collection::vec(any::<u8>(), 0..50),
    ) {
        let sql = [pieces.concat().as_bytes(), &bytes].concat();
        let (mut one, mut two) = (Vec::new(), b"before".to_vec());
        let (statement, hash) = classify_and_digest(&sql, &Trusted::NONE, &mut one);
        prop_assert_eq!(statement, classify(&sql));
        prop_assert_eq!(hash, digest(&sql, &mut two));
        prop_assert_eq!(one, two);
    }

    #[test]
    fn any_bytes_are_judged_without_panic(sql in prop::collection::vec(any::<u8>(), 0..200)) {
        let statement = classify(&sql);
        let _set = set::parse(&sql);
        let _schema = use_schema(&sql);
        prop_assert!(!statement.is_unknown() || statement.access == Access::Write);
    }

    #[test]
    fn any_text_of_sql_pieces_is_judged_without_panic(
        pieces in prop::collection::vec(piece(), 0..30),
    ) {
        let sql = pieces.concat();
        let _statement = classify(sql.as_bytes());
        let set = set::parse(sql.as_bytes());
        for one in set.assignments {
            prop_assert!(sql.get(one.value).is_some());
        }
    }

    #[test]
    fn blanks_around_and_between_words_change_nothing(
        index in any::<prop::sample::Index>(),
        blanks in prop::collection::vec(blank(), 3),
    ) {
        let plain: Vec<String> = lines()
            .map(|(_, sql, _)| sql)
            .filter(|sql| !sql.contains(['\'', '"', '`', '/', '#', '-', '\n', '{']))
            .collect();
        let sql = index.get(&plain);
        let inner = sql.replace(' ', blanks[1]);
        let spaced = format!("{}{inner}{}", blanks[0], blanks[2]);
        prop_assert_eq!(verdict(&spaced), verdict(sql), "{}", spaced);
    }

    #[test]
    fn nothing_put_before_a_write_makes_it_a_read(
        index in any::<prop::sample::Index>(),
        prefix in prefix(),
    ) {
        let sql = format!("{prefix}{}", index.get(&judged("Write |")));
        prop_assert_eq!(classify(sql.as_bytes()).access, Access::Write, "{}", sql);
    }

    #[test]
    fn a_write_behind_a_read_is_never_a_read(
        first in any::<prop::sample::Index>(),
        second in any::<prop::sample::Index>(),
    ) {
        let (reads, writes) = (judged("Read | Read"), judged("Write |"));
        let sql = format!("{}\n;{}", first.get(&reads), second.get(&writes));
        prop_assert_eq!(classify(sql.as_bytes()).access, Access::Write, "{}", sql);
    }
}

#[test]
fn stored_routines_are_reads_when_the_operator_says_so() {
    let trusted = crate::Trusted::new(
        &["price".to_owned(), "Shop.Tax".to_owned()],
        &["report".to_owned()],
    );
    let access = |sql: &str| crate::classify_trusting(sql.as_bytes(), &trusted).access;
    let reads = [
        "SELECT price(1)",
        "SELECT shop.price(1), `Price` (2)",
        "SELECT shop.tax(1)",
        "CALL report()",
        "CALL shop.report(1)",
    ];
    for sql in reads {
        assert_eq!(access(sql), Access::Read, "{sql}");
        assert_eq!(classify(sql.as_bytes()).access, Access::Write, "{sql}");
    }
    let writes = [
        "SELECT tax(1)",
        "SELECT other.tax(1)",
        "SELECT price(charge(1))",
        "CALL report(@out)",
        "CALL price()",
        "CALL report(); DELETE FROM t",
    ];
    for sql in writes {
        assert_eq!(access(sql), Access::Write, "{sql}");
    }
}
