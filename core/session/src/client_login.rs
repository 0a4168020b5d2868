//! The login of a client: its response to the greeting, the switch to another plugin, the verdict.
//!
//! ```text
//! Greeted ── response of a plugin we speak ──▶ verdict
//!    └───── any other response ─▶ Switched ──▶ verdict
//! ```
//! A password known in clear is proved by the fast path of `caching_sha2_password`. Where that path
//! does not decide, what comes before the verdict is in `full_login`.

use std::sync::Arc;

use mainstay_clock::Timestamp;
use mainstay_wire::auth::{AuthSwitchRequest, Plugin, caching_sha2};
use mainstay_wire::handshake::{SALT_LEN, Salt};
use mainstay_wire::packet::{Packet, build_packet};
use mainstay_wire::{
    Capabilities, ChangeUser, ClientHello, Command, ErrPacket, ErrorCode, HandshakeResponse,
    Malformed,
};

use crate::answer;
use crate::core::Core;
use crate::counts::Count;
use crate::full_login::{FullStep, Proof, Verdict, more};
use crate::greeting::Nonce;
use crate::guests::{Asking, Denied};
use crate::offer::SHAPE;
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::policy::{ClientTls, Require};
use crate::records::ClientEvent;
use crate::secure::{compression, kept};
use crate::session::{Job, Key, Phase, Running, Session};
use crate::state::State;

/// `MariaDB` refuses a longer one as it does unknown ones.
const NAME_BYTES_MAX: usize = 192;

/// A login that is not decided yet.
#[derive(Debug)]
pub(crate) struct Login {
    pub(crate) nonce: Nonce,
    pub(crate) deadline: Timestamp,
    /// Of the next packet from the client.
    pub(crate) sequence: u8,
    pub(crate) stage: LoginStage,
}

/// Where it is.
#[derive(Debug)]
pub(crate) enum LoginStage {
    Greeted,
    Switched {
        hello: Box<HandshakeResponse>,
        plugin: Plugin,
    },
    /// The password itself was asked for.
    Full {
        hello: Box<HandshakeResponse>,
        key_sent: bool,
    },
    /// A server is asked.
    Asking(Box<Asking>),
    /// A server has refused it.
    Denied(Box<Denied>),
}

impl Core {
    /// A packet of a client that has not logged in.
    pub(crate) fn login_packet(&mut self, client: u32, packet: &Packet<'_>, out: &mut Ops) {
        let Some(Session {
            phase: Phase::Login(login),
            ..
        }) = self.clients.get_mut(client)
        else {
            return;
        };
        let sequence = packet.header.sequence.wrapping_add(1);
        if packet.header.sequence != login.sequence {
            let (expected, error) = (login.sequence, crate::front::out_of_order());
            return self.refuse(client, expected, &error, out);
        }
        login.sequence = login.sequence.wrapping_add(2);
        let nonce = login.nonce;
        match std::mem::replace(&mut login.stage, LoginStage::Greeted) {
            LoginStage::Switched { hello, plugin } => {
                let proof = Proof {
                    plugin,
                    nonce,
                    response: packet.payload,
                };
                self.judge(client, (&hello, sequence), &proof, out);
            }
            LoginStage::Full { hello, key_sent } => {
                let step = FullStep {
                    hello,
                    salt: nonce.salt(),
                    key_sent,
                    sequence,
                };
                self.full_packet(client, step, packet.payload, out);
            }
            // Nothing is read in these stages.
            LoginStage::Asking(_) | LoginStage::Denied(_) => {}
            LoginStage::Greeted => match ClientHello::parse(packet.payload) {
                Ok(ClientHello::Response(hello)) => {
                    self.hello(client, (hello, sequence), out);
                }
                Ok(ClientHello::Ssl(_)) => self.begin_tls(client, sequence, out),
                Err(why) => {
                    let code = match why {
                        Malformed::OldProtocol => ErrorCode::UnsupportedAuthMode,
                        _ => ErrorCode::BadHandshake,
                    };
                    self.refuse(client, sequence, &code.packet(), out);
                }
            },
        }
    }

