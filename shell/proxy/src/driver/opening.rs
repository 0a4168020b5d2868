//! Opening connections to servers: name, addresses one after the other, outcome.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use mainstay_session::{CloseReason, ConnId};
use rustix::io::Errno;

use super::{Conn, Notice, Phase, Table, Token};
use crate::connect;
use crate::resolve::{Place, place};

/// A driver as far as it opens connections.
pub(crate) trait Opening {
    /// What it keeps of each connection.
    type Side: Default;

    /// Its connections.
    fn table(&mut self) -> &mut Table<Self::Side>;

    /// Watches a socket that is being opened, and gives it to its connection.
    fn await_open(&mut self, token: Token, socket: OwnedFd) -> Result<(), Errno>;

    /// Sends what was queued for a connection that is open now, and reads from it.
    fn begin_traffic(&mut self, token: Token);

    /// Begins to open a connection; a notice tells how it ended.
    fn connect(&mut self, who: ConnId, address: &str) {
        let token = self.table().insert(Conn::new(who, Phase::Resolving));
        match place(address) {
            Place::Address(address) => self.resolved(token, vec![address]),
            Place::Name(host, port) => self.table().look_up(token, host, port),
            Place::Socket(path) => {
                let conn = self.table().get(token).expect("just inserted");
                conn.phase = Phase::Connecting;
                let begun = connect::begin_local(path);
                if let Err(errno) = begun.and_then(|socket| self.await_open(token, socket)) {
                    let notice = Notice::Closed(connect::reason(errno));
                    self.table().notify(token, notice);
                }
            }
            Place::Nonsense => {
                tracing::warn!(address, "the address of a server is not `host:port`");
                let notice = Notice::Closed(CloseReason::Unreachable);
                self.table().notify(token, notice);
            }
        }
    }

    /// The answer to a lookup; no addresses when there are none.
    fn resolved(&mut self, token: Token, mut addresses: Vec<SocketAddr>) {
        // The next address to try is taken from the end.
        addresses.reverse();
        if let Some(conn) = self.table().get(token) {
            conn.alternatives = addresses;
            self.try_next_address(token, CloseReason::Unreachable);
        }
    }

    /// Tries the next address of a server; `reason` tells how the last one failed.
    fn try_next_address(&mut self, token: Token, mut reason: CloseReason) {
        loop {
            let conn = self.table().get(token).expect("the caller has it");
            let Some(address) = conn.alternatives.pop() else {
                self.table().notify(token, Notice::Closed(reason));
                return;
            };
            conn.phase = Phase::Connecting;
            let begun = connect::begin(address);
            match begun.and_then(|socket| self.await_open(token, socket)) {
                Ok(()) => return,
                Err(errno) => reason = connect::reason(errno),
            }
        }
    }

    /// An attempt has ended. True when the connection is open now.
    fn finish_connect(&mut self, token: Token) -> bool {
        let conn = self.table().get(token).expect("the caller has it");
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
        self.table().notify(token, Notice::Connected);
        self.begin_traffic(token);
        true
    }
}
