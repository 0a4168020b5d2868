//! The entry points of the machine. Each takes the time and leaves operations in `out`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use mainstay_clock::Timestamp;
use mainstay_topology::Routes;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::cache::Cache;
use crate::causal::Wishes;
use crate::counts::Counts;
use crate::full_login::Learned;
use crate::guests::Guests;
use crate::hosts::Hosts;
use crate::mirror::Copies;
use crate::op::{CloseReason, ConnId, Op, Ops};
use crate::policy::Policy;
use crate::queries::{Queries, QueryStats, Reset};
use crate::records::Record;
use crate::rulebook::Rulebook;
use crate::ruling::Ruled;
use crate::server::{Server, ServerPhase};
use crate::session::Session;
use crate::slots::Slots;
use crate::stats::Stats;
use crate::tie::Ties;
use crate::timers::Timers;
use crate::turns::Crowd;
use crate::upstream::Upstream;
use crate::warm::Warm;

/// The machine of one worker thread.
#[derive(Debug)]
pub struct Core {
    pub(crate) policy: Arc<Policy>,
    pub(crate) routes: Arc<Routes>,
    /// The time of the current call.
    pub(crate) now: Timestamp,
    pub(crate) worker: u32,
    pub(crate) random: ChaCha20Rng,
    /// The serial of the last session.
    pub(crate) serial: u64,
    /// Numbers of sessions that began in another process.
    pub(crate) received: BTreeSet<u32>,
    /// Passwords of users known by a hash only.
    pub(crate) learned: BTreeMap<String, Learned>,
    /// Users whom servers let in.
    pub(crate) guests: Guests,
    pub(crate) clients: Slots<Session>,
    pub(crate) servers: Slots<Server>,
    pub(crate) upstreams: Vec<Upstream>,
    /// Which of them is the writer in the routes in force.
    pub(crate) writer: Option<usize>,
    /// Sessions held, in order.
    pub(crate) hold: VecDeque<u32>,
    /// Sessions that may have another command in their inbox.
    pub(crate) ready: VecDeque<u32>,
    /// The command being handled lies in this range of the input of the current call.
    pub(crate) origin: Option<(u32, Range<usize>)>,
    /// Buffers of commands, used again.
    pub(crate) spare: Vec<Vec<u8>>,
    pub(crate) timers: Timers,
    pub(crate) cache: Cache,
    pub(crate) copies: Copies,
    pub(crate) stats: Stats,
    pub(crate) counts: Counts,
    pub(crate) hosts: Hosts,
    /// For the logs, until they are taken.
    pub(crate) records: Vec<Record>,
    /// Who is being refused.
    pub(crate) refused_user: String,
    pub(crate) queries: Queries,
    pub(crate) book: Rulebook,
    /// What was decided about the command that is started next.
    pub(crate) ruled: Ruled,
    /// The digest text of the statement that was read last.
    pub(crate) digest_text: Vec<u8>,
    pub(crate) wishes: Wishes,
    pub(crate) warm: Warm,
    pub(crate) crowd: Crowd,
    /// When it was looked for readers that hang.
    pub(crate) readers_seen: Timestamp,
    /// Some session has asked for the counters of its last statement.
    pub(crate) asked: bool,
    /// Turns the choice among equally loaded readers.
    pub(crate) turn: usize,
}

impl Core {
    /// A machine without clients. `seed` feeds the nonces of logins and must differ between
    /// workers and starts; `worker` keeps the connection ids of workers apart.
    pub fn new(policy: Arc<Policy>, routes: Arc<Routes>, seed: u64, worker: u32) -> Self {
        let mut core = Self {
            routes: Arc::new(Routes::default()),
            now: Timestamp::ZERO,
            worker,
            random: ChaCha20Rng::seed_from_u64(seed),
            serial: 0,
            received: BTreeSet::new(),
            learned: BTreeMap::new(),
            guests: Guests::default(),
            clients: Slots::new(),
            servers: Slots::new(),
            upstreams: Vec::new(),
            writer: None,
            hold: VecDeque::new(),
            ready: VecDeque::new(),
            origin: None,
            spare: Vec::new(),
            timers: Timers::default(),
            cache: Cache::default(),
            copies: Copies::default(),
            stats: Stats::default(),
            counts: Counts::default(),
            hosts: Hosts::new(),
            records: Vec::new(),
            refused_user: String::new(),
            queries: Queries::default(),
            book: Rulebook::new(&policy, seed),
            ruled: Ruled::default(),
            digest_text: Vec::new(),
            wishes: Wishes::default(),
            warm: Warm::default(),
            crowd: Crowd::default(),
            readers_seen: Timestamp::ZERO,
            turn: 0,
            asked: false,
            policy,
        };
        core.adopt(routes, &mut Ops::new());
        core
    }

