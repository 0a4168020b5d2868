//! The login of the proxy at a server, with the credentials of the user it will serve.
//!
//! ```text
//! Greeting ─▶ Proof ─┬─▶ OK
//!               ▲    ├─▶ ERR
//!               │    ├─ switch of plugin ─▶ Proof
//!               │    └─ full path ─▶ Key ─▶ Proof
//! ```

use mainstay_wire::auth::{AuthMoreData, AuthSwitchRequest, Plugin, caching_sha2, rsa_exchange};
use mainstay_wire::handshake::Salt;
use mainstay_wire::packet::{PacketReader, put_packet};
use mainstay_wire::response::{ERR_HEADER, OK_HEADER};
use mainstay_wire::{
    Capabilities, ErrPacket, ErrorCode, Greeting, HandshakeResponse, Malformed, ResponseTracker,
};
use rand_chacha::rand_core::RngCore;

use crate::core::Core;
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::server::{Gathered, ServerPhase};
use crate::session::Key;
use crate::tracking::Tracking;

/// Where a login at a server stands.
#[derive(Debug, Clone)]
pub(crate) enum ServerLogin {
    /// Nothing came yet.
    Greeting,
    /// A proof was sent.
    Proof { salt: Salt },
    /// The public key was asked for.
    Key { salt: Salt },
}

/// What one packet of a login led to.
enum Next {
    /// Send this payload and go on.
    Send(ServerLogin, Vec<u8>),
    /// Go on without sending.
    Wait,
    /// Logged in.
    Done,
    /// Refused, by the server or by us.
    Failed(ErrPacket),
}

/// What every login at a server asks for, beside what shapes the replies.
const BASE: Capabilities = Capabilities::LONG_PASSWORD
    .union(Capabilities::LONG_FLAG)
    .union(Capabilities::PROTOCOL_41)
    .union(Capabilities::TRANSACTIONS)
    .union(Capabilities::SECURE_CONNECTION)
    .union(Capabilities::PLUGIN_AUTH)
    .union(Capabilities::PLUGIN_AUTH_LENENC_CLIENT_DATA);

/// What `utf8mb4` means to MySQL 8 and later.
const UTF8MB4_0900_AI_CI: u8 = 255;

/// Longest packet of a login that is believed.
const LOGIN_PACKET_MAX: usize = 1 << 16;

impl Core {
    /// Bytes of a server that is logging us in.
    pub(crate) fn login_input(&mut self, id: u32, bytes: &[u8], out: &mut Ops) {
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        let gathered = Gathered::new(&mut server.inbox, bytes);
        let mut packets = PacketReader::new(gathered.bytes());
        for packet in packets.by_ref() {
            let sequence = packet.header.sequence.wrapping_add(1);
            match self.login_step(id, packet.payload) {
                Ok(Next::Wait) => {}
                Ok(Next::Send(login, payload)) => {
                    let Some(server) = self.servers.get_mut(id) else {
                        return;
                    };
                    let ServerPhase::Login { login: stage, .. } = &mut server.phase else {
                        return;
                    };
                    *stage = login;
                    let mut bytes = Vec::new();
                    put_packet(&mut bytes, sequence, &payload);
                    out.push(Op::Send {
                        to: ConnId::Server(id),
                        chunk: Chunk::Owned(bytes),
                    });
                }
                Ok(Next::Done) => return self.server_ready(id, out),
                Ok(Next::Failed(error)) => return self.login_failed(id, &error, out),
                Err(why) => {
                    let text = format!("the login of the proxy at a server failed: {why}");
                    let error = ErrorCode::BadHandshake.with(text);
                    return self.login_failed(id, &error, out);
                }
            }
        }
        let rest = packets.rest();
        if rest.len() > LOGIN_PACKET_MAX {
            let error = ErrorCode::BadHandshake.with("a server greets with an endless packet");
            return self.login_failed(id, &error, out);
        }
        let rest = rest.to_vec();
        if let Some(server) = self.servers.get_mut(id) {
            server.inbox = rest;
        }
    }

