//! Statements that the proxy answers itself, because they are about its own connections.

use mainstay_sql::{Kind, Statement, connection_id_column};
use mainstay_wire::packet::Packet;
use mainstay_wire::result::{
    ColumnDefinition, UNSIGNED_FLAG, column_type, put_text_result_set_with,
};
use mainstay_wire::{Command, ErrorCode};

use crate::core::Core;
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::session::{Job, Session};

const NOT_NULL_FLAG: u16 = 1;
const BINARY_FLAG: u16 = 128;
const BINARY: u16 = 63;
/// The longest text that asks for nothing but the connection's number.
const QUESTION_MAX: usize = 128;

impl Core {
    /// True when the statement is answered, or is being carried out, by the proxy.
    pub(crate) fn answers(
        &mut self,
        client: u32,
        statement: Statement,
        (packet, at): (&Packet<'_>, usize),
        out: &mut Ops,
    ) -> bool {
        let sql = packet.payload.get(at..).unwrap_or_default();
        if statement.kind == Kind::Kill {
            let kill = mainstay_sql::kill(sql);
            return kill.is_some_and(|kill| self.kill_statement(client, kill, packet, out));
        }
        if statement.kind == Kind::Unknown && crate::internal::asks(sql) {
            self.answer_internal(client, statement, packet, out);
            return true;
        }
        if statement.kind != Kind::Read || sql.len() > QUESTION_MAX {
            return false;
        }
        let Some(column) = connection_id_column(sql) else {
            return false;
        };
        let column = String::from_utf8_lossy(column).into_owned();
        self.enter(client, (Command::Query, Job::Query(statement)), packet);
        self.answer_connection_id(client, column, out);
        true
    }

    /// The number that the greeting told, so that clients can `KILL` by it.
    fn answer_connection_id(&mut self, client: u32, name: String, out: &mut Ops) {
        let mariadb = self.policy.server_version.contains("MariaDB");
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let column = ColumnDefinition {
            name,
            charset: BINARY,
            length: if mariadb { 10 } else { 21 },
            column_type: if mariadb {
                column_type::LONG
            } else {
                column_type::LONGLONG
            },
            flags: NOT_NULL_FLAG | UNSIGNED_FLAG | BINARY_FLAG,
            ..ColumnDefinition::default()
        };
        let row = vec![Some(session.number.to_string())];
        let sequence = session.running().map_or(1, |running| running.sequence);
        let (capabilities, status) = (session.key.capabilities, session.status());
        let mut bytes = Vec::new();
        put_text_result_set_with(
            &mut bytes,
            (sequence, status),
            capabilities,
            &[column],
            &[row],
        );
        session.answered_rows();
        out.push(Op::Send {
            to: ConnId::Client(client),
            chunk: Chunk::Owned(bytes),
        });
        self.command_done(client);
    }

    /// `COM_PROCESS_KILL`.
    pub(crate) fn process_kill(&mut self, client: u32, packet: &Packet<'_>, out: &mut Ops) {
        let id = packet.payload.get(1..).and_then(<[u8]>::first_chunk::<4>);
        let Some(id) = id.map(|id| u32::from_le_bytes(*id)) else {
            return self.answer_error(client, &ErrorCode::MalformedPacket.packet(), out);
        };
        if id & crate::kill::OURS == 0 {
            return self.start(client, (Command::ProcessKill, Job::Other), packet, out);
        }
        self.kill(client, (id, false), packet, out);
    }
}

impl Session {
    /// A result set of our own was the last thing it got.
    pub(crate) fn answered_rows(&mut self) {
        self.row_count = Some(-1);
        self.pinged = false;
        self.last_on = None;
    }
}
