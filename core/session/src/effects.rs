//! What a finished statement has done to its session: what is remembered to be done again on other
//! connections, and what ties the session to this one.

use mainstay_clock::Timestamp;
use mainstay_routing::rules::Multiplex;
use mainstay_sql::{Flags, Kind, Statement, set, use_schema};
use mainstay_wire::tracker::Summary;
use mainstay_wire::{ErrorCode, SessionChange, StatusFlags};

use crate::core::Core;
use crate::server::Server;
use crate::session::{Job, Session};
use crate::state::State;
use crate::tie::TieReason;
use crate::tracking::{Tracking, told};

/// Flags that tie, and why.
const TYING: [(Flags, TieReason); 3] = [
    (Flags::ASSIGNS_USER_VARIABLE, TieReason::UserVariable),
    (Flags::INTO_VARIABLE, TieReason::UserVariable),
    (Flags::NEXT_TRANSACTION, TieReason::NextTransaction),
];

impl Core {
    /// Takes the effects of the session's running command, whose reply is whole.
    pub(crate) fn take_effects(&mut self, client: u32, id: u32, summary: &Summary) {
        let now = self.now;
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        session.doubtful = summary.error.is_some();
        if let Some(status) = summary.status {
            session.take_status(status, now);
        }
        if summary.last_insert_id != 0 {
            session.last_insert_id = summary.last_insert_id;
        }
        for change in &summary.changes {
            if let SessionChange::Schema(name) = change {
                // The name is empty when the schema in force was dropped.
                let name = Some(name.clone().into_bytes()).filter(|name| !name.is_empty());
                session.state.schema.clone_from(&name);
                server.applied.schema = name;
            }
        }
        let before = session.ties;
        session.take_row_count(summary);
        session.take_traces(server, summary);
        let Some(running) = session.running_mut() else {
            return;
        };
        let packet = std::mem::take(&mut running.packet);
        let sql = packet.get(running.text_at..).unwrap_or_default();
        match &running.job.clone() {
            Job::Query(statement) => session.take(*statement, sql, summary, server),
            Job::Execute {
                id,
                statement,
                cursor,
            } => {
                let text = session
                    .statements
                    .get(*id)
                    .map(|prepared| prepared.text.clone());
                let sql = text.as_ref().map_or(&b""[..], |text| &text.sql);
                session.opened(*id, Some(*cursor && has_cursor(summary)), true);
                session.take(*statement, sql, summary, server);
            }
            Job::OnCursor { id, reset } => {
                let open = !*reset && has_cursor(summary);
                session.opened(*id, Some(open), *reset);
            }
            Job::Login
            | Job::InitDb { .. }
            | Job::Prepare(_)
            | Job::LongData { .. }
            | Job::Other => {}
        }
        if let Some(running) = session.running_mut() {
            running.packet = packet;
        }
        session.take_multiplex(before);
        for reason in session.ties.added(before) {
            *self.stats.ties.entry(reason).or_default() += 1;
        }
        if session.in_transaction() && session.transaction_since == now {
            self.watch_transaction(client);
        }
    }
}

impl Session {
    /// What a query rule says of the connection.
    fn take_multiplex(&mut self, before: crate::tie::Ties) {
        let multiplex = self.running().and_then(|running| running.ruled.multiplex);
        match multiplex {
            Some(Multiplex::Off) => drop(self.ties.insert(TieReason::Rule)),
            Some(Multiplex::On) => self.ties.remove(TieReason::Rule),
            Some(Multiplex::IgnoreVariables) if !before.contains(TieReason::UserVariable) => {
                self.ties.remove(TieReason::UserVariable);
            }
            Some(Multiplex::IgnoreVariables) | None => {}
        }
    }

