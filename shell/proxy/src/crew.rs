//! All workers of one proxy: started together, told things together, stopped together.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mainstay_session::{QueryStats, Reset, Sessions};
use mainstay_topology::Routes;

use crate::door::Door;
use crate::driver::Driver;
use crate::epoll::Epoll;
use crate::error::Error;
use crate::filters::Filters;
use crate::gate::{Gate, StillBusy, key};
use crate::io::{Io, Means, prepare};
use crate::leaving::{Leaving, Moved};
use crate::listen;
use crate::load::Loads;
use crate::machine::Machine;
use crate::mailbox::{Look, Mailbox, Message};
use crate::recorder::Recorder;
use crate::resolve::Resolver;
use crate::ring::Ring;
use crate::sched;
use crate::worker::{Seat, Shared, work};

/// A worker that has not told its counters by then is left out.
const REPORT_LIMIT: Duration = Duration::from_secs(1);

/// How to start the workers.
#[derive(Debug)]
pub(crate) struct Start<M: Machine> {
    pub(crate) listen: SocketAddr,
    pub(crate) workers: usize,
    /// Listening sockets of a process before this one; each has its worker then.
    pub(crate) inherited: Vec<OwnedFd>,
    pub(crate) sched_batch: bool,
    pub(crate) io: Io,
    pub(crate) policy: Arc<M::Policy>,
    pub(crate) routes: Arc<Routes>,
    pub(crate) filters: Arc<Filters>,
    pub(crate) recorder: Option<Arc<dyn Recorder>>,
}

/// The workers; dropping it stops them.
#[derive(Debug)]
pub(crate) struct Crew<M: Machine> {
    address: SocketAddr,
    io: Io,
    shared: Arc<Shared<M>>,
    published: Mutex<Arc<Routes>>,
    /// The port, kept for a process that is to inherit it.
    listeners: Vec<OwnedFd>,
    threads: Vec<JoinHandle<()>>,
}

impl<M: Machine> Crew<M> {
    /// Opens the port and starts the threads.
    pub(crate) fn start(start: &Start<M>) -> Result<Self, Error> {
        let (address, listeners) = listen::open_or_inherit(start)?;
        let kept = listeners.iter().map(OwnedFd::try_clone);
        let kept = kept.collect::<io::Result<_>>().map_err(Error::Workers)?;
        let count = listeners.len();
        let (io, means) = prepare(start.io, count)?;
        tracing::info!(workers = count, "the proxy reads and writes with {io}");
        let mailboxes = (0..count).map(|_| Mailbox::new()).collect::<Result<_, _>>();
        let shared = Arc::new(Shared {
            origin: Instant::now(),
            mailboxes: mailboxes.map_err(Error::Workers)?,
            loads: Loads::new(count),
            gate: Gate::new(count),
            restarts: AtomicU64::new(0),
        });
        let resolver = Resolver::start().map_err(Error::Workers)?;
        let mut crew = Self {
            address,
            io,
            shared: Arc::clone(&shared),
            published: Mutex::new(Arc::clone(&start.routes)),
            listeners: kept,
            threads: Vec::new(),
        };
        for (number, (listener, means)) in listeners.into_iter().zip(means).enumerate() {
            let seat = Seat {
                number,
                shared: Arc::clone(&shared),
                listener,
                resolver: resolver.clone(),
                policy: Arc::clone(&start.policy),
                routes: Arc::clone(&start.routes),
                filters: Arc::clone(&start.filters),
                recorder: start.recorder.clone(),
                leaving: None,
                door: Door::Open,
                stopping: false,
            };
            let thread = match means {
                Means::Epoll(queue) => spawn(seat, || Epoll::new(queue), start.sched_batch),
                Means::Ring(parts) => spawn(seat, || Ring::new(*parts), start.sched_batch),
            };
            crew.threads.push(thread.map_err(Error::Workers)?);
        }
        Ok(crew)
    }

    /// The address clients connect to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the workers do their work with.
    pub(crate) fn io(&self) -> Io {
        self.io
    }

    /// The routes published last.
    pub(crate) fn routes(&self) -> Routes {
        let published = self.published.lock();
        let published = published.unwrap_or_else(PoisonError::into_inner);
        Routes::clone(&published)
    }

    /// Queues the routes to every worker; false when they are not newer than the last ones.
    pub(crate) fn publish(&self, routes: Routes) -> bool {
        let mut published = self
            .published
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !routes.is_newer_than(&published) {
            return false;
        }
        *published = Arc::new(routes);
        // Under the lock, so that all workers get them in the same order.
        self.tell(|| Message::Routes(Arc::clone(&published)));
        true
    }

