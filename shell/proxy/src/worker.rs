//! One worker: a thread with its own listener, sockets and machine, and the turns it makes.
//!
//! A turn: wait for events, read what there is and give it to the machine, run the operations of
//! each call at once, then let the machine's timers run and report. Everything that outlives a
//! defect of the machine is in [`Seat`]; everything else goes with it.

mod door;
mod leaving;

use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use mainstay_clock::Timestamp;
use mainstay_session::Ops;
use mainstay_topology::Routes;

use crate::door::Door;
use crate::driver::{Driver, Event, Lookup, Notice};
use crate::filtered::Filtered;
use crate::filters::Filters;
use crate::gate::{Gate, Said, key};
use crate::leaving::Leaving;
use crate::load::Loads;
use crate::machine::Machine;
use crate::mailbox::{Mailbox, Message};
use crate::recorder::Recorder;
use crate::resolve::Resolver;

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
    pub(crate) resolver: Resolver,
    pub(crate) policy: Arc<M::Policy>,
    pub(crate) routes: Arc<Routes>,
    pub(crate) filters: Arc<Filters>,
    pub(crate) recorder: Option<Arc<dyn Recorder>>,
    pub(crate) leaving: Option<Leaving>,
    pub(crate) door: Door,
    pub(crate) stopping: bool,
}

impl<M: Machine> Seat<M> {
    fn mailbox(&self) -> &Mailbox<Message<M>> {
        &self.shared.mailboxes[self.number]
    }

    fn accepts(&self) -> bool {
        self.leaving.is_none() && self.door == Door::Open
    }

    fn now(&self) -> Timestamp {
        let nanos = self.shared.origin.elapsed().as_nanos();
        Timestamp::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// Works until told to stop. A defect of the machine, a panic, costs the sessions of this worker:
/// which of them the broken state belongs to cannot be known, so none may go on with it.
pub(crate) fn work<M: Machine, D: Driver>(mut seat: Seat<M>, mut driver: D) {
    driver.watch_bell(seat.mailbox().bell());
    let mut net = Filtered::new(driver, Arc::clone(&seat.filters));
    loop {
        let turns = AssertUnwindSafe(|| Worker::new(&mut seat, &mut net).run());
        if catch_unwind(turns).is_ok() || seat.stopping {
            return;
        }
        net.clear();
        seat.shared.restarts.fetch_add(1, Ordering::Relaxed);
        tracing::error!(
            worker = seat.number,
            "a defect ended the sessions of one proxy worker; it starts again without them"
        );
    }
}

struct Worker<'a, M: Machine, D: Driver> {
    seat: &'a mut Seat<M>,
    net: &'a mut Filtered<D>,
    machine: M,
    ops: Ops,
    now: Timestamp,
    said: Option<Said>,
    accepts_again: Option<Timestamp>,
    lets_go_again: Option<Timestamp>,
    reports: Vec<mpsc::Sender<M::Stats>>,
}

impl<'a, M: Machine, D: Driver> Worker<'a, M, D> {
    fn new(seat: &'a mut Seat<M>, net: &'a mut Filtered<D>) -> Self {
        let number = u32::try_from(seat.number).expect("far fewer workers");
        Self {
            machine: M::start(number, Arc::clone(&seat.policy), Arc::clone(&seat.routes)),
            ops: Ops::new(),
            now: seat.now(),
            // It is not watched yet, or nobody is to be accepted.
            accepts_again: seat.accepts().then(|| seat.now()),
            lets_go_again: None,
            seat,
            net,
            said: None,
            reports: Vec::new(),
        }
    }

    fn run(mut self) {
        self.open_mailbox();
        while !self.seat.stopping {
            self.finish_turn();
            let timeout = self.timeout();
            self.net.driver.wait(timeout);
            self.net.begin_turn();
            self.now = self.seat.now();
            while let Some(event) = self.net.next(self.now) {
                match event {
                    Event::Listener => self.accept(),
                    Event::Bell => self.open_mailbox(),
                    Event::Input(who) => {
                        let bytes = self.net.input();
                        self.machine.input(self.now, who, bytes, &mut self.ops);
                        self.settle();
                    }
                    Event::Secured(who, certified) => {
                        let out = &mut self.ops;
                        self.machine.secured(self.now, who, certified, out);
                        self.settle();
                    }
                    Event::CameFrom(who, ip) => {
                        self.machine.came_from(self.now, who, ip, &mut self.ops);
                        self.settle();
                    }
                    Event::End(who, reason) => {
                        self.machine.closed(self.now, who, reason, &mut self.ops);
                        self.settle();
                    }
                    Event::Noticed => self.settle(),
                }
            }
        }
    }