    fn take_status(&mut self, status: StatusFlags, now: Timestamp) {
        self.autocommit = status.contains(StatusFlags::AUTOCOMMIT);
        if status.contains(StatusFlags::IN_TRANS) {
            // One may end and another begin with the same statement.
            let edges = [Kind::Begin, Kind::Commit, Kind::Rollback];
            let running = self.running();
            let begins = running.is_some_and(|one| edges.iter().any(|&kind| one.job.is(kind)));
            if self.ties.insert(TieReason::Transaction) || begins {
                self.transaction_since = now;
            }
        } else {
            self.ties.remove(TieReason::Transaction);
        }
    }

    /// What the kind and the flags of a statement say.
    fn take(&mut self, statement: Statement, sql: &[u8], summary: &Summary, server: &mut Server) {
        let several = matches!(statement.kind, Kind::Multi | Kind::Call | Kind::Unknown);
        // One statement that failed did nothing, and of several none ran if they did not parse.
        if let Some(error) = &summary.error
            && (!several || error.code == ErrorCode::ParseError.code())
        {
            return;
        }
        if statement.kind != Kind::Set && !self.in_transaction() {
            self.ties.remove(TieReason::NextTransaction);
        }
        // Where nothing is told, the session stays on its connection, which knows.
        let told = server.tracking != Tracking::Unable;
        let applied = &mut server.applied;
        match statement.kind {
            Kind::Use => {
                if let Some(name) = use_schema(sql).filter(|_| summary.changes.is_empty()) {
                    self.state.schema = Some(unquoted(name));
                    applied.schema.clone_from(&self.state.schema);
                }
            }
            Kind::Set => return self.take_set((statement, sql), summary, applied),
            Kind::Execute => return self.take_executed(statement, sql, summary, server),
            Kind::Ddl => self.take_drop(sql, applied),
            Kind::Multi if told && drops_schema(sql) && applied.schema.is_some() => {
                // Which one does not matter: a name that no schema has is never right.
                applied.schema = Some(Vec::new());
            }
            Kind::Read
            | Kind::Write
            | Kind::Begin
            | Kind::Commit
            | Kind::Rollback
            | Kind::Savepoint
            | Kind::Show
            | Kind::Prepare
            | Kind::Deallocate
            | Kind::LockTables
            | Kind::UnlockTables
            | Kind::Call
            | Kind::LoadData
            | Kind::Kill
            | Kind::Handler
            | Kind::Xa
            | Kind::Admin
            | Kind::Unknown
            | Kind::Empty
            | Kind::Multi => {}
        }
        if statement.flags.contains(Flags::CALC_FOUND_ROWS) {
            self.ties.insert(TieReason::Diagnostics);
        }
        self.learn(statement, summary, server);
        let mut named = self.take_named(statement, sql);
        for (flag, reason) in TYING {
            if statement.flags.contains(flag) {
                self.ties.insert(reason);
                named = true;
            }
        }
        if statement.ties() && !named {
            self.ties.insert(TieReason::SessionVariable);
        }
    }

    /// A connection whose default schema is dropped has none, and servers tell only clients that
    /// track it.
    fn take_drop(&mut self, sql: &[u8], applied: &mut State) {
        let Some(name) = dropped_schema(sql) else {
            return;
        };
        for state in [&mut self.state, applied] {
            if state.schema.as_ref() == Some(&name) {
                state.schema = None;
            }
        }
    }

    /// What an `EXECUTE` ran, if its text is known.
    fn take_executed(
        &mut self,
        statement: Statement,
        sql: &[u8],
        summary: &Summary,
        server: &mut Server,
    ) {
        match self.executed(sql) {
            Some((inner, text)) if inner.kind != Kind::Execute => {
                self.take(inner, &text, summary, server);
            }
            Some(_) | None => {
                self.learn(statement, summary, server);
                self.ties.insert(TieReason::SessionVariable);
            }
        }
    }

