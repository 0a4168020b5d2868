//! The commands that name a prepared statement by its number: the client's number becomes the
//! server's, and what the server has not been told is put in.

use mainstay_sql::Statement;
use mainstay_wire::bound::Bound;
use mainstay_wire::packet::{Packet, put_packet};
use mainstay_wire::{Command, ErrPacket, ErrorCode};

use crate::answer;
use crate::core::Core;
use crate::counts::Count;
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::server::Server;
use crate::session::{Job, Phase, Session};
use crate::tie::TieReason;

/// Where a statement's id is in a packet, behind the header and the command.
const ID: std::ops::Range<usize> = 5..9;
/// `MariaDB`: the statement that was prepared last, for clients that do not wait for its number.
const LAST_PREPARED: u32 = u32::MAX;
/// Flags of an execution that ask for a cursor.
const CURSORS: u8 = 7;

impl Core {
    /// The commands that name a prepared statement by its number.
    pub(crate) fn on_statement(
        &mut self,
        client: u32,
        command: Command,
        packet: &Packet<'_>,
        out: &mut Ops,
    ) {
        let id = packet.payload.get(1..).and_then(<[u8]>::first_chunk::<4>);
        let id = id.map_or(0, |id| u32::from_le_bytes(*id));
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let id = match session.statements.prepared_last {
            Some(last) if id == LAST_PREPARED => last,
            Some(_) | None => id,
        };
        if command == Command::StmtClose {
            self.counts.one(Count::ClientClose);
            return self.close_statement(client, id, out);
        }
        let Some(prepared) = session.statements.get(id) else {
            if command == Command::StmtSendLongData {
                // It gets no reply; the execution that follows does.
                return;
            }
            let error = self.unknown_statement(id, command);
            return self.answer_error(client, &error, out);
        };
        self.ruled.digest = prepared.digest;
        let mariadb = self.policy.server_version.contains("MariaDB");
        let (cursor, long_data) = (prepared.cursor, prepared.long_data);
        let job = match job(command, (id, prepared.statement), packet.payload) {
            Job::OnCursor { reset: true, .. } if !cursor && !long_data => {
                return self.answer_unheard(client, out);
            }
            Job::OnCursor { reset: false, .. } if !cursor => {
                let end = if mariadb { "" } else { "." };
                let text = format!("The statement ({id}) has no open cursor{end}");
                return self.answer_error(client, &ErrorCode::NoOpenCursor.with(text), out);
            }
            job => job,
        };
        let runs = matches!(job, Job::Execute { .. });
        if runs {
            self.counts.one(Count::Questions);
            self.counts.one(Count::ClientExecute);
        }
        if runs && !self.decide_execution(client, id, out) {
            return;
        }
        self.start(client, (command, job), packet, out);
    }

    /// A piece of a parameter was sent.
    pub(crate) fn note_long_data(&mut self, client: u32) {
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let Some(Job::LongData { id, .. }) = session.running().map(|one| one.job.clone()) else {
            return;
        };
        if let Some(prepared) = session.statements.get_mut(id) {
            prepared.long_data = true;
        }
    }

    /// As servers of the announced version word it.
    fn unknown_statement(&self, id: u32, command: Command) -> ErrPacket {
        let version = &self.policy.server_version;
        let old = version.contains("MariaDB") || version.starts_with("5.");
        let to = match command {
            _ if !old => "mysql_stmt_precheck",
            Command::StmtReset => "mysqld_stmt_reset",
            Command::StmtFetch => "mysqld_stmt_fetch",
            Command::StmtBulkExecute => "mysqld_stmt_bulk_execute",
            _ => "mysqld_stmt_execute",
        };
        let text = format!("Unknown prepared statement handler ({id}) given to {to}");
        ErrorCode::UnknownStatement.with(text)
    }

