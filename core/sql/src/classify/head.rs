//! The verb of a statement, from its first words. What its expressions do is `scan`'s work.

use crate::dialect;
use crate::flags::Flags;
use crate::lexer::{Lexer, Token, TokenKind};
use crate::statement::{Access, Kind};

/// What the first words say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: Kind,
    pub(super) access: Access,
    pub(super) flags: Flags,
    /// Its body may hold statements of its own, parted by semicolons.
    pub(super) program: bool,
    /// It is a query, or tells about one: each token must be understood.
    pub(super) query: bool,
}

impl Head {
    const fn new(kind: Kind, access: Access, flags: Flags) -> Self {
        let query = matches!(kind, Kind::Read | Kind::Show);
        Self {
            kind,
            access,
            flags,
            program: false,
            query,
        }
    }

    const fn write(kind: Kind) -> Self {
        Self::new(kind, Access::Write, Flags::NONE)
    }

    const fn committing(kind: Kind) -> Self {
        Self::new(kind, Access::Write, Flags::IMPLICIT_COMMIT)
    }

    const fn tying(kind: Kind) -> Self {
        Self::new(kind, Access::Write, Flags::TIES)
    }

    const QUERY: Self = Self::new(Kind::Read, Access::Read, Flags::NONE);
    const SHOW: Self = Self::new(Kind::Show, Access::Read, Flags::NONE);
    const UNKNOWN: Self = Self::tying(Kind::Unknown);

    fn with(mut self, flags: Flags, when: bool) -> Self {
        if when {
            self.flags |= flags;
        }
        self
    }
}

/// The first words, taken one at a time from a copy of the lexer.
struct Words<'a> {
    lexer: Lexer<'a>,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<Token<'a>> {
        self.lexer
            .next()
            .filter(|token| token.kind != TokenKind::Semicolon)
    }

    fn next_is(&mut self, keywords: &[&str]) -> bool {
        self.next().is_some_and(|token| token.is_any(keywords))
    }

    fn peek_is(&self, keywords: &[&str]) -> bool {
        Words {
            lexer: self.lexer.clone(),
        }
        .next_is(keywords)
    }

    fn has(&self, keywords: &[&str]) -> bool {
        let mut rest = Words {
            lexer: self.lexer.clone(),
        };
        std::iter::from_fn(|| rest.next()).any(|token| token.is_any(keywords))
    }

    /// True when these words come next, each after the other.
    fn follow(&self, words: &[&str]) -> bool {
        let mut rest = Words {
            lexer: self.lexer.clone(),
        };
        words.iter().all(|word| rest.next_is(&[word]))
    }

    fn ended(&self) -> bool {
        Words {
            lexer: self.lexer.clone(),
        }
        .next()
        .is_none()
    }
}

/// Reads the verb. The lexer stands behind the first token of the statement and is left there.
pub(super) fn head<'a>(first: Option<Token<'a>>, lexer: &Lexer<'a>) -> Head {
    let Some(mut first) = first.filter(|token| token.kind != TokenKind::Semicolon) else {
        return Head::new(Kind::Empty, Access::Read, Flags::NONE);
    };
    let mut words = Words {
        lexer: lexer.clone(),
    };
    let parenthesised = first.is_punctuation(b'(');
    while first.is_punctuation(b'(') {
        let Some(next) = words.next() else {
            return Head::UNKNOWN;
        };
        first = next;
    }
    if first.is_any(&["SELECT", "TABLE", "VALUES"]) {
        Head::QUERY
    } else if first.is("WITH") {
        with(words)
    } else if parenthesised {
        Head::UNKNOWN
    } else {
        rows(first, &words)
            .or_else(|| transaction(first, &mut words))
            .or_else(|| definition(first, &mut words))
            .or_else(|| session(first, &mut words))
            .or_else(|| tells(first, &mut words))
            .or_else(|| server(first, &words))
            .unwrap_or(Head::UNKNOWN)
    }
}

/// The verb of `WITH` comes after the common tables, outside of all parentheses.
fn with(mut words: Words<'_>) -> Head {
    let mut depth = 0_usize;
    let mut after_close = false;
    while let Some(token) = words.next() {
        if token.is_punctuation(b'(') {
            // `WITH a AS (…) (SELECT …)`
            if after_close && depth == 0 {
                return Head::QUERY;
            }
            depth += 1;
        } else if token.is_punctuation(b')') {
            depth = depth.saturating_sub(1);
        } else if depth == 0 {
            if token.is_any(&["SELECT", "TABLE", "VALUES"]) {
                return Head::QUERY;
            }
            if token.is_any(&["UPDATE", "DELETE", "INSERT", "REPLACE"]) {
                return Head::write(Kind::Write);
            }
        }
        after_close = token.is_punctuation(b')');
    }
    Head::UNKNOWN
}

