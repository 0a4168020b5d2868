//! The passwords behind a login: what proves one, and the full path of `caching_sha2_password`: for
//! users known by a hash only, and for everybody whose fast response does not match, because some
//! clients compute it in another way than servers do.
//!
//! ```text
//! fast response ─▶ password asked ─┬─ key asked ─▶ key sent ─ encrypted password ─┬─▶ verdict
//!                                  └──────────────── clear password ──────────────┘
//! ```
//! Source: "`Caching_sha2_password` information" (MySQL internals). Whether the schema exists is
//! left to `client_login`.

use mainstay_wire::auth::{AuthMoreData, Plugin, caching_sha2, ed25519, native, same};
use mainstay_wire::handshake::Salt;
use mainstay_wire::packet::build_packet;
use mainstay_wire::{ErrorCode, HandshakeResponse};
use rand_chacha::rand_core::RngCore;

use crate::client_login::LoginStage;
use crate::core::Core;
use crate::counts::Count;
use crate::greeting::{Nonce, plugin};
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::policy::{Credential, Secret};
use crate::session::{Phase, Session};

/// Servers take no longer ones, and the cost of a check grows with the square of the length.
const PASSWORD_BYTES_MAX: usize = 256;

/// A password that a client proved by the full path.
#[derive(Debug)]
pub(crate) struct Learned {
    /// What it was checked against: with another hash in force, it counts no longer.
    hash: Secret,
    password: Secret,
}

/// What a client sent for its password.
pub(crate) struct Proof<'a> {
    pub(crate) plugin: Plugin,
    pub(crate) nonce: Nonce,
    pub(crate) response: &'a [u8],
}

impl Proof<'_> {
    /// An empty response, or the lone NUL that some clients send for it, proves no password.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self.response, [] | [0])
    }

    fn holds(&self, password: &[u8]) -> bool {
        if self.is_empty() {
            return password.is_empty();
        }
        match self.plugin {
            Plugin::Native => native::verify(self.response, &self.nonce.salt(), password),
            Plugin::CachingSha2 => {
                caching_sha2::verify(self.response, &self.nonce.salt(), password)
            }
            Plugin::Ed25519 => ed25519::verify(self.response, self.nonce.of(self.plugin), password),
            Plugin::Clear => caching_sha2::verify_clear(self.response, password),
        }
    }
}

/// What a proof is worth.
pub(crate) enum Verdict {
    Right,
    Wrong,
    /// Only the password itself can tell.
    Open,
    /// Servers must be asked whether it is this one.
    Servers(Secret),
}

/// A packet of the full path.
pub(crate) struct FullStep {
    pub(crate) hello: Box<HandshakeResponse>,
    pub(crate) salt: Salt,
    pub(crate) key_sent: bool,
    /// Of the answer.
    pub(crate) sequence: u8,
}

impl Core {
    /// The clear password of a user, if it is known by now.
    pub(crate) fn password_of(&self, user: &str) -> Option<&Secret> {
        let Some(known) = self.policy.users.get(user) else {
            return self.guests.password(user);
        };
        match &known.credential {
            Credential::Clear(password) => Some(password),
            Credential::Hash(hash) => {
                let learned = self.learned.get(user)?;
                (learned.hash == *hash).then_some(&learned.password)
            }
        }
    }

    fn hash_of(&self, user: &str) -> Option<&Secret> {
        match &self.policy.users.get(user)?.credential {
            Credential::Clear(_) => None,
            Credential::Hash(hash) => Some(hash),
        }
    }

    /// The plugin by which a user proves its password; `named` is the client's choice.
    pub(crate) fn plugin_for(&self, user: &str, named: Option<Plugin>) -> Plugin {
        let own = self.policy.users.get(user).and_then(|user| user.plugin);
        if let Some(own) = own {
            return own;
        }
        // Whether this worker has learned the password already must make no difference.
        if self.hash_of(user).is_some() || self.passes(user) {
            return match named {
                Some(Plugin::Clear) => Plugin::Clear,
                Some(Plugin::Native | Plugin::CachingSha2 | Plugin::Ed25519) | None => {
                    Plugin::CachingSha2
                }
            };
        }
        named.unwrap_or_else(|| plugin(&self.policy))
    }

    /// `secure`: the client could tell its password as it is.
    pub(crate) fn verdict(&mut self, user: &str, proof: &Proof<'_>, secure: bool) -> Verdict {
        // Servers ask whom they do not know as well, so that nobody learns who is known.
        let asks = proof.plugin == Plugin::CachingSha2 && !proof.is_empty();
        let can_ask = secure || self.policy.key.is_some();
        let known = if self.policy.users.contains_key(user) {
            self.password_of(user)
        } else {
            self.guest_password(user)
        };
        match known {
            Some(password) if proof.holds(password.reveal().as_bytes()) => Verdict::Right,
            Some(_) | None if asks && can_ask => Verdict::Open,
            None if proof.plugin == Plugin::Clear => {
                match caching_sha2::parse_clear_password(proof.response) {
                    Some(password) => self.weigh(user, password.to_vec()),
                    None => Verdict::Wrong,
                }
            }
            Some(_) if proof.plugin == Plugin::Clear && self.passes(user) => {
                match caching_sha2::parse_clear_password(proof.response) {
                    Some(password) => self.weigh(user, password.to_vec()),
                    None => Verdict::Wrong,
                }
            }
            None if self.hash_of(user).is_some() && !proof.is_empty() => Verdict::Open,
            Some(_) | None => Verdict::Wrong,
        }
    }

