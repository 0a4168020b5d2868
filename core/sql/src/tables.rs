//! Which tables a statement names: for whoever keeps results and must know when they are old.
//!
//! The answer errs in one direction only: every table that the text names is given, and some names
//! may be given that are none. Only the last part of a name counts (`shop.orders` is `orders`), in
//! any case and any quotes. What the text does not name stays unknown: the tables below a view,
//! those that a trigger or a foreign key changes.

use crate::lexer::{Lexer, Reading, Token, TokenKind, is_name_byte};

/// Words after which a list of tables may come.
const BEFORE_TABLES: &[&str] = &[
    "FROM",
    "JOIN",
    "STRAIGHT_JOIN",
    "INTO",
    "UPDATE",
    "INSERT",
    "REPLACE",
    "DELETE",
    "TABLE",
    "USING",
];
/// Words that may stand between those and the first table.
const MODIFIERS: &[&str] = &[
    "LOW_PRIORITY",
    "HIGH_PRIORITY",
    "DELAYED",
    "QUICK",
    "IGNORE",
    "LATERAL",
    "ONLY",
];
/// Words that end a list of tables. All are reserved, so that none of them can be an alias; and
/// none may stand within a list, as `ON` and `FOR ORDER BY` may.
const AFTER_TABLES: &[&str] = &["WHERE", "SET", "VALUES", "SELECT", "HAVING"];

/// Calls `found` with a hash of each table named in `sql`. False when the text cannot be trusted
/// to name all of them; then any table may be meant.
pub fn tables(sql: &[u8], found: &mut impl FnMut(u64)) -> bool {
    let mut lexer = Lexer::new(sql, Reading::USUAL);
    let mut scan = Scan::default();
    for token in lexer.by_ref() {
        if matches!(token.kind, TokenKind::Broken | TokenKind::Unclear) {
            return false;
        }
        scan.token(token, found);
    }
    scan.flush(found);
    !lexer.doubts.any()
}

/// The hash under which [`tables`] gives the table of this name.
pub fn table(name: &[u8]) -> u64 {
    // FNV-1a. Letters outside ASCII all count as one: their case is the server's business.
    name.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        let byte = byte.to_ascii_lowercase().min(0x80);
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Where the reader of a text stands.
#[derive(Debug, Default)]
struct Scan<'a> {
    /// The next name is a table's.
    expects: bool,
    /// After a comma at this depth of parentheses the next name is a table's again.
    lists: Vec<u32>,
    depth: u32,
    /// The last part of the name being read; a dot may follow.
    name: Option<&'a [u8]>,
    after_dot: bool,
}

impl<'a> Scan<'a> {
    fn token(&mut self, token: Token<'a>, found: &mut impl FnMut(u64)) {
        if self.name.is_some() && token.is_punctuation(b'.') {
            self.after_dot = true;
            return;
        }
        if std::mem::take(&mut self.after_dot) {
            self.name = Some(token.text);
            return;
        }
        self.flush(found);
        if token.is_any(BEFORE_TABLES) {
            self.expects = true;
            self.list();
        } else if token.is_any(AFTER_TABLES) {
            self.expects = false;
            self.lists.retain(|&depth| depth != self.depth);
        } else if token.is_punctuation(b'(') {
            self.depth += 1;
            if self.expects {
                self.list();
            }
        } else if token.is_punctuation(b')') {
            self.lists.retain(|&depth| depth != self.depth);
            self.depth = self.depth.saturating_sub(1);
            self.expects = false;
        } else if token.is_punctuation(b',') {
            self.expects = self.lists.contains(&self.depth);
        } else if self.expects && is_name(&token) && !token.is_any(MODIFIERS) {
            self.name = Some(token.text);
            self.expects = false;
        }
    }

    fn list(&mut self) {
        if !self.lists.contains(&self.depth) {
            self.lists.push(self.depth);
        }
    }

    /// The name that was being read is whole.
    fn flush(&mut self, found: &mut impl FnMut(u64)) {
        if let Some(name) = self.name.take() {
            found(table(bare(name)));
        }
    }
}

