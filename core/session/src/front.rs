//! Input of clients: packets are put together, one command at a time is handed on, and what comes
//! ahead of its turn waits in the session.

use mainstay_wire::packet::{HEADER_LEN, PacketHeader, PacketReader};
use mainstay_wire::{Command, ErrPacket, ErrorCode};

use crate::answer;
use crate::client_login::{Login, LoginStage};
use crate::core::Core;
use crate::counts::Count;
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::records::ClientEvent;
use crate::secure::Transport;
use crate::server::{Gathered, ServerPhase};
use crate::session::{Phase, Session, Stage};

/// Bytes a client may send ahead while its command runs, before it is not read any more.
const AHEAD_MAX: usize = 256 << 10;
/// The longest packet of a client that has not logged in.
const LOGIN_PACKET_MAX: usize = 64 << 10;

/// What a packet with a wrong sequence number gets. Servers give the answer the number that they
/// had expected.
pub(crate) fn out_of_order() -> ErrPacket {
    ErrPacket::new(1156, *b"08S01", "Got packets out of order")
}

/// What to do with the front of a client's input.
enum Turn {
    /// Nothing can be done with it now.
    Wait,
    /// A packet may be handled.
    Packet,
    /// It belongs to a long command that is being sent to this server.
    Stream(u32),
    /// All of it is this server's.
    Splice(u32),
}

impl Session {
    /// True when these bytes do not make the packet whole of which a part is here already.
    fn lacks(&self, bytes: &[u8]) -> bool {
        let known = PacketHeader::parse(&self.inbox);
        let whole = known.map(|header| HEADER_LEN + header.len);
        matches!(self.phase, Phase::Ready)
            && !bytes.is_empty()
            && whole.is_some_and(|whole| self.inbox.len() + bytes.len() < whole)
    }

    fn turn(&self) -> Turn {
        match &self.phase {
            // Its replies could pile up without end.
            Phase::Ready if self.blocked => Turn::Wait,
            Phase::Login(Login {
                stage: LoginStage::Asking(_) | LoginStage::Denied(_),
                ..
            }) => Turn::Wait,
            Phase::Login(_) | Phase::Ready => Turn::Packet,
            Phase::Busy(running) => match (self.server, running.stage, &running.stream) {
                (Some(server), Stage::Sent, Some(_)) => Turn::Stream(server),
                (Some(server), Stage::Spliced, _) => Turn::Splice(server),
                _ => Turn::Wait,
            },
        }
    }
}

impl Core {
    /// Bytes of a client; none when it is only its inbox that is looked at.
    pub(crate) fn client_input(&mut self, client: u32, bytes: &[u8], out: &mut Ops) {
        let now = self.now;
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        if !bytes.is_empty() {
            session.last_active = now;
            self.counts
                .more(Count::BytesFromClients, bytes.len() as u64);
        }
        if matches!(session.turn(), Turn::Wait) {
            session.inbox.extend_from_slice(bytes);
            if session.inbox.len() > AHEAD_MAX {
                self.pause_client(client, out);
            }
            return;
        }
        if session.lacks(bytes) {
            // Nothing can be done with a part of a packet: the rest is only added to it.
            session.inbox.extend_from_slice(bytes);
            return;
        }
        let gathered = Gathered::new(&mut session.inbox, bytes);
        let used = self.consume(client, &gathered, out);
        self.origin = None;
        let rest = &gathered.bytes()[used..];
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        session.inbox.extend_from_slice(rest);
        let ahead = session.inbox.len() > AHEAD_MAX;
        match session.turn() {
            Turn::Wait if ahead => self.pause_client(client, out),
            Turn::Packet if rest.len() > LOGIN_PACKET_MAX && session.is_login() => {
                let error = ErrorCode::BadHandshake.packet();
                self.refuse(client, 2, &error, out);
            }
            Turn::Packet => self.resume_client(client, out),
            Turn::Wait | Turn::Stream(_) | Turn::Splice(_) => {}
        }
    }

