//! Server connections from their opening to their first rest, and what happens when there is none
//! to be had: the server is left alone for a moment, and its sessions look elsewhere.

use mainstay_wire::handshake::Salt;
use mainstay_wire::{ErrPacket, ResponseTracker, proxy_protocol};

use crate::core::Core;
use crate::counts::Traffic;
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::server::{Server, ServerPhase};
use crate::server_login::ServerLogin;
use crate::session::{Key, Session, Stage};
use crate::state::State;
use crate::statements::ServerStatements;
use crate::tracking::Tracking;

/// What a server refuses a login by that it may take in a moment: too many connections, or it
/// starts or stops.
pub(crate) const PASSING: [u16; 6] = [1040, 1053, 1129, 1203, 3032, 1927];

impl Core {
    /// Opens a connection; gives its number.
    pub(crate) fn open(&mut self, upstream: usize, key: Key, out: &mut Ops) -> u32 {
        let deadline = self.now + self.policy.timeouts.connect;
        let target = &self.upstreams[upstream].target;
        let server = target.name.clone();
        // By a socket, a server may let in whom it takes for the user of this process.
        let is_ours = self.policy.users.contains_key(&*key.user);
        let socket = self.policy.sockets.get(&server).filter(|_| is_ours);
        let address = match socket {
            Some(path) => format!("unix:{path}"),
            None => target.address.to_string(),
        };
        let id = self.servers.insert(Server {
            upstream,
            tracker: ResponseTracker::new(key.capabilities),
            key,
            phase: ServerPhase::Connecting { deadline },
            inbox: Vec::new(),
            applied: State::default(),
            opened_at: self.now,
            sum: None,
            tracking: Tracking::Unable,
            is_mariadb: false,
            tells_gtids: false,
            login_set: String::new(),
            lacks_login: false,
            stale_schema: false,
            dirty: false,
            last_user: 0,
            last_client: 0,
            found_by: 0,
            warned_by: 0,
            statements: ServerStatements::new(self.policy.pool.statements_max.max(1)),
            paused: false,
            in_soft: false,
            lists: false,
            fill: None,
            thread: 0,
            salt: Salt::default(),
            knows_reset: true,
            spent: false,
            secure: false,
            compression: None,
            opener: None,
            traffic: Traffic::default(),
            errand: None,
        });
        self.upstreams[upstream].open += 1;
        self.timers.arm(ConnId::Server(id), deadline);
        out.push(Op::Connect {
            id: ConnId::Server(id),
            server,
            address,
        });
        id
    }

    /// The connection is open: what a server is told before it greets.
    pub(crate) fn opened(&mut self, id: u32, out: &mut Ops) {
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        let ServerPhase::Connecting { deadline } = server.phase else {
            return;
        };
        let login = ServerLogin::Greeting;
        server.phase = ServerPhase::Login { login, deadline };
        if let Some(address) = server.key.address {
            out.push(Op::Send {
                to: ConnId::Server(id),
                chunk: Chunk::Owned(proxy_protocol::encode(address)),
            });
        }
    }

    /// A connection has logged in.
    pub(crate) fn server_ready(&mut self, id: u32, out: &mut Ops) {
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        server.inbox.clear();
        server.opener = None;
        let upstream = &mut self.upstreams[server.upstream];
        upstream.opened += 1;
        let opening = &mut upstream.opening;
        let was_paused = std::mem::take(opening).until.is_some();
        if !self.errand_begins(id, out) {
            self.offer(id, out);
        }
        if was_paused {
            self.release_held(out);
        }
    }

