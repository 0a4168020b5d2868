//! The login of the proxy at a server, with the credentials of the user it will serve.
//!
//! ```text
//! Greeting ─┬────────▶ Proof ─┬─▶ OK
//!           └─▶ Tls ────┘ ▲   ├─▶ ERR
//!                         │   ├─ switch of plugin ─▶ Proof
//!                         │   └─ full path ─▶ Key ─▶ Proof
//! ```
//! Inside TLS the full path sends the password itself, and there is no `Key`.

use mainstay_wire::auth::{AuthMoreData, AuthSwitchRequest, Plugin, caching_sha2, rsa_exchange};
use mainstay_wire::handshake::Salt;
use mainstay_wire::packet::{PacketReader, put_packet};
use mainstay_wire::response::{ERR_HEADER, OK_HEADER};
use mainstay_wire::{Capabilities, ErrPacket, ErrorCode, Greeting, Malformed, ResponseTracker};
use rand_chacha::rand_core::RngCore;

use crate::core::Core;
use crate::dialect;
use crate::errand::Errand;
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::policy::Secret;
use crate::server::{Gathered, Server, ServerPhase};
use crate::tracking::Tracking;

/// Where a login at a server stands.
#[derive(Debug, Clone)]
pub(crate) enum ServerLogin {
    /// Nothing came yet.
    Greeting,
    /// TLS was asked for; the answer to the greeting waits for it.
    Tls { greeting: Box<Greeting> },
    /// A proof was sent.
    Proof { salt: Salt },
    /// The public key was asked for.
    Key { salt: Salt },
}

/// What one packet of a login led to.
pub(crate) enum Next {
    /// Send this payload and go on.
    Send(ServerLogin, Vec<u8>),
    /// Send this payload, then TLS begins.
    StartTls(Box<Greeting>, Vec<u8>),
    /// Go on without sending.
    Wait,
    /// Logged in.
    Done,
    /// Refused, by the server or by us.
    Failed(ErrPacket),
}

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
                    self.login_answer(id, login, (sequence, &payload), out);
                }
                Ok(Next::StartTls(greeting, payload)) => {
                    let login = ServerLogin::Tls { greeting };
                    self.login_answer(id, login, (sequence, &payload), out);
                    if !packets.rest().is_empty() {
                        // It would be taken for something that came inside TLS.
                        let error = ErrorCode::BadHandshake
                            .with("a server sent more than its greeting before TLS began");
                        return self.login_failed(id, &error, out);
                    }
                    let address = self.servers.get(id).map(|server| server.upstream);
                    let address =
                        address.map(|index| self.upstreams[index].target.address.to_string());
                    out.push(Op::StartTls {
                        who: ConnId::Server(id),
                        surplus: 0,
                        address,
                    });
                    return;
                }
                Ok(Next::Done) => {
                    let compression = self.servers.get(id).and_then(|one| one.compression);
                    if let Some(how) = compression {
                        let who = ConnId::Server(id);
                        out.push(Op::Compress { who, how });
                    }
                    return self.server_ready(id, out);
                }
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

    fn login_answer(
        &mut self,
        id: u32,
        next: ServerLogin,
        (sequence, payload): (u8, &[u8]),
        out: &mut Ops,
    ) {
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        if let ServerPhase::Login { login, .. } = &mut server.phase {
            *login = next;
            let mut bytes = Vec::new();
            put_packet(&mut bytes, sequence, payload);
            out.push(Op::Send {
                to: ConnId::Server(id),
                chunk: Chunk::Owned(bytes),
            });
        }
    }

    /// TLS with a server is established: the login goes on inside it.
    pub(crate) fn server_secured(&mut self, id: u32, out: &mut Ops) {
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        let ServerPhase::Login { login, .. } = &mut server.phase else {
            return;
        };
        let ServerLogin::Tls { greeting } = std::mem::replace(login, ServerLogin::Greeting) else {
            return;
        };
        let (next, payload) = self.answer_greeting(id, &greeting);
        // After the greeting and the request for TLS.
        self.login_answer(id, next, (2, &payload), out);
    }

    /// The password of a login: that of the user, or the one that is to be judged.
    pub(crate) fn login_password<'a>(&'a self, server: &'a Server) -> Option<&'a Secret> {
        match &server.errand {
            Some(Errand::Guest { password, .. }) => Some(password),
            Some(Errand::Statement { .. } | Errand::Look) | None => {
                self.password_of(&server.key.user)
            }
        }
    }

    fn login_step(&mut self, id: u32, payload: &[u8]) -> Result<Next, Malformed> {
        let Some(server) = self.servers.get(id) else {
            return Ok(Next::Wait);
        };
        let ServerPhase::Login { login, .. } = &server.phase else {
            return Ok(Next::Wait);
        };
        let password = self.login_password(server).cloned().unwrap_or_default();
        let password = password.reveal().as_bytes();
        let first = payload.first().copied();
        if first == Some(ERR_HEADER) {
            return Ok(Next::Failed(ErrPacket::parse(payload)?));
        }
        match login {
            ServerLogin::Greeting => {
                let greeting = Greeting::parse(payload)?;
                if let Some(server) = self.servers.get_mut(id) {
                    server.greeted(&greeting);
                    self.upstreams[server.upstream].capabilities = Some(greeting.capabilities);
                    server.is_mariadb = greeting.server_version.contains("MariaDB");
                    server.login_set =
                        dialect::login_set(server.is_mariadb, &server.key, &greeting);
                    let tracks = Capabilities::SESSION_TRACK;
                    if greeting.capabilities.contains(tracks) {
                        server.tracking = Tracking::Usual;
                        server.tracker = ResponseTracker::new(server.key.capabilities | tracks);
                    }
                }
                Ok(self.greeted(id, greeting))
            }
            ServerLogin::Tls { .. } => Err(Malformed::Unexpected("TLS was to begin")),
            ServerLogin::Proof { salt } => match first {
                Some(OK_HEADER) => Ok(Next::Done),
                Some(AuthSwitchRequest::HEADER) => switched(payload, password, server.secure),
                Some(AuthMoreData::HEADER) if server.secure => {
                    more_inside_tls(payload, *salt, password)
                }
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

fn switched(payload: &[u8], password: &[u8], secure: bool) -> Result<Next, Malformed> {
    let request = AuthSwitchRequest::parse(payload)?;
    let plugin = match Plugin::from_name_inside_tls(&request.plugin) {
        Some(Plugin::Clear) if !secure => {
            let text = "the server wants the password in the clear, which needs TLS";
            return Ok(Next::Failed(ErrorCode::UnsupportedAuthMode.with(text)));
        }
        other => other,
    };
    let Some(plugin) = plugin else {
        let text = format!(
            "the server wants the plugin {}, unknown here",
            request.plugin
        );
        return Ok(Next::Failed(ErrorCode::UnsupportedAuthMode.with(text)));
    };
    let proof = plugin.scramble(password, &request.nonce);
    let salt = request.salt();
    Ok(Next::Send(ServerLogin::Proof { salt }, proof))
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

fn more_inside_tls(payload: &[u8], salt: Salt, password: &[u8]) -> Result<Next, Malformed> {
    let AuthMoreData(data) = AuthMoreData::parse(payload)?;
    match data.as_slice() {
        [caching_sha2::FULL_AUTH_REQUIRED] => Ok(Next::Send(
            ServerLogin::Proof { salt },
            caching_sha2::clear_password(password),
        )),
        _ => more(payload, salt),
    }
}
