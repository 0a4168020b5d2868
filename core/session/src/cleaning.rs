//! Takes all traces of a session off a server connection before somebody else may have it:
//! `COM_RESET_CONNECTION`, or a login of the same user on servers that do not know that (MySQL
//! before 5.7.3, `MariaDB` before 10.2.4; there the schema goes as well).

use mainstay_wire::auth::{AuthSwitchRequest, Plugin, native};
use mainstay_wire::packet::{PacketReader, put_packet};
use mainstay_wire::response::OK_HEADER;
use mainstay_wire::{Capabilities, ChangeUser, Command, Greeting};

use crate::answer;
use crate::core::Core;
use crate::counts::Count;
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::server::{Server, ServerPhase};

/// A packet of a login that is longer is none.
const PACKET_MAX: usize = 1 << 16;

/// Whether servers of this version know `COM_RESET_CONNECTION`.
pub(crate) fn knows_reset(version: &str) -> bool {
    let mariadb = version.contains("MariaDB");
    let mut numbers = version
        .strip_prefix("5.5.5-")
        .filter(|_| mariadb)
        .unwrap_or(version)
        .split(|digit: char| !digit.is_ascii_digit())
        .map_while(|number| number.parse::<u32>().ok());
    let mut next = || numbers.next().unwrap_or_default();
    let version = (next(), next(), next());
    let first = if mariadb { (10, 2, 4) } else { (5, 7, 3) };
    version >= first
}

impl Core {
    /// Begins to clean a connection; it is offered when that is done.
    pub(crate) fn clean(&mut self, id: u32, out: &mut Ops) {
        let deadline = self.now + self.policy.timeouts.connect;
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        server.phase = ServerPhase::Cleaning { deadline };
        self.counts.one(Count::ServerReset);
        server.inbox.clear();
        let bytes = if server.knows_reset {
            server.tracker.begin(Command::ResetConnection.reply());
            answer::command(Command::ResetConnection, &[])
        } else {
            self.change_user_on(id)
        };
        out.push(Op::Send {
            to: ConnId::Server(id),
            chunk: Chunk::Owned(bytes),
        });
        self.timers.arm(ConnId::Server(id), deadline);
    }

    fn change_user_on(&self, id: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let Some(server) = self.servers.get(id) else {
            return bytes;
        };
        let password = self.password_of(&server.key.user);
        let password = password.map_or("", |password| password.reveal());
        let login = ChangeUser {
            user: server.key.user.to_string(),
            auth_response: native::scramble(password.as_bytes(), &server.salt),
            charset: server.key.collation.into(),
            auth_plugin: Some(Plugin::Native.name().to_owned()),
            ..ChangeUser::default()
        };
        let mut payload = Vec::new();
        login.encode(&mut payload, Capabilities::PLUGIN_AUTH);
        put_packet(&mut bytes, 0, &payload);
        bytes
    }

    /// Replies while a connection is being cleaned.
    pub(crate) fn cleaning_input(&mut self, id: u32, bytes: &[u8], out: &mut Ops) {
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        let clean = if server.knows_reset {
            match server.tracker.feed(bytes) {
                Ok(fed) if fed.consumed < bytes.len() => false,
                Ok(_) if !server.tracker.is_done() => return,
                Ok(_) => server.tracker.summary().error.is_none(),
                Err(_) => false,
            }
        } else {
            match self.change_user_input(id, bytes, out) {
                Some(clean) => clean,
                None => return,
            }
        };
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        if clean {
            server.was_reset();
            return self.offer(id, out);
        }
        let upstream = server.upstream;
        self.close_server(id, out);
        self.grow(upstream, out);
    }

    /// `None` while the login is not decided.
    fn change_user_input(&mut self, id: u32, bytes: &[u8], out: &mut Ops) -> Option<bool> {
        let server = self.servers.get_mut(id)?;
        server.inbox.extend_from_slice(bytes);
        let Some(packet) = PacketReader::new(&server.inbox).next() else {
            return (server.inbox.len() > PACKET_MAX).then_some(false);
        };
        let sequence = packet.header.sequence.wrapping_add(1);
        let payload = packet.payload.to_vec();
        server.inbox.clear();
        if payload.first() == Some(&OK_HEADER) {
            server.applied.schema = None;
            return Some(true);
        }
        let Ok(request) = AuthSwitchRequest::parse(&payload) else {
            return Some(false);
        };
        let Some(plugin) = Plugin::from_name(&request.plugin) else {
            return Some(false);
        };
        let user = self.servers.get(id)?.key.user.clone();
        let password = self.password_of(&user)?.reveal().as_bytes();
        let proof = plugin.scramble(password, &request.nonce);
        let mut bytes = Vec::new();
        put_packet(&mut bytes, sequence, &proof);
        out.push(Op::Send {
            to: ConnId::Server(id),
            chunk: Chunk::Owned(bytes),
        });
        None
    }

    /// True when an idle connection must be cleaned before the session can have it, which then
    /// cannot be a step of its set-up.
    pub(crate) fn must_be_cleaned(&self, client: u32, id: u32) -> bool {
        let session = self.clients.get(client);
        let server = self.servers.get(id);
        server.zip(session).is_some_and(|(server, session)| {
            let blank = session.running().is_some_and(|running| running.blank);
            let warned = blank && server.warned_by != 0;
            !server.knows_reset && (warned || server.applied.change_to(&session.state, None).reset)
        })
    }
}

impl Server {
    /// What the greeting of the server tells about the connection.
    pub(crate) fn greeted(&mut self, greeting: &Greeting) {
        self.thread = greeting.connection_id;
        self.salt = greeting.salt;
        self.knows_reset = knows_reset(&greeting.server_version);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_tells_whether_connections_can_be_reset() {
        assert!(!knows_reset("5.6.24-log") && knows_reset("5.7.44") && knows_reset("9.7.4-2"));
        assert!(knows_reset("5.5.5-10.11.19-MariaDB") && !knows_reset("5.5.5-10.1.48-MariaDB"));
        assert!(knows_reset("11.8.2-MariaDB-log"));
    }
}
