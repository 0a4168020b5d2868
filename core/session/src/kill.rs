//! `KILL` by the proxy's own connection numbers, on whichever worker the connection is.
//!
//! ```text
//! asker ─ Kill ─▶ worker of the target ─┬─ not sent yet, or idle ─▶ Killed
//!                                       └─ an errand: `KILL QUERY n` at its server ─▶ Killed
//! ```
//! A server connection for which an errand is under way may be hit late: it serves its own session
//! to the end, and nobody after it.

use std::sync::Arc;

use mainstay_clock::Timestamp;
use mainstay_sql::{Kill, KillTarget};
use mainstay_wire::packet::Packet;
use mainstay_wire::{Command, ErrPacket, ErrorCode};

use crate::core::Core;
use crate::counts::Count;
use crate::note::{Asker, KillOutcome, KillRequest, Note, Word};
use crate::op::{Op, Ops};
use crate::session::{Job, Phase, Session, Stage};

/// Set in all numbers of the proxy's connections, so that they are never those of servers.
pub(crate) const OURS: u32 = 1 << 31;
const WORKER_SHIFT: u32 = 23;

/// The number of a connection, as its greeting tells and `KILL` takes it.
pub(crate) const fn connection_id(worker: u32, serial: u64) -> u32 {
    OURS | (worker & 0xff) << WORKER_SHIFT | (serial as u32 & 0x7f_ffff)
}

impl Core {
    /// A note from another worker's machine.
    pub fn note(&mut self, now: Timestamp, note: Note, out: &mut Ops) {
        self.now = now;
        self.take_note(note, out);
        self.settle(out);
    }

    fn take_note(&mut self, note: Note, out: &mut Ops) {
        match note.0 {
            Word::Kill(request) => self.kill_here(&request, out),
            // What could not be delivered comes back to the last worker that was asked.
            Word::Killed(asker, outcome) if asker.worker != self.worker => {
                self.tell(asker.worker, Word::Killed(asker, outcome), out);
            }
            Word::Killed(asker, outcome) => self.killed(asker, outcome, out),
        }
    }

    /// Ends a session of this worker, or only its statement, for an operator: no matter whose it
    /// is. False when it is not here.
    pub fn end(&mut self, now: Timestamp, number: u32, only_query: bool, out: &mut Ops) -> bool {
        self.now = now;
        let is_it = |(id, one): (u32, &Session)| (one.number == number).then_some(id);
        let found = self.clients.iter().find_map(is_it);
        let Some(target) = found else {
            return false;
        };
        if only_query {
            self.interrupt_statement(target, None, out);
        } else {
            self.kill_connection(target, out);
        }
        self.settle(out);
        true
    }

    /// A `KILL` statement. False when it is for a server to run.
    pub(crate) fn kill_statement(
        &mut self,
        client: u32,
        kill: Kill,
        packet: &Packet<'_>,
        out: &mut Ops,
    ) -> bool {
        let target = match kill.target {
            KillTarget::Connection(id) => match u32::try_from(id) {
                Ok(id) if id & OURS != 0 => id,
                _ => return false,
            },
            KillTarget::Oneself => match self.clients.get(client) {
                Some(session) => session.number,
                None => return true,
            },
            KillTarget::User => {
                let text = "KILL USER is not passed on: it would end connections of other \
                            sessions; KILL them by their numbers";
                self.answer_error(client, &ErrorCode::NotSupported.with(text), out);
                return true;
            }
            KillTarget::Other => return false,
        };
        self.kill(client, (target, kill.query), packet, out);
        true
    }

    /// Kills one of the proxy's connections, or its statement, and answers when that is done.
    pub(crate) fn kill(
        &mut self,
        client: u32,
        (target, query): (u32, bool),
        packet: &Packet<'_>,
        out: &mut Ops,
    ) {
        self.enter(client, (Command::ProcessKill, Job::Other), packet);
        let worker = self.worker;
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let asker = Asker {
            worker,
            client,
            serial: session.serial,
        };
        let user = Arc::clone(&session.key.user);
        let oneself = session.number == target;
        if oneself {
            return self.kill_oneself(client, query, out);
        }
        let Some(running) = session.running_mut() else {
            return;
        };
        running.stage = Stage::Killing(target);
        let deadline = running.since + self.policy.timeouts.pool_wait;
        self.timers.arm(crate::op::ConnId::Client(client), deadline);
        let request = KillRequest {
            asker,
            target,
            query,
            next: 0,
            user,
        };
        self.tell((target & !OURS) >> WORKER_SHIFT, Word::Kill(request), out);
    }

