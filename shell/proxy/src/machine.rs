//! The machine as its drivers see it: what `core/session` offers, so that a driver can be tested
//! with a simpler machine and another driver can run the same one.

use std::fmt::Debug;
use std::net::IpAddr;
use std::sync::Arc;

use mainstay_clock::Timestamp;
use mainstay_session::records::Record;
use mainstay_session::{CloseReason, ConnId, Core, Note, Ops, QueryStats, Reset, Sessions};
use mainstay_topology::Routes;

/// A machine that turns what happens on connections into operations on them.
///
/// Each call leaves operations in `out`, which the driver runs before it makes the next call.
pub(crate) trait Machine: Sized + 'static {
    /// What the machine is allowed to do.
    type Policy: Debug + Send + Sync;
    /// What it counts.
    type Stats: Debug + Clone + Send;

    /// A machine without connections, made on the thread that will run it.
    fn start(worker: u32, policy: Arc<Self::Policy>, routes: Arc<Routes>) -> Self;
    /// A client was accepted.
    fn accepted(&mut self, now: Timestamp, peer: Option<IpAddr>, out: &mut Ops) -> ConnId;
    /// Bytes came in.
    fn input(&mut self, now: Timestamp, who: ConnId, bytes: &[u8], out: &mut Ops);
    /// A connection asked for with `Op::Connect` is open.
    fn connected(&mut self, now: Timestamp, who: ConnId, out: &mut Ops);
    /// TLS is established.
    fn secured(&mut self, now: Timestamp, who: ConnId, certified: bool, out: &mut Ops);
    /// A trusted peer tells the address of the client behind it.
    fn came_from(&mut self, now: Timestamp, who: ConnId, ip: IpAddr, out: &mut Ops);
    /// A connection ended without `Op::Close`, or could not be opened.
    fn closed(&mut self, now: Timestamp, who: ConnId, reason: CloseReason, out: &mut Ops);
    /// More is queued for `who` than should be.
    fn blocked(&mut self, now: Timestamp, who: ConnId, queued_bytes: usize, out: &mut Ops);
    /// Nothing is queued for `who` any more.
    fn unblocked(&mut self, now: Timestamp, who: ConnId, out: &mut Ops);
    /// A word of another worker's machine.
    fn note(&mut self, now: Timestamp, note: Note, out: &mut Ops);
    /// New routes.
    fn routes(&mut self, now: Timestamp, routes: Arc<Routes>, out: &mut Ops);
    /// New settings.
    fn policy(&mut self, policy: Arc<Self::Policy>);
    /// Ends a session, or only its statement, whoever it belongs to; false: it is not here.
    fn end(&mut self, now: Timestamp, number: u32, only_query: bool, out: &mut Ops) -> bool;
    /// Everything is to be closed: what clients are told.
    fn stop(&mut self, now: Timestamp, out: &mut Ops);
    /// The clients that another process could serve from now on.
    fn at_rest(&self) -> Vec<ConnId>;
    /// Gives such a client away: what the other process needs to know.
    fn give(&mut self, now: Timestamp, who: ConnId, out: &mut Ops) -> Option<Vec<u8>>;
    /// Takes a client over from another process.
    fn receive(&mut self, now: Timestamp, session: &[u8]) -> Option<ConnId>;
    /// Closes a client at rest, in order.
    fn dismiss(&mut self, now: Timestamp, who: ConnId, out: &mut Ops);
    /// The end of a turn.
    fn tick(&mut self, now: Timestamp, out: &mut Ops);
    /// When the next turn must happen at the latest.
    fn deadline(&self) -> Option<Timestamp>;
    /// The counters.
    fn stats(&self) -> Self::Stats;
    /// Statements and transactions in flight on the writer.
    fn writes_in_flight(&self) -> usize;
    /// What was asked of the servers; what `reset` names is counted from zero afterwards.
    fn queries(&mut self, reset: Reset) -> QueryStats;
    /// What was recorded for the logs since the last call.
    fn take_records(&mut self) -> Vec<Record>;
    /// What the sessions are doing: at most `max` of them, and of the free connections.
    fn sessions(&self, now: Timestamp, max: usize) -> Sessions;
}

