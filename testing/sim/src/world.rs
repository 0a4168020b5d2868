//! The simulated world of one seed: virtual clock, queue of happenings, and everybody in it.
//!
//! Who does what is in the modules below: servers answer and replicate, proxies and clients write,
//! the manager's shell feeds the real machine and runs its steps, faults strike. Nothing here reads
//! a clock or draws chance from anywhere but the seed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_topology::{Part, ServerName};

use crate::invariants::{Checks, Violation};
use crate::ledger::Ledger;
use crate::message::{Body, End, Envelope, RunId};
use crate::mood::Mood;
use crate::network::Network;
use crate::random::Random;
use crate::server::{Life, Server};
use crate::store::Store;
use crate::trace::Trace;
use crate::{Options, Summary};

mod acting;
mod clients;
mod commits;
mod disturbances;
mod effects;
mod faults;
mod heal;
mod life;
mod manager;
mod observing;
mod proxies;
mod replication;
mod rewind;
mod scenes;
mod servers;
mod start;
mod steps;
mod threads;

use clients::Clients;
use faults::Fault;
use manager::Shell;
pub(crate) use scenes::{SCENES, Scene};

/// What happens at a moment.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    /// A message arrives.
    Arrive(Box<Envelope>),
    /// A server has the write on its disk.
    Commit(Box<Envelope>, usize, u64),
    /// An applier has finished its transaction: server, life, connection of the link.
    Apply(usize, u64),
    /// Heartbeats are heard or missed, receivers try again.
    Beat,
    /// A wait for a lock ends.
    LockLimit(usize, u64, RunId, u64),
    /// A manager's observer looks at a server.
    Probe(u64, usize),
    /// A look has taken too long.
    ProbeLimit(u64, usize, u64),
    /// The manager's write probe.
    WriteProbe(u64),
    /// The machine's own deadline.
    Tick(u64),
    /// A step's limit.
    StepLimit(RunId),
    /// A step looks again, or begins.
    StepOn(RunId),
    /// Routes reach a proxy.
    Routes(usize, Box<mainstay_topology::Routes>),
    /// A writer begins its next write.
    Write(usize),
    /// A writer gives up its write.
    GiveUp(usize, u64),
    /// The client at the side door writes.
    SideDoor,
    /// An act of the scenario.
    Act(usize),
    /// The next fault strikes.
    Strike,
    /// Something more fails during an operation.
    Ambush,
    /// A part of a scene.
    Play(Scene, usize),
    /// A fault ends.
    Mend(Box<Fault>),
    /// A supervisor starts a server.
    Restart(usize, u64),
    /// A manager is started.
    StartManager,
    /// All faults stop.
    Peace,
    /// Is all well again?
    LookAround,
    /// The end.
    Rest,
}

struct Scheduled {
    at: Timestamp,
    number: u64,
    what: Happening,
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Scheduled {}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

/// Everybody.
pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) options: Options,
    pub(crate) mood: Mood,
    pub(crate) random: Random,
    pub(crate) network: Network,
    pub(crate) servers: Vec<Server>,
    pub(crate) store: Store,
    pub(crate) ledger: Ledger,
    pub(crate) checks: Checks,
    pub(crate) trace: Trace,
    pub(crate) clients: Clients,
    pub(crate) manager: Option<Shell>,
    /// How many managers there were.
    pub(crate) lives: u64,
    /// Steps that have ended.
    pub(crate) steps: u64,
    pub(crate) acted_at_step: bool,
    /// A machine has lost its data, and the cluster is not well again.
    pub(crate) disk_lost: bool,
    /// Something more fails when the next operation begins.
    pub(crate) ambush: bool,
    pub(crate) peace: Option<Timestamp>,
    pub(crate) over: Option<Result<(), Violation>>,
    pub(crate) faults: BTreeMap<&'static str, u64>,
    queue: BinaryHeap<Reverse<Scheduled>>,
    scheduled: u64,
    ids: u64,
}

impl World {
    pub(crate) fn new(options: Options) -> Self {
        let mut random = Random::new(options.seed);
        let mood = match &options.scenario {
            Some(scenario) => Mood::of(scenario),
            None => Mood::draw(&mut random, options.servers),
        };
        let mut servers: Vec<Server> = (0..options.servers)
            .map(|index| Server::new(index, options.family))
            .collect();
        if let Some(last) = servers.last_mut() {
            last.acknowledges = mood.last == Part::default();
            last.member.part = mood.last.clone();
        }
        let mut world = Self {
            now: Timestamp::ZERO,
            trace: Trace::new(options.verbose),
            clients: Clients::new(&mood),
            options,
            mood,
            random,
            network: Network::default(),
            servers,
            store: Store::default(),
            ledger: Ledger::default(),
            checks: Checks::default(),
            manager: None,
            lives: 0,
            steps: 0,
            acted_at_step: false,
            disk_lost: false,
            ambush: false,
            peace: None,
            over: None,
            faults: BTreeMap::new(),
            queue: BinaryHeap::new(),
            scheduled: 0,
            ids: 0,
        };
        world.begin();
        world
    }

