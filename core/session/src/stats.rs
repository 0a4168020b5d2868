//! What the machine counts. Publishing the numbers is left to the shell.

use std::collections::BTreeMap;

use mainstay_topology::ServerName;

use crate::tie::TieReason;

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
    /// Statements sent to the writer.
    pub statements_writer: u64,
    /// Statements sent to a reader.
    pub statements_reader: u64,
    /// Statements that were held at least once.
    pub statements_held: u64,
    /// Reads that ran again on another server after theirs was lost.
    pub reads_retried: u64,
    /// Writes that a read-only server refused, and that ran again on the new primary.
    pub refusals_retried: u64,
    /// Errors the proxy itself returned to clients, by code.
    pub errors: BTreeMap<u16, u64>,
    /// How often a session was tied to a server connection, by reason.
    pub ties: BTreeMap<TieReason, u64>,
    /// Each server that is or was in the routes.
    pub servers: BTreeMap<ServerName, ServerStats>,
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
    /// Connections that failed to open or were lost.
    pub lost: u64,
    /// Writes and open transactions in flight on it now.
    pub writes_in_flight: usize,
}
