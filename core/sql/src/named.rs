//! Things with a name that a statement makes, uses or ends on its connection: named locks,
//! temporary tables, statements made with `PREPARE`, handlers.
//!
//! Who counts them must never think that all are gone while one is left. So whatever is made in a
//! form not understood here is [`Named::Unclear`], and what is ended in such a form is not seen.

use crate::lexer::{Lexer, Reading, Token, TokenKind};

/// A name in lower case, with the schema it was written with.
pub type Name = (Option<Vec<u8>>, Vec<u8>);

/// What a statement does to things with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// It makes one more of that name.
    Makes(Vec<u8>),
    /// It ends one of that name.
    Ends(Vec<u8>),
    /// It ends all.
    EndsAll,
    /// It uses the one of that name.
    Uses(Vec<u8>),
    /// It may make some, and their names are not known.
    Unclear,
    /// Nothing that is known of.
    Nothing,
}

/// `SELECT GET_LOCK('name', 10)`, `DO RELEASE_LOCK('name')`, `SELECT RELEASE_ALL_LOCKS()`. For a
/// statement with [`crate::Flags::NAMED_LOCK`].
pub fn lock(sql: &[u8]) -> Named {
    let gets = |tokens: &[Token<'_>]| tokens.iter().any(|one| one.is("GET_LOCK"));
    let Some(tokens) = tokens(sql) else {
        return Named::Unclear;
    };
    let unknown = if gets(&tokens) {
        Named::Unclear
    } else {
        Named::Nothing
    };
    let [verb, function, open, rest @ ..] = &tokens[..] else {
        return unknown;
    };
    if !verb.is_any(&["SELECT", "DO"]) || !open.is_punctuation(b'(') {
        return unknown;
    }
    let plain = |token: &Token<'_>| token.kind == TokenKind::Text && is_plain(inner(token.text));
    match rest {
        [close, after @ ..]
            if function.is("RELEASE_ALL_LOCKS") && close.is_punctuation(b')') && is_end(after) =>
        {
            Named::EndsAll
        }
        [name, close, after @ ..]
            if function.is("RELEASE_LOCK")
                && plain(name)
                && close.is_punctuation(b')')
                && is_end(after) =>
        {
            Named::Ends(inner(name.text).to_ascii_lowercase())
        }
        [name, comma, limit @ ..]
            if function.is("GET_LOCK")
                && plain(name)
                && comma.is_punctuation(b',')
                && is_limit(limit) =>
        {
            Named::Makes(inner(name.text).to_ascii_lowercase())
        }
        _ => unknown,
    }
}

/// `10)` or `-1)`, and the end.
fn is_limit(rest: &[Token<'_>]) -> bool {
    let after = match rest {
        [sign, more @ ..] if sign.is_punctuation(b'-') => more,
        more => more,
    };
    matches!(after, [number, close, end @ ..]
        if number.kind == TokenKind::Number && close.is_punctuation(b')') && is_end(end))
}

/// The end of a statement, or the name of its only column.
fn is_end(after: &[Token<'_>]) -> bool {
    let name = |token: &Token<'_>| {
        matches!(
            token.kind,
            TokenKind::Word | TokenKind::Name | TokenKind::Text
        ) && !token.is_any(&["FROM", "UNION", "INTO", "LIMIT", "WHERE"])
    };
    match after {
        [] => true,
        [one] => name(one),
        [word, one] => word.is("AS") && name(one),
        _ => false,
    }
}

/// The temporary table that `CREATE TEMPORARY TABLE` makes; `None` when its name is not clear.
pub fn temporary_table(sql: &[u8]) -> Option<Name> {
    let tokens = tokens(sql)?;
    let at = tokens.iter().position(|one| one.is("TABLE"))?;
    let mut rest = &tokens[at + 1..];
    if let [first, not, exists, more @ ..] = rest
        && first.is("IF")
        && not.is("NOT")
        && exists.is("EXISTS")
    {
        rest = more;
    }
    name(&mut rest)
}

/// The tables that `DROP [TEMPORARY] TABLE` names; none when it is no such statement, or not clear.
pub fn dropped_tables(sql: &[u8]) -> Vec<Name> {
    dropped(sql).unwrap_or_default()
}

fn dropped(sql: &[u8]) -> Option<Vec<Name>> {
    let tokens = tokens(sql)?;
    let mut rest = &tokens[..];
    accept(&mut rest, "DROP")?;
    let _temporary = accept(&mut rest, "TEMPORARY");
    accept(&mut rest, "TABLE").or_else(|| accept(&mut rest, "TABLES"))?;
    let _if_exists = accept(&mut rest, "IF").and_then(|()| accept(&mut rest, "EXISTS"));
    let mut names = Vec::new();
    loop {
        names.push(name(&mut rest)?);
        let [comma, more @ ..] = rest else {
            return Some(names);
        };
        if !comma.is_punctuation(b',') {
            // `RESTRICT`, `CASCADE`, `WAIT n`
            return Some(names);
        }
        rest = more;
    }
}

/// `PREPARE name FROM …`, `EXECUTE name`, `DEALLOCATE PREPARE name`.
pub fn prepared(sql: &[u8]) -> Named {
    let Some(tokens) = tokens(sql) else {
        return Named::Unclear;
    };
    let mut rest = &tokens[..];
    let made = accept(&mut rest, "PREPARE").is_some();
    let used = !made && accept(&mut rest, "EXECUTE").is_some();
    if !made && !used {
        let _verb = accept(&mut rest, "DEALLOCATE").or_else(|| accept(&mut rest, "DROP"));
        if accept(&mut rest, "PREPARE").is_none() {
            return Named::Unclear;
        }
    }
    match rest {
        [first, ..] if used && first.is("IMMEDIATE") => Named::Unclear,
        [first, ..] => match plain_name(first) {
            Some(name) if made => Named::Makes(name),
            Some(name) if used => Named::Uses(name),
            Some(name) => Named::Ends(name),
            None if made || used => Named::Unclear,
            None => Named::Nothing,
        },
        [] => Named::Unclear,
    }
}

/// The text that `PREPARE name FROM 'text'` prepares, if it is written out without escapes.
pub fn prepared_text(sql: &[u8]) -> Option<&[u8]> {
    let tokens = tokens(sql)?;
    let [_, _, from, text] = &tokens[..] else {
        return None;
    };
    let text = (from.is("FROM") && text.kind == TokenKind::Text).then(|| inner(text.text))?;
    let escaped = text.contains(&b'\\') || text.windows(2).any(|pair| pair == b"''");
    (!escaped).then_some(text)
}

/// `HANDLER t OPEN [AS a]`, `HANDLER a CLOSE`.
pub fn handler(sql: &[u8]) -> Named {
    let Some(tokens) = tokens(sql) else {
        return Named::Unclear;
    };
    let mut rest = &tokens[..];
    let _verb = accept(&mut rest, "HANDLER");
    let Some((_, table)) = name(&mut rest) else {
        return Named::Unclear;
    };
    if accept(&mut rest, "CLOSE").is_some() {
        return Named::Ends(table);
    }
    if accept(&mut rest, "OPEN").is_none() {
        return Named::Uses(table);
    }
    let _as = accept(&mut rest, "AS");
    match rest {
        [] => Named::Makes(table),
        [alias] => plain_name(alias).map_or(Named::Unclear, Named::Makes),
        _ => Named::Unclear,
    }
}

/// All tokens of one statement without its last semicolon; `None` when they are not certain.
fn tokens(sql: &[u8]) -> Option<Vec<Token<'_>>> {
    let mut lexer = Lexer::new(sql, Reading::USUAL);
    let mut tokens: Vec<Token<'_>> = lexer.by_ref().collect();
    if tokens.last()?.kind == TokenKind::Semicolon {
        tokens.pop();
    }
    let uncertain = |token: &Token<'_>| {
        matches!(
            token.kind,
            TokenKind::Broken | TokenKind::Unclear | TokenKind::Semicolon
        )
    };
    (!lexer.doubts.any() && !tokens.iter().any(uncertain)).then_some(tokens)
}