fn rows(first: Token<'_>, words: &Words<'_>) -> Option<Head> {
    if first.is_any(&["INSERT", "UPDATE", "DELETE", "REPLACE", "DO"]) {
        return Some(Head::write(Kind::Write));
    }
    if first.is("LOAD") {
        if words.peek_is(&["INDEX"]) {
            return Some(Head::committing(Kind::Admin));
        }
        let head = Head::write(Kind::LoadData);
        return Some(head.with(Flags::LOCAL_FILE, words.has(&["LOCAL"])));
    }
    first.is("CALL").then_some(Head::write(Kind::Call))
}

fn transaction(first: Token<'_>, words: &mut Words<'_>) -> Option<Head> {
    if first.is("BEGIN") {
        // `BEGIN NOT ATOMIC` opens a block of statements, `BEGIN WORK` a transaction.
        let begins = words.ended() || words.follow(&["WORK"]);
        return Some(if begins {
            Head::committing(Kind::Begin)
        } else {
            Head::UNKNOWN
        });
    }
    if first.is("START") {
        if !words.next_is(&["TRANSACTION"]) {
            return Some(Head::committing(Kind::Admin));
        }
        // It reads, but what follows it on the same connection may be anything: after an implicit
        // commit the server would write there.
        let reads_only = words.has(&["ONLY"]) && !words.has(&["WRITE"]);
        let head = Head::committing(Kind::Begin);
        return Some(head.with(Flags::READ_ONLY_TRANSACTION, reads_only));
    }
    if first.is_any(&["COMMIT", "ROLLBACK"]) {
        return Some(ending(first, words));
    }
    if first.is("SAVEPOINT") || (first.is("RELEASE") && words.peek_is(&["SAVEPOINT"])) {
        return Some(Head::write(Kind::Savepoint));
    }
    first.is("XA").then_some(Head::tying(Kind::Xa))
}

/// `{COMMIT | ROLLBACK} [WORK] [AND [NO] CHAIN] [[NO] RELEASE]`, or `ROLLBACK [WORK] TO …`.
fn ending(first: Token<'_>, words: &mut Words<'_>) -> Head {
    let kind = if first.is("COMMIT") {
        Kind::Commit
    } else {
        Kind::Rollback
    };
    let mut head = Head::write(kind);
    let mut negated = false;
    while let Some(word) = words.next() {
        if word.is("TO") {
            return Head::write(Kind::Savepoint);
        }
        head = head
            .with(Flags::CHAIN, word.is("CHAIN") && !negated)
            .with(Flags::RELEASE, word.is("RELEASE") && !negated);
        negated = word.is("NO");
    }
    head
}

fn definition(first: Token<'_>, words: &mut Words<'_>) -> Option<Head> {
    if first.is("DROP") && words.peek_is(&["PREPARE"]) {
        return Some(Head::write(Kind::Deallocate));
    }
    if first.is("DROP") && words.peek_is(&["TEMPORARY"]) {
        let head = Head::write(Kind::Ddl).with(Flags::DROPS_TEMPORARY, true);
        // MariaDB has temporary sequences too; neither commits.
        return Some(head);
    }
    if first.is("CREATE") {
        return Some(create(words));
    }
    if first.is("ALTER") {
        let mut head = Head::committing(Kind::Ddl);
        head.program = words.has(&["EVENT"]);
        return Some(head);
    }
    let others = [
        "DROP", "RENAME", "TRUNCATE", "GRANT", "REVOKE", "IMPORT", "INSTALL",
    ];
    let ddl = first.is_any(&others) || first.is("UNINSTALL");
    ddl.then_some(Head::committing(Kind::Ddl))
}

fn create(words: &mut Words<'_>) -> Head {
    const PROGRAMS: &[&str] = &["PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"];
    let replaces = words.follow(&["OR", "REPLACE"]);
    if replaces {
        let _or_replace = (words.next(), words.next());
    }
    if words.peek_is(&["TEMPORARY"]) {
        return Head::write(Kind::Ddl).with(Flags::CREATES_TEMPORARY | Flags::TIES, true);
    }
    let mut head = Head::committing(Kind::Ddl);
    // `DEFINER = 'a'@'b'` and its like stand between.
    let mut rest = Words {
        lexer: words.lexer.clone(),
    };
    while let Some(word) = rest.next() {
        if word.is_any(&["TABLE", "VIEW", "INDEX", "DATABASE", "SCHEMA", "USER"]) {
            break;
        }
        if word.is_any(PROGRAMS) {
            head.program = true;
            break;
        }
    }
    head
}

fn session(first: Token<'_>, words: &mut Words<'_>) -> Option<Head> {
    if first.is("SET") {
        return Some(set(words));
    }
    if first.is("USE") {
        return Some(Head::write(Kind::Use));
    }
    if first.is("PREPARE") {
        return Some(Head::tying(Kind::Prepare));
    }
    if first.is("EXECUTE") {
        return Some(Head::tying(Kind::Execute));
    }
    if first.is("DEALLOCATE") {
        return Some(Head::write(Kind::Deallocate));
    }
    if first.is("LOCK") || first.is("BACKUP") {
        let tables = words.peek_is(&["TABLE", "TABLES"]);
        return Some(Head::tying(Kind::LockTables).with(Flags::IMPLICIT_COMMIT, tables));
    }
    if first.is("UNLOCK") {
        return Some(Head::committing(Kind::UnlockTables));
    }
    first.is("HANDLER").then_some(Head::tying(Kind::Handler))
}

