//! Keywords that may stand before a parenthesis in a query without being a call.
//!
//! None of them can be the bare name of a stored function: as reserved words and as words of the
//! grammar they need quotes there (manual, "Keywords and Reserved Words").

/// Sorted: searched by halves.
#[rustfmt::skip]
const BEFORE_PAREN: &[&str] = &[
    "AGAINST", "ALL", "AND", "ANY", "AS", "BETWEEN", "BINARY", "BY", "CASE", "COLUMNS",
    "DECIMAL", "DISTINCT", "DISTINCTROW", "DIV", "DOUBLE", "ELSE", "ESCAPE", "EXCEPT", "EXISTS",
    "FLOAT", "FROM", "GROUP", "HAVING", "IN", "INDEX", "INT", "INTEGER", "INTERSECT", "INTERVAL",
    "IS", "JOIN", "KEY", "LATERAL", "LIKE", "LIMIT", "MATCH", "NCHAR", "NOT", "NUMERIC", "OF",
    "ON", "OR", "OVER", "PARTITION", "REAL", "REGEXP", "RLIKE", "ROW", "SELECT", "SIGNED", "SOME",
    "STRAIGHT_JOIN", "THEN", "UNION", "UNSIGNED", "USING", "VALUES", "VARBINARY", "VARCHAR",
    "WHEN", "WHERE", "XOR",
];

/// True when the word is one of them, whatever its case.
pub(crate) fn before_paren(word: &[u8]) -> bool {
    crate::functions::search(BEFORE_PAREN, word)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_is_sorted() {
        assert!(super::BEFORE_PAREN.is_sorted());
    }
}