fn accept(rest: &mut &[Token<'_>], keyword: &str) -> Option<()> {
    let (first, more) = rest.split_first()?;
    first.is(keyword).then(|| *rest = more)
}

/// `name` or `schema.name`.
fn name(rest: &mut &[Token<'_>]) -> Option<Name> {
    let (first, more) = rest.split_first()?;
    let one = plain_name(first)?;
    if let [dot, second, after @ ..] = more
        && dot.is_punctuation(b'.')
    {
        *rest = after;
        return Some((Some(one), plain_name(second)?));
    }
    *rest = more;
    Some((None, one))
}

fn plain_name(token: &Token<'_>) -> Option<Vec<u8>> {
    let text = match token.kind {
        TokenKind::Word => token.text,
        TokenKind::Name => inner(token.text),
        TokenKind::Text
        | TokenKind::DoubleQuoted
        | TokenKind::Number
        | TokenKind::UserVariable
        | TokenKind::SystemVariable
        | TokenKind::Assign
        | TokenKind::Semicolon
        | TokenKind::Punctuation(_)
        | TokenKind::Broken
        | TokenKind::Unclear => return None,
    };
    is_plain(text).then(|| text.to_ascii_lowercase())
}

/// Bytes whose comparison does not depend on a collation.
fn is_plain(text: &[u8]) -> bool {
    let odd = |byte: &u8| !byte.is_ascii() || matches!(byte, b'\\' | b'\'' | b'`' | b'"');
    !text.is_empty() && !text.iter().any(odd) && !text.ends_with(b" ")
}

fn inner(text: &[u8]) -> &[u8] {
    match text {
        [b'`', inner @ .., b'`'] | [b'\'', inner @ .., b'\''] => inner,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_taken_and_freed_by_plain_statements_are_counted_by_name() {
        let a = || b"a".to_vec();
        assert_eq!(lock(b"SELECT GET_LOCK('A', 10)"), Named::Makes(a()));
        assert_eq!(lock(b"select get_lock('a', -1) as got;"), Named::Makes(a()));
        assert_eq!(lock(b"DO RELEASE_LOCK('a')"), Named::Ends(a()));
        assert_eq!(lock(b"SELECT RELEASE_ALL_LOCKS()"), Named::EndsAll);
        assert_eq!(lock(b"SELECT IS_FREE_LOCK('a')"), Named::Nothing);
    }

    #[test]
    fn a_lock_taken_in_any_other_form_is_unclear() {
        for sql in [
            "SELECT GET_LOCK('a', 1) FROM t",
            "SELECT GET_LOCK('a', 1), GET_LOCK('b', 1)",
            "SELECT GET_LOCK(?, 1)",
            "SELECT GET_LOCK('\u{e9}', 1)",
            "SELECT GET_LOCK(CONCAT('a', 1), 1)",
            "SELECT RELEASE_LOCK('b'), GET_LOCK('a', 1)",
            "DO GET_LOCK('a', 1), SLEEP(1)",
        ] {
            assert_eq!(lock(sql.as_bytes()), Named::Unclear, "{sql}");
        }
        assert_eq!(lock(b"SELECT RELEASE_LOCK('a') FROM t"), Named::Nothing);
    }

    #[test]
    fn temporary_tables_are_known_by_name_and_schema() {
        let one = temporary_table(b"CREATE TEMPORARY TABLE IF NOT EXISTS `S`.T (id INT)");
        assert_eq!(one, Some((Some(b"s".to_vec()), b"t".to_vec())));
        let two = dropped_tables(b"DROP TEMPORARY TABLE IF EXISTS a, s.b;");
        let expected = vec![(None, b"a".to_vec()), (Some(b"s".to_vec()), b"b".to_vec())];
        assert_eq!(two, expected);
        assert_eq!(dropped_tables(b"DROP VIEW a"), []);
    }

    #[test]
    fn statements_of_prepare_are_known_by_name_and_text() {
        let s = || b"s".to_vec();
        assert_eq!(prepared(b"PREPARE s FROM 'SELECT 1'"), Named::Makes(s()));
        assert_eq!(prepared(b"EXECUTE S USING @a"), Named::Uses(s()));
        assert_eq!(prepared(b"EXECUTE IMMEDIATE 'x'"), Named::Unclear);
        assert_eq!(prepared(b"DEALLOCATE PREPARE s"), Named::Ends(s()));
        assert_eq!(prepared(b"DROP PREPARE s"), Named::Ends(s()));
        let text = prepared_text(b"PREPARE s FROM 'SELECT 1'");
        assert_eq!(text, Some(&b"SELECT 1"[..]));
        assert_eq!(prepared_text(b"PREPARE s FROM @x"), None);
    }

    #[test]
    fn handlers_are_known_by_their_alias() {
        assert_eq!(handler(b"HANDLER t OPEN"), Named::Makes(b"t".to_vec()));
        assert_eq!(
            handler(b"HANDLER s.t OPEN AS h"),
            Named::Makes(b"h".to_vec())
        );
        assert_eq!(handler(b"HANDLER h CLOSE"), Named::Ends(b"h".to_vec()));
        assert_eq!(handler(b"HANDLER h READ FIRST"), Named::Uses(b"h".to_vec()));
    }
}
