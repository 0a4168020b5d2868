//! The commands of a client that has logged in: which are answered here, and which become work
//! for a server.

use mainstay_sql::Kind;
use mainstay_wire::bound::query_text;
use mainstay_wire::packet::{HEADER_LEN, Packet};
use mainstay_wire::{Capabilities, Command, ErrPacket, ErrorCode, Malformed, StatusFlags};

use crate::answer;
use crate::cleaning::knows_reset;
use crate::core::Core;
use crate::counts::Count;
use crate::dialect;
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::session::{Job, Phase, Running, Session};
use crate::stream::Stream;
use crate::tie::TieReason;

/// Buffers kept for the next commands, and the size above which one is not kept.
const SPARE_MAX: usize = 64;
const SPARE_BYTES_MAX: usize = 64 << 10;

impl Core {
    /// The first packet of a command.
    pub(crate) fn command(&mut self, client: u32, packet: &Packet<'_>, out: &mut Ops) {
        if packet.header.sequence != 0 {
            return self.refuse(client, 0, &crate::front::out_of_order(), out);
        }
        if packet.payload.len() > self.policy.packet_max {
            return self.refuse(client, 1, &ErrorCode::PacketTooLarge.packet(), out);
        }
        // Servers take an empty packet for COM_SLEEP, which no client may send.
        let command = Command::from_byte(packet.payload.first().copied().unwrap_or(0));
        match command {
            Command::Quit => self.close_client(client, out),
            Command::Ping => self.answer_unheard(client, out),
            Command::Query => self.query(client, packet, out),
            Command::InitDb => self.init_db(client, packet, out),
            Command::StmtPrepare => self.prepare(client, packet, out),
            Command::StmtExecute
            | Command::StmtSendLongData
            | Command::StmtReset
            | Command::StmtFetch
            | Command::StmtClose => self.on_statement(client, command, packet, out),
            Command::StmtBulkExecute
                if self.has(client, Capabilities::MARIADB_STMT_BULK_OPERATIONS) =>
            {
                self.on_statement(client, command, packet, out);
            }
            Command::ResetConnection if knows_reset(&self.policy.server_version) => {
                self.reset_session(client, out);
                self.forget_login(client);
                self.answer_ok(client, out);
            }
            Command::ChangeUser => self.change_user(client, packet.payload, out),
            Command::SetOption => self.set_option(client, packet, out),
            Command::ProcessKill => self.process_kill(client, packet, out),
            // A server that does not know one of these any more says so itself.
            Command::FieldList
            | Command::Statistics
            | Command::ProcessInfo
            | Command::Refresh
            | Command::Debug
            | Command::RegisterReplica
            | Command::BinlogDump
            | Command::BinlogDumpGtid => {
                self.start(client, (command, Job::Other), packet, out);
            }
            Command::Shutdown => {
                let text = "Access denied; you need (at least one of) the SHUTDOWN privilege(s) \
                            for this operation: the proxy stops no server";
                let error = ErrorCode::SpecificAccessDenied.with(text);
                self.answer_error(client, &error, out);
            }
            Command::Sleep
            | Command::CreateDb
            | Command::DropDb
            | Command::Connect
            | Command::Time
            | Command::DelayedInsert
            | Command::TableDump
            | Command::ConnectOut
            | Command::Daemon
            | Command::Clone
            | Command::StmtBulkExecute
            | Command::ResetConnection
            | Command::Unknown(_) => {
                self.answer_error(client, &ErrorCode::UnknownCommand.packet(), out);
            }
        }
    }

    /// Answers `COM_PING`, and what changes as little: servers need not hear of it before the
    /// session asks for its row count, which is zero now.
    pub(crate) fn answer_unheard(&mut self, client: u32, out: &mut Ops) {
        if let Some(session) = self.clients.get_mut(client) {
            session.pinged = true;
            session.row_count = Some(0);
        }
        self.answer_ok(client, out);
    }

    fn query(&mut self, client: u32, packet: &Packet<'_>, out: &mut Ops) {
        let Ok(at) = self.text_at(client, packet.payload) else {
            let error = ErrorCode::MalformedPacket.packet();
            return self.answer_error(client, &error, out);
        };
        self.statement_command(client, Command::Query, (packet, at), out);
    }

    fn prepare(&mut self, client: u32, packet: &Packet<'_>, out: &mut Ops) {
        if let Some(session) = self.clients.get_mut(client) {
            session.statements.prepared_last = None;
        }
        self.statement_command(client, Command::StmtPrepare, (packet, 1), out);
    }

    fn has(&self, client: u32, capability: Capabilities) -> bool {
        let session = self.clients.get(client);
        session.is_some_and(|one| one.key.capabilities.contains(capability))
    }

    /// Where the text of a query begins in its payload.
    fn text_at(&self, client: u32, payload: &[u8]) -> Result<usize, Malformed> {
        let session = self.clients.get(client);
        let capabilities = session.map_or(Capabilities::NONE, |one| one.key.capabilities);
        query_text(payload, capabilities)
    }

    /// Makes the packet the session's running command, and looks for a server for it.
    pub(crate) fn start(
        &mut self,
        client: u32,
        (command, job): (Command, Job),
        packet: &Packet<'_>,
        out: &mut Ops,
    ) {
        self.enter(client, (command, job), packet);
        if !self.pause_command(client) && !self.waits_for_place(client) {
            self.dispatch(client, out);
        }
    }

