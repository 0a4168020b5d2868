//! A machine for the tests of the driver: it echoes, or relays to another address, and obeys a few
//! words of its clients.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_session::records::Record;
use mainstay_session::{Chunk, CloseReason, ConnId, Note, Op, Ops, QueryStats, Reset, Sessions};
use mainstay_topology::{Routes, ServerName};

use crate::machine::Machine;

/// Ends the machine with a panic.
pub(crate) const PANIC: &[u8] = b"panic!";
/// A write is in flight until [`COMMIT`].
pub(crate) const BEGIN: &[u8] = b"begin!";
/// Ends what [`BEGIN`] began.
pub(crate) const COMMIT: &[u8] = b"commit!";
/// Answered by the next timer.
pub(crate) const LATER: &[u8] = b"later!";
/// Answered by [`FLOOD_BYTES`], then closed.
pub(crate) const FLOOD: &[u8] = b"flood!";
/// More than the kernel takes at once.
pub(crate) const FLOOD_BYTES: usize = 16 << 20;

/// Where the machine relays to; without it, it echoes.
#[derive(Debug, Default)]
pub(crate) struct Upstream(pub(crate) Option<String>);

/// What the machine saw.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) routes_version: u64,
    pub(crate) blocked: usize,
    pub(crate) unblocked: usize,
    pub(crate) queued_bytes_max: usize,
}

#[derive(Debug)]
pub(crate) struct Toy {
    upstream: Option<String>,
    clients: BTreeSet<u32>,
    begun: BTreeSet<ConnId>,
    timers: BTreeMap<ConnId, Timestamp>,
    seen: Seen,
}

impl Toy {
    fn counterpart(&self, who: ConnId) -> ConnId {
        match (self.upstream.is_some(), who) {
            (true, ConnId::Client(number)) => ConnId::Server(number),
            (true, ConnId::Server(number)) => ConnId::Client(number),
            (false, echoed) => echoed,
        }
    }

    fn forget(&mut self, who: ConnId) {
        let (ConnId::Client(number) | ConnId::Server(number)) = who;
        self.clients.remove(&number);
        self.begun.remove(&who);
        self.timers.remove(&who);
    }
}

fn send(to: ConnId, chunk: Chunk) -> Op {
    Op::Send { to, chunk }
}

impl Machine for Toy {
    type Policy = Upstream;
    type Stats = Seen;

    fn start(_worker: u32, policy: Arc<Upstream>, routes: Arc<Routes>) -> Self {
        Self {
            upstream: policy.0.clone(),
            clients: BTreeSet::new(),
            begun: BTreeSet::new(),
            timers: BTreeMap::new(),
            seen: Seen {
                routes_version: routes.version,
                ..Seen::default()
            },
        }
    }

    fn accepted(&mut self, _now: Timestamp, peer: Option<IpAddr>, out: &mut Ops) -> ConnId {
        assert!(
            peer.is_some_and(|peer| peer.is_loopback()),
            "the peer's address is told"
        );
        // The lowest free number: a number is used again as soon as it can be.
        let free = (0..u32::MAX).find(|number| !self.clients.contains(number));
        let number = free.expect("fewer clients than numbers");
        self.clients.insert(number);
        if let Some(address) = self.upstream.clone() {
            let server = ServerName::new("upstream");
            out.push(Op::Connect {
                id: ConnId::Server(number),
                server,
                address,
            });
        }
        ConnId::Client(number)
    }

    fn input(&mut self, now: Timestamp, who: ConnId, bytes: &[u8], out: &mut Ops) {
        match bytes {
            PANIC => panic!("asked to"),
            FLOOD => {
                out.push(send(who, Chunk::Owned(vec![7; FLOOD_BYTES])));
                out.push(Op::Close(who));
                self.forget(who);
                return;
            }
            BEGIN => assert!(self.begun.insert(who), "begun twice"),
            COMMIT => assert!(self.begun.remove(&who), "not begun"),
            LATER => {
                self.timers.insert(who, now + Duration::from_millis(1));
                return;
            }
            _ => {}
        }
        // In two chunks, so that adjacent sends are exercised.
        let (to, middle) = (self.counterpart(who), bytes.len() / 2);
        out.push(send(to, Chunk::Input(0..middle)));
        out.push(send(to, Chunk::Input(middle..bytes.len())));
    }

