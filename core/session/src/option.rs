//! `COM_SET_OPTION`: several statements in one, allowed or not. The capability is part of what
//! makes connections interchangeable; one that the session is tied to is told.

use mainstay_wire::packet::{Packet, build_packet};
use mainstay_wire::response::put_result_end;
use mainstay_wire::{Capabilities, Command, ErrorCode, OkPacket};

use crate::core::Core;
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::session::Job;

/// What the option is after a packet with this argument.
fn wanted(argument: &[u8], now: Capabilities) -> Option<Capabilities> {
    let many = Capabilities::MULTI_STATEMENTS;
    match argument {
        [0, 0, ..] => Some(now | many),
        [1, 0, ..] => Some(now.without(many)),
        _ => None,
    }
}

impl Core {
    /// `COM_SET_OPTION`.
    pub(crate) fn set_option(&mut self, client: u32, packet: &Packet<'_>, out: &mut Ops) {
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let argument = packet.payload.get(1..).unwrap_or_default();
        let Some(capabilities) = wanted(argument, session.key.capabilities) else {
            return self.answer_error(client, &ErrorCode::UnknownCommand.packet(), out);
        };
        if session.server.is_some() && capabilities != session.key.capabilities {
            return self.start(client, (Command::SetOption, Job::Other), packet, out);
        }
        session.key.capabilities = capabilities;
        session.row_count = Some(-1);
        let end = OkPacket {
            status: session.status(),
            ..OkPacket::default()
        };
        let mut bytes = Vec::new();
        build_packet(&mut bytes, 1, |payload| {
            put_result_end(payload, &end, capabilities);
        });
        out.push(Op::Send {
            to: ConnId::Client(client),
            chunk: Chunk::Owned(bytes),
        });
        self.command_done(client);
    }

    /// The server took the running command without an error: what that means for both sides when
    /// it was one of these.
    pub(crate) fn take_command(&mut self, client: u32, id: u32) {
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let Some(running) = session.running() else {
            return;
        };
        if running.command == Command::RegisterReplica {
            if let Some(server) = self.servers.get_mut(id) {
                server.spent = true;
            }
            return self.tie(client, crate::tie::TieReason::Replication);
        }
        if running.command != Command::SetOption {
            return;
        }
        let argument = running.packet.get(running.text_at..).unwrap_or_default();
        let changed = wanted(argument, session.key.capabilities);
        if let (Some(capabilities), Some(server)) = (changed, self.servers.get_mut(id)) {
            session.key.capabilities = capabilities;
            server.key.capabilities = capabilities;
        }
    }
}