    /// Handles what can be handled; returns how many bytes that were.
    fn consume(&mut self, client: u32, gathered: &Gathered<'_>, out: &mut Ops) -> usize {
        let mut at = 0;
        while let Some(session) = self.clients.get_mut(client) {
            let bytes = &gathered.bytes()[at..];
            match session.turn() {
                Turn::Wait => break,
                Turn::Stream(server) => {
                    let stream = session
                        .running_mut()
                        .and_then(|running| running.stream.as_mut());
                    let (count, stream_bytes) =
                        stream.map_or((0, 0), |stream| (stream.take(bytes), stream.command_bytes));
                    if count == 0 {
                        break;
                    }
                    let chunk = gathered.chunk(at..at + count);
                    self.count_passed(server, count);
                    out.push(Op::Send {
                        to: ConnId::Server(server),
                        chunk,
                    });
                    at += count;
                    if stream_bytes > self.policy.packet_max {
                        self.too_large(client, 2, out);
                    }
                    self.stream_ended(client, out);
                }
                Turn::Splice(_) if bytes.is_empty() => break,
                Turn::Splice(server) => {
                    self.count_passed(server, bytes.len());
                    out.push(Op::Send {
                        to: ConnId::Server(server),
                        chunk: gathered.chunk(at..at + bytes.len()),
                    });
                    at += bytes.len();
                }
                Turn::Packet => {
                    let Some(packet) = PacketReader::new(bytes).next() else {
                        if session.is_login() && !session.may_be_login(bytes) {
                            // Nobody would send the rest of what is no packet at all.
                            self.refuse(client, 1, &out_of_order(), out);
                        }
                        break;
                    };
                    let range = at..at + packet.range.end;
                    at = range.end;
                    self.origin = gathered.is_input().then_some((client, range));
                    if session.is_login() {
                        let before = session.compressed;
                        self.login_packet(client, &packet, out);
                        let rest = gathered.bytes().len() - at;
                        at += self.filter_begins(client, (before, rest), out);
                    } else {
                        self.command(client, &packet, out);
                    }
                }
            }
        }
        at
    }

    /// Servers say so, and close.
    fn too_large(&mut self, client: u32, sequence: u8, out: &mut Ops) {
        self.refuse(client, sequence, &ErrorCode::PacketTooLarge.packet(), out);
    }

    /// After a packet of a login: the bytes behind it may belong to TLS. Returns how many do.
    fn filter_begins(
        &mut self,
        client: u32,
        (compressed, rest): (bool, usize),
        out: &mut Ops,
    ) -> usize {
        let Some(session) = self.clients.get(client) else {
            return 0;
        };
        if session.compressed && !compressed && rest > 0 {
            // Sent before the client could know that its frames begin.
            self.close_client(client, out);
            return 0;
        }
        if session.transport != Transport::Starting {
            return 0;
        }
        out.push(Op::StartTls {
            who: ConnId::Client(client),
            surplus: rest,
            address: None,
        });
        rest
    }

    fn stream_ended(&mut self, client: u32, out: &mut Ops) {
        let running = self.clients.get_mut(client).and_then(Session::running_mut);
        if let Some(running) = running
            && running.stream.is_some_and(|stream| stream.ended())
        {
            running.stream = None;
            if running.command == Command::StmtSendLongData {
                self.sent_unanswered(client, out);
            }
        }
    }

    /// Sends an error and closes the client.
    pub(crate) fn refuse(&mut self, client: u32, sequence: u8, error: &ErrPacket, out: &mut Ops) {
        *self.stats.errors.entry(error.code).or_default() += 1;
        self.record_refused(client, error);
        let chunk = Chunk::Owned(answer::error(sequence, error));
        out.push(Op::Send {
            to: ConnId::Client(client),
            chunk,
        });
        self.close_client(client, out);
    }

    /// Closes a client.
    pub(crate) fn close_client(&mut self, client: u32, out: &mut Ops) {
        self.client_gone(client, out);
        out.push(Op::Close(ConnId::Client(client)));
    }

