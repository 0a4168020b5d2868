//! The grammar of `SET`, as far as a session needs it (manual, "SET Syntax for Variable
//! Assignment", "SET CHARACTER SET", "SET NAMES", "SET TRANSACTION").

use std::iter::Peekable;
use std::ops::Range;

use super::{Assignment, Scope, Set, Verdict, hides_quotes};
use crate::lexer::{Lexer, Reading, Token, TokenKind};

/// Takes a `SET` apart. Whatever it does not understand ties the session.
pub fn parse(sql: &[u8]) -> Set {
    let mut lexer = Lexer::new(sql, Reading::USUAL);
    // An escaped quote or an executable comment reads differently on another server.
    let unsure = {
        let mut whole = lexer.clone();
        let _last = whole.by_ref().last();
        whole.doubts.any()
    };
    let is_set = lexer.next().is_some_and(|first| first.is("SET"));
    let mut parser = Parser {
        sql,
        tokens: lexer.peekable(),
        assignments: Vec::new(),
        ties: false,
        global_word: false,
    };
    let understood = is_set && !unsure && parser.list().is_some();
    let ties = parser.ties || !understood;
    let verdict = verdict(&parser.assignments, ties);
    Set {
        assignments: parser.assignments,
        verdict,
    }
}

fn verdict(assignments: &[Assignment], ties: bool) -> Verdict {
    let all = |scope: Scope| assignments.iter().all(|one| one.scope == scope);
    if ties || assignments.is_empty() {
        Verdict::Ties
    } else if all(Scope::Global) {
        Verdict::Global
    } else if all(Scope::NextTransaction) {
        Verdict::NextTransaction
    } else {
        assignments
            .iter()
            .map(judged)
            .fold(Verdict::Replayable, worse)
    }
}

/// What one of several assignments asks for.
fn judged(one: &Assignment) -> Verdict {
    match one.scope {
        Scope::Session | Scope::User if one.literal => Verdict::Replayable,
        Scope::Session => Verdict::Computed,
        Scope::Global => Verdict::Replayable,
        Scope::NextTransaction | Scope::User => Verdict::Ties,
    }
}

fn worse(one: Verdict, other: Verdict) -> Verdict {
    match (one, other) {
        (Verdict::Ties, _) | (_, Verdict::Ties) => Verdict::Ties,
        (Verdict::Computed, _) => one,
        (Verdict::Replayable | Verdict::NextTransaction | Verdict::Global, _) => other,
    }
}

struct Parser<'a> {
    sql: &'a [u8],
    tokens: Peekable<Lexer<'a>>,
    assignments: Vec<Assignment>,
    /// Understood, but not to be repeated elsewhere.
    ties: bool,
    /// The word `GLOBAL` or `PERSIST` has been seen.
    global_word: bool,
}