    fn take_set(
        &mut self,
        (statement, sql): (Statement, &[u8]),
        summary: &Summary,
        applied: &mut State,
    ) {
        let set = set::parse(sql);
        let reason = match set.verdict {
            set::Verdict::Replayable | set::Verdict::Computed => {
                match self.assign_all(sql, &set, summary, applied) {
                    Ok(()) => return,
                    Err(reason) => reason,
                }
            }
            set::Verdict::NextTransaction => TieReason::NextTransaction,
            set::Verdict::Global => return,
            set::Verdict::Ties => {
                let user = statement.flags.contains(Flags::ASSIGNS_USER_VARIABLE);
                let mut all = set.assignments.iter();
                let only_user = user && all.all(|one| one.scope == set::Scope::User);
                if only_user && !set.assignments.is_empty() {
                    TieReason::UserVariable
                } else {
                    TieReason::SessionVariable
                }
            }
        };
        self.ties.insert(reason);
    }

    /// Remembers the assignments of a `SET`: literal ones by their text, computed ones by what the
    /// server told.
    fn assign_all(
        &mut self,
        sql: &[u8],
        set: &set::Set,
        summary: &Summary,
        applied: &mut State,
    ) -> Result<(), TieReason> {
        let mut result = Ok(());
        for one in &set.assignments {
            let certain = if one.literal || one.scope == set::Scope::Global {
                let certain = self.state.assign_text(sql, one);
                applied.assign_text(sql, one) && certain
            } else {
                told(summary, &one.name)
                    .is_some_and(|value| self.take_told((&one.name, value), applied))
            };
            if !certain && one.literal {
                result = Err(TieReason::UserVariable);
            } else if !certain {
                result = Err(TieReason::SessionVariable);
            }
        }
        result
    }
}

/// A cursor is open, and has more rows.
fn has_cursor(summary: &Summary) -> bool {
    summary.status.is_some_and(|status| {
        status.contains(StatusFlags::CURSOR_EXISTS) && !status.contains(StatusFlags::LAST_ROW_SENT)
    })
}

/// True when a text of several statements may drop a schema.
fn drops_schema(sql: &[u8]) -> bool {
    let mut words = sql.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
    words.any(|word| word.eq_ignore_ascii_case(b"DATABASE") || word.eq_ignore_ascii_case(b"SCHEMA"))
}

/// The schema that a `DROP DATABASE` names.
fn dropped_schema(sql: &[u8]) -> Option<Vec<u8>> {
    let words = sql.split(|byte| byte.is_ascii_whitespace() || *byte == b';');
    let mut words = words.filter(|word| !word.is_empty()).peekable();
    let mut next_is = |names: &[&[u8]]| {
        words
            .next_if(|word| names.iter().any(|name| word.eq_ignore_ascii_case(name)))
            .is_some()
    };
    if !next_is(&[b"DROP"]) || !next_is(&[b"DATABASE", b"SCHEMA"]) {
        return None;
    }
    let _ = next_is(&[b"IF"]) && next_is(&[b"EXISTS"]);
    words.next().map(unquoted)
}

/// A name without its quotes.
fn unquoted(name: &[u8]) -> Vec<u8> {
    match name {
        [b'`', inner @ .., b'`'] => {
            let mut plain = Vec::with_capacity(inner.len());
            let mut bytes = inner.iter().copied();
            while let Some(byte) = bytes.next() {
                plain.push(byte);
                if byte == b'`' {
                    // A quote inside is written twice.
                    bytes.next();
                }
            }
            plain
        }
        [b'"', inner @ .., b'"'] => inner.to_vec(),
        plain => plain.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_that_is_dropped_is_found() {
        let dropped = dropped_schema(b"drop schema if exists `my``shop`;");
        assert_eq!(dropped.as_deref(), Some(&b"my`shop"[..]));
        assert_eq!(
            dropped_schema(b"DROP DATABASE shop").as_deref(),
            Some(&b"shop"[..])
        );
        assert_eq!(dropped_schema(b"DROP TABLE shop"), None);
    }

    #[test]
    fn a_quoted_schema_is_read_as_its_name() {
        assert_eq!(unquoted(b"`my``shop`"), b"my`shop");
        assert_eq!(unquoted(b"shop"), b"shop");
    }
}