    /// A server refused the login. What may pass (too many connections, a server that starts or
    /// stops) counts as no connection; the rest is for the client to read.
    pub(crate) fn login_failed(&mut self, id: u32, error: &ErrPacket, out: &mut Ops) {
        let Some(server) = self.servers.get(id) else {
            return;
        };
        if server.errand.is_some() {
            out.push(Op::Close(ConnId::Server(id)));
            return self.errand_failed(id, Some(error), out);
        }
        let (index, key) = (server.upstream, server.key.clone());
        self.close_server(id, out);
        if PASSING.contains(&error.code) {
            return self.unreachable(index, out);
        }
        self.upstreams[index].lost += 1;
        self.upstreams[index].failed += 1;
        self.warm.forget(&key);
        self.guests.doubt_user(&key.user);
        let waiter = self.upstreams[index].waiters.iter().position(|&client| {
            self.clients
                .get(client)
                .is_some_and(|session| session.key == key)
        });
        if let Some(client) = waiter.and_then(|at| self.upstreams[index].waiters.remove(at)) {
            self.login_refused(client, index, error, out);
        }
        self.grow(index, out);
    }

    /// A reader may lag behind the creation of an account: what it refuses, the writer decides.
    fn login_refused(&mut self, client: u32, index: usize, error: &ErrPacket, out: &mut Ops) {
        let running = self.clients.get_mut(client).and_then(Session::running_mut);
        if let Some(running) = running.filter(|one| !one.to_writer)
            && self.writer.is_some_and(|writer| writer != index)
        {
            running.to_writer = true;
            running.stage = Stage::Setup;
            return self.dispatch(client, out);
        }
        self.pass_error(client, error, out);
    }

    /// No connection to the server could be had: everybody who waits for it looks again.
    pub(crate) fn unreachable(&mut self, index: usize, out: &mut Ops) {
        let now = self.now;
        let upstream = &mut self.upstreams[index];
        upstream.lost += 1;
        upstream.failed += 1;
        upstream.opening.failed(now);
        self.redispatch(index, out);
    }

    /// Sends the sessions that wait for this server to look for one again.
    pub(crate) fn redispatch(&mut self, index: usize, out: &mut Ops) {
        for client in std::mem::take(&mut self.upstreams[index].waiters) {
            if let Some(running) = self.clients.get_mut(client).and_then(Session::running_mut) {
                running.stage = Stage::Setup;
            }
            self.dispatch(client, out);
        }
    }

    /// The timer of a server connection rang.
    pub(crate) fn server_timer(&mut self, id: u32, out: &mut Ops) {
        let now = self.now;
        let age_max = self.policy.pool.idle_age_max;
        let Some(server) = self.servers.get(id) else {
            return;
        };
        let wanted = self.is_wanted_elsewhere(server.upstream);
        let look = now + self.idle_look(server.upstream);
        let deadline = match server.phase {
            ServerPhase::Connecting { deadline }
            | ServerPhase::Login { deadline, .. }
            | ServerPhase::Cleaning { deadline }
            | ServerPhase::Errand { deadline } => deadline,
            ServerPhase::Idle { .. } if wanted => now,
            ServerPhase::Idle { since } if since + age_max <= now && self.is_warm(id) => look,
            ServerPhase::Idle { since } => (since + age_max).min(look),
            ServerPhase::Setup { .. }
            | ServerPhase::Reply { .. }
            | ServerPhase::Tied { .. }
            | ServerPhase::Spliced { .. } => now + age_max,
        };
        if deadline > now {
            return self.timers.arm(ConnId::Server(id), deadline);
        }
        if server.errand.is_some() {
            out.push(Op::Close(ConnId::Server(id)));
            return self.errand_failed(id, None, out);
        }
        let (upstream, opening) = (server.upstream, server.is_opening());
        let key = server.key.clone();
        self.close_server(id, out);
        if opening {
            self.unreachable(upstream, out);
            self.opening_hangs(upstream, key, out);
        }
    }

    /// Pauses that are over: held and waiting sessions try again.
    pub(crate) fn retry_upstreams(&mut self, out: &mut Ops) {
        let now = self.now;
        let mut over = false;
        for upstream in &mut self.upstreams {
            over |= upstream.opening.is_over(now) | upstream.writing.is_over(now);
        }
        if over {
            self.release_held(out);
        }
    }
}