    /// `COM_STMT_CLOSE`, which gets no reply. A copy on a pooled connection stays for others; one
    /// with a cursor or long data goes, and with it what ties the session.
    fn close_statement(&mut self, client: u32, id: u32, out: &mut Ops) {
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let Some(prepared) = session.statements.remove(id) else {
            return;
        };
        let open = prepared.cursor || prepared.long_data;
        let Some(server) = session.server.filter(|_| open) else {
            return;
        };
        session.tie_to_statements();
        let copy = self.servers.get_mut(server);
        if let Some(copy) = copy.and_then(|one| one.statements.remove(&prepared.text)) {
            self.counts.one(Count::ServerClose);
            let chunk = Chunk::Owned(answer::command(Command::StmtClose, &copy.to_le_bytes()));
            out.push(Op::Send {
                to: ConnId::Server(server),
                chunk,
            });
        }
        self.free_or_keep(client, out);
    }
}

fn job(command: Command, (id, statement): (u32, Statement), payload: &[u8]) -> Job {
    match command {
        Command::StmtSendLongData => Job::LongData { id, statement },
        Command::StmtFetch => Job::OnCursor { id, reset: false },
        Command::StmtReset => Job::OnCursor { id, reset: true },
        _ => Job::Execute {
            id,
            statement,
            cursor: command == Command::StmtExecute
                && payload.get(5).is_some_and(|flags| flags & CURSORS != 0),
        },
    }
}

impl Session {
    /// What is open of a statement after a command that named it.
    pub(crate) fn opened(&mut self, id: u32, cursor: Option<bool>, took_data: bool) {
        let Some(prepared) = self.statements.get_mut(id) else {
            return;
        };
        prepared.cursor = cursor.unwrap_or(prepared.cursor);
        prepared.long_data &= !took_data;
        self.tie_to_statements();
    }

    /// Its connection is kept for the cursors and long data of its statements.
    fn tie_to_statements(&mut self) {
        let known = self.ties.contains(TieReason::Cursor);
        if known || self.running().is_some_and(|one| one.job.opens_cursor()) {
            if self.statements.any(|prepared| prepared.cursor) {
                self.ties.insert(TieReason::Cursor);
            } else {
                self.ties.remove(TieReason::Cursor);
            }
        }
        if self.ties.contains(TieReason::LongData)
            && !self.statements.any(|prepared| prepared.long_data)
        {
            self.ties.remove(TieReason::LongData);
        }
    }

    /// The execution of a statement as this server must see it.
    pub(crate) fn execute(&mut self, server: &mut Server, id: u32) -> Vec<u8> {
        let Phase::Busy(running) = &self.phase else {
            return Vec::new();
        };
        let payload = running.packet.get(4..).unwrap_or_default();
        let Some(prepared) = self.statements.get_mut(id) else {
            return running.packet.clone();
        };
        let Some(copy) = server.statements.find(&prepared.text) else {
            return running.packet.clone();
        };
        let capabilities = self.key.capabilities;
        let mut bytes = running.packet.clone();
        if let Some(bound) = Bound::read(payload, prepared.parameters, capabilities) {
            let types = payload.get(bound.types.clone()).unwrap_or_default();
            if bound.sent && prepared.types != types {
                prepared.types = types.to_vec();
            }
            if !bound.sent && copy.types != prepared.types {
                let mut made = Vec::with_capacity(payload.len() + prepared.types.len());
                bound.put_with_types(&mut made, payload, &prepared.types);
                bytes.clear();
                put_packet(&mut bytes, 0, &made);
            }
            copy.types.clone_from(&prepared.types);
        }
        put_id(&mut bytes, copy.id);
        bytes
    }

    /// The running command with the server's own id of its statement.
    pub(crate) fn with_server_id(&self, server: &mut Server, id: u32) -> Vec<u8> {
        let mut bytes = self
            .running()
            .map_or_else(Vec::new, |running| running.packet.clone());
        let text = self.statements.get(id).map(|prepared| &prepared.text);
        if let Some(copy) = text.and_then(|text| server.statements.find(text)) {
            put_id(&mut bytes, copy.id);
        }
        bytes
    }
}

fn put_id(packet: &mut [u8], id: u32) {
    if let Some(place) = packet.get_mut(ID) {
        place.copy_from_slice(&id.to_le_bytes());
    }
}
