//! Goes through all tokens of one statement and collects what its expressions do.

use crate::flags::Flags;
use crate::functions::{self, Effect};
use crate::keywords;
use crate::lexer::{Lexer, Token, TokenKind};
use crate::statement::{Access, Kind};
use crate::trusted::Trusted;

use super::head::{Head, head};

/// What one statement of the text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) kind: Kind,
    pub(super) access: Access,
    pub(super) flags: Flags,
    /// A quote, a comment or a backslash makes the server refuse it.
    pub(super) broken: bool,
    /// A semicolon ended it: there may be another one.
    pub(super) more: bool,
    program: bool,
}

impl Part {
    /// This statement and the next of the same text.
    pub(super) fn and(self, next: Self) -> Self {
        let kind = if self.program { self.kind } else { Kind::Multi };
        // Settings inside a text of many statements are not taken apart.
        let unseen = matches!(next.kind, Kind::Set | Kind::Use)
            || matches!(self.kind, Kind::Set | Kind::Use)
            || self.program;
        let ties = if unseen { Flags::TIES } else { Flags::NONE };
        Self {
            kind,
            access: Access::Write,
            flags: self.flags | next.flags | ties,
            broken: false,
            more: next.more,
            program: self.program,
        }
    }
}

struct Scan<'a> {
    trusted: &'a Trusted,
    head: Head,
    flags: Flags,
    /// Nothing may be concluded from the rest.
    unclear: bool,
    broken: bool,
    depth: usize,
    /// Among the common tables of a `WITH`, where `name (` is not a call.
    common_tables: bool,
    /// The tokens before, the nearest first.
    before: [Option<Token<'a>>; 3],
}