    /// A client was accepted: gives it an id and greets it. Over the limit of clients, the
    /// operations are an error packet and a close.
    pub fn accepted(&mut self, now: Timestamp, peer: Option<IpAddr>, out: &mut Ops) -> ConnId {
        self.now = now;
        ConnId::Client(self.greet(peer, out))
    }

    /// Bytes came in from a connection; `Chunk::Input` in `out` means ranges of `bytes`.
    pub fn input(&mut self, now: Timestamp, who: ConnId, bytes: &[u8], out: &mut Ops) {
        self.now = now;
        match who {
            ConnId::Client(id) => self.client_input(id, bytes, out),
            ConnId::Server(id) => self.server_input(id, bytes, out),
        }
        self.settle(out);
    }

    /// An `Op::Connect` succeeded.
    pub fn connected(&mut self, now: Timestamp, who: ConnId, out: &mut Ops) {
        self.now = now;
        if let ConnId::Server(id) = who {
            self.opened(id, out);
        }
    }

    /// TLS is established after `Op::StartTls`. `certified`: the peer proved a certificate that an
    /// authority of the settings signed.
    pub fn secured(&mut self, now: Timestamp, who: ConnId, certified: bool, out: &mut Ops) {
        self.now = now;
        match who {
            ConnId::Client(id) => self.client_secured(id, certified),
            ConnId::Server(id) => self.server_secured(id, out),
        }
        self.settle(out);
    }

    /// A trusted peer says, before anything else, that the client is at this address.
    pub fn came_from(&mut self, _now: Timestamp, who: ConnId, ip: IpAddr, _out: &mut Ops) {
        if let ConnId::Client(id) = who
            && let Some(session) = self.clients.get_mut(id)
        {
            session.host = ip.to_string();
        }
    }

    /// A connection ended, or an `Op::Connect` failed. Never called for an id after `Op::Close`
    /// was run for it.
    pub fn closed(&mut self, now: Timestamp, who: ConnId, reason: CloseReason, out: &mut Ops) {
        self.now = now;
        self.count_broken(who, reason);
        match who {
            ConnId::Client(id) => self.client_gone(id, out),
            ConnId::Server(id) => self.lost(id, out),
        }
        self.settle(out);
    }

    /// The driver has `queued_bytes` that `who` does not take: its counterpart is paused.
    pub fn blocked(&mut self, now: Timestamp, who: ConnId, _queued_bytes: usize, out: &mut Ops) {
        self.now = now;
        match who {
            ConnId::Client(id) => self.client_blocked(id, out),
            ConnId::Server(id) => {
                if let Some(session) = self.servers.get(id).and_then(Server::session) {
                    self.pause_client(session, out);
                }
            }
        }
    }

    /// All that was queued for `who` has been sent: its counterpart is read again.
    pub fn unblocked(&mut self, now: Timestamp, who: ConnId, out: &mut Ops) {
        self.now = now;
        match who {
            ConnId::Client(id) => self.client_unblocked(id, out),
            ConnId::Server(id) => {
                if let Some(session) = self.servers.get(id).and_then(Server::session) {
                    self.resume_client(session, out);
                }
            }
        }
        self.settle(out);
    }

    /// New routes came from the manager; older ones than those in force are ignored.
    pub fn routes(&mut self, now: Timestamp, routes: Arc<Routes>, out: &mut Ops) {
        self.now = now;
        if routes.is_newer_than(&self.routes) {
            self.adopt(routes, out);
            self.settle(out);
        }
    }

    /// New settings, in force for everything that begins after this call.
    pub fn policy(&mut self, policy: Arc<Policy>) {
        if !policy.cache.on {
            self.cache.clear();
        }
        self.change_budget(policy.pool.budget.as_deref());
        policy.causal.board.absorb(&self.policy.causal.board);
        self.book.adopt(&self.policy, &policy, self.serial);
        self.policy = policy;
        self.guests.doubt();
        let looks = self.policy.timeouts.reader.is_some();
        for upstream in &mut self.upstreams {
            upstream.without_tls = false;
            if !looks {
                // Nobody would ask it again.
                upstream.life.hung = None;
            }
        }
        self.take_traits();
        for client in self.clients.ids() {
            self.warm_for(client);
        }
        self.warm.look_at(self.now);
    }

