//! One worker: a thread with its own listener, sockets and machine, and the turns it makes.
//!
//! A turn: wait for events, read what there is and give it to the machine, run the operations of
//! each call at once, then let the machine's timers run and report. Everything that outlives a
//! defect of the machine is in [`Seat`]; everything else goes with it.

mod door;

use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use mainstay_clock::Timestamp;
use mainstay_session::Ops;
use mainstay_topology::Routes;
use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;

use crate::conn::Token;
use crate::gate::{Gate, Said, key};
use crate::load::Loads;
use crate::machine::Machine;
use crate::mailbox::{Mailbox, Message};
use crate::net::{Lookup, Net, Notice, Read};
use crate::resolve::Resolver;

/// One buffer per worker; it holds any reply but the largest in one read.
const BUFFER_BYTES: usize = 64 * 1024;
/// Reads of one connection before the others have their turn.
const READS_PER_TURN: usize = 4;
/// Events fetched at once.
const EVENTS: usize = 256;
/// How far apart the tokens of a worker and of its successor after a defect are.
const GENERATIONS: u32 = 1 << 24;

const LISTENER: u64 = u64::MAX;
const BELL: u64 = u64::MAX - 1;

/// What all workers of one proxy share.
#[derive(Debug)]
pub(crate) struct Shared<M: Machine> {
    pub(crate) origin: Instant,
    pub(crate) mailboxes: Vec<Mailbox<Message<M>>>,
    pub(crate) loads: Loads,
    pub(crate) gate: Gate,
    pub(crate) restarts: AtomicU64,
}

/// What a worker keeps when its machine is replaced.
#[derive(Debug)]
pub(crate) struct Seat<M: Machine> {
    pub(crate) number: usize,
    pub(crate) shared: Arc<Shared<M>>,
    pub(crate) listener: OwnedFd,
    pub(crate) epoll: Arc<OwnedFd>,
    pub(crate) resolver: Resolver,
    pub(crate) policy: Arc<M::Policy>,
    pub(crate) routes: Arc<Routes>,
    pub(crate) stopping: bool,
}

impl<M: Machine> Seat<M> {
    /// Has epoll watch the listener and the mailbox.
    pub(crate) fn watch(&self) -> Result<(), Errno> {
        epoll::add(
            &*self.epoll,
            &self.listener,
            EventData::new_u64(LISTENER),
            EventFlags::IN,
        )?;
        let bell = self.mailbox().bell();
        epoll::add(&*self.epoll, bell, EventData::new_u64(BELL), EventFlags::IN)
    }

    fn mailbox(&self) -> &Mailbox<Message<M>> {
        &self.shared.mailboxes[self.number]
    }

    fn now(&self) -> Timestamp {
        let nanos = self.shared.origin.elapsed().as_nanos();
        Timestamp::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// Works until told to stop. A defect of the machine, a panic, costs the sessions of this worker:
/// which of them the broken state belongs to cannot be known, so none may go on with it.
pub(crate) fn work<M: Machine>(mut seat: Seat<M>) {
    for generation in (0..).map(|start: u32| start.wrapping_mul(GENERATIONS)) {
        let turns = AssertUnwindSafe(|| Worker::new(&mut seat, generation).run());
        if catch_unwind(turns).is_ok() || seat.stopping {
            return;
        }
        seat.shared.restarts.fetch_add(1, Ordering::Relaxed);
        tracing::error!(
            worker = seat.number,
            "a defect ended the sessions of one proxy worker; it starts again without them"
        );
    }
}

struct Worker<'a, M: Machine> {
    seat: &'a mut Seat<M>,
    machine: M,
    net: Net,
    ops: Ops,
    buffer: Box<[u8]>,
    now: Timestamp,
    said: Option<Said>,
    accepts_again: Option<Timestamp>,
    reports: Vec<mpsc::Sender<M::Stats>>,
}

impl<'a, M: Machine> Worker<'a, M> {
    fn new(seat: &'a mut Seat<M>, generation: u32) -> Self {
        let number = u32::try_from(seat.number).expect("far fewer workers");
        Self {
            machine: M::start(number, Arc::clone(&seat.policy), Arc::clone(&seat.routes)),
            net: Net::new(Arc::clone(&seat.epoll), generation),
            ops: Ops::new(),
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
            now: seat.now(),
            // The predecessor may have paused it.
            accepts_again: Some(seat.now()),
            seat,
            said: None,
            reports: Vec::new(),
        }
    }

    fn run(mut self) {
        let mut events = Vec::with_capacity(EVENTS);
        self.open_mailbox();
        while !self.seat.stopping {
            self.finish_turn();
            let timeout = self.timeout();
            events.clear();
            let spare = rustix::buffer::spare_capacity(&mut events);
            match epoll::wait(&*self.seat.epoll, spare, timeout.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => panic!("epoll_wait cannot fail on an open epoll: {errno}"),
            }
            self.now = self.seat.now();
            // Ends first: a statement sent to a server that is known to be gone has an unknown
            // outcome, one that waits for another connection has not.
            for ending in [true, false] {
                for event in events.iter().filter(|event| ends(event.flags) == ending) {
                    self.take(*event);
                }
            }
            for token in self.net.take_unread() {
                self.pump(token);
            }
        }
    }