    fn end(&mut self, _now: Timestamp, number: u32, _only_query: bool, out: &mut Ops) -> bool {
        let who = ConnId::Client(number);
        let found = self.clients.contains(&number);
        if found {
            out.push(Op::Close(who));
            self.forget(who);
        }
        found
    }

    fn connected(&mut self, _now: Timestamp, who: ConnId, out: &mut Ops) {
        out.push(send(self.counterpart(who), Chunk::Static(b"connected ")));
    }

    fn secured(&mut self, _now: Timestamp, _who: ConnId, _certified: bool, _out: &mut Ops) {}

    fn came_from(&mut self, _now: Timestamp, who: ConnId, ip: IpAddr, out: &mut Ops) {
        out.push(send(who, Chunk::Owned(ip.to_string().into_bytes())));
    }

    fn closed(&mut self, _now: Timestamp, who: ConnId, reason: CloseReason, out: &mut Ops) {
        let counterpart = self.counterpart(who);
        match reason {
            CloseReason::Refused => out.push(send(counterpart, Chunk::Static(b"refused"))),
            CloseReason::Unreachable => out.push(send(counterpart, Chunk::Static(b"unreachable"))),
            CloseReason::Eof | CloseReason::Reset | CloseReason::Tls | CloseReason::Garbled => {}
        }
        out.push(Op::Close(counterpart));
        self.forget(who);
    }

    fn blocked(&mut self, _now: Timestamp, who: ConnId, queued_bytes: usize, out: &mut Ops) {
        self.seen.blocked += 1;
        self.seen.queued_bytes_max = self.seen.queued_bytes_max.max(queued_bytes);
        out.push(Op::Pause(self.counterpart(who)));
    }

    fn unblocked(&mut self, _now: Timestamp, who: ConnId, out: &mut Ops) {
        self.seen.unblocked += 1;
        out.push(Op::Resume(self.counterpart(who)));
    }

    fn stop(&mut self, _now: Timestamp, out: &mut Ops) {
        for number in self.clients.clone() {
            let who = ConnId::Client(number);
            out.push(Op::Close(who));
            self.forget(who);
        }
    }

    fn note(&mut self, _now: Timestamp, _note: Note, _out: &mut Ops) {}

    fn routes(&mut self, _now: Timestamp, routes: Arc<Routes>, _out: &mut Ops) {
        self.seen.routes_version = routes.version;
    }

    fn policy(&mut self, policy: Arc<Upstream>) {
        self.upstream.clone_from(&policy.0);
    }

    fn at_rest(&self) -> Vec<ConnId> {
        let clients = self.clients.iter().map(|&number| ConnId::Client(number));
        clients.filter(|who| !self.begun.contains(who)).collect()
    }

    fn give(&mut self, _now: Timestamp, who: ConnId, _out: &mut Ops) -> Option<Vec<u8>> {
        self.forget(who);
        Some(Vec::new())
    }

    fn receive(&mut self, now: Timestamp, _session: &[u8]) -> Option<ConnId> {
        let peer = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
        Some(self.accepted(now, Some(peer), &mut Ops::new()))
    }

    fn dismiss(&mut self, _now: Timestamp, who: ConnId, out: &mut Ops) {
        self.forget(who);
        out.extend([send(who, Chunk::Static(b"bye")), Op::Close(who)]);
    }

    fn tick(&mut self, now: Timestamp, out: &mut Ops) {
        let due = self.timers.iter().filter(|(_, at)| **at <= now);
        for who in due.map(|(who, _)| *who).collect::<Vec<_>>() {
            self.timers.remove(&who);
            out.push(send(who, Chunk::Static(b"now")));
        }
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.timers.values().min().copied()
    }

    fn stats(&self) -> Seen {
        self.seen.clone()
    }

    fn writes_in_flight(&self) -> usize {
        self.begun.len()
    }

    fn take_records(&mut self) -> Vec<Record> {
        Vec::new()
    }

    fn queries(&mut self, _reset: Reset) -> QueryStats {
        QueryStats::default()
    }

    fn sessions(&self, _now: Timestamp, _max: usize) -> Sessions {
        Sessions::default()
    }
}