    /// Refuses a login, as servers word it.
    pub(crate) fn deny(
        &mut self,
        client: u32,
        (hello, sequence): (&HandshakeResponse, u8),
        using: &str,
        out: &mut Ops,
    ) {
        let Some(session) = self.clients.get(client) else {
            return;
        };
        self.stats.logins_refused += 1;
        self.counts.one(Count::DeniedPassword);
        let host = session.host.clone();
        self.note_failed_login(&host);
        self.refused_user.clone_from(&hello.user);
        let text = format!(
            "Access denied for user '{}'@'{}' (using password: {using})",
            hello.user, host
        );
        self.refuse(client, sequence, &ErrorCode::AccessDenied.with(text), out);
    }

    /// Asks for the password itself.
    pub(crate) fn ask_password(
        &mut self,
        client: u32,
        hello: &HandshakeResponse,
        sequence: u8,
        out: &mut Ops,
    ) {
        self.stay(client, Box::new(hello.clone()), false);
        more(
            client,
            sequence,
            vec![caching_sha2::FULL_AUTH_REQUIRED],
            out,
        );
    }

    /// A packet of a client that was asked for its password.
    pub(crate) fn full_packet(
        &mut self,
        client: u32,
        step: FullStep,
        payload: &[u8],
        out: &mut Ops,
    ) {
        let key = self.policy.key.clone();
        let password = match (payload, key) {
            ([caching_sha2::PUBLIC_KEY_REQUEST], Some(key)) if !step.key_sent => {
                self.stay(client, step.hello, true);
                more(client, step.sequence, key.public_pem().to_vec(), out);
                return;
            }
            (_, Some(key)) if step.key_sent => {
                let mut seed = [0; 32];
                self.random.fill_bytes(&mut seed);
                key.decrypt_password(payload, &step.salt, seed).ok()
            }
            // Some clients send it in the clear unasked: by then refusing it protects nothing.
            (_, _) => {
                let Some(password) = caching_sha2::parse_clear_password(payload) else {
                    let error = ErrorCode::BadHandshake
                        .with("Bad handshake: neither a password nor a request for the public key");
                    return self.refuse(client, step.sequence, &error, out);
                };
                Some(password.to_vec())
            }
        };
        let login = (&*step.hello, step.sequence);
        let user = &step.hello.user;
        match password.map(|password| self.weigh(user, password)) {
            Some(Verdict::Right) => self.admit(client, login, out),
            Some(Verdict::Servers(password)) => self.ask_servers(client, login, password, out),
            Some(Verdict::Wrong | Verdict::Open) | None => self.deny(client, login, "YES", out),
        }
    }

    /// Whether a user's password is this one.
    fn weigh(&mut self, user: &str, password: Vec<u8>) -> Verdict {
        let right = match self.policy.users.get(user).map(|user| &user.credential) {
            Some(Credential::Clear(known)) => same(known.reveal().as_bytes(), &password),
            Some(Credential::Hash(_)) => self.learn(user, password),
            None if self.is_guest_password(user, &password) => true,
            None => return self.servers_weigh(user, password),
        };
        if right {
            Verdict::Right
        } else {
            Verdict::Wrong
        }
    }

    fn servers_weigh(&self, user: &str, password: Vec<u8>) -> Verdict {
        let fits = !password.is_empty() && password.len() <= PASSWORD_BYTES_MAX;
        match String::from_utf8(password) {
            Ok(password) if fits && self.passes(user) => Verdict::Servers(Secret::of(password)),
            Ok(_) | Err(_) => Verdict::Wrong,
        }
    }

    /// Checks a password against the user's hash, and keeps it for logins at servers.
    fn learn(&mut self, user: &str, password: Vec<u8>) -> bool {
        if password.len() > PASSWORD_BYTES_MAX {
            return false;
        }
        // A password that is no UTF-8 could not stand in the settings either.
        let (Some(hash), Ok(password)) = (self.hash_of(user), String::from_utf8(password)) else {
            return false;
        };
        let right = match native::parse_stored_hash(hash.reveal()) {
            Some(stored) => same(&native::stored_hash(password.as_bytes()), &stored),
            None => caching_sha2::verify_stored(password.as_bytes(), hash.reveal().as_bytes()),
        };
        if !right {
            return false;
        }
        let learned = Learned {
            hash: hash.clone(),
            password: Secret::new(&password),
        };
        self.learned.insert(user.to_owned(), learned);
        true
    }

    fn stay(&mut self, client: u32, hello: Box<HandshakeResponse>, key_sent: bool) {
        if let Some(Session {
            phase: Phase::Login(login),
            ..
        }) = self.clients.get_mut(client)
        {
            login.stage = LoginStage::Full { hello, key_sent };
        }
    }
}

/// Sends data of the plugin; returns the sequence number after them.
pub(crate) fn more(client: u32, sequence: u8, data: Vec<u8>, out: &mut Ops) -> u8 {
    let mut bytes = Vec::new();
    let next = build_packet(&mut bytes, sequence, |payload| {
        AuthMoreData(data).encode(payload);
    });
    out.push(Op::Send {
        to: ConnId::Client(client),
        chunk: Chunk::Owned(bytes),
    });
    next
}
