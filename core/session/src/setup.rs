//! Brings a connection to a session's state and then sends the session's command. The set-up goes
//! out in one piece, but the command waits for its replies: it must not run in a wrong state. Which
//! commands it takes is decided in `steps`.

use std::collections::VecDeque;

use mainstay_wire::{Command, ErrPacket};

use crate::answer;
use crate::core::Core;
use crate::counts::Count;
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::replay::sum;
use crate::server::{ServerPhase, Step};
use crate::session::{Job, Phase, Session, Stage};
use crate::steps::steps;
use crate::tie::TieReason;
use crate::tracking::{Tracking, Usual};

impl Core {
    /// Runs the session's command on a connection that is the session's now.
    pub(crate) fn begin(&mut self, client: u32, id: u32, out: &mut Ops) {
        let Some(asks) = self.asks(client, id) else {
            return;
        };
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        if session.is_ready_on(server, &asks) && !session.blocked {
            debug_assert!(steps(session, id, server, &asks).is_empty());
            debug_assert!(session.replay_steps(server, false).is_empty());
            if let Some(running) = session.running_mut() {
                running.stage = Stage::Setup;
            }
            return self.send(client, id, out);
        }
        let mut steps = steps(session, id, server, &asks);
        let reset = matches!(steps.front(), Some((Step::Reset, _)));
        steps.extend(session.replay_steps(server, reset));
        let blocked = session.blocked;
        if !steps.is_empty() {
            // They change what the connection says of its last statement.
            server.last_user = 0;
        }
        if let Some(running) = session.running_mut() {
            running.stage = Stage::Setup;
        }
        if blocked && !server.paused {
            server.paused = true;
            out.push(Op::Pause(ConnId::Server(id)));
        }
        let Some((first, _)) = steps.front() else {
            return self.send(client, id, out);
        };
        server.tracker.begin(first.command().reply());
        let mut bytes = Vec::new();
        let mut awaited = VecDeque::with_capacity(steps.len());
        let mut replays = false;
        for (step, argument) in steps {
            self.counts.step(&step);
            replays |= matches!(step, Step::Replay(_));
            if replays {
                // Sent when its turn has come.
                awaited.push_back(step);
                continue;
            }
            bytes.extend_from_slice(&match step.command() {
                Command::Query => answer::query(&argument, server.key.capabilities),
                command => answer::command(command, &argument),
            });
            awaited.push_back(step);
        }
        server.phase = ServerPhase::Setup {
            session: client,
            steps: awaited,
        };
        if bytes.is_empty() {
            return self.send_replay(id, out);
        }
        server.traffic.sent += bytes.len() as u64;
        out.push(Op::Send {
            to: ConnId::Server(id),
            chunk: Chunk::Owned(bytes),
        });
    }

    /// Replies to a set-up.
    pub(crate) fn setup_input(&mut self, id: u32, bytes: &[u8], out: &mut Ops) {
        let mut at = 0;
        while at < bytes.len() {
            let Some(server) = self.servers.get_mut(id) else {
                return;
            };
            let ServerPhase::Setup {
                session: client,
                steps,
            } = &mut server.phase
            else {
                // Bytes behind the last reply: the connection is out of step.
                return self.lost_by_us(id, out);
            };
            let client = *client;
            let Ok(fed) = server.tracker.feed(&bytes[at..]) else {
                return self.lost_by_us(id, out);
            };
            if let Some(Step::Usual | Step::Wait(_)) = steps.front() {
                server
                    .inbox
                    .extend_from_slice(&bytes[at..at + fed.consumed]);
            }
            server.sum = server
                .sum
                .map(|before| sum(before, &bytes[at..at + fed.consumed]));
            at += fed.consumed;
            if !server.tracker.is_done() {
                if fed.consumed == 0 {
                    return self.lost_by_us(id, out);
                }
                continue;
            }
            let Some(step) = steps.pop_front() else {
                return self.lost_by_us(id, out);
            };
            let next = steps.front().map(Step::command);
            if !self.step_done(client, id, &step, out) {
                return;
            }
            let Some(server) = self.servers.get_mut(id) else {
                return;
            };
            match next {
                Some(command) => {
                    server.tracker.begin(command.reply());
                    self.send_replay(id, out);
                }
                None if at < bytes.len() => return self.lost_by_us(id, out),
                None if self.was_killed(client, out) => {}
                None => self.send(client, id, out),
            }
        }
    }

