//! Pools: sessions get connections in the order in which they asked, connections are opened up to
//! the cap, and what is free goes to the first who can use it.

use std::time::Duration;

use crate::core::Core;
use crate::counts::Count;
use crate::op::{ConnId, Ops};
use crate::server::{Server, ServerPhase, Step};
use crate::session::{Job, Key, Session, Stage};
use crate::state::State;
use crate::tie::Ties;
use crate::tracking::Tracking;

/// Who asks for the counters of a statement does so at once.
const COUNTERS_KEPT: Duration = Duration::from_secs(1);

impl Core {
    /// Gives the session a connection to the server, now or as soon as there is one.
    pub(crate) fn acquire(&mut self, client: u32, upstream: usize, out: &mut Ops) {
        self.counts.one(Count::PoolAsked);
        if let Some(server) = self.pick_idle(client, upstream) {
            if !self.must_be_cleaned(client, server) {
                self.counts.one(Count::PoolAtOnce);
                return self.take_idle(client, server, out);
            }
            self.upstreams[upstream]
                .idle
                .retain(|&other| other != server);
            self.clean(server, out);
        }
        let limit = self.policy.timeouts.pool_wait;
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let Some(running) = session.running_mut() else {
            return;
        };
        running.stage = Stage::Waiting(upstream);
        running.queued_at = self.now;
        let deadline = running.since + limit;
        self.upstreams[upstream].waiters.push_back(client);
        self.timers.arm(ConnId::Client(client), deadline);
        self.grow(upstream, out);
    }

    /// The idle connection that needs the least set-up for the session.
    fn pick_idle(&self, client: u32, upstream: usize) -> Option<u32> {
        let session = self.clients.get(client)?;
        // Its own last one needs nothing at all, and its counters are nobody else's.
        let own = session.last_on.filter(|&id| {
            let server = self.servers.get(id).filter(|one| one.upstream == upstream);
            server.is_some_and(|server| session.was_last_on(id, server))
        });
        if own.is_some() {
            return own;
        }
        let follows = session
            .running()
            .and_then(|running| running.job.statement())
            .is_some_and(mainstay_sql::Statement::follows_previous);
        let mut best = None;
        for &id in self.upstreams[upstream].idle.iter().rev() {
            let Some(server) = self.servers.get(id) else {
                continue;
            };
            if server.key != session.key || !server.applied.can_become(&session.state) {
                continue;
            }
            if follows && session.was_last_on(id, server) {
                return Some(id);
            }
            let set_up = server.applied != session.state;
            let rank = (self.is_anothers_last(client, id), set_up);
            if !follows && rank == (false, false) {
                return Some(id);
            }
            if best.is_none_or(|(before, _)| rank < before) {
                best = Some((rank, id));
            }
        }
        let ((anothers, _), id) = best?;
        (!anothers || !self.may_spare(id)).then_some(id)
    }

    /// True when another session may still ask for the counters that the connection has.
    fn is_anothers_last(&self, client: u32, id: u32) -> bool {
        let owner = self.servers.get(id).filter(|one| one.last_client != client);
        owner.is_some_and(|server| {
            let owner = self.clients.get(server.last_client);
            owner.is_some_and(|one| one.serial == server.last_user && one.last_on == Some(id))
        })
    }

    /// True when sessions ask for such counters here, this one was used just now, and another
    /// connection can be opened instead.
    fn may_spare(&self, id: u32) -> bool {
        let Some(server) = self.servers.get(id) else {
            return false;
        };
        let ServerPhase::Idle { since } = server.phase else {
            return false;
        };
        let pool = &self.policy.pool;
        let room = match &pool.budget {
            Some(budget) => budget.share(&self.upstreams[server.upstream].target.name),
            None => pool.server_connections_max,
        };
        let upstream = &self.upstreams[server.upstream];
        self.asked && self.now.since(since) < COUNTERS_KEPT && upstream.open < room
    }

