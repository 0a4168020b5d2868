//! A server connection is gone. Who waited for what on it decides what its session is told:
//!
//! | the session | what happens |
//! |---|---|
//! | its command was not sent | it looks for another connection |
//! | a read, nothing forwarded yet | it runs again elsewhere |
//! | a write, or a COMMIT | 2013: the outcome is unknown, and it is never sent again |
//! | another statement of a transaction | 1213: the transaction was rolled back |
//! | part of the reply was forwarded | an error between rows where that is legal, else a close |
//! | between statements, something tied | the next statement is told, and does not run |

use mainstay_sql::{Flags, Kind};
use mainstay_wire::ErrorCode;

use crate::answer;
use crate::command::only_concerns_session;
use crate::core::Core;
use crate::counts::Count;
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::server::{Server, ServerPhase};
use crate::session::{Session, Stage};
use crate::tie::TieReason;

/// Times a statement is sent in all: one that kills each server it meets must not meet them all.
const ATTEMPTS_MAX: u8 = 3;

impl Core {
    /// We close a connection that cannot be used any more.
    pub(crate) fn lost_by_us(&mut self, id: u32, out: &mut Ops) {
        if self.servers.get(id).is_some() {
            out.push(Op::Close(ConnId::Server(id)));
            self.lost(id, out);
        }
    }

    /// A server connection has ended.
    pub(crate) fn lost(&mut self, id: u32, out: &mut Ops) {
        if let Some(session) = self.servers.get(id).and_then(Server::session) {
            self.mark_lost(session);
        }
        let Some(server) = self.servers.get(id) else {
            return;
        };
        if server.errand.is_some() {
            return self.errand_failed(id, None, out);
        }
        let index = server.upstream;
        match server.phase {
            ServerPhase::Connecting { .. } | ServerPhase::Login { .. } => {
                self.forget_server(id);
                self.unreachable(index, out);
            }
            ServerPhase::Idle { .. }
            | ServerPhase::Cleaning { .. }
            | ServerPhase::Errand { .. } => self.forget_server(id),
            ServerPhase::Spliced { session } => {
                self.forget_server(id);
                if let Some(session) = self.clients.get_mut(session) {
                    let _ = session.lose();
                }
                self.close_client(session, out);
            }
            ServerPhase::Tied { session } => {
                self.forget_server(id);
                self.lost_between(session);
            }
            ServerPhase::Setup { session, .. } => {
                self.forget_server(id);
                self.upstreams[index].lost += 1;
                self.lost_before(session, out);
            }
            ServerPhase::Reply { session, forwarded } => {
                self.upstreams[index].lost += 1;
                self.counts.one(Count::LostInStatement);
                if forwarded {
                    self.lost_within(session, id, out);
                } else {
                    self.forget_server(id);
                    self.lost_after(session, index, out);
                }
            }
        }
        self.grow(index, out);
    }

    /// Between statements: nothing can be said now.
    fn lost_between(&mut self, client: u32) {
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        session.lost = session.lose();
        // A statement held meanwhile is told when it is released.
    }

    /// Its command was not sent.
    fn lost_before(&mut self, client: u32, out: &mut Ops) {
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        match session.lose() {
            Some(lost) => self.tell_lost(client, lost, out),
            None => self.dispatch(client, out),
        }
    }

    /// Its server has been told to stop, and gave the statement up: the connection is lost in a
    /// moment. True when that was dealt with: it was a read, and may run elsewhere.
    pub(crate) fn given_up(&mut self, client: u32, id: u32, out: &mut Ops) -> bool {
        let session = self.clients.get(client);
        let read = session.is_some_and(|session| {
            let running = session.running();
            !session.in_transaction() && running.is_some_and(|running| running.job.is_read())
        });
        let upstream = self.servers.get(id).map(|server| server.upstream);
        let Some(upstream) = upstream.filter(|_| read) else {
            return false;
        };
        self.upstreams[upstream].lost += 1;
        self.close_server(id, out);
        self.lost_after(client, upstream, out);
        true
    }