    /// Servers interrupt the `KILL` itself, and end the connection if that was asked for.
    fn kill_oneself(&mut self, client: u32, query: bool, out: &mut Ops) {
        let mariadb = self.policy.server_version.contains("MariaDB");
        let error = if mariadb && !query {
            ErrorCode::ConnectionKilled
        } else {
            ErrorCode::QueryInterrupted
        };
        self.answer_error(client, &error.packet(), out);
        if !query {
            self.close_client(client, out);
        }
    }

    fn tell(&mut self, worker: u32, word: Word, out: &mut Ops) {
        let note = Note(word);
        if worker == self.worker {
            self.take_note(note, out);
        } else {
            out.push(Op::Tell { worker, note });
        }
    }

    /// Kills a session of this worker.
    fn kill_here(&mut self, request: &KillRequest, out: &mut Ops) {
        let found = self.clients.iter().find_map(|(target, session)| {
            let here = session.number == request.target;
            let found = here && !matches!(session.phase, Phase::Login(_));
            found.then_some((target, session.key.user == request.user))
        });
        let outcome = match found {
            None => {
                let next = KillRequest {
                    next: request.next + 1,
                    ..request.clone()
                };
                return self.tell(request.next, Word::Kill(next), out);
            }
            Some((_, false)) => Some(KillOutcome::NotOwner),
            Some((target, true)) if request.query => {
                self.interrupt_statement(target, Some(request.asker), out)
            }
            Some((target, true)) => {
                self.kill_connection(target, out);
                Some(KillOutcome::Done)
            }
        };
        if let Some(outcome) = outcome {
            let asker = request.asker;
            self.tell(asker.worker, Word::Killed(asker, outcome), out);
        }
    }

    /// Interrupts the statement of a session. `None` when its server must be asked.
    fn interrupt_statement(
        &mut self,
        target: u32,
        asker: Option<Asker>,
        out: &mut Ops,
    ) -> Option<KillOutcome> {
        let session = self.clients.get_mut(target)?;
        let server = session.server;
        match session.stage() {
            // As on a server: a connection that runs nothing is not touched.
            None | Some(Stage::Killing(_)) => {}
            Some(Stage::Held | Stage::Waiting(_) | Stage::Paused(_)) => {
                self.leave_queue(target);
                self.answer_error(target, &ErrorCode::QueryInterrupted.packet(), out);
            }
            Some(Stage::Setup) => {
                if let Some(running) = session.running_mut() {
                    running.killed = true;
                }
            }
            Some(Stage::Sent | Stage::Spliced) => {
                let server = server?;
                self.run_errand(server, true, asker, out);
                return None;
            }
        }
        Some(KillOutcome::Done)
    }

    /// True when the running command was killed before it could be sent: its client is told.
    pub(crate) fn was_killed(&mut self, client: u32, out: &mut Ops) -> bool {
        let running = self.clients.get(client).and_then(Session::running);
        let killed = running.is_some_and(|running| running.killed);
        if killed {
            self.free_or_keep(client, out);
            self.answer_error(client, &ErrorCode::QueryInterrupted.packet(), out);
        }
        killed
    }

    /// Ends a session. What it runs at a server is ended there too: a server notices a closed
    /// connection only when it has something to send.
    pub(crate) fn kill_connection(&mut self, target: u32, out: &mut Ops) {
        let session = self.clients.get(target);
        let sent = session
            .filter(|one| matches!(one.stage(), Some(Stage::Sent | Stage::Spliced)))
            .and_then(|one| one.server);
        if let Some(server) = sent {
            self.run_errand(server, false, None, out);
        }
        self.close_client(target, out);
    }

    /// Interrupts the statement of a session because it has run too long.
    pub(crate) fn interrupt(&mut self, client: u32, out: &mut Ops) {
        if let Some(server) = self.clients.get(client).and_then(|one| one.server) {
            self.counts.one(Count::Interrupted);
            self.run_errand(server, true, None, out);
        }
    }

    /// The answer to a session that has asked for a kill.
    fn killed(&mut self, asker: Asker, outcome: KillOutcome, out: &mut Ops) {
        let session = self.clients.get(asker.client);
        let session = session.filter(|session| session.serial == asker.serial);
        let Some(Stage::Killing(id)) = session.and_then(Session::stage) else {
            return;
        };
        let error: ErrPacket = match outcome {
            KillOutcome::Done => return self.answer_ok(asker.client, out),
            KillOutcome::Unknown => {
                ErrorCode::NoSuchThread.with(format!("Unknown thread id: {id}"))
            }
            KillOutcome::NotOwner => {
                ErrorCode::KillDenied.with(format!("You are not owner of thread {id}"))
            }
            KillOutcome::Failed(error) => error,
        };
        self.answer_error(asker.client, &error, out);
    }

    /// Tells who asked for an errand how it went.
    pub(crate) fn errand_told(&mut self, asker: Asker, outcome: KillOutcome, out: &mut Ops) {
        self.tell(asker.worker, Word::Killed(asker, outcome), out);
    }
}
