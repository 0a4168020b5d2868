//! Transactions that go on after a failover, for users who ask for it: the statements of the open
//! transaction and the checksums of their replies are kept, and run again on the new primary before
//! the statement that found its connection gone. If every reply is the same, the client notices
//! nothing but a pause; else it gets 1213, as without this.
//!
//! Invariants:
//! - a commit that was sent is never replayed, nor anything that may have committed by itself;
//! - statements are replayed one by one: after one that failed, none is sent;
//! - what cannot be repeated exactly (other ties, settings, routines, pieces of data) is not kept.

use std::sync::Arc;

use mainstay_sql::{Flags, Kind, Statement};
use mainstay_wire::packet::{HEADER_LEN, put_packet};
use mainstay_wire::tracker::Summary;
use mainstay_wire::{Command, ErrPacket, ErrorCode};

use crate::core::Core;
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::server::{Server, ServerPhase, Step};
use crate::session::{Job, Session, Stage};
use crate::statements::{Text, execute_whole};
use crate::tie::TieReason;

/// One statement of an open transaction.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The whole command; of an execution without the id of its statement.
    packet: Vec<u8>,
    /// The prepared statement that it executes.
    text: Option<Arc<Text>>,
    command: Command,
    sum: u64,
}

/// The open transaction of a session.
#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: Vec<Arc<Entry>>,
    bytes: usize,
    /// It cannot be replayed.
    spoiled: bool,
    /// It must be, before the next statement.
    pub(crate) due: bool,
}

/// FNV-1a (Fowler, Noll, Vo), 64 bits.
const SUM_START: u64 = 0xcbf2_9ce4_8422_2325;