impl Machine for Core {
    type Policy = mainstay_session::Policy;
    type Stats = mainstay_session::Stats;

    fn start(worker: u32, policy: Arc<Self::Policy>, routes: Arc<Routes>) -> Self {
        // The nonces of logins come from this seed: without it no login would be safe to offer.
        let seed = getrandom::u64().expect("the kernel gives random bytes to a started system");
        Self::new(policy, routes, seed, worker)
    }

    fn accepted(&mut self, now: Timestamp, peer: Option<IpAddr>, out: &mut Ops) -> ConnId {
        Self::accepted(self, now, peer, out)
    }

    fn input(&mut self, now: Timestamp, who: ConnId, bytes: &[u8], out: &mut Ops) {
        Self::input(self, now, who, bytes, out);
    }

    fn connected(&mut self, now: Timestamp, who: ConnId, out: &mut Ops) {
        Self::connected(self, now, who, out);
    }

    fn secured(&mut self, now: Timestamp, who: ConnId, certified: bool, out: &mut Ops) {
        Self::secured(self, now, who, certified, out);
    }

    fn came_from(&mut self, now: Timestamp, who: ConnId, ip: IpAddr, out: &mut Ops) {
        Self::came_from(self, now, who, ip, out);
    }

    fn closed(&mut self, now: Timestamp, who: ConnId, reason: CloseReason, out: &mut Ops) {
        Self::closed(self, now, who, reason, out);
    }

    fn blocked(&mut self, now: Timestamp, who: ConnId, queued_bytes: usize, out: &mut Ops) {
        Self::blocked(self, now, who, queued_bytes, out);
    }

    fn unblocked(&mut self, now: Timestamp, who: ConnId, out: &mut Ops) {
        Self::unblocked(self, now, who, out);
    }

    fn note(&mut self, now: Timestamp, note: Note, out: &mut Ops) {
        Self::note(self, now, note, out);
    }

    fn routes(&mut self, now: Timestamp, routes: Arc<Routes>, out: &mut Ops) {
        Self::routes(self, now, routes, out);
    }

    fn policy(&mut self, policy: Arc<Self::Policy>) {
        Self::policy(self, policy);
    }

    fn end(&mut self, now: Timestamp, number: u32, only_query: bool, out: &mut Ops) -> bool {
        Self::end(self, now, number, only_query, out)
    }

    fn stop(&mut self, now: Timestamp, out: &mut Ops) {
        Self::stop(self, now, out);
    }

    fn at_rest(&self) -> Vec<ConnId> {
        Self::at_rest(self)
    }

    fn give(&mut self, now: Timestamp, who: ConnId, out: &mut Ops) -> Option<Vec<u8>> {
        Self::give(self, now, who, out)
    }

    fn receive(&mut self, now: Timestamp, session: &[u8]) -> Option<ConnId> {
        Self::receive(self, now, session)
    }

    fn dismiss(&mut self, now: Timestamp, who: ConnId, out: &mut Ops) {
        Self::dismiss(self, now, who, out);
    }

    fn tick(&mut self, now: Timestamp, out: &mut Ops) {
        Self::tick(self, now, out);
    }

    fn deadline(&self) -> Option<Timestamp> {
        Self::deadline(self)
    }

    fn stats(&self) -> Self::Stats {
        Self::stats(self).clone()
    }

    fn writes_in_flight(&self) -> usize {
        Self::writes_in_flight(self)
    }

    fn queries(&mut self, reset: Reset) -> QueryStats {
        Self::queries(self, reset)
    }

    fn take_records(&mut self) -> Vec<Record> {
        Self::take_records(self)
    }

    fn sessions(&self, now: Timestamp, max: usize) -> Sessions {
        Self::sessions(self, now, max)
    }
}
