//! Where a command goes: to the connection it is tied to, to the writer, to a reader, or on hold
//! until there is a writer.

use mainstay_routing::hostgroups::READERS;
use mainstay_routing::{Context, HostgroupId, Route, route};
use mainstay_sql::{Kind, Statement};
use mainstay_wire::{Command, ErrorCode};

use crate::core::Core;
use crate::counters::only_asks;
use crate::counts::Count;
use crate::op::{ConnId, Ops};
use crate::policy::NoReader;
use crate::session::{Job, Session, Stage};
use crate::tie::TieReason;

/// What a command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Any server with the data.
    Reader,
    /// The writer, for a write or the start of a transaction: held while writes are held.
    Writer,
    /// The writer, for what changes nothing: also while writes are held.
    Primary,
    /// The writer if there is one, else any server.
    Anywhere,
    /// The server that binlogs are read from.
    Binlog,
}

/// Where a command goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Destination {
    Upstream(usize),
    Hold,
    /// Its hostgroup has nobody, and that is an error.
    Refuse(HostgroupId),
}

impl Core {
    /// Finds a connection for the running command of the client; it may have been held, or its
    /// last attempt may have failed before it was sent.
    pub(crate) fn dispatch(&mut self, client: u32, out: &mut Ops) {
        self.turn = self.turn.wrapping_add(1);
        self.give_up_counters(client, out);
        if let Some(lost) = self.clients.get_mut(client).and_then(|one| one.lost.take()) {
            return self.tell_lost(client, lost, out);
        }
        let Some(session) = self.clients.get(client) else {
            return;
        };
        let Some(running) = session.running() else {
            return;
        };
        if let Some(server) = session.server {
            if self.must_wait_tied(session, server) {
                return self.hold_session(client, out);
            }
            return self.begin(client, server, out);
        }
        if let Job::OnCursor { .. } = running.job {
            return self.answer_error(client, &ErrorCode::UnknownStatement.packet(), out);
        }
        if self.ask(client, out) || self.answer_cached(client, out) {
            return;
        }
        let Some(session) = self.clients.get(client) else {
            return;
        };
        match self.destination(session) {
            Destination::Upstream(upstream) => self.acquire(client, upstream, out),
            Destination::Hold => self.hold_session(client, out),
            Destination::Refuse(id) => self.refuse_hostgroup(client, id, out),
        }
    }

    /// True when any reader may serve the running command.
    pub(crate) fn any_reader_serves(&self, session: &Session) -> bool {
        let Some(running) = session.running() else {
            return false;
        };
        let named = running.ruled.hostgroup.is_some_and(|id| id != READERS);
        let split = self.policy.split_reads && session.need() == Need::Reader;
        split && !named && !session.fast_forward && !self.must_read_at_writer(session)
    }

    /// A switchover drains the writer: a tied session may end its transaction, not begin one.
    fn must_wait_tied(&self, session: &Session, server: u32) -> bool {
        let on_writer = self.servers.get(server).map(|one| one.upstream) == self.writer;
        self.routes.hold_writes
            && on_writer
            && !session.in_transaction()
            && session.need() == Need::Writer
    }

    pub(crate) fn destination(&self, session: &Session) -> Destination {
        if let Some(destination) = self.ruled_destination(session) {
            return destination;
        }
        let need = if self.policy.split_reads {
            session.need()
        } else {
            session.need().unsplit()
        };
        let need = match need {
            Need::Reader if self.must_read_at_writer(session) => Need::Primary,
            Need::Reader | Need::Writer | Need::Primary | Need::Anywhere | Need::Binlog => need,
        };
        let writer = self.writer;
        let ready = writer.filter(|&one| self.upstreams[one].is_usable());
        let writable = ready
            .filter(|&one| !self.routes.hold_writes && self.upstreams[one].writing.until.is_none());
        let found = match need {
            Need::Writer => writable,
            Need::Primary => ready,
            Need::Reader => self.for_read(session, ready),
            Need::Anywhere => ready.or_else(|| self.reader()),
            Need::Binlog => self.binlog_source(),
        };
        let refuses = need == Need::Reader && self.policy.readers.none_left == NoReader::Error;
        match found {
            Some(upstream) => Destination::Upstream(upstream),
            None if refuses => Destination::Refuse(READERS),
            None => Destination::Hold,
        }
    }

    /// Keeps the command until there is a writer, within the limits of the hold.
    pub(crate) fn hold_session(&mut self, client: u32, out: &mut Ops) {
        if self.gave_up_copy(client) {
            return;
        }
        let (held, held_bytes) = (self.hold.len(), self.stats.held_bytes);
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let bytes = session.held_bytes();
        let Some(running) = session.running_mut() else {
            return;
        };
        if !self.policy.hold.has_room(held, held_bytes, bytes) {
            let text = "the statement did not run: there is no primary, and too many statements \
                        wait for one already";
            return self.answer_error(client, &ErrorCode::NetReadInterrupted.with(text), out);
        }
        let deadline = running.since + self.policy.hold.time_max;
        if deadline <= self.now {
            return self.waited_too_long(client, out);
        }
        running.stage = Stage::Held;
        if !std::mem::replace(&mut running.was_held, true) {
            self.stats.statements_held += 1;
        }
        self.stats.held_bytes += bytes;
        self.hold.push_back(client);
        self.timers.arm(ConnId::Client(client), deadline);
    }