    /// Its command was sent, and nothing of the reply was passed on.
    fn lost_after(&mut self, client: u32, index: usize, out: &mut Ops) {
        let now = self.now;
        let is_writer = self.writer == Some(index);
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let lost = session.lose();
        let (doubtful, code) = (session.doubtful, session.lost_code());
        let Some(running) = session.running_mut() else {
            return;
        };
        let job = &running.job;
        let harmless = job.is_read()
            || job
                .statement()
                .is_some_and(|one| only_concerns_session(one.kind))
                && !job.has(Flags::GLOBAL | Flags::TIES);
        let again = lost.is_none()
            && harmless
            && self.policy.retry_reads
            && running.stream.is_none()
            && running.attempts < running.ruled.attempts_max(ATTEMPTS_MAX);
        if again {
            running.stage = Stage::Setup;
            self.stats.reads_retried += 1;
            if !is_writer {
                self.upstreams[index].opening.failed(now);
            }
            return self.dispatch(client, out);
        }
        let commit = doubtful || job.may_commit();
        let rolls_back = job.is(Kind::Rollback);
        let open = lost == Some(TieReason::Transaction) && !commit && !rolls_back;
        if open && self.replay(client, out) {
            return;
        }
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        session.log = None;
        let Some(running) = session.running() else {
            return;
        };
        let job = &running.job;
        let name = &self.upstreams[index].target.name;
        let error = match lost {
            Some(TieReason::Transaction) if job.is(Kind::Rollback) => {
                return self.answer_ok(client, out);
            }
            Some(TieReason::Transaction) if !commit => ErrorCode::Deadlock.with(format!(
                "the transaction was rolled back: the connection to {name} was lost; run it \
                     again from its beginning"
            )),
            Some(lost) => {
                let what = lost.what();
                code.with(format!(
                    "the connection to {name} was lost, and with it {what}; whether this \
                     statement took effect is unknown"
                ))
            }
            None => code.with(format!(
                "the connection to {name} was lost; whether this statement took effect is unknown"
            )),
        };
        self.answer_error(client, &error, out);
    }

    /// Part of the reply was passed on already.
    fn lost_within(&mut self, client: u32, id: u32, out: &mut Ops) {
        let place = self.servers.get(id).map(|server| {
            let summary = server.tracker.summary();
            let between_rows = server.tracker.at_packet_boundary() && summary.rows > 0;
            (between_rows, summary.last_sequence.wrapping_add(1))
        });
        self.forget_server(id);
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let lost = session.lose();
        let ended = session.doubtful
            || session
                .running()
                .is_some_and(|running| running.job.may_commit());
        let Some((true, sequence)) = place else {
            // In the middle of a packet nothing honest can be said.
            return self.close_client(client, out);
        };
        let error = if lost == Some(TieReason::Transaction) && !ended {
            ErrorCode::Deadlock.with("the transaction was rolled back: its server was lost")
        } else {
            session
                .lost_code()
                .with("the server was lost in the middle of this result")
        };
        *self.stats.errors.entry(error.code).or_default() += 1;
        let chunk = Chunk::Owned(answer::error(sequence, &error));
        out.push(Op::Send {
            to: ConnId::Client(client),
            chunk,
        });
        self.command_done(client);
    }
}

impl Session {
    /// The connection is gone, and all that tied the session to it; says what hurts most.
    pub(crate) fn lose(&mut self) -> Option<TieReason> {
        self.server = None;
        self.held = None;
        let ties = std::mem::take(&mut self.ties);
        if !ties.is_only_transaction() && !self.is_replaying() {
            self.log = None;
        }
        if ties.contains(TieReason::Cursor) || ties.contains(TieReason::LongData) {
            self.statements.close_all();
        }
        if ties.is_soft() { None } else { ties.first() }
    }
}