fn set(words: &mut Words<'_>) -> Head {
    let mut head = Head::write(Kind::Set);
    if words.peek_is(&["STATEMENT"]) {
        // `SET STATEMENT variable = value FOR statement`: the statement is not unwrapped.
        return Head::write(Kind::Write);
    }
    if words.peek_is(&["GLOBAL", "PERSIST", "PERSIST_ONLY"]) {
        head = head.with(Flags::GLOBAL, true);
    }
    let next = words.peek_is(&["TRANSACTION"]);
    let transaction = next || words.has(&["TRANSACTION"]);
    let only = transaction && words.has(&["ONLY"]);
    head.with(Flags::NEXT_TRANSACTION, next)
        .with(Flags::READ_ONLY_TRANSACTION, only)
}

fn tells(first: Token<'_>, words: &mut Words<'_>) -> Option<Head> {
    if first.is("SHOW") {
        return Some(show(words));
    }
    if first.is_any(&["EXPLAIN", "DESCRIBE", "DESC"]) {
        return Some(explain(words));
    }
    if first.is("ANALYZE") {
        // `ANALYZE SELECT …` of MariaDB runs the statement and tells how.
        let tables = words.has(&["TABLE", "TABLES"]) && !words.has(&["SELECT"]);
        let about_tables = words.peek_is(&["TABLE", "TABLES", "LOCAL", "NO_WRITE_TO_BINLOG"]);
        let looks_after = tables || about_tables;
        return Some(if looks_after {
            Head::committing(Kind::Admin)
        } else {
            explain(words)
        });
    }
    if first.is("GET") {
        let head = Head::write(Kind::Show);
        return Some(head.with(Flags::DIAGNOSTICS, true));
    }
    (first.is("HELP") || first.is("CHECKSUM")).then_some(Head::SHOW)
}

fn show(words: &Words<'_>) -> Head {
    let mut rest = Words {
        lexer: words.lexer.clone(),
    };
    let subject = rest.next();
    let counts = subject.is_some_and(|word| word.is("COUNT"));
    let asks_last = words.peek_is(&["WARNINGS", "ERRORS", "PROFILE", "PROFILES"]) || counts;
    let variables = words.has(&["VARIABLES"]);
    let mut head = Head::SHOW
        .with(Flags::DIAGNOSTICS, asks_last)
        .with(Flags::TRACKING, variables);
    if dialect::shows_primary_state(subject, rest.next()) {
        head.access = Access::Write;
    }
    head
}

/// `EXPLAIN` of a query is a read; of anything else it wants the rights, and under `ANALYZE` the
/// effects, of the statement itself.
fn explain(words: &mut Words<'_>) -> Head {
    const WRITES: &[&str] = &["UPDATE", "DELETE", "INSERT", "REPLACE"];
    let mut head = Head::SHOW;
    // The words before the verb are options: `EXTENDED`, `FORMAT = JSON`, `ANALYZE`, …
    for _ in 0..8 {
        let at_verb = Words {
            lexer: words.lexer.clone(),
        };
        let Some(word) = words.next() else { break };
        if word.is_any(&["SELECT", "TABLE", "VALUES"]) || word.is_punctuation(b'(') {
            break;
        }
        if word.is("WITH") {
            let mut inner = at_verb;
            let _with = inner.next();
            head.access = with(inner).access;
            break;
        }
        // `FOR CONNECTION` names a connection of one server.
        if word.is_any(WRITES) || word.is("FOR") {
            head.access = Access::Write;
            break;
        }
    }
    head
}

fn server(first: Token<'_>, words: &Words<'_>) -> Option<Head> {
    if first.is("KILL") {
        return Some(Head::write(Kind::Kill));
    }
    if first.is("FLUSH") {
        let locks = words.has(&["WITH"]) && words.has(&["LOCK"]);
        let locks = locks || (words.has(&["TABLE", "TABLES"]) && words.has(&["EXPORT"]));
        let head = if locks {
            Head::tying(Kind::LockTables)
        } else {
            Head::write(Kind::Admin)
        };
        return Some(head.with(Flags::IMPLICIT_COMMIT, true));
    }
    let looks_after = first.is_any(&["OPTIMIZE", "REPAIR", "CHECK", "CACHE", "RESET", "CHANGE"])
        || first.is_any(&["STOP", "PURGE", "SHUTDOWN", "RESTART", "CLONE", "BINLOG"]);
    looks_after.then_some(Head::committing(Kind::Admin))
}