    /// Queues new settings to every worker.
    pub(crate) fn set_policy(&self, policy: &Arc<M::Policy>) {
        self.tell(|| Message::Policy(Arc::clone(policy)));
    }

    /// Queues new settings of the filters to every worker.
    pub(crate) fn set_filters(&self, filters: &Arc<Filters>) {
        self.tell(|| Message::Filters(Arc::clone(filters)));
    }

    /// Waits until no worker has a write in flight under the routes published last.
    pub(crate) fn drained(&self, deadline: Instant) -> Result<(), StillBusy> {
        let wanted = key(&self
            .published
            .lock()
            .unwrap_or_else(PoisonError::into_inner));
        self.shared.gate.drained(wanted, deadline)
    }

    /// The listening sockets, for another process.
    pub(crate) fn listeners(&self) -> &[OwnedFd] {
        &self.listeners
    }

    /// Accepts nobody any more, and lets the clients go as they come to rest.
    pub(crate) fn leave(&self, leaving: &Leaving) {
        self.tell(|| Message::Leave(leaving.clone()));
    }

    /// Opens or closes the door; false when a worker did not tell in time that it is so.
    pub(crate) fn turn_door(&self, door: Door) -> bool {
        let done = self.ask(|done| Message::Door(door, done));
        done.len() == self.shared.mailboxes.len()
    }

    /// Ends a session, or only its statement; false: there is none of this number.
    pub(crate) fn end(&self, number: u32, only_query: bool) -> bool {
        let found = self.ask(|report| Message::End {
            number,
            only_query,
            report,
        });
        found.contains(&true)
    }

    /// Takes a client over from another process.
    pub(crate) fn arrive(&self, moved: Moved) {
        let worker = moved.worker % self.shared.mailboxes.len();
        self.shared.mailboxes[worker].push(Message::Arrive {
            socket: moved.socket,
            session: moved.session,
            ticket: self.shared.loads.ticket(worker),
        });
    }

    /// The counters of each worker.
    pub(crate) fn stats(&self) -> Vec<M::Stats> {
        self.ask(Message::Report)
    }

    /// What was asked of the servers, by each worker.
    pub(crate) fn queries(&self, reset: Reset) -> Vec<QueryStats> {
        self.ask(|report| Message::Queries(reset, report))
    }

    /// What the sessions of each worker are doing: of each at most `max`.
    pub(crate) fn sessions(&self, max: usize) -> Vec<Sessions> {
        self.ask(|report| Message::Sessions(max, report))
    }

    /// What a look at each machine shows.
    pub(crate) fn look<T: Send + 'static>(
        &self,
        look: impl Fn(&mut M) -> T + Clone + Send + 'static,
    ) -> Vec<T> {
        self.ask(|report| {
            let look = look.clone();
            Message::Look(Look(Box::new(move |machine| {
                // Whoever asked may have given up.
                let _ = report.send(look(machine));
            })))
        })
    }

    /// The answers of the workers that give one in time.
    fn ask<T>(&self, question: impl Fn(mpsc::Sender<T>) -> Message<M>) -> Vec<T> {
        let (report, reports) = mpsc::channel();
        self.tell(|| question(report.clone()));
        drop(report);
        let deadline = Instant::now() + REPORT_LIMIT;
        let left = || deadline.saturating_duration_since(Instant::now());
        std::iter::from_fn(|| reports.recv_timeout(left()).ok()).collect()
    }

    /// The clients of each worker.
    pub(crate) fn clients(&self) -> Vec<usize> {
        self.shared.loads.all()
    }

    /// How often a defect made a worker start again.
    pub(crate) fn restarts(&self) -> u64 {
        self.shared.restarts.load(Ordering::Relaxed)
    }

    fn tell(&self, message: impl Fn() -> Message<M>) {
        for mailbox in &self.shared.mailboxes {
            mailbox.push(message());
        }
    }
}

impl<M: Machine> Drop for Crew<M> {
    fn drop(&mut self) {
        self.tell(|| Message::Stop);
        for thread in self.threads.drain(..) {
            // A worker catches its panics; one outside of them has been printed by the hook.
            let _ = thread.join();
        }
    }
}

fn spawn<M: Machine, D: Driver>(
    seat: Seat<M>,
    driver: impl FnOnce() -> D + Send + 'static,
    sched_batch: bool,
) -> io::Result<JoinHandle<()>> {
    thread::Builder::new()
        .name(format!("proxy-{}", seat.number))
        .spawn(move || {
            if sched_batch && let Err(error) = sched::batch() {
                tracing::warn!(%error, "no SCHED_BATCH for a proxy worker: queries cost more");
            }
            work(seat, driver());
        })
}