/// Reads one statement up to its semicolon, and gives all its tokens to `seen`.
pub(super) fn scan_part(
    lexer: &mut Lexer<'_>,
    trusted: &Trusted,
    seen: &mut impl FnMut(Token<'_>),
) -> Part {
    let mut ahead = lexer.next();
    let mut head = head(ahead, lexer);
    if head.kind == Kind::Call && calls_trusted(lexer, trusted) {
        head.access = Access::Read;
    }
    let mut scan = Scan {
        trusted,
        head,
        flags: head.flags,
        unclear: false,
        broken: false,
        depth: 0,
        common_tables: false,
        before: [None; 3],
    };
    let mut more = false;
    while let Some(token) = ahead {
        seen(token);
        if token.kind == TokenKind::Semicolon {
            more = true;
            break;
        }
        ahead = lexer.next();
        scan.token(token, ahead);
        scan.before = [Some(token), scan.before[0], scan.before[1]];
    }
    scan.finish(more)
}

impl<'a> Scan<'a> {
    fn previous_is(&self, keywords: &[&str]) -> bool {
        self.before[0].is_some_and(|token| token.is_any(keywords))
    }

    fn token(&mut self, token: Token<'a>, next: Option<Token<'a>>) {
        if self.head.kind == Kind::Set {
            self.autocommit(token);
        }
        match token.kind {
            TokenKind::Word => {
                self.word(token, next);
                self.call(token, next);
            }
            TokenKind::Name | TokenKind::DoubleQuoted => {
                self.name(token);
                self.call(token, next);
            }
            TokenKind::UserVariable => self.user_variable(token, next),
            TokenKind::SystemVariable => self.system_variable(token, next),
            TokenKind::Assign => {
                let of_user = |before: Token<'_>| before.kind == TokenKind::UserVariable;
                if self.before[0].is_some_and(of_user) {
                    self.flags |= Flags::ASSIGNS_USER_VARIABLE | Flags::TIES;
                }
            }
            TokenKind::Punctuation(b'(') => self.depth += 1,
            TokenKind::Punctuation(b')') => self.depth = self.depth.saturating_sub(1),
            TokenKind::Broken => self.broken = true,
            TokenKind::Unclear => self.unclear = true,
            TokenKind::Text
            | TokenKind::Number
            | TokenKind::Semicolon
            | TokenKind::Punctuation(_) => {}
        }
    }

    fn word(&mut self, word: Token<'a>, next: Option<Token<'a>>) {
        if self.head.kind == Kind::Set && names_tracking(word.text) {
            self.flags |= Flags::TRACKING;
        }
        if !may_be_watched(word.text) {
            return;
        }
        if self.before[0].is_none() {
            // The verb, which `head` has judged.
            self.common_tables = word.is("WITH");
            return;
        }
        if self.depth == 0 && word.is_any(&["SELECT", "TABLE", "VALUES"]) {
            self.common_tables = false;
        }
        let locks = (word.is_any(&["UPDATE", "SHARE"]) && self.previous_is(&["FOR"]))
            || (word.is("IN") && self.previous_is(&["LOCK"]));
        if locks {
            self.flags |= Flags::LOCKING_READ;
        }
        if word.is("SQL_CALC_FOUND_ROWS") {
            self.flags |= Flags::CALC_FOUND_ROWS;
        }
        let sequence = word.is("FOR")
            && self.previous_is(&["VALUE"])
            && self.before[1].is_some_and(|token| token.is_any(&["NEXT", "PREVIOUS"]));
        if sequence {
            self.flags |= Flags::SEQUENCE;
        }
        if self.head.query {
            self.query_word(word, next, locks);
        }
    }

    /// A word that a pure query has no use for.
    fn query_word(&mut self, word: Token<'a>, next: Option<Token<'a>>, locks: bool) {
        // Whatever stands before it: in Latin-1 the end of that word may be white space.
        if word.is_any(&["OUTFILE", "DUMPFILE"]) {
            self.flags |= Flags::INTO_FILE;
        }
        let to_file = next.is_some_and(|token| token.is_any(&["OUTFILE", "DUMPFILE"]));
        // `EXPLAIN INSERT INTO t` has another one.
        let of_insert = self.previous_is(&["INSERT", "REPLACE", "IGNORE"]);
        if word.is("INTO") && !to_file && !of_insert {
            self.flags |= Flags::INTO_VARIABLE | Flags::ASSIGNS_USER_VARIABLE | Flags::TIES;
        }
        let called = next.is_some_and(|token| token.is_punctuation(b'('));
        let writes = (word.is("UPDATE") && !locks)
            || word.is("DELETE")
            || (word.is_any(&["INSERT", "REPLACE"]) && !called);
        // `SHOW CREATE PROCEDURE` names one, `SELECT … PROCEDURE ANALYSE()` runs one.
        let runs = word.is("PROCEDURE") && self.head.kind == Kind::Read;
        if writes || runs {
            self.head.access = Access::Write;
        }
    }

    /// A quoted or dotted name. Oracle mode has sequences as `s.nextval`.
    fn name(&mut self, name: Token<'a>) {
        let text = name.text;
        if text.eq_ignore_ascii_case(b"NEXTVAL") || text.eq_ignore_ascii_case(b"CURRVAL") {
            self.flags |= Flags::SEQUENCE;
        }
    }

    fn call(&mut self, name: Token<'a>, next: Option<Token<'a>>) {
        let Some(paren) = next.filter(|token| token.is_punctuation(b'(')) else {
            return;
        };
        if self.before[0].is_none() {
            // The verb itself: `SELECT (…)`, `EXPLAIN (…)`.
            return;
        }
        let bare = name.kind == TokenKind::Word;
        let blank = paren.start != name.end();
        let known = if bare {
            functions::effect(name.text, blank)
        } else {
            None
        };
        match known {
            Some(Effect::None) => {}
            Some(Effect::Waits) => self.flags |= Flags::WAITS,
            Some(Effect::LastInsertId) => self.flags |= Flags::LAST_INSERT_ID,
            Some(Effect::RowCount) => self.flags |= Flags::ROW_COUNT,
            Some(Effect::TakesLock) => self.flags |= Flags::NAMED_LOCK | Flags::TIES,
            Some(Effect::AsksLock) => self.flags |= Flags::NAMED_LOCK,
            Some(Effect::Sequence) => self.flags |= Flags::SEQUENCE,
            None => {
                let keyword = bare && keywords::before_paren(name.text);
                let common_table = self.common_tables && self.depth == 0;
                if self.head.query && !keyword && !common_table && !self.trusts(name) {
                    self.flags |= Flags::UNKNOWN_FUNCTION;
                }
            }
        }
    }

    /// True for a stored function that the operator declared to be a read.
    fn trusts(&self, name: Token<'_>) -> bool {
        if !self.trusted.has_functions() {
            return false;
        }
        let dotted = self.before[0].is_some_and(|token| token.is_punctuation(b'.'));
        let schema = self.before[1].filter(|_| dotted);
        let schema = schema.map(|schema| schema.text);
        self.trusted.is_function(schema, name.text)
    }

    fn user_variable(&mut self, variable: Token<'a>, next: Option<Token<'a>>) {
        // `'name'@'host'` is an account.
        let quoted = |token: Token<'_>| {
            matches!(
                token.kind,
                TokenKind::Text | TokenKind::Name | TokenKind::DoubleQuoted
            )
        };
        if self.before[0].is_some_and(quoted) {
            return;
        }
        self.flags |= Flags::READS_USER_VARIABLE;
        // MySQL lets a comment stand between the sign and the name.
        self.unclear |= variable.text == b"@";
        let assigned = match self.head.kind {
            Kind::Set => {
                let at_left = self.previous_is(&["SET"])
                    || self.before[0].is_some_and(|token| token.is_punctuation(b','));
                at_left && next.is_some_and(|token| token.is_punctuation(b'='))
            }
            // Parameters that are given back; columns that are loaded; what diagnostics fill.
            Kind::Call | Kind::LoadData | Kind::Unknown => true,
            Kind::Show => self.flags.contains(Flags::DIAGNOSTICS),
            Kind::Read
            | Kind::Write
            | Kind::Ddl
            | Kind::Begin
            | Kind::Commit
            | Kind::Rollback
            | Kind::Savepoint
            | Kind::Use
            | Kind::Prepare
            | Kind::Execute
            | Kind::Deallocate
            | Kind::LockTables
            | Kind::UnlockTables
            | Kind::Kill
            | Kind::Handler
            | Kind::Xa
            | Kind::Admin
            | Kind::Empty
            | Kind::Multi => false,
        };
        if assigned {
            self.flags |= Flags::ASSIGNS_USER_VARIABLE | Flags::TIES;
        }
    }

    fn system_variable(&mut self, variable: Token<'a>, next: Option<Token<'a>>) {
        if next.is_some_and(|token| token.is_punctuation(b'.')) {
            self.unclear = true;
        }
        let name = last_name(variable.text);
        let named = |names: &[&str]| {
            names
                .iter()
                .any(|n| name.eq_ignore_ascii_case(n.as_bytes()))
        };
        if named(&["identity", "last_insert_id"]) {
            self.flags |= Flags::LAST_INSERT_ID;
        } else if named(&["warning_count", "error_count", "last_gtid"]) {
            self.flags |= Flags::DIAGNOSTICS;
        } else if names_tracking(name) {
            self.flags |= Flags::TRACKING;
        }
    }

    /// At the value of `autocommit = value`. A server-wide one is not the session's.
    fn autocommit(&mut self, value: Token<'a>) {
        let assigns =
            |token: Token<'_>| token.kind == TokenKind::Assign || token.is_punctuation(b'=');
        let [Some(sign), Some(variable), scope] = self.before else {
            return;
        };
        let global = ["GLOBAL", "PERSIST", "PERSIST_ONLY"];
        let session = !scope.is_some_and(|word| word.is_any(&global));
        if session && assigns(sign) && names_autocommit(variable) {
            let text = value.text.trim_ascii();
            let is = |words: &[&[u8]]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
            if is(&[b"0", b"OFF", b"FALSE", b"'OFF'", b"\"OFF\""]) {
                self.flags |= Flags::AUTOCOMMIT_OFF;
            } else if is(&[b"1", b"ON", b"TRUE", b"DEFAULT", b"'ON'", b"\"ON\""]) {
                // Turning it on commits what is open.
                self.flags |= Flags::AUTOCOMMIT_ON | Flags::IMPLICIT_COMMIT;
            } else {
                // Computed by the server: after it, only the server's status tells.
                self.flags |= Flags::AUTOCOMMIT_OFF | Flags::TIES;
            }
        }
    }

    fn finish(self, more: bool) -> Part {
        const WRITING: Flags = Flags::INTO_FILE;
        let mut part = Part {
            kind: self.head.kind,
            access: self.head.access,
            flags: self.flags,
            broken: self.broken,
            more,
            program: self.head.program,
        };
        let bound = Flags::LOCKING_READ
            | Flags::LAST_INSERT_ID
            | Flags::ROW_COUNT
            | Flags::READS_USER_VARIABLE
            | Flags::ASSIGNS_USER_VARIABLE
            | Flags::INTO_VARIABLE
            | Flags::NAMED_LOCK
            | Flags::SEQUENCE
            | Flags::UNKNOWN_FUNCTION
            | WRITING;
        if part.flags.intersects(bound) {
            part.access = Access::Write;
        }
        if self.broken || self.unclear {
            part.kind = Kind::Unknown;
            part.access = Access::Write;
        }
        part
    }
}