    fn take(&mut self, event: epoll::Event) {
        let epoll::Event { flags, data, .. } = event;
        match data.u64() {
            LISTENER => self.accept(),
            BELL => self.open_mailbox(),
            bits => self.event(Token::from_bits(bits), flags),
        }
    }

    /// The end of a turn: timers, then whoever waits for a report.
    fn finish_turn(&mut self) {
        self.net.cut_lingering(self.now);
        if self.accepts_again.is_some_and(|again| again <= self.now) {
            self.accepts_again = None;
            self.watch_listener(EventFlags::IN);
        }
        self.machine.tick(self.now, &mut self.ops);
        self.settle(0);
        self.say();
        for report in self.reports.drain(..) {
            // Whoever asked may have given up.
            let _ = report.send(self.machine.stats());
        }
    }

    /// Tells the gate what it may wait for: new routes, and the writes in flight while they drain.
    fn say(&mut self) {
        let routes = key(&self.seat.routes);
        let known = self.said.is_some_and(|before| before.routes == routes);
        if known && !self.seat.routes.hold_writes {
            return;
        }
        // Counted only here, since it looks at every server connection.
        let in_flight = self.machine.writes_in_flight();
        let said = Said { routes, in_flight };
        if self.said != Some(said) {
            self.said = Some(said);
            self.seat.shared.gate.say(self.seat.number, said);
        }
    }

    fn timeout(&self) -> Option<Timespec> {
        if self.net.has_unread() {
            return Some(Timespec::default());
        }
        let deadlines = [
            self.machine.deadline(),
            self.net.deadline(),
            self.accepts_again,
        ];
        let wait = deadlines.into_iter().flatten().min()?.since(self.now);
        // A time-out longer than epoll takes only means one turn for nothing.
        let wait = wait.min(Duration::from_hours(1));
        Some(Timespec {
            tv_sec: i64::try_from(wait.as_secs()).expect("at most an hour"),
            tv_nsec: wait.subsec_nanos().into(),
        })
    }

    fn event(&mut self, token: Token, flags: EventFlags) {
        let readable = self.net.event(token, flags);
        self.settle(0);
        if readable {
            self.pump(token);
        }
    }

    fn pump(&mut self, token: Token) {
        for _ in 0..READS_PER_TURN {
            match self.net.read(self.now, token, &mut self.buffer) {
                Read::Bytes(who, length) => {
                    self.machine
                        .input(self.now, who, &self.buffer[..length], &mut self.ops);
                    self.settle(length);
                }
                Read::End(who, reason) => {
                    self.machine.closed(self.now, who, reason, &mut self.ops);
                    return self.settle(0);
                }
                Read::Nothing => return,
            }
        }
        self.net.read_later(token);
    }

    /// Runs the operations of the last call, then those of the calls they give rise to.
    fn settle(&mut self, input_length: usize) {
        self.net
            .run(self.now, &mut self.ops, &self.buffer[..input_length]);
        while let Some((who, notice)) = self.net.next_notice() {
            let (now, out) = (self.now, &mut self.ops);
            match notice {
                Notice::Connected => self.machine.connected(now, who, out),
                Notice::Closed(reason) => self.machine.closed(now, who, reason, out),
                Notice::Blocked(bytes) => self.machine.blocked(now, who, bytes, out),
                Notice::Unblocked => self.machine.unblocked(now, who, out),
            }
            self.net.run(now, &mut self.ops, &[]);
        }
        for Lookup { token, host, port } in self.net.take_lookups() {
            let (shared, number) = (Arc::clone(&self.seat.shared), self.seat.number);
            self.seat.resolver.ask(&host, port, move |addresses| {
                shared.mailboxes[number].push(Message::Resolved { token, addresses });
            });
        }
    }

    fn open_mailbox(&mut self) {
        self.seat.mailbox().silence();
        while let Some(message) = self.seat.mailbox().take() {
            match message {
                Message::Client {
                    socket,
                    peer,
                    ticket,
                } => self.welcome(socket, peer, ticket),
                Message::Resolved { token, addresses } => {
                    self.net.resolved(token, addresses);
                    self.settle(0);
                }
                Message::Routes(routes) => {
                    self.seat.routes = Arc::clone(&routes);
                    self.machine.routes(self.now, routes, &mut self.ops);
                    self.settle(0);
                }
                Message::Policy(policy) => {
                    self.seat.policy = Arc::clone(&policy);
                    self.machine.policy(policy);
                }
                Message::Report(report) => self.reports.push(report),
                Message::Stop => self.seat.stopping = true,
            }
        }
    }
}

fn ends(flags: EventFlags) -> bool {
    flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR)
}