    /// Gives the session this idle connection.
    pub(crate) fn take_idle(&mut self, client: u32, id: u32, out: &mut Ops) {
        let Some(server) = self.servers.get(id) else {
            return;
        };
        let idle = &mut self.upstreams[server.upstream].idle;
        // Mostly it is one of the last.
        if let Some(place) = idle.iter().rposition(|&other| other == id) {
            idle.remove(place);
        }
        self.attach(client, id, out);
    }

    fn attach(&mut self, client: u32, server: u32, out: &mut Ops) {
        self.counts.one(Count::PoolGiven);
        self.note_used(server);
        if let Some(session) = self.clients.get_mut(client) {
            session.server = Some(server);
        }
        self.begin(client, server, out);
    }

    /// Opens as many connections as the waiting sessions need and the cap allows.
    pub(crate) fn grow(&mut self, upstream: usize, out: &mut Ops) {
        let one = &self.upstreams[upstream];
        if one.waiters.is_empty() || !one.is_usable() {
            return;
        }
        // At the cap this is all that each statement costs, however many wait.
        if !self.has_room(upstream) && !self.make_room(upstream, out) {
            return;
        }
        for client in self.unserved(upstream) {
            let may =
                self.may_open(upstream) || self.make_room(upstream, out) && self.may_open(upstream);
            if !may {
                return;
            }
            let Some(session) = self.clients.get(client) else {
                continue;
            };
            let (key, opener) = (session.key.clone(), session.opener());
            let id = self.open(upstream, key, out);
            if let Some(server) = self.servers.get_mut(id) {
                server.opener = Some(Box::new(opener));
            }
        }
    }

    /// The waiting sessions for which no connection is being opened.
    fn unserved(&self, upstream: usize) -> Vec<u32> {
        let servers = self.servers.iter().map(|(_, server)| server);
        let mut opening: Vec<&Key> = servers
            .filter(|server| server.upstream == upstream && server.is_opening())
            .map(|server| &server.key)
            .collect();
        let mut waiters = self.upstreams[upstream].waiters.clone();
        waiters.retain(|&client| {
            let Some(session) = self.clients.get(client) else {
                return false;
            };
            let found = opening.iter().position(|key| **key == session.key);
            found.map(|place| opening.swap_remove(place)).is_none()
        });
        waiters.into()
    }

    /// At the cap: gives up an idle connection that no waiting session can use, or one that is
    /// kept only for the counters of a finished statement.
    fn make_room(&mut self, upstream: usize, out: &mut Ops) -> bool {
        if let Some(&oldest) = self.upstreams[upstream].idle.first() {
            self.close_server(oldest, out);
            return true;
        }
        while let Some(id) = self.upstreams[upstream].soft.pop_front() {
            let Some(server) = self.servers.get_mut(id) else {
                continue;
            };
            server.in_soft = false;
            let ServerPhase::Tied { session } = server.phase else {
                continue;
            };
            let ties = self.clients.get(session).map(|session| session.ties);
            if ties.is_some_and(Ties::is_soft) {
                self.untie(session, out);
                break;
            }
        }
        false
    }

    fn note_used(&mut self, server: u32) {
        let Some(server) = self.servers.get(server) else {
            return;
        };
        let upstream = &mut self.upstreams[server.upstream];
        let used = upstream.open - upstream.idle.len();
        upstream.used_max = upstream.used_max.max(used);
    }

