//! The commands that name a prepared statement by its number: the client's number becomes the
//! server's, and what the server has not been told is put in.

use mainstay_wire::bound::Bound;
use mainstay_wire::packet::{Packet, put_packet};
use mainstay_wire::{Command, ErrorCode};

use crate::answer;
use crate::core::Core;
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::server::Server;
use crate::session::{Job, Phase, Session};
use crate::tie::TieReason;

/// Where a statement's id is in a packet, behind the header and the command.
const ID: std::ops::Range<usize> = 5..9;

impl Core {
    /// The commands that name a prepared statement by its number.
    pub(crate) fn on_statement(
        &mut self,
        client: u32,
        command: Command,
        packet: &Packet<'_>,
        out: &mut Ops,
    ) {
        let id = packet
            .payload
            .get(1..5)
            .and_then(|id| id.first_chunk::<4>());
        let id = id.map_or(0, |id| u32::from_le_bytes(*id));
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        if command == Command::StmtClose {
            return self.close_statement(client, id, out);
        }
        let Some(prepared) = session.statements.get(id) else {
            if command == Command::StmtSendLongData {
                // It gets no reply; the execution that follows does.
                return;
            }
            return self.answer_error(client, &ErrorCode::UnknownStatement.packet(), out);
        };
        let statement = prepared.statement;
        self.ruled.digest = prepared.digest;
        let job = if command == Command::StmtExecute {
            let cursor = packet.payload.get(5).is_some_and(|flags| flags & 1 != 0);
            Job::Execute {
                id,
                statement,
                cursor,
            }
        } else if command == Command::StmtSendLongData {
            Job::LongData { id, statement }
        } else {
            let reset = command == Command::StmtReset;
            let nothing_open = !session.ties.contains(TieReason::Cursor)
                && !session.ties.contains(TieReason::LongData);
            if reset && nothing_open {
                return self.answer_ok(client, out);
            }
            if session.server.is_none() {
                return self.answer_error(client, &ErrorCode::UnknownStatement.packet(), out);
            }
            Job::OnCursor { id, reset }
        };
        self.start(client, (command, job), packet, out);
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
        let open =
            session.ties.contains(TieReason::Cursor) || session.ties.contains(TieReason::LongData);
        let Some(server) = session.server.filter(|_| open) else {
            return;
        };
        session.ties.remove(TieReason::Cursor);
        session.ties.remove(TieReason::LongData);
        let free = session.ties.is_empty();
        let copy = self.servers.get_mut(server);
        if let Some(copy) = copy.and_then(|one| one.statements.remove(&prepared.text)) {
            let chunk = Chunk::Owned(answer::command(Command::StmtClose, &copy.to_le_bytes()));
            out.push(Op::Send {
                to: ConnId::Server(server),
                chunk,
            });
        }
        if free {
            self.untie(client, out);
        }
    }
}

impl Session {
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