    /// Tries every held session again, in order; those without a place are held again.
    pub(crate) fn release_held(&mut self, out: &mut Ops) {
        for client in std::mem::take(&mut self.hold) {
            let Some(session) = self.clients.get_mut(client) else {
                continue;
            };
            let bytes = session.held_bytes();
            self.stats.held_bytes -= bytes;
            if let Some(running) = session.running_mut() {
                running.stage = Stage::Setup;
            }
            self.dispatch(client, out);
        }
    }

    /// Takes a session off the hold; who has waited longest, and is first to give up, is in front.
    pub(crate) fn leave_hold(&mut self, client: u32, bytes: usize) {
        if let Some(place) = self.hold.iter().position(|&other| other == client) {
            self.hold.remove(place);
        }
        self.stats.held_bytes -= bytes;
    }

    /// The time of a held or waiting command is over.
    pub(crate) fn waited_too_long(&mut self, client: u32, out: &mut Ops) {
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let bytes = session.held_bytes();
        let Some(running) = session.running() else {
            return;
        };
        let seconds = self.now.since(running.since).as_secs();
        let text = match running.stage {
            Stage::Held => {
                self.leave_hold(client, bytes);
                format!("no primary for {seconds} s: the statement did not run")
            }
            Stage::Waiting(index) => {
                let upstream = &mut self.upstreams[index];
                upstream.waiters.retain(|&other| other != client);
                self.counts.one(Count::PoolTimeouts);
                let name = &upstream.target.name;
                format!("no free connection to {name} for {seconds} s: the statement did not run")
            }
            Stage::Setup | Stage::Sent | Stage::Killing(_) | Stage::Spliced | Stage::Paused(_) => {
                format!("no server for {seconds} s: the statement did not run")
            }
        };
        self.answer_error(client, &ErrorCode::NetReadInterrupted.with(text), out);
    }

    /// A session learns with its next statement what it lost while it was idle.
    pub(crate) fn tell_lost(&mut self, client: u32, lost: TieReason, out: &mut Ops) {
        let Some(session) = self.clients.get(client) else {
            return;
        };
        let Some(running) = session.running() else {
            return;
        };
        if running.command == Command::StmtSendLongData {
            // It gets no reply: the next command is told.
            if let Some(session) = self.clients.get_mut(client) {
                session.lost = Some(lost);
            }
            return self.command_done(client);
        }
        let transaction = lost == TieReason::Transaction;
        let code = session.lost_code();
        if running.job.is(Kind::Rollback) && transaction {
            return self.answer_ok(client, out);
        }
        if transaction && self.replay(client, out) {
            return;
        }
        let error = if lost == TieReason::Transaction {
            ErrorCode::Deadlock.with(
                "the transaction was rolled back by a failover: run it again from its beginning",
            )
        } else {
            let what = lost.what();
            code.with(format!(
                "the connection to the server was lost, and with it {what}; this statement did \
                 not run"
            ))
        };
        self.answer_error(client, &error, out);
    }
}

impl Session {
    /// What the running command needs.
    fn need(&self) -> Need {
        let Some(running) = self.running() else {
            return Need::Anywhere;
        };
        if running.to_writer {
            return Need::Writer;
        }
        if running.reads_binlog() {
            return Need::Binlog;
        }
        match &running.job {
            // A reader may lag behind the schema's creation.
            Job::Login | Job::InitDb { .. } => Need::Primary,
            Job::Prepare(statement) => match self.need_of(*statement) {
                Need::Reader => Need::Reader,
                Need::Writer | Need::Primary | Need::Anywhere | Need::Binlog => Need::Anywhere,
            },
            // What ties a session ties it to the writer, where its next statements can run too.
            Job::Execute { cursor: true, .. } | Job::LongData { .. } | Job::OnCursor { .. } => {
                Need::Writer
            }
            Job::Query(statement) | Job::Execute { statement, .. } => self.need_of(*statement),
            Job::Other if running.command == Command::FieldList => Need::Anywhere,
            Job::Other if running.command == Command::Statistics => Need::Anywhere,
            Job::Other => Need::Writer,
        }
    }

    /// True when only the writer may run it.
    pub(crate) fn needs_writer(&self) -> bool {
        self.need() == Need::Writer
    }

    fn need_of(&self, statement: Statement) -> Need {
        if self.autocommit && only_asks(statement) {
            return Need::Anywhere;
        }
        let context = Context {
            in_transaction: self.in_transaction(),
            autocommit: self.autocommit,
            tied: false,
            has_readers: true,
            policy: mainstay_routing::Policy::default(),
        };
        match route(&context, &statement).route {
            Route::Reader => Need::Reader,
            Route::Writer | Route::Tied => Need::Writer,
        }
    }
}

impl Need {
    /// What it needs when reads are not split off.
    fn unsplit(self) -> Self {
        match self {
            Self::Reader => Self::Anywhere,
            Self::Writer | Self::Primary | Self::Anywhere | Self::Binlog => self,
        }
    }
}
