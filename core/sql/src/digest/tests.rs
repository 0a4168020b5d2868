//! Digests by example, and what holds for all of them.

use proptest::prelude::*;

use super::*;

fn text(sql: &str) -> String {
    let mut text = Vec::new();
    digest(sql.as_bytes(), &mut text);
    String::from_utf8(text).unwrap()
}

#[test]
fn hashes_are_those_that_proxysql_shows() {
    let shown = [
        ("select @@version_comment limit 1", "0x226CD90D52A2BA0B"),
        ("select * from mysql.user", "0x40B75DE8A4AD05EE"),
        ("select @@version", "0xAE77E0F7B80AFC0B"),
        ("SELECT c from sbtest where id=1", "0xE8930CB2CC9E68D7"),
    ];
    for (sql, expected) in shown {
        let found = digest(sql.as_bytes(), &mut Vec::new());
        assert_eq!(found.to_string(), expected, "{sql}");
        assert_eq!(Digest::parse(expected), Some(found));
    }
}

#[test]
fn values_comments_and_white_space_go() {
    let cases = [
        ("select /* c */ 1", "select ?"),
        ("select/* c */1", "select ?"),
        ("/* c */ select 1 ; ", "select ?"),
        ("# c\n   select 1.1 -- end", "select ?"),
        ("select 1.1e+9, 0x1F, 'a''b\\'', \"x\"", "select ?,?,?,?"),
        ("SELECT N'a', _utf8'b', x'1F'", "SELECT N?,_utf8?,x?"),
        (
            "select * from t where t = 'foo'",
            "select * from t where t = ?",
        ),
        ("SELECT  a ,\n\tb FROM t1", "SELECT a,b FROM t1"),
        (
            "select * from 1_value where a IS NULL",
            "select * from 1_value where a IS NULL",
        ),
        ("SELECT `a 1`, t.c FROM `t`", "SELECT `a 1`,t.c FROM `t`"),
        ("GRANT ALL ON *.* TO 'a'@'b'", "GRANT ALL ON *.* TO ?@?"),
        ("select 'never ended", "select ?"),
        ("SELECT COUNT( * ) FROM t", "SELECT COUNT(*) FROM t"),
    ];
    for (sql, expected) in cases {
        assert_eq!(text(sql), expected, "{sql}");
    }
}

#[test]
fn operators_and_signs_are_written_in_one_way() {
    let cases = [
        (
            "select 1+ 1, 1 -1, 1 * 1 , 1/1 , 100 % 3",
            "select ?+?,?-?,?*?,?/?,?%?",
        ),
        ("select - 5, +'a'", "select ?,?"),
        ("select (-'89'), CONCAT( -1 + 2 )", "select (?),CONCAT(?+?)"),
        (
            "update t set k = k + 1 where a=-2",
            "update t set k = k ? where a=?",
        ),
        ("update t set k=k+1", "update t set k=k+?"),
        ("select a - b", "select a - b"),
        ("select (a) - 5", "select (a) -?"),
    ];
    for (sql, expected) in cases {
        assert_eq!(text(sql), expected, "{sql}");
    }
}

#[test]
fn long_lists_are_folded() {
    let cases = [
        ("IN (1,2,3,4)", "IN (?,?,?,?)"),
        ("IN ( 1, 2,3 ,4, 5 )", "IN (?,?,?,...)"),
        ("IN (1,2,3,4,5,6,7,8,9,10)", "IN (?,?,?,...)"),
        ("IN (1,2,3,4,5,6,7,NULL8,9,10)", "IN (?,?,?,...,NULL8,?,?)"),
        (
            "VALUES ('v',2,3,'f', 5 + 10, 6 - 9)",
            "VALUES (?,?,?,?,?+?,?-?)",
        ),
        (
            "VALUES ('v',1,2,3,'f', 5 + 10, 6 - 9)",
            "VALUES (?,?,?,...,?+?,?-?)",
        ),
        ("select 1,2,3,4,5,6", "select ?,?,?,?,?,?"),
    ];
    for (sql, expected) in cases {
        assert_eq!(text(sql), expected, "{sql}");
    }
    let huge = format!(
        "SELECT 1 FROM t WHERE a IN ({})",
        vec!["1"; 100_000].join(", ")
    );
    assert_eq!(text(&huge), "SELECT ? FROM t WHERE a IN (?,?,?,...)");
}

#[test]
fn a_bulk_insert_has_one_digest_for_any_number_of_rows() {
    let insert = |rows: usize, row: &str| {
        text(&format!(
            "INSERT INTO t VALUES {}",
            vec![row; rows].join(", ")
        ))
    };
    assert_eq!(
        insert(3, "(1,'a')"),
        "INSERT INTO t VALUES (?,?),(?,?),(?,?)"
    );
    let long = format!("INSERT INTO t VALUES {}...", "(?,?,?,...),".repeat(10));
    assert_eq!(insert(11, "(1,2,3,4,5,6)"), long);
    assert_eq!(insert(1_000, "(1,2,3,4,5,6)"), long);
    assert_eq!(insert(11, "(1)"), insert(999, "(2)"));
    assert_ne!(insert(10, "(1)"), insert(11, "(1)"));
}

#[test]
fn a_text_ends_at_its_limit() {
    let long = format!("SELECT {}", vec!["column_name"; 1_000].join(", "));
    assert_eq!(text(&long).len(), TEXT_MAX);
    assert_eq!(text(&"a".repeat(100_000)).len(), TEXT_MAX);
}

#[test]
fn a_digest_is_read_as_it_is_printed() {
    assert_eq!(Digest::parse("0X00000000000000ff"), Some(Digest(255)));
    assert_eq!(Digest::parse("ff"), Some(Digest(255)));
    for wrong in ["", "0x", "+1", "0x00000000000000000", "xyz"] {
        assert!(
            Digest::parse(wrong).is_none() || wrong.len() > 18,
            "{wrong}"
        );
    }
    assert_eq!(Digest(255).to_string(), "0x00000000000000FF");
}

fn any_sql() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "SELECT",
        "a",
        "1",
        "1.5e3",
        ".5",
        "0x1F",
        "1x",
        "'s'",
        "\"d\"",
        "`n m`",
        "@v",
        "@'h'",
        "@@x",
        "?",
        "...",
        ",",
        ",",
        ",",
        "(",
        "(",
        ")",
        ")",
        "+",
        "-",
        "*",
        "/",
        "%",
        "=",
        ".",
        ";",
        " ",
        " ",
        "  ",
        "\n",
        "/* c */",
        "-- c\n",
        "# c\n",
        "/*!50000 b */",
        "\\",
        "é",
        "N",
        "IN (1,2,3,4,5,6)",
        "(1,2)",
        "(1,2),(3,4)",
        "NULL",
        "1,2,3,4,5,6",
        ":=",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_have_a_digest(sql in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut text = Vec::new();
        digest(&sql, &mut text);
        prop_assert!(text.len() <= TEXT_MAX);
    }

    #[test]
    fn the_digest_of_a_digest_is_itself(sql in any_sql()) {
        let once = text(&sql);
        prop_assert_eq!(text(&once), once);
    }

    #[test]
    fn other_values_change_nothing(one in 0_u32.., other in 0_u32.., word in "[a-z ]{0,9}") {
        let with = |value: u32| {
            text(&format!("SELECT a FROM t WHERE id={value} AND b IN ({value},'{word}') -- {word}"))
        };
        prop_assert_eq!(with(one), with(other));
        prop_assert_eq!(with(one), "SELECT a FROM t WHERE id=? AND b IN (?,?)");
    }
}
