//! TLS as the machine sees it: when it begins, and what a login may do once it is there. The
//! cryptography is a filter of the driver.

use std::net::IpAddr;

use mainstay_wire::codec::put_lenenc_bytes;
use mainstay_wire::compression::Compression;
use mainstay_wire::{Capabilities, ErrorCode, HandshakeResponse};

use crate::core::Core;
use crate::op::{CloseReason, ConnId, Ops};
use crate::policy::{Algorithms, ClientTls, Require, ServerTls};
use crate::server::{Opener, ServerPhase};
use crate::server_login::ServerLogin;
use crate::session::{Phase, Session};

/// Attributes of more bytes are not kept.
const ATTRIBUTES_MAX: usize = 1024;
/// A client may ask for any level, but the time is the proxy's: higher ones cost many times more.
const ZSTD_LEVEL_MAX: u8 = 9;

/// What a client's bytes travel in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Transport {
    /// As they are.
    #[default]
    Plain,
    /// TLS was asked for: what came after that belongs to it.
    Starting,
    /// TLS.
    Tls {
        /// The client proved a certificate.
        certified: bool,
    },
}

impl Transport {
    pub(crate) fn is_secure(self) -> bool {
        match self {
            Self::Plain | Self::Starting => false,
            Self::Tls { .. } => true,
        }
    }

    pub(crate) fn satisfies(self, required: Require) -> bool {
        match required {
            Require::Nothing => true,
            Require::Tls => self.is_secure(),
            Require::Certificate => self == Self::Tls { certified: true },
        }
    }
}

impl Core {
    /// A client asks for TLS instead of logging in. `sequence` is that of its next packet less one.
    pub(crate) fn begin_tls(&mut self, client: u32, sequence: u8, out: &mut Ops) {
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        if self.policy.client_tls == ClientTls::Off || session.transport != Transport::Plain {
            let error = ErrorCode::BadHandshake
                .with("TLS was asked for, but it is not offered here: disable it");
            return self.refuse(client, sequence, &error, out);
        }
        session.transport = Transport::Starting;
        if let Phase::Login(login) = &mut session.phase {
            login.sequence = sequence;
        }
    }

    /// A connection has ended: counts what its filters could not make sense of.
    pub(crate) fn count_broken(&mut self, who: ConnId, reason: CloseReason) {
        match reason {
            CloseReason::Tls => self.stats.tls_failed += 1,
            CloseReason::Garbled => self.stats.garbled += 1,
            CloseReason::Eof
            | CloseReason::Reset
            | CloseReason::Refused
            | CloseReason::Unreachable => {}
        }
        if let (ConnId::Server(id), CloseReason::Tls) = (who, reason) {
            self.tls_failed(id);
        }
    }

    /// TLS with a server could not be established: where it need not be, the next connections do
    /// without it, as clients of MySQL do that prefer it.
    fn tls_failed(&mut self, id: u32) {
        let Some(server) = self.servers.get(id) else {
            return;
        };
        let name = &self.upstreams[server.upstream].target.name;
        let own = self.policy.servers.get(name).and_then(|one| one.tls);
        let preferred = own.unwrap_or(self.policy.server_tls) == ServerTls::Preferred;
        let begun = matches!(
            server.phase,
            ServerPhase::Login {
                login: ServerLogin::Tls { .. },
                ..
            }
        );
        if preferred && begun {
            self.upstreams[server.upstream].without_tls = true;
        }
    }

    /// TLS with a client is established.
    pub(crate) fn client_secured(&mut self, client: u32, certified: bool) {
        if let Some(session) = self.clients.get_mut(client) {
            session.transport = Transport::Tls { certified };
            self.stats.clients_secured += 1;
        }
    }
}

impl Session {
    /// What a server is told when a connection is opened for this session.
    pub(crate) fn opener(&self) -> Opener {
        Opener {
            attributes: self.attributes.clone(),
            host: self.host.clone(),
        }
    }

    /// The client's address, if servers are told it.
    pub(crate) fn told_address(&self, told: bool) -> Option<IpAddr> {
        told.then(|| self.host.parse().ok()).flatten()
    }
}

/// What a client that may be compressed is compressed by: zlib goes first, as on servers.
pub(crate) fn compression(hello: &HandshakeResponse, allowed: Algorithms) -> Option<Compression> {
    let asks = |bit| hello.capabilities.contains(bit);
    if allowed.zlib && asks(Capabilities::COMPRESS) {
        return Some(Compression::Zlib);
    }
    let zstd = allowed.zstd && asks(Capabilities::ZSTD_COMPRESSION);
    let level = hello.zstd_level.clamp(1, ZSTD_LEVEL_MAX);
    zstd.then_some(Compression::Zstd { level })
}

/// The attributes that are kept to be passed on; none when they are more than a session may cost.
pub(crate) fn kept(hello: &HandshakeResponse) -> Box<[u8]> {
    let mut bytes = Vec::new();
    for (name, value) in &hello.attributes {
        put_lenenc_bytes(&mut bytes, name.as_bytes());
        put_lenenc_bytes(&mut bytes, value.as_bytes());
    }
    if bytes.len() > ATTRIBUTES_MAX {
        return Box::default();
    }
    bytes.into_boxed_slice()
}