    fn forget_client(&mut self, client: u32) {
        if let Some(session) = self.clients.close(client) {
            self.received.remove(&session.number);
            self.timers.disarm(ConnId::Client(client));
        }
    }

    /// Takes a session out of the queue in which its command waits.
    pub(crate) fn leave_queue(&mut self, client: u32) {
        let Some(session) = self.clients.get(client) else {
            return;
        };
        match session.stage() {
            Some(Stage::Held) => {
                let bytes = session.held_bytes();
                self.leave_hold(client, bytes);
            }
            Some(Stage::Waiting(upstream)) => {
                self.upstreams[upstream]
                    .waiters
                    .retain(|&other| other != client);
            }
            Some(
                Stage::Setup | Stage::Sent | Stage::Killing(_) | Stage::Spliced | Stage::Paused(_),
            )
            | None => {}
        }
    }

    /// A client left: its server connection is freed, or closed if a reply is still to come.
    pub(crate) fn client_gone(&mut self, client: u32, out: &mut Ops) {
        self.mark_lost(client);
        self.count_gone(client);
        self.record_client(client, ClientEvent::Gone);
        let Some(session) = self.clients.get(client) else {
            return;
        };
        let tied = session.server;
        self.leave_queue(client);
        let server = tied.and_then(|id| self.servers.get(id));
        let between = server.is_some_and(|one| matches!(one.phase, ServerPhase::Tied { .. }));
        match tied {
            Some(_) if between => self.untie(client, out),
            Some(id) => {
                let upstream = self.servers.get(id).map(|server| server.upstream);
                self.close_server(id, out);
                if let Some(upstream) = upstream {
                    self.grow(upstream, out);
                }
            }
            None => {}
        }
        self.forget_client(client);
    }

    pub(crate) fn pause_client(&mut self, client: u32, out: &mut Ops) {
        if let Some(session) = self.clients.get_mut(client)
            && !session.paused
        {
            session.paused = true;
            out.push(Op::Pause(ConnId::Client(client)));
        }
    }

    pub(crate) fn resume_client(&mut self, client: u32, out: &mut Ops) {
        if let Some(session) = self.clients.get_mut(client)
            && session.paused
        {
            session.paused = false;
            out.push(Op::Resume(ConnId::Client(client)));
        }
    }

    /// The client does not take its replies: the server is not read, and no command begins.
    pub(crate) fn client_blocked(&mut self, client: u32, out: &mut Ops) {
        let (now, limit) = (self.now, self.policy.timeouts.write);
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        session.blocked = true;
        let since = *session.blocked_since.get_or_insert(now);
        self.timers.arm(ConnId::Client(client), since + limit);
        let server = session
            .server
            .and_then(|id| Some((id, self.servers.get_mut(id)?)));
        if let Some((id, server)) = server
            && !server.paused
        {
            server.paused = true;
            out.push(Op::Pause(ConnId::Server(id)));
        }
    }

    pub(crate) fn client_unblocked(&mut self, client: u32, out: &mut Ops) {
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        session.blocked = false;
        session.blocked_since = None;
        let server = session.server;
        self.ready.push_back(client);
        if let Some(id) = server {
            self.resume_server(id, out);
        }
    }

    pub(crate) fn resume_server(&mut self, id: u32, out: &mut Ops) {
        if let Some(server) = self.servers.get_mut(id)
            && server.paused
        {
            server.paused = false;
            out.push(Op::Resume(ConnId::Server(id)));
        }
    }
}

impl Session {
    /// Whether the beginning of a packet can be one of a login.
    fn may_be_login(&self, bytes: &[u8]) -> bool {
        match (&self.phase, PacketHeader::parse(bytes)) {
            (Phase::Login(login), Some(header)) => {
                header.sequence == login.sequence && header.len <= LOGIN_PACKET_MAX
            }
            (Phase::Login(_) | Phase::Ready | Phase::Busy(_), _) => true,
        }
    }

    fn is_login(&self) -> bool {
        matches!(self.phase, Phase::Login(_))
    }
}