    /// The end of a turn: timers, then whoever waits for a report.
    fn finish_turn(&mut self) {
        self.net.driver.cut_lingering(self.now);
        if self.accepts_again.is_some_and(|again| again <= self.now) {
            self.accepts_again = None;
            self.watch_listener(true);
        }
        self.machine.tick(self.now, &mut self.ops);
        self.settle();
        self.let_go();
        self.say();
        self.pass_records();
        for report in self.reports.drain(..) {
            // Whoever asked may have given up.
            let _ = report.send(self.machine.stats());
        }
    }

    /// Hands what the logs are told to whoever writes them.
    fn pass_records(&mut self) {
        let records = self.machine.take_records();
        if let Some(recorder) = self.seat.recorder.as_ref().filter(|_| !records.is_empty()) {
            recorder.take(self.now, records);
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

    fn timeout(&mut self) -> Option<Duration> {
        if self.net.has_work() {
            return Some(Duration::ZERO);
        }
        let deadlines = [
            self.machine.deadline(),
            self.net.driver.table().deadline(),
            self.accepts_again,
            self.lets_go_again,
        ];
        let wait = deadlines.into_iter().flatten().min()?.since(self.now);
        // A time-out longer than the system takes only means one turn for nothing.
        Some(wait.min(Duration::from_hours(1)))
    }

    /// Runs the operations of the last call, then those of the calls they give rise to.
    fn settle(&mut self) {
        self.net.run(self.now, &mut self.ops);
        while let Some((who, notice)) = self.net.next_notice() {
            let (now, out) = (self.now, &mut self.ops);
            match notice {
                Notice::Connected => self.machine.connected(now, who, out),
                Notice::Closed(reason) => self.machine.closed(now, who, reason, out),
                Notice::Blocked(bytes) => self.machine.blocked(now, who, bytes, out),
                Notice::Unblocked => self.machine.unblocked(now, who, out),
            }
            self.net.run(now, &mut self.ops);
        }
        self.pass_notes();
        for Lookup { token, host, port } in self.net.driver.table().take_lookups() {
            let (shared, number) = (Arc::clone(&self.seat.shared), self.seat.number);
            self.seat.resolver.ask(&host, port, move |addresses| {
                shared.mailboxes[number].push(Message::Resolved { token, addresses });
            });
        }
    }

    /// Hands on what the machine has to tell the machines of other workers.
    fn pass_notes(&mut self) {
        for (worker, note) in self.net.driver.table().take_notes() {
            if let Some(mailbox) = self.seat.shared.mailboxes.get(worker as usize) {
                mailbox.push(Message::Note(note));
            } else if let Some(answer) = note.undelivered() {
                self.seat.mailbox().push(Message::Note(answer));
            }
        }
    }

    fn open_mailbox(&mut self) {
        self.seat.mailbox().silence();
        while let Some(message) = self.seat.mailbox().take() {
            match message {
                Message::Client(client) => self.welcome(client),
                Message::Resolved { token, addresses } => {
                    self.net.driver.resolved(token, addresses);
                    self.settle();
                }
                Message::Routes(routes) => {
                    self.seat.routes = Arc::clone(&routes);
                    self.machine.routes(self.now, routes, &mut self.ops);
                    self.settle();
                }
                Message::Note(note) => {
                    self.machine.note(self.now, note, &mut self.ops);
                    self.settle();
                }
                Message::Policy(policy) => {
                    self.seat.policy = Arc::clone(&policy);
                    self.machine.policy(policy);
                }
                Message::Filters(filters) => self.net.filters = filters,
                Message::Report(report) => self.reports.push(report),
                Message::Arrive {
                    socket,
                    session,
                    ticket,
                } => self.arrive(socket, &session, ticket),
                Message::Leave(leaving) => self.leave(leaving),
                Message::Door(door, done) => {
                    self.turn_door(door);
                    // Whoever asked may have given up.
                    let _ = done.send(());
                }
                Message::End {
                    number,
                    only_query,
                    report,
                } => {
                    let out = &mut self.ops;
                    let found = self.machine.end(self.now, number, only_query, out);
                    self.settle();
                    let _ = report.send(found);
                }
                Message::Stop => {
                    self.machine.stop(self.now, &mut self.ops);
                    self.settle();
                    self.seat.stopping = true;
                }
                Message::Queries(reset, report) => {
                    // Whoever asked may have given up.
                    let _ = report.send(self.machine.queries(reset));
                }
                Message::Look(look) => look.0(&mut self.machine),
                Message::Sessions(max, report) => {
                    let _ = report.send(self.machine.sessions(self.now, max));
                }
            }
        }
    }
}