    fn login_step(&mut self, id: u32, payload: &[u8]) -> Result<Next, Malformed> {
        let Some(server) = self.servers.get(id) else {
            return Ok(Next::Wait);
        };
        let ServerPhase::Login { login, .. } = &server.phase else {
            return Ok(Next::Wait);
        };
        let password = self.password_of(&server.key.user);
        let password = password.map_or(String::new(), |password| password.reveal().to_owned());
        let password = password.as_bytes();
        let first = payload.first().copied();
        if first == Some(ERR_HEADER) {
            return Ok(Next::Failed(ErrPacket::parse(payload)?));
        }
        match login {
            ServerLogin::Greeting => {
                let greeting = Greeting::parse(payload)?;
                let next = greeted(&greeting, &server.key, password);
                if let Some(server) = self.servers.get_mut(id) {
                    server.greeted(&greeting);
                    self.upstreams[server.upstream].capabilities = Some(greeting.capabilities);
                    server.forgets_collation = !greeting.server_version.contains("MariaDB")
                        && server.key.collation != UTF8MB4_0900_AI_CI;
                    let tracks = Capabilities::SESSION_TRACK;
                    if greeting.capabilities.contains(tracks) {
                        server.tracking = Tracking::Usual;
                        server.tracker = ResponseTracker::new(server.key.capabilities | tracks);
                    }
                }
                Ok(next)
            }
            ServerLogin::Proof { salt } => match first {
                Some(OK_HEADER) => Ok(Next::Done),
                Some(AuthSwitchRequest::HEADER) => switched(payload, password),
                Some(AuthMoreData::HEADER) => Ok(more(payload, *salt)?),
                _ => Err(Malformed::Unexpected("it is no part of a login")),
            },
            ServerLogin::Key { salt } => {
                let AuthMoreData(key) = AuthMoreData::parse(payload)?;
                let mut seed = [0; 32];
                self.random.fill_bytes(&mut seed);
                let salt = *salt;
                match rsa_exchange::encrypt_password(password, &salt, &key, seed) {
                    Ok(proof) => Ok(Next::Send(ServerLogin::Proof { salt }, proof)),
                    Err(why) => Ok(Next::Failed(ErrorCode::BadHandshake.with(why.to_string()))),
                }
            }
        }
    }
}

fn greeted(greeting: &Greeting, key: &Key, password: &[u8]) -> Next {
    let missing = key.capabilities.without(greeting.capabilities);
    // Servers leave LONG_FLAG and its like to the client; what counts is the shape of packets.
    let shape = crate::offer::SHAPING;
    if missing & shape != Capabilities::NONE {
        let text = format!(
            "server version {} cannot answer in the form this client asked for ({missing:?}): \
             announce the servers' own version in the settings of the proxy",
            greeting.version()
        );
        return Next::Failed(ErrorCode::NotSupported.with(text));
    }
    let plugin = Plugin::from_name(&greeting.auth_plugin).unwrap_or(Plugin::Native);
    let tracks = greeting.capabilities.contains(Capabilities::SESSION_TRACK);
    let tracks = if tracks {
        Capabilities::SESSION_TRACK
    } else {
        Capabilities::NONE
    };
    let mut capabilities = key.capabilities | BASE | tracks;
    if capabilities.extended() != 0 {
        capabilities = capabilities.without(Capabilities::LONG_PASSWORD);
    }
    let response = HandshakeResponse {
        capabilities,
        max_packet_size: 1 << 30,
        charset: key.collation,
        user: key.user.to_string(),
        auth_response: plugin.scramble(password, &greeting.salt),
        auth_plugin: Some(plugin.name().to_owned()),
        ..HandshakeResponse::default()
    };
    let mut payload = Vec::new();
    response.encode(&mut payload);
    let salt = greeting.salt;
    Next::Send(ServerLogin::Proof { salt }, payload)
}

fn switched(payload: &[u8], password: &[u8]) -> Result<Next, Malformed> {
    let request = AuthSwitchRequest::parse(payload)?;
    let Some(plugin) = Plugin::from_name(&request.plugin) else {
        let text = format!(
            "the server wants the plugin {}, unknown here",
            request.plugin
        );
        return Ok(Next::Failed(ErrorCode::UnsupportedAuthMode.with(text)));
    };
    let proof = plugin.scramble(password, &request.salt);
    Ok(Next::Send(ServerLogin::Proof { salt: request.salt }, proof))
}

fn more(payload: &[u8], salt: Salt) -> Result<Next, Malformed> {
    let AuthMoreData(data) = AuthMoreData::parse(payload)?;
    match data.as_slice() {
        [caching_sha2::FAST_AUTH_OK] => Ok(Next::Wait),
        [caching_sha2::FULL_AUTH_REQUIRED] => Ok(Next::Send(
            ServerLogin::Key { salt },
            vec![caching_sha2::PUBLIC_KEY_REQUEST],
        )),
        _ => Err(Malformed::Unexpected("its data are of no known plugin")),
    }
}
