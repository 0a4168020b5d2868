//! The proxy as the rest of the program sees it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use mainstay_session::{Core, Policy, Stats};
use mainstay_topology::Routes;

use crate::crew::{Crew, Start};
use crate::error::Error;
use crate::gate::StillBusy;
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
    /// What sessions may do; its counts are per worker.
    pub policy: Arc<Policy>,
    /// The routes to begin with; with the default ones every statement waits for a server.
    pub routes: Routes,
}

impl Default for ProxyOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 6033)),
            workers: thread::available_parallelism().map_or(1, usize::from),
            sched_batch: true,
            policy: Arc::default(),
            routes: Routes::default(),
        }
    }
}

/// A running proxy. Dropping it stops it.
#[derive(Debug)]
pub struct Proxy {
    crew: Crew<Core>,
}

impl Proxy {
    /// Opens the port and starts the worker threads.
    pub fn start(options: ProxyOptions) -> Result<Self, Error> {
        let ProxyOptions {
            listen,
            workers,
            sched_batch,
            policy,
            routes,
        } = options;
        let routes = Arc::new(routes);
        let start = Start {
            listen,
            workers,
            sched_batch,
            policy,
            routes,
        };
        Ok(Self {
            crew: Crew::start(&start)?,
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

    /// Pushes new settings to every worker; they hold for what begins afterwards.
    pub fn set_policy(&self, policy: &Arc<Policy>) {
        self.crew.set_policy(policy);
    }

    /// Blocks until every worker has taken up the routes published last and none has a statement
    /// or transaction in flight on the writer. Publish routes with `hold_writes` first: only then
    /// do workers tell each change at once, and only then does it stay so.
    pub fn drained(&self, deadline: Instant) -> Result<(), StillBusy> {
        self.crew.drained(deadline)
    }

    /// The counters as they are now: each worker is asked, and answers at the end of its turn.
    pub fn stats(&self) -> ProxyStats {
        let mut sessions = Stats::default();
        for one in self.crew.stats() {
            add(&mut sessions, one);
        }
        ProxyStats {
            sessions,
            clients: self.crew.clients(),
            restarts: self.crew.restarts(),
        }
    }

    /// Closes the port and every connection; returns when the worker threads have ended.
    pub fn stop(self) {
        drop(self);
    }
}
