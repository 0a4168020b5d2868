//! The proxy as the rest of the program sees it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use mainstay_session::explain::{Asked, Explanation};
use mainstay_session::inventory::{Inventory, add_inventory};
use mainstay_session::policy::Budget;
use mainstay_session::{
    CachePolicy, Core, Hold, Places, Policy, Pool, QueryStats, Reset, Sessions, Stats, Written,
};
use mainstay_topology::Routes;

use crate::crew::{Crew, Start};
use crate::door::Door;
use crate::error::Error;
use crate::filters::Filters;
use crate::gate::StillBusy;
use crate::io::Io;
use crate::leaving::{Leaving, Moved};
use crate::recorder::Recorder;
use crate::stats::{ProxyStats, add};

/// How to start a proxy.
#[derive(Debug, Clone)]
pub struct ProxyOptions {
    /// Where clients connect; port 0 is any free one.
    pub listen: SocketAddr,
    /// Worker threads: one per processor.
    pub workers: usize,
    /// Run the workers in `SCHED_BATCH`: less processor time per query where the proxy shares
    /// processors with its clients or servers.
    pub sched_batch: bool,
    /// What the workers read and write with.
    pub io: Io,
    /// What sessions may do. Its counts are for the whole proxy: each worker gets its share.
    pub policy: Arc<Policy>,
    /// The routes to begin with; with the default ones every statement waits for a server.
    pub routes: Routes,
    /// TLS and its like.
    pub filters: Arc<Filters>,
    /// Who gets what the policy wants recorded for logs.
    pub recorder: Option<Arc<dyn Recorder>>,
}

impl Default for ProxyOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 6033)),
            workers: thread::available_parallelism().map_or(1, usize::from),
            sched_batch: true,
            io: Io::Auto,
            policy: Arc::default(),
            routes: Routes::default(),
            filters: Arc::default(),
            recorder: None,
        }
    }
}

/// A running proxy. Dropping it stops it.
#[derive(Debug)]
pub struct Proxy {
    crew: Crew<Core>,
    /// What was written: it outlives the settings, or old results would look current.
    written: Arc<Written>,
    /// The settings in force, not divided among workers.
    policy: Mutex<Arc<Policy>>,
    /// The statements under way outlive the settings too.
    places: Arc<Places>,
    recorder: Option<Arc<dyn Recorder>>,
}

impl Proxy {
    /// Opens the port and starts the worker threads.
    pub fn start(options: ProxyOptions) -> Result<Self, Error> {
        Self::inherit(options, Vec::new())
    }

    /// Starts on the listening sockets of another process, as [`Self::listeners`] of that one gave
    /// them, with a worker for each. The port is opened anew where they are on another.
    pub fn inherit(options: ProxyOptions, listeners: Vec<OwnedFd>) -> Result<Self, Error> {
        let workers = match listeners.len() {
            0 => options.workers.max(1),
            inherited => inherited,
        };
        let start = Start {
            listen: options.listen,
            workers,
            inherited: listeners,
            sched_batch: options.sched_batch,
            io: options.io,
            policy: Arc::new(share(&options.policy, workers)),
            routes: Arc::new(options.routes),
            filters: options.filters,
            recorder: options.recorder.clone(),
        };
        Ok(Self {
            crew: Crew::start(&start)?,
            written: Arc::clone(&options.policy.cache.written),
            places: Arc::clone(&options.policy.places),
            policy: Mutex::new(options.policy),
            recorder: options.recorder,
        })
    }

    /// The address clients connect to, with the port that was chosen for port 0.
    pub fn local_addr(&self) -> SocketAddr {
        self.crew.address()
    }

    /// Pushes routes to every worker; returns when they are queued and the workers woken. False,
    /// and nothing happens, when they are not newer than the ones published before.
    pub fn publish(&self, routes: Routes) -> bool {
        self.crew.publish(routes)
    }

    /// The routes published last.
    pub fn routes(&self) -> Routes {
        self.crew.routes()
    }

