//! The replica's side of a replication link.

use std::collections::VecDeque;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_topology::{Applier, Receiver, Target};

use crate::gtids::Transaction;

/// Time between two heartbeats of an idle source.
const HEARTBEAT_MS: u64 = 500;

/// The link, as configured and as it is.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    /// The source.
    pub(crate) source: Target,
    /// Its index.
    pub(crate) at: usize,
    /// The receiver.
    pub(crate) receiver: Receiver,
    /// Its last permanent error.
    pub(crate) receiver_error: u32,
    /// The applier.
    pub(crate) applier: Applier,
    /// Received and not applied.
    pub(crate) relay: VecDeque<Transaction>,
    /// The connection or the attempt at one; 0 for none.
    pub(crate) connection: u64,
    /// When the source was last heard.
    pub(crate) heard: Timestamp,
    /// When the receiver tries to connect again.
    pub(crate) retry: Timestamp,
    /// Transactions that came over this link.
    pub(crate) received: u64,
    /// The applier is at work on the first of the relay log.
    pub(crate) applying: bool,
    /// The applier waits for a lock that somebody holds.
    pub(crate) blocked: bool,
    /// Extra milliseconds for each transaction.
    pub(crate) slow_ms: u64,
}

impl Link {
    /// A link that was just configured: both threads stopped, nothing received.
    pub(crate) fn new(source: Target, at: usize) -> Self {
        Self {
            source,
            at,
            receiver: Receiver::Stopped,
            receiver_error: 0,
            applier: Applier::Stopped,
            relay: VecDeque::new(),
            connection: 0,
            heard: Timestamp::ZERO,
            retry: Timestamp::ZERO,
            received: 0,
            applying: false,
            blocked: false,
            slow_ms: 0,
        }
    }

    /// What a new process does not know of the old one.
    pub(crate) fn forget_errors(&mut self) {
        self.receiver_error = 0;
        self.received = 0;
        self.slow_ms = 0;
    }

    /// Changes whenever the source is heard.
    pub(crate) fn heard_count(&self) -> u64 {
        self.heard.as_millis() / HEARTBEAT_MS + self.received
    }

    /// The server's own estimate.
    pub(crate) fn lag(&self) -> Option<Duration> {
        (self.applier == Applier::Running)
            .then(|| Duration::from_millis(self.relay.len() as u64 * (10 + self.slow_ms)))
    }
}
