//! Where the cache of results meets a session: which statements may be answered from it or kept in
//! it, and what every write tells the board of written tables.

use std::time::Duration;

use mainstay_sql::{Access, Flags, Kind, Statement, is_repeatable, tables};
use mainstay_wire::StatusFlags;
use mainstay_wire::packet::HEADER_LEN;
use mainstay_wire::tracker::Summary;

use crate::cache::{Asked, Fill};
use crate::core::Core;
use crate::counts::Count;
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::session::{Job, Running, Session};
use crate::statements::execute_whole;

/// Tables that a session wrote in its open transaction.
#[derive(Debug, Default)]
pub(crate) struct Wrote {
    any: bool,
    tables: Vec<u64>,
}

/// Tables remembered of one transaction; with more, any table counts as written.
const WROTE_MAX: usize = 64;

impl Core {
    /// Answers the running command from the cache, if it is there.
    pub(crate) fn answer_cached(&mut self, client: u32, out: &mut Ops) -> bool {
        let Some(session) = self.clients.get(client) else {
            return true;
        };
        if self.cache_ttl(session).is_zero() {
            return false;
        }
        let Some(asked) = session.asked() else {
            return false;
        };
        let written = &self.policy.cache.written;
        let Some(bytes) = self.cache.find(&asked, written, self.now) else {
            return false;
        };
        if let Some(session) = self.clients.get_mut(client) {
            // What a server would say now of the statement before is not known.
            session.answered_rows();
            session.fresh = false;
            session.found = true;
        }
        self.counts.more(Count::BytesToClients, bytes.len() as u64);
        self.counts.more(Count::CacheBytesOut, bytes.len() as u64);
        out.push(Op::Send {
            to: ConnId::Client(client),
            chunk: Chunk::Owned(bytes.to_vec()),
        });
        self.record_cached(client);
        self.command_done(client);
        true
    }

    /// Begins to keep the reply to the running command, which is about to be sent.
    pub(crate) fn fill(&self, client: u32, index: usize) -> Option<Box<Fill>> {
        if !self.policy.cache.on {
            return None;
        }
        let session = self.clients.get(client)?;
        let ttl = self.cache_ttl(session);
        if ttl.is_zero() {
            return None;
        }
        let asked = session.asked()?;
        let text = session.text()?;
        let empty = session.running().and_then(|one| one.ruled.cache_empty);
        let told = session.running().is_some_and(|one| one.cache_ttl.is_some());
        let mut named = Vec::new();
        if !told && !is_repeatable(text) || !tables(text, &mut |table| named.push(table)) {
            return None;
        }
        let cache = &self.policy.cache;
        let seen = cache.written.look(named.into_iter());
        let fresh =
            self.writer == Some(index) || cache.written.is_quiet(&seen, self.now, cache.settle);
        fresh.then(|| {
            Box::new(Fill {
                asked,
                seen,
                ttl,
                empty: empty.unwrap_or(cache.empty),
                bytes: Vec::new(),
            })
        })
    }

    /// Part of a reply that may be kept was forwarded.
    pub(crate) fn keep(&mut self, id: u32, bytes: &[u8]) {
        let max = self.policy.cache.entry_bytes_max;
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        if let Some(fill) = &mut server.fill {
            fill.bytes.extend_from_slice(bytes);
            if fill.bytes.len() > max {
                server.fill = None;
            }
        }
    }

    /// The reply is whole.
    pub(crate) fn store(&mut self, id: u32, summary: &Summary) {
        let fill = self.servers.get_mut(id).and_then(|one| one.fill.take());
        let Some(fill) = fill else { return };
        let status = summary.status.unwrap_or_default();
        let plain = summary.error.is_none()
            && summary.result_sets == 1
            && (fill.empty || summary.rows > 0)
            && summary.warnings == 0
            && summary.changes.is_empty()
            && status.contains(StatusFlags::AUTOCOMMIT)
            && !status.contains(StatusFlags::IN_TRANS);
        if plain {
            let length = fill.bytes.len() as u64;
            self.counts.more(Count::CacheBytesIn, length);
            self.cache
                .store(*fill, self.policy.cache.bytes_max, self.now);
        }
    }

    /// How long the running command's result may be kept; zero when it may not.
    fn cache_ttl(&self, session: &Session) -> Duration {
        let cache = &self.policy.cache;
        let fits = cache.on && session.autocommit && session.ties.is_empty() && !session.asks;
        let running = session.running().filter(|one| fits && one.is_keepable());
        running.map_or(Duration::ZERO, |one| one.cache_ttl.unwrap_or(cache.ttl))
    }