    fn hello(&mut self, client: u32, (hello, sequence): (HandshakeResponse, u8), out: &mut Ops) {
        let host = self.clients.get(client).map(|one| one.host.as_str());
        if let Some(error) = host.and_then(|host| self.policy.refuses_host(host)) {
            self.stats.logins_refused += 1;
            return self.refuse(client, sequence, &error, out);
        }
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let secure = session.transport.is_secure();
        if !secure && self.policy.client_tls == ClientTls::Required {
            let error = ErrorCode::SecureTransportRequired.packet();
            return self.refuse(client, sequence, &error, out);
        }
        session.compression = compression(&hello, self.policy.client_compression);
        session.attributes = kept(&hello);
        let Phase::Login(login) = &session.phase else {
            return;
        };
        let nonce = login.nonce;
        if !hello.capabilities.contains(Capabilities::PLUGIN_AUTH) {
            return self.old_hello(client, (hello, sequence), nonce.salt(), out);
        }
        let known = match &hello.auth_plugin {
            Some(name) if secure => Plugin::from_name_inside_tls(name),
            Some(name) => Plugin::from_name(name),
            None => Some(Plugin::Native),
        };
        // A greeting has fewer random bytes than some plugins take.
        let known = known.filter(|plugin| plugin.nonce_len() <= SALT_LEN);
        let speaks = known.filter(|&plugin| plugin == self.plugin_for(&hello.user, Some(plugin)));
        // A client that guessed the plugin before it saw the greeting sends an empty response.
        match speaks {
            Some(plugin) if !hello.auth_response.is_empty() => {
                let response = hello.auth_response.clone();
                let proof = Proof {
                    plugin,
                    nonce,
                    response: &response,
                };
                self.judge(client, (&hello, sequence), &proof, out);
            }
            _ => self.switch_plugin(client, hello, sequence, out),
        }
    }

    /// The proof of a client that knows no plugins but the first: it cannot be asked for another.
    fn old_hello(
        &mut self,
        client: u32,
        (hello, sequence): (HandshakeResponse, u8),
        salt: Salt,
        out: &mut Ops,
    ) {
        if self.plugin_for(&hello.user, Some(Plugin::Native)) != Plugin::Native {
            let error = ErrorCode::UnsupportedAuthMode.packet();
            return self.refuse(client, sequence, &error, out);
        }
        if let Some(session) = self.clients.get_mut(client) {
            session.old_salt = Some(salt);
        }
        let response = hello.auth_response.clone();
        let proof = Proof {
            plugin: Plugin::Native,
            nonce: Nonce::of_salt(salt),
            response: &response,
        };
        self.judge(client, (&hello, sequence), &proof, out);
    }

    /// Asks for the proof again, by a plugin that both speak.
    fn switch_plugin(
        &mut self,
        client: u32,
        hello: HandshakeResponse,
        sequence: u8,
        out: &mut Ops,
    ) {
        let nonce = self.nonce();
        let named = hello.auth_plugin.as_deref().and_then(Plugin::from_name);
        let plugin = self.plugin_for(&hello.user, named);
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        if plugin == Plugin::Clear && !session.transport.is_secure() {
            let error = ErrorCode::SecureTransportRequired.packet();
            return self.refuse(client, sequence, &error, out);
        }
        let Phase::Login(login) = &mut session.phase else {
            return;
        };
        login.nonce = nonce;
        login.sequence = sequence.wrapping_add(1);
        login.stage = LoginStage::Switched {
            hello: Box::new(hello),
            plugin,
        };
        let request = AuthSwitchRequest {
            plugin: plugin.name().to_owned(),
            nonce: nonce.of(plugin).to_vec(),
        };
        let mut bytes = Vec::new();
        build_packet(&mut bytes, sequence, |payload| request.encode(payload));
        out.push(Op::Send {
            to: ConnId::Client(client),
            chunk: Chunk::Owned(bytes),
        });
    }

    /// `COM_CHANGE_USER`: everything of the session ends, and a login begins.
    pub(crate) fn change_user(&mut self, client: u32, payload: &[u8], out: &mut Ops) {
        let Some(session) = self.clients.get(client) else {
            return;
        };
        let capabilities = self.offered();
        let (used, collation) = (session.key.capabilities, session.key.collation);
        let Ok(change) = ChangeUser::parse(payload, capabilities) else {
            return self.refuse(client, 1, &ErrorCode::MalformedPacket.packet(), out);
        };
        self.reset_session(client, out);
        let deadline = self.now + self.policy.timeouts.handshake;
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let charset = match change.charset as u8 {
            0 => collation,
            named => named,
        };
        let mut hello = HandshakeResponse {
            capabilities: used,
            charset,
            user: change.user,
            database: change.database,
            auth_plugin: change.auth_plugin,
            ..HandshakeResponse::default()
        };
        session.state = State::default();
        let old_salt = session.old_salt;
        session.phase = Phase::Login(Login {
            nonce: Nonce::default(),
            deadline,
            sequence: 2,
            stage: LoginStage::Greeted,
        });
        self.timers.arm(ConnId::Client(client), deadline);
        if let Some(salt) = old_salt {
            hello.auth_response = change.auth_response;
            return self.old_hello(client, (hello, 1), salt, out);
        }
        self.switch_plugin(client, hello, 1, out);
    }

