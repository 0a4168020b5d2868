//! TLS as the machine sees it: when it begins, and what a login may do once it is there. The
//! cryptography is a filter of the driver.

use crate::core::Core;
use crate::op::Ops;

impl Core {
    /// TLS with a client is established.
    pub(crate) fn client_secured(&mut self, client: u32, certified: bool) {
        if let Some(session) = self.clients.get_mut(client) {
            session.transport = Transport::Tls { certified };
        }
    }

    /// TLS with a server is established: the login goes on inside it.
    pub(crate) fn server_secured(&mut self, _id: u32, _out: &mut Ops) {}
}

/// What a client's bytes travel in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Transport {
    /// As they are.
    #[default]
    Plain,
    /// TLS.
    Tls {
        /// The client proved a certificate.
        certified: bool,
    },
}

impl Transport {
    pub(crate) fn is_secure(self) -> bool {
        match self {
            Self::Plain => false,
            Self::Tls { .. } => true,
        }
    }
}