    /// A free and clean connection: to the first waiting session that can use it, else idle.
    pub(crate) fn offer(&mut self, id: u32, out: &mut Ops) {
        let now = self.now;
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        server.phase = ServerPhase::Idle { since: now };
        self.counts.one(Count::PoolReturned);
        let (index, key, opened_at) = (server.upstream, &server.key, server.opened_at);
        let upstream = &mut self.upstreams[index];
        let waiter = upstream.waiters.iter().position(|&client| {
            self.clients.get(client).is_some_and(|session| {
                session.key == *key && server.applied.can_become(&session.state)
            })
        });
        let mut waiter = waiter.and_then(|place| upstream.waiters.remove(place));
        if waiter.is_none() {
            waiter = self.read_waiting_elsewhere(id);
        }
        if let Some(client) = waiter {
            let upstream = &mut self.upstreams[index];
            let running = self.clients.get(client).and_then(Session::running);
            if let Some(queued_at) = running.map(|running| running.queued_at) {
                upstream.queue.waited(now.since(queued_at));
            }
            return self.attach(client, id, out);
        }
        let old = self
            .policy
            .pool
            .age_max
            .is_some_and(|max| now.since(opened_at) > max);
        let upstream = &mut self.upstreams[index];
        upstream.idle.push(id);
        if !upstream.listed || old || self.is_wanted_elsewhere(index) {
            return self.close_server(id, out);
        }
        self.timers
            .arm(ConnId::Server(id), now + self.idle_look(index));
        let upstream = &self.upstreams[index];
        if upstream.idle.len() > self.policy.pool.idle_max {
            let oldest = upstream.idle[0];
            self.close_server(oldest, out);
        }
        self.grow(index, out);
    }

    /// The session needs its connection no longer: it is cleaned if it must be, and offered.
    pub(crate) fn untie(&mut self, client: u32, out: &mut Ops) {
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let traces = session.ties.leaves_traces();
        session.ties = Ties::default();
        session.held = None;
        let Some(id) = session.server.take() else {
            return;
        };
        self.resume_server(id, out);
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        if server.spent {
            let upstream = server.upstream;
            self.close_server(id, out);
            return self.grow(upstream, out);
        }
        server.dirty |= traces;
        if !server.dirty {
            return self.offer(id, out);
        }
        self.clean(id, out);
    }
}

impl Server {
    /// `COM_RESET_CONNECTION` succeeded: it keeps the schema, and nothing else.
    pub(crate) fn was_reset(&mut self) {
        self.applied.reset();
        self.statements.clear();
        self.dirty = false;
        self.lacks_login = !self.login_set.is_empty();
        self.stale_schema = self.applied.schema.is_some();
        self.tells_gtids = false;
        self.last_user = 0;
        self.warned_by = 0;
        if self.tracking == Tracking::All {
            self.tracking = Tracking::Usual;
        }
    }

    /// False when nothing is lost by an error: what a server does not take of a login here, it did
    /// not take from the login either; and who is in a schema that is gone stays in it.
    pub(crate) fn must_take(&self, step: &Step, session: &Session) -> bool {
        if let Step::Schema(name) = step {
            let job = session.running().map(|running| &running.job);
            let names = matches!(job, Some(Job::Login | Job::InitDb { .. }));
            return names || self.applied.schema.as_ref() != Some(name);
        }
        !matches!(step, Step::Login)
    }

    /// What a step of a set-up has changed.
    pub(crate) fn stepped(&mut self, step: &Step, wanted: &State) -> Vec<u32> {
        match step {
            Step::Reset => self.was_reset(),
            Step::Set => self.applied.take_variables(wanted),
            Step::Login => self.lacks_login = false,
            Step::Gtids => self.tells_gtids = true,
            Step::Found | Step::Ping | Step::Usual | Step::Wait(_) | Step::Replay(_) => {}
            Step::Track(all) => {
                self.tracking = if *all { Tracking::All } else { Tracking::Usual };
                self.tells_gtids = *all && (self.tells_gtids || self.is_mariadb);
            }
            Step::Schema(name) => {
                self.applied.schema = Some(name.clone());
                self.stale_schema = false;
            }
            Step::Prepare(text) => {
                if let Some(prepared) = self.tracker.summary().prepared {
                    return self
                        .statements
                        .insert(std::sync::Arc::clone(text), prepared.statement_id);
                }
            }
        }
        Vec::new()
    }
}