    /// Lives the life of the seed.
    pub(crate) fn run(&mut self) {
        while self.over.is_none() {
            let Reverse(next) = self.queue.pop().expect("there is always a next happening");
            self.now = next.at;
            self.happen(next.what);
        }
    }

    /// What came of it.
    pub(crate) fn summary(self) -> Summary {
        Summary {
            seed: self.options.seed,
            violation: self.over.and_then(Result::err),
            trace: self.trace.into_lines(),
            acknowledged: self.ledger.acknowledged(),
            epochs: self.store.record.epoch.0,
            faults: self.faults,
            happenings: self.scheduled,
            acted_at_step: self.acted_at_step,
            ended: self.now,
        }
    }

    pub(crate) fn fail(&mut self, invariant: &'static str, what: String) {
        if self.over.is_none() {
            self.say(|| format!("VIOLATION of {invariant}: {what}"));
            self.over = Some(Err(Violation {
                invariant,
                at: self.now,
                what,
            }));
        }
    }

    pub(crate) fn must(&mut self, invariant: &'static str, checked: Result<(), String>) {
        if let Err(what) = checked {
            self.fail(invariant, what);
        }
    }

    pub(crate) fn say(&mut self, line: impl FnOnce() -> String) {
        self.trace.say(self.now, line);
    }

    /// A line about a server.
    pub(crate) fn tell(&mut self, server: usize, line: impl FnOnce() -> String) {
        let name = self.servers[server].name().clone();
        self.trace.say(self.now, || format!("{name}  {}", line()));
    }

    pub(crate) fn at(&mut self, at: Timestamp, what: Happening) {
        self.scheduled += 1;
        self.queue.push(Reverse(Scheduled {
            at: at.max(self.now),
            number: self.scheduled,
            what,
        }));
    }

    pub(crate) fn after(&mut self, time: Duration, what: Happening) {
        self.at(self.now + time, what);
    }

    /// A number that nothing else has.
    pub(crate) fn id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    pub(crate) fn index(&self, name: &ServerName) -> usize {
        let mut servers = self.servers.iter();
        servers
            .position(|server| server.name() == name)
            .expect("only configured servers are named")
    }

    pub(crate) fn send(&mut self, from: End, to: End, body: Body) {
        let at = self.network.arrival(self.now, (from, to), &mut self.random);
        let envelope = Box::new(Envelope { from, to, body });
        self.at(at, Happening::Arrive(envelope));
    }

    fn arrive(&mut self, envelope: Envelope) {
        if self.network.is_cut(envelope.from, envelope.to) {
            self.network.hold(envelope);
            return;
        }
        match envelope.to {
            End::Server(index) => match self.servers[index].life {
                Life::Up => self.serve(index, envelope),
                Life::Hung => self.servers[index].memory.frozen.push(envelope),
                Life::Down => self.bounce(&envelope),
            },
            End::Manager => self.hear(envelope),
            End::Proxy(_) | End::SideDoor => self.answered(envelope),
        }
    }

    fn happen(&mut self, what: Happening) {
        let Some(what) = self.unless_paused(what) else {
            return;
        };
        match what {
            Happening::Arrive(envelope) => self.arrive(*envelope),
            Happening::Commit(envelope, server, life) => self.commit(*envelope, server, life),
            Happening::Apply(server, life) => self.applied(server, life),
            Happening::Beat => self.beat(),
            Happening::LockLimit(server, life, run, attempt) => {
                self.lock_limit(server, life, run, attempt);
            }
            Happening::Probe(life, server) => self.probe(life, server),
            Happening::ProbeLimit(life, server, probe) => self.probe_limit(life, server, probe),
            Happening::WriteProbe(life) => self.write_probe(life),
            Happening::Tick(life) => self.tick(life),
            Happening::StepLimit(run) => self.step_limit(run),
            Happening::StepOn(run) => self.step_on(run),
            Happening::Routes(proxy, routes) => self.take_routes(proxy, *routes),
            Happening::Write(writer) => self.next_write(writer),
            Happening::GiveUp(writer, write) => self.give_up(writer, write),
            Happening::SideDoor => self.side_door(),
            Happening::Act(index) => self.act_now(index),
            Happening::Strike => self.strike(),
            Happening::Ambush => self.spring(),
            Happening::Play(scene, part) => self.play(scene, part),
            Happening::Mend(fault) => self.mend(&fault),
            Happening::Restart(server, incarnation) => self.restart(server, incarnation),
            Happening::StartManager => self.start_manager(),
            Happening::Peace => self.make_peace(),
            Happening::LookAround => self.look_around(),
            Happening::Rest => self.rest(),
        }
    }
}