    /// Pushes new settings to every worker; they hold for what begins afterwards.
    pub fn set_policy(&self, policy: &Policy) {
        *self.policy.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy.clone());
        let workers = self.crew.clients().len();
        let mut policy = share(policy, workers);
        policy.cache.written = Arc::clone(&self.written);
        policy.places = Arc::clone(&self.places);
        self.crew.set_policy(&Arc::new(policy));
    }

    /// The settings in force.
    pub fn policy(&self) -> Arc<Policy> {
        let policy = self.policy.lock();
        Arc::clone(&policy.unwrap_or_else(PoisonError::into_inner))
    }

    /// Who writes the logs.
    pub fn recorder(&self) -> Option<&Arc<dyn Recorder>> {
        self.recorder.as_ref()
    }

    /// Pushes new certificates and their like to every worker; connections keep what they have.
    pub fn set_filters(&self, filters: &Arc<Filters>) {
        self.crew.set_filters(filters);
    }

    /// Blocks until every worker has taken up the routes published last and none has a statement
    /// or transaction in flight on the writer. Publish routes with `hold_writes` first: only then
    /// do workers tell each change at once, and only then does it stay so.
    pub fn drained(&self, deadline: Instant) -> Result<(), StillBusy> {
        self.crew.drained(deadline)
    }

    /// The listening sockets, for a process that is to inherit them.
    pub fn listeners(&self) -> &[OwnedFd] {
        self.crew.listeners()
    }

    /// Accepts nobody any more, and lets each client go as soon as it is at rest: between
    /// statements, outside of a transaction, with nothing that ties it to its server.
    pub fn leave(&self, leaving: &Leaving) {
        self.crew.leave(leaving);
    }

    /// Opens or closes the port for clients; see [`Door`]. False when a worker did not tell in time
    /// that it is so.
    pub fn turn_door(&self, door: Door) -> bool {
        self.crew.turn_door(door)
    }

    /// Ends a session by its number, or only its statement, whoever it belongs to; false: there is
    /// none.
    pub fn end(&self, number: u32, only_query: bool) -> bool {
        self.crew.end(number, only_query)
    }

    /// Goes on with a client that another process let go. It is closed where that is impossible.
    pub fn arrive(&self, moved: Moved) {
        self.crew.arrive(moved);
    }

    /// Clients that are connected now.
    pub fn clients(&self) -> usize {
        self.crew.clients().into_iter().sum()
    }

    /// The counters as they are now: each worker is asked, and answers at the end of its turn.
    pub fn stats(&self) -> ProxyStats {
        let mut sessions = Stats::default();
        for one in self.crew.stats() {
            add(&mut sessions, one);
        }
        ProxyStats {
            io: self.crew.io(),
            sessions,
            clients: self.crew.clients(),
            restarts: self.crew.restarts(),
        }
    }

    /// What was asked of the servers, added up over the workers; what `reset` names is counted from
    /// zero afterwards.
    pub fn queries(&self, reset: impl Into<Reset>) -> QueryStats {
        let mut total = QueryStats::default();
        for one in self.crew.queries(reset.into()) {
            total.add(one);
        }
        total
    }

    /// What the sessions are doing now, and the free server connections: each worker is asked, and
    /// shows at most `max` of each, so that a question about very many stays cheap for all others.
    pub fn sessions(&self, max: usize) -> Sessions {
        let mut total = Sessions::default();
        for one in self.crew.sessions(max) {
            total.add(one);
        }
        total
    }

    /// What would become of a statement, step by step, as the first worker says that answers; empty
    /// when none does.
    pub fn explain_route(&self, asked: &Asked) -> Explanation {
        let asked = asked.clone();
        let look = move |machine: &mut Core| machine.explain(&asked);
        self.crew.look(look).into_iter().next().unwrap_or_default()
    }

    /// The prepared statements of clients.
    pub fn inventory(&self) -> Inventory {
        let mut total = Inventory::new();
        for one in self.crew.look(|machine| machine.inventory()) {
            add_inventory(&mut total, one);
        }
        total
    }

    /// Where failed logins came from, with how long ago the last one was; with `reset` that is
    /// forgotten.
    pub fn hosts(&self, reset: bool) -> BTreeMap<String, (u64, Duration)> {
        let mut total: BTreeMap<String, (u64, Duration)> = BTreeMap::new();
        for (now, hosts) in self.crew.look(move |machine| machine.hosts(reset)) {
            for (host, row) in hosts {
                let ago = now.since(row.last_seen);
                let known = total.entry(host).or_insert((0, ago));
                known.0 += row.errors;
                known.1 = known.1.min(ago);
            }
        }
        total
    }

    /// Closes the port and every connection; returns when the worker threads have ended.
    pub fn stop(self) {
        drop(self);
    }
}

/// One worker's share of the counts, rounded up so that no share is nothing.
fn share(policy: &Policy, workers: usize) -> Policy {
    let Policy {
        clients_max,
        pool,
        hold,
        cache,
        users,
        ..
    } = policy;
    let mut users = users.clone();
    for user in users.values_mut() {
        user.connections_max = user.connections_max.map(|most| most.div_ceil(workers));
        let rate = |most: u64| most.div_ceil(workers as u64);
        user.queries_per_second = user.queries_per_second.map(rate);
        user.bytes_per_second = user.bytes_per_second.map(rate);
    }
    Policy {
        clients_max: clients_max.div_ceil(workers),
        mirrors_max: policy.mirrors_max.div_ceil(workers),
        workers,
        pool: Pool {
            server_connections_max: pool.server_connections_max.div_ceil(workers),
            server_connections_min: pool.server_connections_min.div_ceil(workers),
            budget: Some(Arc::new(budget(policy, workers))),
            idle_max: pool.idle_max.div_ceil(workers),
            ..pool.clone()
        },
        hold: Hold {
            sessions_max: hold.sessions_max.div_ceil(workers),
            bytes_max: hold.bytes_max.div_ceil(workers),
            ..hold.clone()
        },
        cache: CachePolicy {
            bytes_max: cache.bytes_max.div_ceil(workers),
            ..cache.clone()
        },
        users,
        hostgroups: Arc::new(policy.hostgroups.shared(workers)),
        ..policy.clone()
    }
}

/// What the workers may open together, with the caps of single servers.
fn budget(policy: &Policy, workers: usize) -> Budget {
    let caps = policy.servers.iter().filter_map(|(name, traits)| {
        let cap = traits.connections_max?;
        Some((name.clone(), cap))
    });
    Budget::new(policy.pool.server_connections_max, workers).with_caps(caps, workers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_share_what_is_counted_for_the_whole_proxy() {
        let whole = Policy {
            clients_max: 10,
            ..Policy::default()
        };
        let one = share(&whole, 3);
        assert_eq!(one.clients_max, 4);
        assert_eq!(
            one.pool.server_connections_max,
            whole.pool.server_connections_max.div_ceil(3)
        );
        assert_eq!(one.hold.time_max, whole.hold.time_max);
    }

    #[test]
    fn two_proxies_live_in_one_process() {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let start = || {
            Proxy::start(ProxyOptions {
                listen,
                workers: 2,
                ..ProxyOptions::default()
            })
        };
        let (one, other) = (start().expect("starts"), start().expect("starts"));
        assert_ne!(one.local_addr(), other.local_addr());
        assert_eq!(other.stats().clients, [0, 0]);
        one.stop();
        assert_eq!(other.stats().restarts, 0);
    }
}