impl Parser<'_> {
    fn accept(&mut self, keyword: &str) -> bool {
        self.tokens.next_if(|token| token.is(keyword)).is_some()
    }

    fn at_end(&mut self) -> bool {
        self.tokens
            .peek()
            .is_none_or(|token| token.kind == TokenKind::Semicolon)
    }

    /// `None` when something was not understood.
    fn list(&mut self) -> Option<()> {
        if self
            .tokens
            .peek()?
            .is_any(&["PASSWORD", "ROLE", "DEFAULT", "RESOURCE", "STATEMENT"])
        {
            return self.special();
        }
        loop {
            self.assignment()?;
            if self.at_end() {
                break;
            }
            self.tokens.next_if(|token| token.is_punctuation(b','))?;
        }
        // A second statement behind the semicolon is not part of the list.
        let _semicolon = self.tokens.next();
        self.tokens.next().is_none().then_some(())
    }

    /// What changes accounts is the server's; roles and resource groups are this connection's.
    fn special(&mut self) -> Option<()> {
        let first = self.tokens.next()?;
        let role = self.tokens.peek().is_some_and(|token| token.is("ROLE"));
        if first.is("PASSWORD") || (first.is("DEFAULT") && role) {
            let mut rest = self.tokens.by_ref().map(|token| token.kind);
            if rest.any(|kind| matches!(kind, TokenKind::Semicolon | TokenKind::Broken)) {
                return None;
            }
            let name = first.text.to_ascii_lowercase();
            self.push(Scope::Global, &name, first.start..first.end(), false);
            return Some(());
        }
        None
    }

    fn push(&mut self, scope: Scope, name: &[u8], value: Range<usize>, literal: bool) {
        let name = String::from_utf8_lossy(name).to_lowercase();
        self.assignments.push(Assignment {
            scope,
            name,
            value,
            literal,
        });
    }

    fn assignment(&mut self) -> Option<()> {
        let scope = self.scope_word();
        let explicit = scope.is_some();
        self.global_word |= scope == Some(Scope::Global);
        let name = self.tokens.next()?;
        if name.is("NAMES") && scope.is_none() {
            return self.charset(b"names");
        }
        if name.is("CHARSET") && scope.is_none() {
            return self.charset(b"character set");
        }
        if name.is_any(&["CHARACTER", "CHAR"]) && scope.is_none() {
            return self.accept("SET").then(|| self.charset(b"character set"))?;
        }
        if name.is("TRANSACTION") {
            return self.transaction(scope.unwrap_or(Scope::NextTransaction));
        }
        let (scope, name) = match name.kind {
            TokenKind::UserVariable => (Scope::User, &name.text[1..]),
            TokenKind::SystemVariable if scope.is_none() => system_variable(name.text),
            TokenKind::Word => (scope.unwrap_or(Scope::Session), name.text),
            TokenKind::Name => (scope.unwrap_or(Scope::Session), unquoted(name.text)),
            TokenKind::SystemVariable
            | TokenKind::Text
            | TokenKind::DoubleQuoted
            | TokenKind::Number
            | TokenKind::Assign
            | TokenKind::Semicolon
            | TokenKind::Punctuation(_)
            | TokenKind::Broken
            | TokenKind::Unclear => return None,
        };
        let assigns =
            |token: &Token<'_>| token.kind == TokenKind::Assign || token.is_punctuation(b'=');
        self.tokens.next_if(assigns)?;
        let (value, mut literal) = self.value()?;
        if scope == Scope::User {
            literal &= is_plain_name(name) && is_exact(&self.sql[value.clone()]);
        }
        // The servers' manuals differ on whose setting the second one of `GLOBAL a = 1, b = 2` is.
        self.ties |= scope == Scope::Session && self.global_word && !explicit;
        self.judge(name, &self.sql[value.clone()]);
        self.push(scope, name, value, literal);
        Some(())
    }

    fn scope_word(&mut self) -> Option<Scope> {
        if self.accept("SESSION") || self.accept("LOCAL") {
            Some(Scope::Session)
        } else if self.accept("GLOBAL") || self.accept("PERSIST") || self.accept("PERSIST_ONLY") {
            Some(Scope::Global)
        } else {
            None
        }
    }

    /// Some session variables act on the next statement, or name one server's own state.
    fn judge(&mut self, name: &[u8], value: &[u8]) {
        const OWN: [&str; 8] = [
            "gtid_next",
            "gtid_seq_no",
            "insert_id",
            "last_insert_id",
            "identity",
            "pseudo_thread_id",
            "rand_seed1",
            "rand_seed2",
        ];
        self.ties |= OWN
            .iter()
            .any(|own| name.eq_ignore_ascii_case(own.as_bytes()));
        let of_client = name.eq_ignore_ascii_case(b"character_set_client");
        self.ties |= of_client && hides_quotes(unquoted(value));
    }

    /// `NAMES x [COLLATE y]`, `CHARACTER SET x`.
    fn charset(&mut self, name: &[u8]) -> Option<()> {
        let charset = self.tokens.next().filter(|token| is_literal(*token))?;
        let mut end = charset.end();
        if self.accept("COLLATE") {
            end = self.tokens.next().filter(|token| is_literal(*token))?.end();
        }
        self.ties |= hides_quotes(unquoted(charset.text));
        self.push(Scope::Session, name, charset.start..end, true);
        Some(())
    }

    /// `ISOLATION LEVEL …`, `READ ONLY`, `READ WRITE`, in any order.
    fn transaction(&mut self, scope: Scope) -> Option<()> {
        const WORDS: &[&str] = &["ISOLATION", "LEVEL", "READ", "ONLY", "WRITE", "REPEATABLE"];
        const LEVELS: &[&str] = &["COMMITTED", "UNCOMMITTED", "SERIALIZABLE"];
        let start = self.tokens.peek()?.start;
        let mut end = start;
        while !self.at_end() {
            let word = self.tokens.next()?;
            let known = word.is_any(WORDS) || word.is_any(LEVELS) || word.is_punctuation(b',');
            end = known.then_some(word.end())?;
        }
        self.push(scope, b"transaction", start..end, true);
        Some(())
    }

    /// The tokens up to the next comma outside of parentheses.
    fn value(&mut self) -> Option<(Range<usize>, bool)> {
        let first = *self.tokens.peek()?;
        let (mut end, mut depth, mut count, mut sign) = (first.start, 0_usize, 0_usize, 0_usize);
        let mut literal = true;
        while let Some(&token) = self.tokens.peek() {
            let comma = depth == 0 && token.is_punctuation(b',');
            if comma || token.kind == TokenKind::Semicolon {
                break;
            }
            if matches!(token.kind, TokenKind::Broken | TokenKind::Unclear) {
                return None;
            }
            depth += usize::from(token.is_punctuation(b'('));
            depth = depth.checked_sub(usize::from(token.is_punctuation(b')')))?;
            let signs = count == 0 && (token.is_punctuation(b'-') || token.is_punctuation(b'+'));
            sign += usize::from(signs);
            literal &= signs || is_literal(token);
            count += 1;
            end = token.end();
            let _token = self.tokens.next();
        }
        let closed = depth == 0 && count > 0;
        closed.then_some((first.start..end, literal && count == 1 + sign))
    }
}