    /// The reply to a step is whole. False when the set-up does not go on.
    fn step_done(&mut self, client: u32, id: u32, step: &Step, out: &mut Ops) -> bool {
        let Some(server) = self.servers.get_mut(id) else {
            return false;
        };
        if let Step::Wait(wanted) = step {
            let reply = std::mem::take(&mut server.inbox);
            if !self.waited(id, wanted, &reply) {
                self.not_there(client, id, out);
                return false;
            }
        } else if let Step::Replay(entry) = step
            && !self.replayed(client, id, entry, out)
        {
            return false;
        }
        let Some(server) = self.servers.get_mut(id) else {
            return false;
        };
        if let Step::Usual = step {
            let reply = std::mem::take(&mut server.inbox);
            let usual = Usual::read(&reply);
            self.upstreams[server.upstream].usual = Some(usual.unwrap_or_default());
        }
        let asks = matches!(step, Step::Usual | Step::Track(_) | Step::Gtids);
        let session = self.clients.get(client);
        let must = session.is_some_and(|session| server.must_take(step, session));
        if let Some(error) = server.tracker.summary().error.clone().filter(|_| must) {
            if !asks {
                self.setup_failed(client, step, &error, out);
                return false;
            }
            // It cannot tell what a session has become: the session is tied instead.
            server.tracking = Tracking::Unable;
            server.tells_gtids = false;
            return true;
        }
        let Some(session) = self.clients.get(client) else {
            return false;
        };
        if let Step::Found = step {
            server.found_by = session.serial;
        }
        for old in server.stepped(step, &session.state) {
            self.counts.one(Count::ServerClose);
            let bytes = answer::command(Command::StmtClose, &old.to_le_bytes());
            out.push(Op::Send {
                to: ConnId::Server(id),
                chunk: Chunk::Owned(bytes),
            });
        }
        true
    }

    /// The server refused a step. Its error is the client's, with two exceptions. The reset, which
    /// servers before 5.7 do not know: there another connection is taken. A reader, which may lag
    /// behind the creation of a schema or a table: what it refuses, the writer decides.
    fn setup_failed(&mut self, client: u32, step: &Step, error: &ErrPacket, out: &mut Ops) {
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let Some(id) = session.server else { return };
        let Some(server) = self.servers.get(id) else {
            return;
        };
        if session.is_replaying() {
            return self.give_up_replay(client, id, out);
        }
        let pending =
            matches!(&server.phase, ServerPhase::Setup { steps, .. } if !steps.is_empty());
        if let Step::Reset = step {
            return self.lost_by_us(id, out);
        }
        let free = session.ties.is_empty() || session.ties.is_soft();
        let by_reader = free && self.writer != Some(server.upstream);
        if !by_reader {
            session.schema_refused();
        }
        if let Some(running) = session.running_mut() {
            running.to_writer |= by_reader;
        }
        if pending {
            session.lost = session.lose();
            self.close_server(id, out);
        } else if by_reader {
            self.untie(client, out);
        } else {
            self.free_or_keep(client, out);
        }
        if by_reader {
            return self.dispatch(client, out);
        }
        self.pass_error(client, error, out);
    }

