//! What the machine counts. Publishing the numbers is left to the shell.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_topology::ServerName;

use crate::cache::CacheStats;
use crate::core::Core;
use crate::session::{Session, Stage};
use crate::tally::Tally;
use crate::tie::TieReason;

/// A set-up or an opening that takes longer is that of a server that may be dead.
const SILENT: Duration = Duration::from_millis(250);

/// Counters and gauges of one machine; the shell adds up those of its workers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Clients connected now.
    pub sessions: usize,
    /// Sessions that wait for a writer now: on hold, or for an answer of one that may be dead, to
    /// which nothing of their statement was sent.
    pub held: usize,
    /// Bytes of the statements held now.
    pub held_bytes: usize,
    /// Clients accepted since the start.
    pub accepted: u64,
    /// Logins refused since the start.
    pub logins_refused: u64,
    /// Clients with which TLS was established since the start.
    pub clients_secured: u64,
    /// Connections with which TLS could not be established, or was broken.
    pub tls_failed: u64,
    /// Connections that sent what their filters do not understand: a broken header of the PROXY
    /// protocol, or broken frames of the compressed protocol.
    pub garbled: u64,
    /// Statements sent to the writer.
    pub statements_writer: u64,
    /// Statements sent to a reader.
    pub statements_reader: u64,
    /// Statements that were held at least once.
    pub statements_held: u64,
    /// Reads that ran again on another server after theirs was lost.
    pub reads_retried: u64,
    /// Reads for which a replica was made to wait for earlier writes, and got there.
    pub causal_waits: u64,
    /// Reads that the writer served because no replica was known to have the earlier writes.
    pub causal_to_writer: u64,
    /// Transactions that were replayed on a new primary.
    pub transactions_replayed: u64,
    /// Transactions that gave other results when they were replayed.
    pub replays_failed: u64,
    /// Readers that gave no sign of life when they were asked for one.
    pub readers_hung: u64,
    /// Clients that were closed because of the limits of a transaction's time.
    pub transactions_expired: u64,
    /// Writes that a read-only server refused, and that ran again on the new primary.
    pub refusals_retried: u64,
    /// Queries of which a copy was sent to another hostgroup.
    pub mirrored: u64,
    /// Copies that were not sent, or given up: too many were under way, or there was no server.
    pub mirrors_dropped: u64,
    /// Errors the proxy itself returned to clients, by code.
    pub errors: BTreeMap<u16, u64>,
    /// How often a session was tied to a server connection, by reason.
    pub ties: BTreeMap<TieReason, u64>,
    /// Sessions that are tied to a server connection now, by each of their reasons.
    pub tied: BTreeMap<TieReason, usize>,
    /// Results that are kept for a while.
    pub cache: CacheStats,
    /// Each server that is or was in the routes.
    pub servers: BTreeMap<ServerName, ServerStats>,
    /// What is counted by hostgroup, by user, and plainly.
    pub tally: Tally,
}

/// Counters and gauges of one server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ServerStats {
    /// Connections in the pool, idle.
    pub idle: usize,
    /// Connections that serve a session now.
    pub used: usize,
    /// Connections being opened or logged in.
    pub connecting: usize,
    /// Sessions waiting for a connection.
    pub waiting: usize,
    /// Statements sent to it.
    pub statements: u64,
    /// Sessions that waited for a connection and got one.
    pub queued: u64,
    /// How long they waited, all together.
    pub queue_time: Duration,
    /// The longest of these waits.
    pub queue_time_max: Duration,
    /// Connections that failed to open or were lost.
    pub lost: u64,
    /// Writes and open transactions in flight on it now.
    pub writes_in_flight: usize,
    /// Connections that were opened, and logged in.
    pub opened: u64,
    /// Connections that could not be opened, or not log in.
    pub failed: u64,
    /// The most connections in use, or being opened, at the same time: of several workers the sum.
    pub used_max: usize,
    /// The smoothed time of its answers: of several workers the longest.
    pub latency: Duration,
    /// It is in the routes in force.
    pub listed: bool,
    /// The last connection to it failed, and nothing is sent to it for a moment.
    pub left_alone: bool,
}

impl Core {
    /// True when the session waits for a writer: on hold, or for a sign of life of one that may be
    /// dead.
    pub(crate) fn is_held(&self, session: &Session) -> bool {
        let Some(running) = session.running() else {
            return false;
        };
        let on = match running.stage {
            Stage::Held => return true,
            Stage::Sent | Stage::Killing(_) | Stage::Spliced | Stage::Paused(_) => return false,
            Stage::Waiting(_) if running.was_held => return true,
            Stage::Waiting(upstream) => Some(upstream).filter(|&index| {
                let mut servers = self.servers.iter();
                servers.any(|(_, one)| one.upstream == index && one.is_opening())
            }),
            Stage::Setup => session
                .server
                .and_then(|id| Some(self.servers.get(id)?.upstream)),
        };
        let silent = self.now.since(running.since) >= SILENT;
        silent && on.is_some_and(|index| self.upstreams[index].wrote)
    }
}