/// A literal, or a bare word such as `ON`, `DEFAULT`, `utf8mb4`.
fn is_literal(token: Token<'_>) -> bool {
    match token.kind {
        // Under `ANSI_QUOTES` a double-quoted one is the name of a character set: a word as well.
        TokenKind::Text | TokenKind::Number | TokenKind::Word | TokenKind::DoubleQuoted => true,
        TokenKind::Name
        | TokenKind::UserVariable
        | TokenKind::SystemVariable
        | TokenKind::Assign
        | TokenKind::Semicolon
        | TokenKind::Punctuation(_)
        | TokenKind::Broken
        | TokenKind::Unclear => false,
    }
}

/// `@@x`, `@@session.x`, `@@global.x`. Without a scope some variables mean the next transaction.
fn system_variable(text: &[u8]) -> (Scope, &[u8]) {
    let body = &text[2..];
    let dot = body.iter().position(|&byte| byte == b'.');
    let (word, name) = dot.map_or((&b""[..], body), |dot| (&body[..dot], &body[dot + 1..]));
    let name = unquoted(name);
    let scope = if [&b"global"[..], b"persist", b"persist_only"]
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known))
    {
        Scope::Global
    } else if word.is_empty() && is_transaction_variable(name) {
        Scope::NextTransaction
    } else {
        Scope::Session
    };
    (scope, name)
}

/// Manual, "SET TRANSACTION": `SET @@transaction_isolation` is for the next transaction only.
fn is_transaction_variable(name: &[u8]) -> bool {
    [
        "transaction_isolation",
        "transaction_read_only",
        "tx_isolation",
        "tx_read_only",
    ]
    .iter()
    .any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// True for the name of a user variable that needs no quotes.
fn is_plain_name(name: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$');
    !name.is_empty() && name.iter().all(plain)
}

/// True when the value has the same type and bytes under every `sql_mode`.
fn is_exact(value: &[u8]) -> bool {
    let words: [&[u8]; 3] = [b"NULL", b"TRUE", b"FALSE"];
    match value {
        [b'\'', inner @ .., b'\''] => !inner.contains(&b'\\'),
        [b'-' | b'+', b'0'..=b'9' | b'.', ..] | [b'0'..=b'9' | b'.', ..] => true,
        word => words.iter().any(|known| word.eq_ignore_ascii_case(known)),
    }
}

fn unquoted(text: &[u8]) -> &[u8] {
    match text {
        [b'`' | b'\'' | b'"', inner @ .., b'`' | b'\'' | b'"'] => inner,
        _ => text,
    }
}
