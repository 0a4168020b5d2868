//! The limits of a transaction's time: how long it may be open, and how long its client may do
//! nothing in it. Who is over one is closed, as `max_transaction_time` and
//! `max_transaction_idle_time` of ProxySQL have it; the transaction is rolled back with that.

use mainstay_clock::Timestamp;
use mainstay_wire::{ErrPacket, ErrorCode};

use crate::answer;
use crate::core::Core;
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::server::ServerPhase;
use crate::session::{Phase, Session, Stage};

impl Core {
    /// A transaction has begun.
    pub(crate) fn watch_transaction(&mut self, client: u32) {
        let session = self.clients.get(client);
        if let Some(at) = session.and_then(|one| self.transaction_deadline(one)) {
            self.timers.arm(ConnId::Client(client), at);
        }
    }

    /// When the session's transaction is looked at next.
    pub(crate) fn transaction_deadline(&self, session: &Session) -> Option<Timestamp> {
        let limits = &self.policy.timeouts;
        if !session.in_transaction() {
            return None;
        }
        let idles_since = match session.phase {
            Phase::Ready => session.last_active,
            Phase::Login(_) | Phase::Busy(_) => self.now,
        };
        let idle = limits.transaction_idle.map(|limit| idles_since + limit);
        let open = limits
            .transaction
            .map(|limit| session.transaction_since + limit);
        idle.into_iter().chain(open).min()
    }

    /// Closes the client if its transaction is over a limit. False when it is not.
    pub(crate) fn ends_transaction(&mut self, client: u32, out: &mut Ops) -> bool {
        let Some(session) = self.clients.get(client) else {
            return false;
        };
        let due = self.transaction_deadline(session);
        let spliced = session.stage() == Some(Stage::Spliced);
        if spliced || due.is_none_or(|due| due > self.now) {
            return false;
        }
        self.stats.transactions_expired += 1;
        let limit = self.policy.timeouts.transaction;
        let old = limit.filter(|limit| session.transaction_since + *limit <= self.now);
        let text = match old {
            Some(limit) => format!("open for longer than transaction_limit ({limit:?})"),
            None => "idle for longer than transaction_idle_limit".to_owned(),
        };
        let text = format!("the transaction was rolled back: it was {text}; the connection ends");
        let Some(running) = session.running() else {
            let error = ErrorCode::ClientInteractionTimeout.with(text);
            self.tell_and_close(client, &error, out);
            return true;
        };
        let sequence = running.sequence;
        let server = session.server.and_then(|id| self.servers.get(id));
        let within = server.is_some_and(|server| {
            matches!(
                server.phase,
                ServerPhase::Reply {
                    forwarded: true,
                    ..
                }
            )
        });
        if !within {
            let error = ErrorCode::QueryInterrupted.with(text);
            *self.stats.errors.entry(error.code).or_default() += 1;
            out.push(Op::Send {
                to: ConnId::Client(client),
                chunk: Chunk::Owned(answer::error(sequence, &error)),
            });
        }
        self.kill_connection(client, out);
        true
    }

    /// Between statements: MySQL says why before it closes an idle connection; older servers and
    /// `MariaDB` do not.
    pub(crate) fn tell_and_close(&mut self, client: u32, error: &ErrPacket, out: &mut Ops) {
        let version = &self.policy.server_version;
        if version.contains("MariaDB") || version.starts_with("5.") {
            return self.close_client(client, out);
        }
        self.refuse(client, 0, error, out);
    }
}
