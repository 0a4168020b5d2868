//! Opening connections to servers: name, addresses one after the other, outcome.

use std::net::SocketAddr;

use mainstay_session::{CloseReason, ConnId};

use super::{Net, Notice, READ_WRITE};
use crate::conn::{Conn, Phase, Token};
use crate::connect;
use crate::resolve::{Place, place};

/// A host name that must be looked up before a connection can be opened.
#[derive(Debug)]
pub(crate) struct Lookup {
    pub(crate) token: Token,
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Net {
    /// Host names to look up for connections begun since the last call.
    pub(crate) fn take_lookups(&mut self) -> Vec<Lookup> {
        std::mem::take(&mut self.lookups)
    }

    /// The answer to a lookup; no addresses when there are none.
    pub(crate) fn resolved(&mut self, token: Token, mut addresses: Vec<SocketAddr>) {
        // The next address to try is taken from the end.
        addresses.reverse();
        if let Some(conn) = self.get(token) {
            conn.alternatives = addresses;
            self.try_next_address(token, CloseReason::Unreachable);
        }
    }

    /// Begins to open a connection; a notice tells how it ended.
    pub(super) fn connect(&mut self, who: ConnId, address: &str) {
        let token = self.insert(Conn::new(who, Phase::Resolving));
        match place(address) {
            Place::Address(address) => self.resolved(token, vec![address]),
            Place::Name(host, port) => {
                self.lookups.push(Lookup {
                    token,
                    host: host.to_owned(),
                    port,
                });
            }
            Place::Nonsense => {
                tracing::warn!(address, "the address of a server is not `host:port`");
                self.notices
                    .push_back((token, Notice::Closed(CloseReason::Unreachable)));
            }
        }
    }

    /// Tries the next address of a server; `reason` tells how the last one failed.
    fn try_next_address(&mut self, token: Token, mut reason: CloseReason) {
        loop {
            let conn = self.get(token).expect("the caller has it");
            let Some(address) = conn.alternatives.pop() else {
                self.notices.push_back((token, Notice::Closed(reason)));
                return;
            };
            conn.phase = Phase::Connecting;
            let begun = connect::begin(address);
            match begun.and_then(|socket| self.register(token, socket, READ_WRITE)) {
                Ok(()) => return,
                Err(errno) => reason = connect::reason(errno),
            }
        }
    }

    /// True when the connection is open now.
    pub(super) fn finish_connect(&mut self, token: Token) -> bool {
        let conn = self.get(token).expect("the caller has it");
        let socket = conn
            .socket
            .as_ref()
            .expect("a connecting connection has a socket");
        if let Err(errno) = connect::outcome(socket) {
            self.try_next_address(token, connect::reason(errno));
            return false;
        }
        conn.phase = Phase::Open;
        conn.alternatives = Vec::new();
        conn.awaits_room = true;
        self.notices.push_back((token, Notice::Connected));
        self.flush(token);
        true
    }
}