/// False for a word that [`Scan::word`] does not look for, which nearly all are.
fn may_be_watched(word: &[u8]) -> bool {
    let first = word.first().map_or(0, u8::to_ascii_uppercase);
    match word.len() {
        2 => first == b'I',
        3 => first == b'F',
        4 => matches!(first, b'W' | b'I'),
        5 => matches!(first, b'T' | b'S'),
        6 => matches!(first, b'S' | b'V' | b'U' | b'D' | b'I'),
        7 => matches!(first, b'O' | b'R'),
        8 => first == b'D',
        9 => first == b'P',
        19 => first == b'S',
        _ => false,
    }
}

/// True when the statement calls a procedure that the operator declared to be a read.
fn calls_trusted(lexer: &Lexer<'_>, trusted: &Trusted) -> bool {
    if !trusted.has_procedures() {
        return false;
    }
    let mut words = lexer.clone();
    let Some(name) = words.next() else {
        return false;
    };
    let dotted = words.next().is_some_and(|token| token.is_punctuation(b'.'));
    match words.next().filter(|_| dotted) {
        Some(last) => trusted.is_procedure(Some(name.text), last.text),
        None => !dotted && trusted.is_procedure(None, name.text),
    }
}

/// `autocommit`, `@@autocommit`, `@@session.autocommit`, but not `@@global.autocommit`.
fn names_autocommit(token: Token<'_>) -> bool {
    let named = matches!(token.kind, TokenKind::Word | TokenKind::Name)
        || (token.kind == TokenKind::SystemVariable && !names_global(token.text));
    named && last_name(token.text).eq_ignore_ascii_case(b"autocommit")
}

fn names_tracking(name: &[u8]) -> bool {
    const PREFIX: &[u8] = b"session_track_";
    name.get(..PREFIX.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

fn names_global(variable: &[u8]) -> bool {
    variable
        .get(2..8)
        .is_some_and(|scope| scope.eq_ignore_ascii_case(b"global"))
}

/// `@@session.x` and `` @@`x` `` to `x`.
fn last_name(variable: &[u8]) -> &[u8] {
    let from = variable
        .iter()
        .rposition(|&byte| byte == b'.' || byte == b'@')
        .map_or(0, |i| i + 1);
    let name = &variable[from..];
    name.strip_prefix(b"`")
        .and_then(|name| name.strip_suffix(b"`"))
        .unwrap_or(name)
}
