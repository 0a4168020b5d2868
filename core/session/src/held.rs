//! What a session has made on its connection under a name, so that its tie ends when the last of
//! them does.
//!
//! **Invariant:** what the server has is among what is counted here, or the kind is unclear: then
//! only the end of all of it, or a reset, ends the tie.

use std::collections::BTreeMap;

use mainstay_sql::named::{self, Name, Named};
use mainstay_sql::{Flags, Kind, Statement, classify};

use crate::session::Session;
use crate::tie::TieReason;

/// Named things of one kind, and how often each was made.
#[derive(Debug, Default)]
struct Things {
    counts: BTreeMap<Vec<u8>, u32>,
    unclear: bool,
}

impl Things {
    fn take(&mut self, named: Named, once: bool) {
        match named {
            Named::Makes(name) => {
                let count = self.counts.entry(name).or_default();
                *count = if once { 1 } else { count.saturating_add(1) };
            }
            Named::Ends(name) => {
                let Some(count) = self.counts.get_mut(&name) else {
                    return;
                };
                *count -= 1;
                if *count == 0 {
                    self.counts.remove(&name);
                }
            }
            Named::EndsAll => *self = Self::default(),
            Named::Unclear => self.unclear = true,
            Named::Uses(_) | Named::Nothing => {}
        }
    }

    fn is_empty(&self) -> bool {
        self.counts.is_empty() && !self.unclear
    }
}

/// All named things of one session.
#[derive(Debug, Default)]
pub(crate) struct Held {
    locks: Things,
    tables: Things,
    handlers: Things,
    prepared: Things,
    /// Of the statements made with `PREPARE`, those whose text is known.
    texts: BTreeMap<Vec<u8>, Vec<u8>>,
    /// A lock that `UNLOCK TABLES` does not end.
    backup_lock: bool,
}

impl Session {
    fn held(&mut self) -> &mut Held {
        self.held.get_or_insert_default()
    }

    fn tie_while(&mut self, reason: TieReason, left: bool) {
        if left {
            self.ties.insert(reason);
        } else {
            self.ties.remove(reason);
        }
    }

    /// Takes what a statement that succeeded made and ended. True when that is why it ties.
    pub(crate) fn take_named(&mut self, statement: Statement, sql: &[u8]) -> bool {
        let mut named = false;
        if statement.flags.contains(Flags::NAMED_LOCK) {
            let held = self.held();
            held.locks.take(named::lock(sql), false);
            let left = !held.locks.is_empty();
            self.tie_while(TieReason::NamedLock, left);
            named = true;
        }
        if statement.flags.contains(Flags::CREATES_TEMPORARY)
            || self.ties.contains(TieReason::TemporaryTable) && statement.kind == Kind::Ddl
        {
            self.take_temporary(statement, sql);
            named = true;
        }
        match statement.kind {
            Kind::Prepare | Kind::Deallocate => self.take_prepared(sql),
            Kind::Handler => {
                let held = self.held();
                held.handlers.take(named::handler(sql), true);
                let left = !held.handlers.is_empty();
                self.tie_while(TieReason::Handler, left);
            }
            Kind::Xa => self.take_xa(sql),
            Kind::LockTables => {
                let tables = mentions(sql, b"TABLE") || mentions(sql, b"TABLES");
                self.held().backup_lock |= !tables;
                self.ties.insert(TieReason::TableLock);
            }
            Kind::UnlockTables => {
                let held = self.held();
                held.backup_lock &= !mentions(sql, b"INSTANCE");
                let left = held.backup_lock;
                self.tie_while(TieReason::TableLock, left);
            }
            Kind::Read
            | Kind::Write
            | Kind::Ddl
            | Kind::Begin
            | Kind::Commit
            | Kind::Rollback
            | Kind::Savepoint
            | Kind::Set
            | Kind::Use
            | Kind::Show
            | Kind::Execute
            | Kind::Call
            | Kind::LoadData
            | Kind::Kill
            | Kind::Admin
            | Kind::Unknown
            | Kind::Empty
            | Kind::Multi => return named,
        }
        true
    }

    fn take_temporary(&mut self, statement: Statement, sql: &[u8]) {
        let schema = self.state.schema.clone().unwrap_or_default();
        let key = |(of, name): Name| [of.unwrap_or_else(|| schema.clone()), name].join(&0);
        let tables = &mut self.held.get_or_insert_default().tables;
        if statement.flags.contains(Flags::CREATES_TEMPORARY) {
            let made = named::temporary_table(sql);
            tables.take(
                made.map_or(Named::Unclear, |one| Named::Makes(key(one))),
                true,
            );
        } else if mentions(sql, b"RENAME") {
            tables.take(Named::Unclear, true);
        }
        for dropped in named::dropped_tables(sql) {
            tables.take(Named::Ends(key(dropped)), true);
        }
        let left = !tables.is_empty();
        self.tie_while(TieReason::TemporaryTable, left);
    }

    fn take_prepared(&mut self, sql: &[u8]) {
        let held = self.held();
        let named = named::prepared(sql);
        match &named {
            Named::Makes(name) => {
                let text = named::prepared_text(sql);
                held.texts.remove(name);
                held.texts
                    .extend(text.map(|text| (name.clone(), text.to_vec())));
            }
            Named::Ends(name) => drop(held.texts.remove(name)),
            Named::EndsAll | Named::Uses(_) | Named::Unclear | Named::Nothing => {}
        }
        held.prepared.take(named, true);
        let left = !held.prepared.is_empty();
        self.tie_while(TieReason::SqlPrepare, left);
    }

    /// What an `EXECUTE` runs, if that is known.
    pub(crate) fn executed(&self, sql: &[u8]) -> Option<(Statement, Vec<u8>)> {
        let Named::Uses(name) = named::prepared(sql) else {
            return None;
        };
        let text = self.held.as_ref()?.texts.get(&name)?.clone();
        Some((classify(&text), text))
    }

    fn take_xa(&mut self, sql: &[u8]) {
        if mentions(sql, b"START") || mentions(sql, b"BEGIN") {
            self.ties.insert(TieReason::Xa);
        } else if mentions(sql, b"COMMIT") || mentions(sql, b"ROLLBACK") {
            self.ties.remove(TieReason::Xa);
        }
    }
}

/// True when the word is anywhere in the text.
fn mentions(sql: &[u8], word: &[u8]) -> bool {
    let mut words = sql.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
    words.any(|one| one.eq_ignore_ascii_case(word))
}