    /// Called once at the end of each turn of the driver's loop: runs the timers that are due and
    /// lets ids closed in this turn be used again.
    pub fn tick(&mut self, now: Timestamp, out: &mut Ops) {
        self.now = now;
        self.clients.sweep();
        self.servers.sweep();
        while let Some(who) = self.timers.next_due(now) {
            match who {
                ConnId::Client(id) => self.client_timer(id, out),
                ConnId::Server(id) => self.server_timer(id, out),
            }
        }
        self.retry_upstreams(out);
        self.feed_starving(out);
        self.warm_up(out);
        self.thin_crowd(out);
        self.look_at_readers(out);
        self.forget_guests();
        self.settle(out);
    }

    /// When `tick` must be called although nothing else happens.
    pub fn deadline(&self) -> Option<Timestamp> {
        let pauses = self
            .upstreams
            .iter()
            .flat_map(|one| [one.opening.until, one.writing.until, one.starves_until]);
        pauses
            .chain([
                self.timers.deadline(),
                self.warm.due,
                self.crowd.look_at,
                self.readers_due(),
                self.guests.deadline(),
            ])
            .flatten()
            .min()
    }

    /// Counters, and gauges as they are now.
    pub fn stats(&self) -> Stats {
        let mut stats = self.stats.clone();
        stats.cache = self.cache.stats();
        stats.sessions = self.clients.len() - self.copies.len();
        let sessions = self.clients.iter();
        stats.held = sessions.filter(|(_, one)| self.is_held(one)).count();
        for (_, session) in self.clients.iter() {
            for reason in session.ties.added(Ties::default()) {
                *stats.tied.entry(reason).or_default() += 1;
            }
        }
        for upstream in &self.upstreams {
            let server = stats
                .servers
                .entry(upstream.target.name.clone())
                .or_default();
            server.idle = upstream.idle.len();
            server.waiting = upstream.waiters.len();
            server.statements = upstream.statements;
            server.lost = upstream.lost;
            server.queued = upstream.queue.served;
            server.queue_time = upstream.queue.time;
            server.queue_time_max = upstream.queue.time_max;
            upstream.report(server);
        }
        for (_, server) in self.servers.iter() {
            let name = &self.upstreams[server.upstream].target.name;
            let Some(counted) = stats.servers.get_mut(name) else {
                continue;
            };
            counted.connecting += usize::from(server.is_opening());
            counted.used += usize::from(server.session().is_some());
            counted.writes_in_flight += usize::from(self.is_writing(server));
        }
        stats.tally = self.tally();
        stats
    }

    /// What was asked of the servers since the start; what `reset` names is counted from zero
    /// afterwards.
    pub fn queries(&mut self, reset: impl Into<Reset>) -> QueryStats {
        let reset = reset.into();
        let mut stats = self.queries.take(self.now, reset);
        let everything = reset == Reset::Everything;
        self.book.report(&self.policy.rules, &mut stats, everything);
        stats
    }

    /// Writes and open transactions in flight on the writer: a switchover waits until it is zero.
    pub fn writes_in_flight(&self) -> usize {
        let writer = self.writer;
        let servers = self.servers.iter().map(|(_, server)| server);
        servers
            .filter(|one| Some(one.upstream) == writer && self.is_writing(one))
            .count()
    }

    fn is_writing(&self, server: &Server) -> bool {
        let session = server.session().and_then(|id| self.clients.get(id));
        session.is_some_and(|session| {
            let sent = matches!(server.phase, ServerPhase::Reply { .. });
            let writes = session
                .running()
                .is_some_and(|running| !running.job.is_read());
            session.in_transaction() || sent && writes
        })
    }

    /// Handles the commands that clients had sent ahead of their turn.
    pub(crate) fn settle(&mut self, out: &mut Ops) {
        while let Some(client) = self.ready.pop_front() {
            self.client_input(client, &[], out);
        }
        self.end_copies(out);
    }

    /// Closes a server connection without a word about its session.
    pub(crate) fn close_server(&mut self, id: u32, out: &mut Ops) {
        self.forget_server(id);
        out.push(Op::Close(ConnId::Server(id)));
    }

    /// Drops what is known of a server connection that is closed.
    pub(crate) fn forget_server(&mut self, id: u32) {
        let Some(server) = self.servers.close(id) else {
            return;
        };
        self.timers.disarm(ConnId::Server(id));
        self.count_closed(server.upstream, server.traffic);
        let upstream = &mut self.upstreams[server.upstream];
        upstream.open -= 1;
        upstream.idle.retain(|&other| other != id);
        self.give_back(server.upstream);
        self.cooled();
    }
}
