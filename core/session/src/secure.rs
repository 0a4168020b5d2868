//! TLS as the machine sees it: when it begins, and what a login may do once it is there. The
//! cryptography is a filter of the driver.

use std::net::IpAddr;

use mainstay_wire::ErrorCode;

use crate::core::Core;
use crate::op::Ops;
use crate::policy::{ClientTls, Require};
use crate::server::Opener;
use crate::session::{Phase, Session};

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

    /// TLS with a client is established.
    pub(crate) fn client_secured(&mut self, client: u32, certified: bool) {
        if let Some(session) = self.clients.get_mut(client) {
            session.transport = Transport::Tls { certified };
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