    /// Makes the packet the session's running command.
    pub(crate) fn enter(
        &mut self,
        client: u32,
        (command, job): (Command, Job),
        packet: &Packet<'_>,
    ) {
        let text_at = match command {
            Command::Query => self.text_at(client, packet.payload).unwrap_or(1),
            _ => 1,
        };
        let mut kept = self.spare.pop().unwrap_or_default();
        kept.extend_from_slice(&packet.header.encode());
        kept.extend_from_slice(packet.payload);
        let now = self.now;
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        session.phase = Phase::Busy(Running {
            packet: kept,
            text_at: HEADER_LEN + text_at,
            stream: packet.header.continues().then(Stream::command),
            cache_ttl: self.ruled.cache_ttl,
            ruled: std::mem::take(&mut self.ruled),
            ..Running::new(job, command, now)
        });
        let running = session.running();
        let limit = running.and_then(|one| one.ruled.limit(self.policy.timeouts.query));
        if let Some(limit) = limit {
            self.timers.arm(ConnId::Client(client), now + limit);
        }
    }

    fn init_db(&mut self, client: u32, packet: &Packet<'_>, out: &mut Ops) {
        let name = packet.payload[1..].to_vec();
        if name.is_empty() {
            return self.answer_error(client, &ErrorCode::NoDatabase.packet(), out);
        }
        self.counts.one(Count::ClientInitDb);
        if !self.may_use(client, &name, out) {
            return;
        }
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let before = session.state.schema.replace(name);
        self.start(
            client,
            (Command::InitDb, Job::InitDb { before }),
            packet,
            out,
        );
    }

    /// Everything of the session but its user and schema goes.
    pub(crate) fn reset_session(&mut self, client: u32, out: &mut Ops) {
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        session.statements.clear();
        session.state.reset();
        session.autocommit = true;
        session.last_insert_id = 0;
        session.last_on = None;
        session.row_count = Some(0);
        session.asks = false;
        session.fresh = true;
        session.found = false;
        session.log = None;
        session.lost = None;
        self.untie(client, out);
    }

    /// A reset that the client asked for takes more than its statements set.
    fn forget_login(&mut self, client: u32) {
        let mariadb = self.policy.server_version.contains("MariaDB");
        if let Some(session) = self.clients.get_mut(client) {
            dialect::forget_login(mariadb, &mut session.key, self.policy.collation);
        }
    }

    /// Answers the running or the just read command with OK.
    pub(crate) fn answer_ok(&mut self, client: u32, out: &mut Ops) {
        let Some(session) = self.clients.get(client) else {
            return;
        };
        let sequence = session.running().map_or(1, |running| running.sequence);
        let bytes = answer::ok(sequence, session.key.capabilities, session.status());
        out.push(Op::Send {
            to: ConnId::Client(client),
            chunk: Chunk::Owned(bytes),
        });
        self.command_done(client);
    }

    /// Answers the running or the just read command with an error of the proxy.
    pub(crate) fn answer_error(&mut self, client: u32, error: &ErrPacket, out: &mut Ops) {
        let instead = self.unreplayed(client, error);
        let error = instead.as_ref().unwrap_or(error);
        *self.stats.errors.entry(error.code).or_default() += 1;
        self.record_failed(client, error);
        self.pass_error(client, error, out);
    }

    /// Answers with an error, a server's or our own.
    pub(crate) fn pass_error(&mut self, client: u32, error: &ErrPacket, out: &mut Ops) {
        let Some(session) = self.clients.get(client) else {
            return;
        };
        let running = session.running();
        let sequence = running.map_or(1, |running| running.sequence);
        let login = running.is_some_and(|running| running.job == Job::Login);
        // More packets of the command are under way; nobody would read them.
        let cut = running.is_some_and(|running| running.stream.is_some());
        let chunk = Chunk::Owned(answer::error(sequence, error));
        let silent = running.is_some_and(|one| one.command == Command::StmtSendLongData);
        if silent {
            // It gets no reply. The execution must not run without the data.
            if let Some(session) = self.clients.get_mut(client) {
                session.lost = Some(TieReason::LongData);
            }
        } else {
            out.push(Op::Send {
                to: ConnId::Client(client),
                chunk,
            });
        }
        self.command_done(client);
        if login || cut {
            self.close_client(client, out);
        }
    }

    /// The command is over: the session is ready for the next.
    pub(crate) fn command_done(&mut self, client: u32) {
        self.ruled = crate::ruling::Ruled::default();
        let now = self.now;
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        session.last_active = now;
        if let Phase::Busy(running) = std::mem::replace(&mut session.phase, Phase::Ready) {
            let mut buffer = running.packet;
            if self.spare.len() < SPARE_MAX && buffer.capacity() <= SPARE_BYTES_MAX {
                buffer.clear();
                self.spare.push(buffer);
            }
            if !session.inbox.is_empty() || session.paused {
                self.ready.push_back(client);
            }
        }
    }
}

impl Session {
    /// The flags that an OK of our own carries.
    pub(crate) fn status(&self) -> StatusFlags {
        let mut status = StatusFlags::default();
        if self.autocommit {
            status = status.union(StatusFlags::AUTOCOMMIT);
        }
        if self.in_transaction() {
            status = status.union(StatusFlags::IN_TRANS);
        }
        status
    }
}

/// True when running it again cannot change anything, although it is no read.
pub(crate) fn only_concerns_session(kind: Kind) -> bool {
    matches!(kind, Kind::Begin | Kind::Set | Kind::Use)
}
