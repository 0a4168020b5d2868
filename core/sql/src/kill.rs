//! What a `KILL` names. Sources: "KILL Statement" (MySQL manual), "KILL [CONNECTION | QUERY]"
//! (MariaDB documentation).

use crate::lexer::{Lexer, Reading, Token, TokenKind};

/// A `KILL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kill {
    /// Only the statement that runs now, not the connection.
    pub query: bool,
    /// Whose.
    pub target: KillTarget,
}

/// Whom a `KILL` is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KillTarget {
    /// The connection of this number.
    Connection(u64),
    /// `CONNECTION_ID()`: the one that asks.
    Oneself,
    /// `USER name`: all connections of a user (`MariaDB`).
    User,
    /// A query's number, a variable or another expression: only a server knows.
    Other,
}

/// Reads a `KILL`; `None` for any other statement.
pub fn kill(sql: &[u8]) -> Option<Kill> {
    let mut tokens = Lexer::new(sql, Reading::USUAL)
        .filter(|token| token.kind != TokenKind::Semicolon)
        .peekable();
    tokens.next().filter(|first| first.is("KILL"))?;
    let _ = tokens.next_if(|token| token.is_any(&["HARD", "SOFT"]));
    let query = match tokens.next_if(|token| token.is_any(&["CONNECTION", "QUERY"])) {
        Some(word) => word.is("QUERY"),
        None => false,
    };
    let rest: Vec<Token<'_>> = tokens.take(4).collect();
    let target = match rest.as_slice() {
        [number] if number.kind == TokenKind::Number => std::str::from_utf8(number.text)
            .ok()
            .and_then(|text| text.parse().ok())
            .map_or(KillTarget::Other, KillTarget::Connection),
        [name, open, close]
            if name.is("CONNECTION_ID")
                && open.is_punctuation(b'(')
                && close.is_punctuation(b')') =>
        {
            KillTarget::Oneself
        }
        [user, ..] if user.is("USER") => KillTarget::User,
        _ => KillTarget::Other,
    };
    Some(Kill { query, target })
}

/// What the column of a `SELECT CONNECTION_ID()` is called; `None` for any other statement.
pub fn connection_id_column(sql: &[u8]) -> Option<&[u8]> {
    // Both names have one, and most statements that ask for something else have none.
    if !sql.contains(&b'_') {
        return None;
    }
    let mut tokens = Lexer::new(sql, Reading::USUAL);
    tokens.next().filter(|first| first.is("SELECT"))?;
    let name = tokens.next()?;
    if name.kind == TokenKind::SystemVariable {
        if !name.text.eq_ignore_ascii_case(b"@@pseudo_thread_id") {
            return None;
        }
    } else {
        if !name.is("CONNECTION_ID") {
            return None;
        }
        tokens.next().filter(|open| open.is_punctuation(b'('))?;
    }
    let mut last = name;
    if name.kind != TokenKind::SystemVariable {
        last = tokens.next().filter(|close| close.is_punctuation(b')'))?;
    }
    let written = sql.get(name.start..last.end())?;
    let mut rest = tokens.filter(|token| token.kind != TokenKind::Semicolon);
    let Some(first) = rest.next() else {
        return Some(written);
    };
    let alias = if first.is("AS") { rest.next()? } else { first };
    if rest.next().is_some() {
        return None;
    }
    let is_alias = alias.kind == TokenKind::Word || alias.kind == TokenKind::Name;
    let bare = alias
        .text
        .strip_prefix(b"`")
        .and_then(|text| text.strip_suffix(b"`"));
    (is_alias && !alias.is_any(&["FROM", "INTO", "UNION", "LIMIT", "FOR"]))
        .then(|| bare.unwrap_or(alias.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_kill_is_read() {
        let read = |sql: &str| kill(sql.as_bytes()).map(|kill| (kill.query, kill.target));
        let on = KillTarget::Connection;
        for (sql, expected) in [
            ("KILL 7", (false, on(7))),
            ("kill connection 4294967295;", (false, on(4_294_967_295))),
            ("KILL /* c */ QUERY 7", (true, on(7))),
            ("KILL HARD QUERY 7", (true, on(7))),
            ("KILL SOFT CONNECTION 7", (false, on(7))),
            ("KILL CONNECTION_ID()", (false, KillTarget::Oneself)),
            ("KILL USER app", (false, KillTarget::User)),
            ("KILL QUERY USER app@'%'", (true, KillTarget::User)),
            ("KILL QUERY ID 3", (true, KillTarget::Other)),
            ("KILL @id", (false, KillTarget::Other)),
        ] {
            assert_eq!(read(sql), Some(expected), "{sql}");
        }
        assert_eq!(read("SELECT 1"), None);
    }

    #[test]
    fn the_plain_question_for_the_own_number_keeps_its_name() {
        let column = |sql| connection_id_column(sql);
        assert_eq!(
            column(b"select connection_id() ;"),
            Some(&b"connection_id()"[..])
        );
        assert_eq!(column(b"SELECT CONNECTION_ID() AS id"), Some(&b"id"[..]));
        assert_eq!(
            column(b"SELECT CONNECTION_ID() `my id`"),
            Some(&b"my id"[..])
        );
        assert_eq!(
            column(b"SELECT @@pseudo_thread_id"),
            Some(&b"@@pseudo_thread_id"[..])
        );
        assert_eq!(column(b"SELECT CONNECTION_ID() + 1"), None);
        assert_eq!(column(b"SELECT CONNECTION_ID(), 1"), None);
        assert_eq!(column(b"SELECT CONNECTION_ID() FROM t"), None);
    }
}