    /// Sends the command itself.
    fn send(&mut self, client: u32, id: u32, out: &mut Ops) {
        let (now, replays) = (self.now, self.replay_done(client));
        let index = self.servers.get(id).map_or(0, |server| server.upstream);
        let fill = self.fill(client, index);
        let input = self.origin.as_ref().filter(|(who, _)| *who == client);
        let input = input.map(|(_, range)| Chunk::Input(range.clone()));
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        session.is_used_on(client, (id, server));
        let Phase::Busy(running) = &mut session.phase else {
            return;
        };
        server.begin_sum(replays);
        server.lists = running.lists_processes();
        running.sent(now);
        self.counts.sent(running);
        server.traffic.sent += running.packet.len() as u64;
        let command = running.command;
        let streaming = running.stream.is_some();
        let chunk = match running.job {
            Job::Login => {
                self.free_or_keep(client, out);
                return self.logged_in(client, out);
            }
            Job::InitDb { .. } => {
                self.free_or_keep(client, out);
                return self.answer_ok(client, out);
            }
            Job::Execute { id: statement, .. } if !streaming => {
                Chunk::Owned(session.execute(server, statement))
            }
            Job::Execute { id: statement, .. }
            | Job::LongData { id: statement, .. }
            | Job::OnCursor { id: statement, .. } => {
                Chunk::Owned(session.with_server_id(server, statement))
            }
            Job::Query(_) | Job::Prepare(_) | Job::Other => {
                let packet = || Chunk::Owned(running.packet.clone());
                input.unwrap_or_else(packet)
            }
        };
        server.inbox.clear();
        server.tracker.begin(command.reply());
        server.phase = ServerPhase::Reply {
            session: client,
            forwarded: false,
        };
        server.fill = fill;
        out.push(Op::Send {
            to: ConnId::Server(id),
            chunk,
        });
        self.count_sent(index);
        self.sent(client, id, out);
    }

    /// The first packet of a command is sent: what comes behind it.
    fn sent(&mut self, client: u32, id: u32, out: &mut Ops) {
        let Some(session) = self.clients.get(client) else {
            return;
        };
        let Some(running) = session.running() else {
            return;
        };
        let (command, streaming) = (running.command, running.stream.is_some());
        let forward = session.fast_forward && !streaming;
        let dump = matches!(command, Command::BinlogDump | Command::BinlogDumpGtid);
        if streaming || forward || dump {
            // More of it belongs to this server, and may have been left unread until now.
            self.resume_client(client, out);
        }
        if command == Command::StmtSendLongData {
            self.tie(client, TieReason::LongData);
            self.note_long_data(client);
            if streaming {
                self.ready.push_back(client);
            } else {
                self.sent_unanswered(client, out);
            }
        } else if dump {
            self.splice(client, id);
        } else if forward {
            self.fast_forward(client, id);
        } else if streaming {
            self.ready.push_back(client);
        }
    }

    /// All of a command is sent that gets no reply.
    pub(crate) fn sent_unanswered(&mut self, client: u32, out: &mut Ops) {
        self.free_or_keep(client, out);
        self.command_done(client);
    }

    fn count_sent(&mut self, index: usize) {
        self.upstreams[index].statements += 1;
        if self.writer == Some(index) {
            self.stats.statements_writer += 1;
        } else {
            self.stats.statements_reader += 1;
        }
    }

    /// After a command: the connection stays with the session if anything ties it, else it is
    /// free for others.
    pub(crate) fn free_or_keep(&mut self, client: u32, out: &mut Ops) {
        let Some(session) = self.clients.get(client) else {
            return;
        };
        let Some(id) = session.server else { return };
        if session.ties.is_empty() {
            return self.untie(client, out);
        }
        let soft = session.ties.is_soft();
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        server.phase = ServerPhase::Tied { session: client };
        if soft && !std::mem::replace(&mut server.in_soft, true) {
            self.upstreams[server.upstream].soft.push_back(id);
        }
    }

    pub(crate) fn tie(&mut self, client: u32, reason: TieReason) {
        if let Some(session) = self.clients.get_mut(client)
            && session.ties.insert(reason)
        {
            *self.stats.ties.entry(reason).or_default() += 1;
        }
    }
}

impl Session {
    /// The server refused the schema: the session keeps the one it had.
    fn schema_refused(&mut self) {
        if let Phase::Busy(running) = &mut self.phase
            && let Job::InitDb { before } = &mut running.job
        {
            self.state.schema = before.take();
        }
    }
}