/// The checksum of the bytes before, with these after them.
pub(crate) fn sum(before: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(before, |sum, &byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

impl Server {
    /// Bytes of a reply came in.
    pub(crate) fn add_to_sum(&mut self, bytes: &[u8]) {
        if let Some(before) = self.sum {
            self.sum = Some(sum(before, bytes));
        }
    }

    /// A reply begins, of which a checksum may be wanted.
    pub(crate) fn begin_sum(&mut self, wanted: bool) {
        self.sum = wanted.then_some(SUM_START);
    }

    /// The checksum of a whole reply: of its rows, or of what an OK says.
    fn whole_sum(&self, summary: &Summary) -> u64 {
        if summary.result_sets > 0 {
            return self.sum.unwrap_or_default();
        }
        let facts = [
            summary.affected_rows,
            summary.last_insert_id,
            u64::from(summary.warnings),
        ];
        facts
            .iter()
            .fold(SUM_START, |all, fact| sum(all, &fact.to_le_bytes()))
    }
}

/// True for what does the same when it is run again after the same statements.
fn is_repeatable(statement: Statement) -> bool {
    const SPOILING: Flags = Flags::TIES;
    let kind = match statement.kind {
        Kind::Read | Kind::Write | Kind::Savepoint | Kind::Begin | Kind::Show => true,
        Kind::Ddl
        | Kind::Commit
        | Kind::Rollback
        | Kind::Set
        | Kind::Use
        | Kind::Prepare
        | Kind::Execute
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
        | Kind::Multi => false,
    };
    let lasting = Flags::NAMED_LOCK | Flags::INTO_FILE | Flags::LAST_INSERT_ID;
    kind && !statement.flags.intersects(SPOILING | lasting)
}

impl Core {
    /// True when the transactions of the session's user are replayed.
    pub(crate) fn replays(&self, session: &Session) -> bool {
        self.wishes.replays && {
            let user = self.policy.users.get(&*session.key.user);
            user.is_some_and(|user| user.replays_transactions)
        }
    }

    /// A command is over: it is one more of the open transaction, or the transaction has ended.
    /// `was_open` says whether there was one before.
    pub(crate) fn log(&mut self, client: u32, id: u32, summary: &Summary, was_open: bool) {
        let bytes_max = self.policy.replay_bytes_max;
        let Some(session) = self.clients.get(client).filter(|one| self.replays(one)) else {
            return;
        };
        if !session.in_transaction() {
            if let Some(session) = self.clients.get_mut(client) {
                session.log = None;
            }
            return;
        }
        let Some(server) = self.servers.get(id) else {
            return;
        };
        let entry = session.entry(server.whole_sum(summary));
        let begins = session.running().is_some_and(|one| one.job.is(Kind::Begin));
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        if begins {
            session.log = None;
        }
        let unseen = was_open && session.log.is_none() && !begins;
        let log = session.log.get_or_insert_default();
        log.spoiled |= unseen || summary.error.is_some();
        match entry {
            Some(entry) if log.bytes + entry.packet.len() <= bytes_max => {
                log.bytes += entry.packet.len();
                log.entries.push(Arc::new(entry));
            }
            Some(_) | None => log.spoiled = true,
        }
        if log.spoiled {
            log.entries = Vec::new();
        }
    }

    /// A transaction was lost with its connection, before the running command was sent or while it
    /// can be sent again. True when it is replayed, and the client need not know.
    pub(crate) fn replay(&mut self, client: u32, out: &mut Ops) -> bool {
        let Some(session) = self.clients.get_mut(client) else {
            return true;
        };
        let usable = |session: &Session| {
            let running = session.running()?;
            let log = session.log.as_ref()?;
            let whole = running.stream.is_none() && running.attempts < ATTEMPTS_MAX;
            let one = matches!(
                running.job,
                Job::Query(_) | Job::Execute { cursor: false, .. }
            );
            (whole && one && !log.spoiled && !log.entries.is_empty()).then_some(())
        };
        if usable(session).is_none() {
            session.log = None;
            return false;
        }
        if let Some(log) = &mut session.log {
            log.due = true;
        }
        if let Some(running) = session.running_mut() {
            running.stage = Stage::Setup;
            running.to_writer = true;
        }
        self.dispatch(client, out);
        true
    }

    /// Sends the step of a replay that comes next.
    pub(crate) fn send_replay(&mut self, id: u32, out: &mut Ops) {
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        let ServerPhase::Setup { steps, .. } = &server.phase else {
            return;
        };
        let Some(Step::Replay(entry)) = steps.front().cloned() else {
            return;
        };
        server.begin_sum(true);
        let mut packet = entry.packet.clone();
        let found = entry
            .text
            .as_ref()
            .and_then(|text| server.statements.find(text));
        if let Some(copy) = found
            && let Some(place) = packet.get_mut(HEADER_LEN + 1..HEADER_LEN + 5)
        {
            place.copy_from_slice(&copy.id.to_le_bytes());
        }
        out.push(Op::Send {
            to: ConnId::Server(id),
            chunk: Chunk::Owned(packet),
        });
    }

    /// The reply to one statement of a replay is whole. False when it is another one than before:
    /// then the transaction is given up.
    pub(crate) fn replayed(&mut self, client: u32, id: u32, entry: &Entry, out: &mut Ops) -> bool {
        let Some(server) = self.servers.get(id) else {
            return false;
        };
        let summary = server.tracker.summary();
        if summary.error.is_none() && server.whole_sum(summary) == entry.sum {
            return true;
        }
        self.give_up_replay(client, id, out);
        false
    }

    /// The transaction cannot be replayed on this connection: its rest must not run there.
    pub(crate) fn give_up_replay(&mut self, client: u32, id: u32, out: &mut Ops) {
        if let Some(session) = self.clients.get_mut(client) {
            let _ = session.lose();
        }
        self.close_server(id, out);
        let error = ErrorCode::Deadlock.with("it gave other results when it was replayed");
        self.answer_error(client, &error, out);
    }

    /// What a client is told instead of the error, if its transaction was waiting for its replay.
    pub(crate) fn unreplayed(&mut self, client: u32, error: &ErrPacket) -> Option<ErrPacket> {
        let session = self.clients.get_mut(client)?;
        if !session.is_replaying() {
            return None;
        }
        session.log = None;
        self.stats.replays_failed += 1;
        Some(ErrorCode::Deadlock.with(format!(
            "the transaction was rolled back by a failover: run it again from its beginning ({})",
            error.message
        )))
    }

    /// All of it has been replayed: the transaction is open again.
    /// Says whether the reply to what is sent now counts for another replay.
    pub(crate) fn replay_done(&mut self, client: u32) -> bool {
        let Some(session) = self.clients.get_mut(client) else {
            return false;
        };
        let due = session
            .log
            .as_mut()
            .is_some_and(|log| std::mem::take(&mut log.due));
        if due {
            session.ties.insert(TieReason::Transaction);
            self.stats.transactions_replayed += 1;
        }
        let session = self.clients.get(client);
        session.is_some_and(|session| self.replays(session))
    }
}

/// Times a statement is sent in all, each time after a replay.
const ATTEMPTS_MAX: u8 = 3;

impl Session {
    /// Its transaction was lost, and is to be replayed.
    pub(crate) fn is_replaying(&self) -> bool {
        self.log.as_ref().is_some_and(|log| log.due)
    }

    /// The running command as an entry, if it can be repeated.
    fn entry(&self, sum: u64) -> Option<Entry> {
        let running = self.running()?;
        let prepared = match running.job {
            Job::Query(statement) => is_repeatable(statement).then_some(None),
            Job::Execute {
                id,
                statement,
                cursor: false,
            } if is_repeatable(statement) => self
                .statements
                .get(id)
                .filter(|one| one.text.schema == self.state.schema)
                .map(Some),
            Job::Execute { .. }
            | Job::Login
            | Job::InitDb { .. }
            | Job::Prepare(_)
            | Job::LongData { .. }
            | Job::OnCursor { .. }
            | Job::Other => None,
        }?;
        let mut packet = running.packet.clone();
        if let Some(prepared) = prepared {
            let payload = packet.get(HEADER_LEN..)?;
            let payload = execute_whole(payload, prepared, self.key.capabilities);
            packet = Vec::new();
            put_packet(&mut packet, 0, &payload);
        }
        let alone = running.stream.is_none();
        alone.then(|| Entry {
            packet,
            text: prepared.map(|one| Arc::clone(&one.text)),
            command: running.command,
            sum,
        })
    }

    /// What must be replayed before the running command.
    pub(crate) fn replay_steps(&self, server: &Server, reset: bool) -> Vec<(Step, Vec<u8>)> {
        let mut steps = Vec::new();
        let Some(log) = self.log.as_ref().filter(|log| log.due) else {
            return steps;
        };
        let mut made: Vec<&Arc<Text>> = Vec::new();
        for text in log.entries.iter().filter_map(|entry| entry.text.as_ref()) {
            let there = server.statements.has(text) && !reset;
            if !there && !made.contains(&text) {
                made.push(text);
                steps.push((Step::Prepare(Arc::clone(text)), text.sql.clone()));
            }
        }
        let replay = |entry: &Arc<Entry>| (Step::Replay(Arc::clone(entry)), Vec::new());
        steps.extend(log.entries.iter().map(replay));
        steps
    }
}

impl Entry {
    pub(crate) fn command(&self) -> Command {
        self.command
    }
}