    /// The reply to the running command is whole: what it wrote is marked, now if it is visible to
    /// others, and again when its transaction ends.
    pub(crate) fn mark_written(&mut self, client: u32) {
        let now = self.now;
        let board = &self.policy.cache.written;
        if !self.policy.cache.on {
            return;
        }
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        session.note_tables();
        let Some(wrote) = &session.wrote else { return };
        if wrote.any {
            board.mark_any(now);
        }
        for &table in &wrote.tables {
            board.mark(table, now);
        }
        if !session.in_transaction() {
            session.wrote = None;
        }
    }

    /// A connection was lost on which a session may have written.
    pub(crate) fn mark_lost(&mut self, client: u32) {
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let wrote = session.wrote.take().is_some();
        let writes = session.running().is_some_and(|one| !one.job.is_read());
        if self.policy.cache.on && (wrote || writes) {
            self.policy.cache.written.mark_any(self.now);
        }
    }
}

impl Running {
    /// True for a read whose result depends on nothing but the data and the session's state.
    fn is_keepable(&self) -> bool {
        let statement = match &self.job {
            Job::Query(statement)
            | Job::Execute {
                statement,
                cursor: false,
                ..
            } => statement,
            Job::Execute { cursor: true, .. }
            | Job::Login
            | Job::InitDb { .. }
            | Job::Prepare(_)
            | Job::LongData { .. }
            | Job::OnCursor { .. }
            | Job::Other => return false,
        };
        let Statement {
            kind,
            access,
            flags,
            hint: _,
        } = *statement;
        kind == Kind::Read
            && access == Access::Read
            && flags.is_empty()
            && self.stream.is_none()
            && !self.to_writer
    }
}

impl Session {
    /// The text of the running statement.
    fn text(&self) -> Option<&[u8]> {
        let running = self.running()?;
        match running.job {
            Job::Execute { id, .. } => Some(&self.statements.get(id)?.text.sql),
            Job::Query(_) => running.packet.get(running.text_at..),
            Job::Login
            | Job::InitDb { .. }
            | Job::Prepare(_)
            | Job::LongData { .. }
            | Job::OnCursor { .. }
            | Job::Other => None,
        }
    }

    /// The question that the running statement asks.
    fn asked(&self) -> Option<Asked> {
        let running = self.running()?;
        let mut text = self.text()?.to_vec();
        if let Job::Execute { id, .. } = running.job {
            let prepared = self.statements.get(id)?;
            let payload = running.packet.get(HEADER_LEN..)?;
            // No statement that servers accept holds this byte.
            text.push(0);
            text.extend(prepared.text.schema.iter().flatten());
            text.push(0);
            text.extend_from_slice(&execute_whole(payload, prepared, self.key.capabilities));
        }
        Some(Asked {
            key: self.key.clone(),
            state: self.state.clone(),
            text,
        })
    }

    /// Remembers the tables that the running command wrote.
    fn note_tables(&mut self) {
        let Some(running) = self.running() else {
            return;
        };
        if running.job.is_read() {
            return;
        }
        let kind = running.job.statement().map(|statement| statement.kind);
        let mut named = Vec::new();
        // A stored function may write any table.
        let kind = kind.filter(|_| !running.job.has(Flags::UNKNOWN_FUNCTION));
        let known = match kind {
            Some(Kind::Write | Kind::LoadData) => self
                .text()
                .is_some_and(|sql| tables(sql, &mut |table| named.push(table))),
            Some(
                Kind::Begin
                | Kind::Commit
                | Kind::Rollback
                | Kind::Savepoint
                | Kind::Read
                | Kind::Set
                | Kind::Use
                | Kind::Show
                | Kind::Prepare
                | Kind::Deallocate
                | Kind::Handler
                | Kind::UnlockTables
                | Kind::Kill
                | Kind::Empty,
            ) => true,
            Some(
                Kind::Ddl
                | Kind::Execute
                | Kind::LockTables
                | Kind::Call
                | Kind::Xa
                | Kind::Admin
                | Kind::Unknown
                | Kind::Multi,
            )
            | None => false,
        };
        if known && named.is_empty() {
            return;
        }
        let wrote = self.wrote.get_or_insert_default();
        wrote.any |= !known || wrote.tables.len() + named.len() > WROTE_MAX;
        if !wrote.any {
            wrote.tables.extend(named);
        }
    }
}