fn is_name(token: &Token<'_>) -> bool {
    match token.kind {
        TokenKind::Word | TokenKind::Name | TokenKind::DoubleQuoted => true,
        TokenKind::Number => token.text.iter().copied().all(is_name_byte),
        TokenKind::Text
        | TokenKind::UserVariable
        | TokenKind::SystemVariable
        | TokenKind::Assign
        | TokenKind::Semicolon
        | TokenKind::Punctuation(_)
        | TokenKind::Broken
        | TokenKind::Unclear => false,
    }
}

/// The name without its quotes. A quote doubled inside stays so: it is so wherever it is written.
pub(crate) fn bare(name: &[u8]) -> &[u8] {
    match name {
        [b'`', inner @ .., b'`'] | [b'"', inner @ .., b'"'] => inner,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn named(sql: &str) -> BTreeSet<u64> {
        let mut all = BTreeSet::new();
        assert!(
            tables(sql.as_bytes(), &mut |one| {
                all.insert(one);
            }),
            "{sql}"
        );
        all
    }

    #[track_caller]
    fn names(sql: &str, expected: &[&str]) {
        let expected: BTreeSet<u64> = expected.iter().map(|one| table(one.as_bytes())).collect();
        assert_eq!(named(sql), expected, "{sql}");
    }

    #[test]
    fn reads_name_their_tables() {
        names("SELECT 1", &[]);
        names("select id, a from Orders where b=2", &["orders"]);
        names(
            "SELECT * FROM a, `b` x, shop.`c` AS y WHERE a.i=1",
            &["a", "b", "c"],
        );
        names(
            "SELECT a,b FROM t WHERE c=1 ORDER BY a, b LIMIT 1, 2",
            &["t"],
        );
        names("SELECT * FROM a JOIN b ON (a.i = b.i), c", &["a", "b", "c"]);
        names("SELECT * FROM a USE INDEX FOR ORDER BY (i), b", &["a", "b"]);
        names(
            "SELECT * FROM a LEFT JOIN b ON a.i=b.i JOIN c USING (i)",
            &["a", "b", "c", "i"],
        );
        names(
            "SELECT * FROM (SELECT x, y FROM a, b) d, e WHERE z IN (1, 2)",
            &["a", "b", "e"],
        );
        names("SELECT * FROM (a, b)", &["a", "b"]);
        names(
            "SELECT (SELECT max(i) FROM a), (SELECT 1 FROM b) FROM c",
            &["a", "b", "c"],
        );
        names("TABLE a UNION SELECT * FROM b", &["a", "b"]);
        names("SELECT * FROM \"a\" WHERE x = 'FROM b'", &["a"]);
        names("SELECT * FROM 2nd", &["2nd"]);
    }

    #[test]
    fn writes_name_their_tables() {
        names("INSERT INTO t (a, b) VALUES (1, 2), (3, 4)", &["t"]);
        names("insert ignore t values (1)", &["t"]);
        names("REPLACE LOW_PRIORITY INTO s.t SET a=1, b=2", &["t"]);
        names("INSERT INTO t SELECT x, y FROM u, v", &["t", "u", "v"]);
        names("UPDATE t SET a=1, b=2 WHERE c=3", &["t"]);
        names("UPDATE a, b SET a.x=b.x", &["a", "b"]);
        names("DELETE a, b FROM a JOIN b JOIN c", &["a", "b", "c"]);
        names("DELETE FROM t WHERE a IN (SELECT b FROM u)", &["t", "u"]);
    }

    #[test]
    fn a_text_that_servers_read_differently_is_not_trusted() {
        assert!(!tables(b"SELECT 1 /*!99999 , x FROM t */", &mut |_| {}));
        assert!(!tables(b"SELECT 'a\\' FROM t", &mut |_| {}));
    }

    proptest! {
        #[test]
        fn any_bytes_are_accepted(sql: Vec<u8>) {
            tables(&sql, &mut |_| {});
        }

        #[test]
        fn a_table_is_found_whatever_surrounds_it(
            before in "(a|b|1|'x'|,|\\(| ){0,8}",
            after in "(a|b|1|'x'|,|\\)|JOIN|WHERE| ){0,8}",
        ) {
            let sql = format!("SELECT {before} FROM wanted {after}");
            prop_assert!(named(&sql).contains(&table(b"wanted")));
        }
    }
}
