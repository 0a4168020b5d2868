//! Whether a query gives the same result as long as its tables stay the same.

use crate::functions::search;
use crate::lexer::{Lexer, Reading, TokenKind};
use crate::tables::bare;

/// Functions and words whose value comes from the clock, from chance or from the server, and
/// schemas whose tables change by themselves. Sorted: searched by halves.
#[rustfmt::skip]
const VOLATILE: &[&str] = &[
    "BENCHMARK", "CONNECTION_ID", "CURDATE", "CURRENT_DATE", "CURRENT_ROLE", "CURRENT_TIME",
    "CURRENT_TIMESTAMP", "CURRENT_USER", "CURTIME", "ENCRYPT", "INFORMATION_SCHEMA", "LOCALTIME",
    "LOCALTIMESTAMP", "MYSQL", "NOW", "PERFORMANCE_SCHEMA", "PS_CURRENT_THREAD_ID", "RAND",
    "RANDOM_BYTES", "SESSION_USER", "SLEEP", "SYS", "SYSDATE", "SYSTEM_USER", "SYS_GUID",
    "UNIX_TIMESTAMP", "USER", "UTC_DATE", "UTC_TIME", "UTC_TIMESTAMP", "UUID", "UUID_SHORT",
    "VERSION",
];

/// True when nothing in the text can make its result change while its tables do not. A column that
/// is called like one of the functions makes it false, which is safe.
pub fn is_repeatable(sql: &[u8]) -> bool {
    let mut lexer = Lexer::new(sql, Reading::USUAL);
    let calm = lexer.by_ref().all(|token| match token.kind {
        TokenKind::Word | TokenKind::Name | TokenKind::DoubleQuoted => {
            !search(VOLATILE, bare(token.text))
        }
        TokenKind::Text | TokenKind::Number | TokenKind::Semicolon | TokenKind::Punctuation(_) => {
            true
        }
        TokenKind::UserVariable
        | TokenKind::SystemVariable
        | TokenKind::Assign
        | TokenKind::Broken
        | TokenKind::Unclear => false,
    });
    calm && !lexer.doubts.any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(VOLATILE.is_sorted());
    }

    #[test]
    fn time_chance_and_the_server_itself_make_a_query_volatile() {
        assert!(is_repeatable(
            b"SELECT a, COUNT(*) FROM t WHERE b > '2020-01-01'"
        ));
        for sql in [
            "SELECT now()",
            "SELECT * FROM t WHERE d > CURRENT_DATE",
            "SELECT * FROM t ORDER BY rand()",
            "SELECT @@hostname",
            "SELECT @x",
            "SELECT * FROM information_schema.tables",
            "SELECT * FROM `mysql`.user",
            "SELECT 1 /*!80000 + 1 */",
        ] {
            assert!(!is_repeatable(sql.as_bytes()), "{sql}");
        }
    }
}
