//! The entry points of the machine. Each takes the time and leaves operations in `out`.

use std::net::IpAddr;
use std::sync::Arc;

use mainstay_clock::Timestamp;
use mainstay_topology::Routes;

use crate::op::{CloseReason, ConnId, Ops};
use crate::policy::Policy;
use crate::stats::Stats;

/// The machine of one worker thread.
#[derive(Debug)]
pub struct Core {
    policy: Arc<Policy>,
    routes: Arc<Routes>,
    stats: Stats,
}

impl Core {
    /// A machine without clients. `seed` feeds the nonces of logins and must differ between
    /// workers and starts; `worker` keeps the connection ids of workers apart.
    pub fn new(policy: Arc<Policy>, routes: Arc<Routes>, seed: u64, worker: u32) -> Self {
        let _ = (seed, worker);
        Self {
            policy,
            routes,
            stats: Stats::default(),
        }
    }

    /// A client was accepted: gives it an id and greets it. Over the limit of clients, the
    /// operations are an error packet and a close.
    pub fn accepted(&mut self, now: Timestamp, peer: Option<IpAddr>, out: &mut Ops) -> ConnId {
        let _ = (now, peer, out, &self.policy);
        ConnId::Client(0)
    }

    /// Bytes came in from a connection; `Chunk::Input` in `out` means ranges of `bytes`.
    pub fn input(&mut self, now: Timestamp, who: ConnId, bytes: &[u8], out: &mut Ops) {
        let _ = (now, who, bytes, out);
    }

    /// An `Op::Connect` succeeded.
    pub fn connected(&mut self, now: Timestamp, who: ConnId, out: &mut Ops) {
        let _ = (now, who, out);
    }

    /// A connection ended, or an `Op::Connect` failed. Never called for an id after `Op::Close`
    /// was run for it.
    pub fn closed(&mut self, now: Timestamp, who: ConnId, reason: CloseReason, out: &mut Ops) {
        let _ = (now, who, reason, out);
    }

    /// The driver has `queued_bytes` that `who` does not take: its counterpart is paused.
    pub fn blocked(&mut self, now: Timestamp, who: ConnId, queued_bytes: usize, out: &mut Ops) {
        let _ = (now, who, queued_bytes, out);
    }

    /// All that was queued for `who` has been sent: its counterpart is read again.
    pub fn unblocked(&mut self, now: Timestamp, who: ConnId, out: &mut Ops) {
        let _ = (now, who, out);
    }

    /// New routes came from the manager; older ones than those in force are ignored.
    pub fn routes(&mut self, now: Timestamp, routes: Arc<Routes>, out: &mut Ops) {
        let _ = (now, out);
        self.routes = routes;
    }

    /// New settings, in force for everything that begins after this call.
    pub fn policy(&mut self, policy: Arc<Policy>) {
        self.policy = policy;
    }

    /// Called once at the end of each turn of the driver's loop: runs the timers that are due and
    /// lets ids closed in this turn be used again.
    pub fn tick(&mut self, now: Timestamp, out: &mut Ops) {
        let _ = (now, out);
    }

    /// When `tick` must be called although nothing else happens.
    pub fn deadline(&self) -> Option<Timestamp> {
        None
    }

    /// Counters and gauges.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Writes and open transactions in flight on the writer: a switchover waits until it is zero.
    pub fn writes_in_flight(&self) -> usize {
        0
    }
}