    /// The verdict on a proof. `sequence` is that of the answer.
    fn judge(
        &mut self,
        client: u32,
        (hello, sequence): (&HandshakeResponse, u8),
        proof: &Proof<'_>,
        out: &mut Ops,
    ) {
        let session = self.clients.get(client);
        let secure = session.is_some_and(|one| one.transport.is_secure());
        match self.verdict(&hello.user, proof, secure) {
            Verdict::Right if proof.plugin == Plugin::CachingSha2 && !proof.is_empty() => {
                let sequence = more(client, sequence, vec![caching_sha2::FAST_AUTH_OK], out);
                self.admit(client, (hello, sequence), out);
            }
            Verdict::Right => self.admit(client, (hello, sequence), out),
            Verdict::Open => self.ask_password(client, hello, sequence, out),
            Verdict::Servers(password) => {
                self.ask_servers(client, (hello, sequence), password, out);
            }
            Verdict::Wrong => {
                let using = if proof.response.is_empty() {
                    "NO"
                } else {
                    "YES"
                };
                self.deny(client, (hello, sequence), using, out);
            }
        }
    }

    /// The password is right: what is left is the schema.
    pub(crate) fn admit(
        &mut self,
        client: u32,
        (hello, sequence): (&HandshakeResponse, u8),
        out: &mut Ops,
    ) {
        let offered = self.offered();
        let user = self.policy.users.get(&hello.user);
        let required = user.map_or(Require::default(), |user| user.require);
        let transport = self.clients.get(client).map(|session| session.transport);
        if !transport.is_some_and(|transport| transport.satisfies(required)) {
            return self.deny(client, (hello, sequence), "YES", out);
        }
        if let Some(most) = user.and_then(|user| user.connections_max)
            && self.connections_of(&hello.user) >= most
        {
            self.counts.one(Count::DeniedUserFull);
            self.refused_user.clone_from(&hello.user);
            let name = &hello.user;
            let text = format!(
                "User '{name}' has exceeded the 'max_user_connections' resource (current value: \
                 {most})"
            );
            return self.refuse(client, sequence, &ErrorCode::UserLimit.with(text), out);
        }
        let own = user
            .filter(|user| user.schema_locked)
            .and_then(|user| user.schema.as_ref());
        if let (Some(own), Some(asked)) = (own, &hello.database)
            && own != asked
        {
            let error = crate::ruling::kept_in_schema(&hello.user, asked);
            return self.refuse(client, sequence, &error, out);
        }
        let mariadb = self.policy.server_version.contains("MariaDB");
        if let Some(error) = name_too_long(hello).filter(|_| !mariadb) {
            return self.refuse(client, sequence, &error, out);
        }
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let default_schema = user.and_then(|user| user.schema.clone());
        let schema = hello.database.clone().or(default_schema);
        session.key = Key {
            user: Arc::from(hello.user.as_str()),
            capabilities: hello.capabilities & SHAPE & offered,
            collation: hello.charset,
            address: session.told_address(self.policy.proxy_header),
        };
        session.state.schema = schema.map(String::into_bytes);
        session.libmariadb |= is_libmariadb(hello);
        session.fast_forward = user.is_some_and(|user| user.fast_forward);
        let running = Running {
            sequence,
            ..Running::new(Job::Login, Command::InitDb, self.now)
        };
        session.phase = Phase::Busy(running);
        if session.state.schema.is_none() {
            return self.logged_in(client, out);
        }
        self.dispatch(client, out);
    }

    fn connections_of(&self, user: &str) -> usize {
        let sessions = self.clients.iter().map(|(_, session)| session);
        sessions
            .filter(|one| !matches!(one.phase, Phase::Login(_)) && *one.key.user == *user)
            .count()
    }

    /// The schema exists, or none was named: the client may begin.
    pub(crate) fn logged_in(&mut self, client: u32, out: &mut Ops) {
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let sequence = session.running().map_or(2, |running| running.sequence);
        session.phase = Phase::Ready;
        let bytes = answer::ok(sequence, session.key.capabilities, session.status());
        out.push(Op::Send {
            to: ConnId::Client(client),
            chunk: Chunk::Owned(bytes),
        });
        let early = !session.inbox.is_empty();
        if let Some(how) = session.compression.take() {
            session.compressed = true;
            let who = ConnId::Client(client);
            out.push(Op::Compress { who, how });
            if early {
                // It was sent before the client could know how to send it.
                return self.close_client(client, out);
            }
        }
        self.forgive_host(client);
        self.record_client(client, ClientEvent::Connected);
        self.ready.push_back(client);
        self.warm_for(client);
    }
}

/// What MySQL says of a schema with a name that is none.
fn name_too_long(hello: &HandshakeResponse) -> Option<ErrPacket> {
    let name = hello.database.as_ref()?;
    let shown: String = name.chars().take(100).collect();
    let text = format!("Identifier name '{shown}' is too long");
    (name.len() > NAME_BYTES_MAX).then(|| ErrPacket::new(1059, *b"42000", text))
}

fn is_libmariadb(hello: &HandshakeResponse) -> bool {
    let name = hello
        .attributes
        .iter()
        .find(|(name, _)| name == "_client_name");
    name.is_some_and(|(_, value)| value == "libmariadb")
}
