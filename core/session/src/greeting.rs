//! The greeting of a client. What it offers is in `offer`.

use std::net::IpAddr;
use std::sync::Arc;

use mainstay_wire::auth::{Plugin, ed25519};
use mainstay_wire::handshake::Salt;
use mainstay_wire::packet::build_packet;
use mainstay_wire::{Capabilities, ErrorCode, Greeting, StatusFlags};
use rand_chacha::rand_core::RngCore;

use crate::client_login::{Login, LoginStage};
use crate::core::Core;
use crate::counts::Count;
use crate::kill::connection_id;
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::policy::{AuthPlugin, Policy};
use crate::session::{Key, Phase, Session};

impl Core {
    /// Greets a new client.
    pub(crate) fn greet(&mut self, peer: Option<IpAddr>, out: &mut Ops) -> u32 {
        let nonce = self.nonce();
        let deadline = self.now + self.policy.timeouts.handshake;
        let number = self.next_number();
        let login = Login {
            nonce,
            deadline,
            sequence: 1,
            stage: LoginStage::Greeted,
        };
        let host = peer.map_or_else(|| "localhost".to_owned(), |peer| peer.to_string());
        let key = Key {
            user: Arc::from(""),
            capabilities: Capabilities::NONE,
            collation: self.policy.collation,
            address: None,
        };
        let mut session = Session::new(number, host, key, Phase::Login(login));
        session.serial = self.serial;
        session.began = self.now;
        session.last_active = self.now;
        let client = self.clients.insert(session);
        self.stats.accepted += 1;
        if self.clients.len() > self.policy.clients_max {
            self.counts.one(Count::DeniedFull);
            self.refuse(client, 0, &ErrorCode::TooManyConnections.packet(), out);
            return client;
        }
        let greeting = Greeting {
            server_version: self.policy.server_version.clone(),
            connection_id: number,
            salt: nonce.salt(),
            capabilities: self.offered(),
            charset: self.policy.collation,
            status: StatusFlags::AUTOCOMMIT,
            auth_plugin: plugin(&self.policy).name().to_owned(),
        };
        let mut bytes = Vec::new();
        build_packet(&mut bytes, 0, |payload| greeting.encode(payload));
        out.push(Op::Send {
            to: ConnId::Client(client),
            chunk: Chunk::Owned(bytes),
        });
        self.timers.arm(ConnId::Client(client), deadline);
        client
    }

    /// A new session's number, and the serial behind it.
    fn next_number(&mut self) -> u32 {
        loop {
            self.serial += 1;
            let number = connection_id(self.worker, self.serial);
            if !self.received.contains(&number) {
                return number;
            }
        }
    }

    /// Random bytes without NUL, which would end a string for some clients.
    pub(crate) fn nonce(&mut self) -> Nonce {
        let mut nonce = Nonce::default();
        self.random.fill_bytes(&mut nonce.0);
        Nonce(nonce.0.map(|byte| byte % 127 + 1))
    }
}

/// Random bytes for the proof of a password: plugins take as many as they need.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Nonce(pub(crate) [u8; ed25519::NONCE_LEN]);

impl Nonce {
    /// One that gives this salt.
    pub(crate) fn of_salt(salt: Salt) -> Self {
        let mut nonce = Self::default();
        nonce.0[..salt.len()].copy_from_slice(&salt);
        nonce
    }

    /// Those that most plugins take.
    pub(crate) fn salt(&self) -> Salt {
        *self.0.first_chunk().expect("a nonce is longer than a salt")
    }

    pub(crate) fn of(&self, plugin: Plugin) -> &[u8] {
        &self.0[..plugin.nonce_len()]
    }
}

/// The plugin that is announced.
pub(crate) fn plugin(policy: &Policy) -> Plugin {
    match policy.auth_plugin {
        AuthPlugin::NativePassword => Plugin::Native,
        AuthPlugin::CachingSha2 => Plugin::CachingSha2,
    }
}
