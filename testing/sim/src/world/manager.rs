//! The manager's shell around the real machine: the loop, the journal, the death and the successor.
//!
//! It does what the daemon does: events in, actions out in order, and a step runs only when its
//! beginning is in the journal.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_failover::{
    Action, Durability, Event, Hooks, Manager, OperationId, Policy, Purpose, Request, StepResult,
};
use mainstay_topology::{Member, Routes};

use super::observing::{Beat, Observer};
use super::steps::Job;
use super::{Happening, World};
use crate::invariants::{
    epochs_only_grow, no_needless_failover, routes_follow_roles, unjournaled_nothing,
};
use crate::message::{Body, End, Envelope, RunId};

/// One process of the manager.
pub(crate) struct Shell {
    pub(super) life: u64,
    pub(super) machine: Manager,
    /// When it was started: its clock begins here.
    pub(super) origin: Timestamp,
    pub(super) observers: Vec<Observer>,
    pub(super) jobs: BTreeMap<RunId, Job>,
    /// The write probe.
    pub(super) beat: Beat,
    tick: Option<Timestamp>,
    /// What came to pass while the process was stopped.
    pub(super) paused: Option<Vec<Happening>>,
}

impl World {
    pub(super) fn start_manager(&mut self) {
        if self.manager.is_some() {
            return;
        }
        self.lives += 1;
        let life = self.lives;
        let members: Vec<Member> = self.servers.iter().map(|one| one.member.clone()).collect();
        let hooks = Hooks {
            end_process: self.mood.end_process,
            reseed: true,
            address: true,
            disk: false,
        };
        let hooks = members
            .iter()
            .map(|one| (one.name.clone(), hooks))
            .collect();
        let (record, history) = (self.store.record.clone(), self.store.history());
        let machine = Manager::new(self.policy(), &members, record, hooks, history)
            .with_bugs(self.options.bugs);
        self.manager = Some(Shell {
            life,
            machine,
            origin: self.now,
            observers: members.iter().map(|_| Observer::default()).collect(),
            jobs: BTreeMap::new(),
            beat: Beat::default(),
            tick: None,
            paused: None,
        });
        self.say(|| "manager  starts".to_owned());
        for server in 0..self.servers.len() {
            let soon = self.random.millis(0, 20);
            self.after(soon, Happening::Probe(life, server));
        }
        self.after(Duration::from_millis(100), Happening::WriteProbe(life));
    }

    pub(super) fn policy(&self) -> Policy {
        Policy {
            durability: Durability::Lossless {
                acknowledgements: self.mood.acknowledgements,
            },
            auto_reseed: self.mood.auto_reseed || self.peace.is_some(),
            auto_rewind: self.mood.auto_rewind,
            ..Policy::default()
        }
    }

    /// The manager's process ends: what it had sent goes on, what it waited for is forgotten.
    pub(super) fn kill_manager(&mut self) {
        if self.manager.is_some() {
            self.end_manager();
            let pause = self.random.millis(50, 2_000);
            self.after(pause, Happening::StartManager);
        }
    }

    pub(super) fn end_manager(&mut self) {
        let Some(shell) = self.manager.take() else {
            return;
        };
        self.say(|| "manager  is killed".to_owned());
        for job in shell.jobs.into_values() {
            // A write to the store that was under way may still reach the disk.
            if let (Some(record), true) = (job.into_record(), self.random.permille(500)) {
                self.record(&record);
            }
        }
    }

    /// The present manager, if it is still that one.
    pub(super) fn shell(&mut self, life: u64) -> Option<&mut Shell> {
        self.manager.as_mut().filter(|shell| shell.life == life)
    }

    pub(super) fn tick(&mut self, life: u64) {
        if let Some(shell) = self.shell(life) {
            shell.tick = None;
            self.handle(Event::Tick);
        }
    }

    pub(super) fn request(&mut self, request: Request) {
        if self
            .manager
            .as_ref()
            .is_some_and(|shell| shell.paused.is_none())
        {
            self.say(|| format!("operator  asks: {request:?}"));
            self.handle(Event::Requested(request));
        }
    }

    /// Feeds the machine and does what it says, in order.
    pub(super) fn handle(&mut self, event: Event) {
        let now = self.now;
        let Some(shell) = &mut self.manager else {
            return;
        };
        let life = shell.life;
        let requested = matches!(event, Event::Requested(_));
        let actions = shell.machine.handle(shell.clock(now), event);
        let mut steps = Vec::new();
        let mut dies = false;
        for action in actions {
            match action {
                Action::Probe(server) => {
                    let server = self.index(&server);
                    self.probe_now(server);
                }
                Action::Enter { phase, reason } => {
                    self.say(|| format!("manager  enters {phase}: {reason}"));
                }
                Action::Begin { operation, plan } => {
                    let purpose = plan.purpose.clone();
                    self.say(|| format!("manager  begins {}: {purpose:?}", operation.0));
                    self.begun(operation, plan.purpose, requested);
                }
                Action::Run {
                    operation,
                    step,
                    what,
                } => {
                    self.store.started.push((operation, step));
                    steps.push(((life, operation.0, step), what));
                }
                Action::Finish {
                    operation,
                    outcome,
                    certificate,
                    ..
                } => {
                    self.say(|| match outcome {
                        Ok(()) => format!("manager  has finished {}", operation.0),
                        Err(why) => format!("manager  gives up {}: {why}", operation.0),
                    });
                    if let Some(proof) = certificate {
                        self.say(|| format!("manager  certifies: {}", proof.reason));
                    }
                    self.store.finish(operation);
                    dies = true;
                }
                Action::Publish(routes) => self.publish(&routes),
                Action::Refuse(why) => self.say(|| format!("manager  refuses: {why}")),
            }
        }
        dies |= !steps.is_empty();
        for (run, step) in steps {
            self.start_step(run, step);
        }
        if dies && self.peace.is_none() && self.random.permille(self.mood.manager_dies_permille) {
            self.kill_manager();
        }
        self.set_alarm(life);
    }

    fn begun(&mut self, operation: OperationId, purpose: Purpose, requested: bool) {
        if let Purpose::Failover { from } = &purpose {
            self.look_for_calm();
            let primary = self.index(from);
            let expected = requested || self.has_lost_data(primary);
            let epoch = self.store.record.epoch;
            let checked = self.checks.calm.failover(self.now, epoch, expected);
            self.must(no_needless_failover::NAME, checked);
        }
        if std::mem::take(&mut self.ambush) {
            let soon = self.random.millis(0, 60);
            self.after(soon, Happening::Ambush);
        }
        let checked = self.store.begin(operation, purpose);
        self.must(unjournaled_nothing::NAME, checked);
    }

    /// Whether a server lacks what another has: then it may be replaced although it lives.
    fn has_lost_data(&self, server: usize) -> bool {
        let own = &self.servers[server].logged;
        self.servers.iter().any(|other| {
            let mut held = other.log.iter();
            held.any(|one| !own.has(one.origin, one.number))
        })
    }

    fn set_alarm(&mut self, life: u64) {
        let now = self.now;
        let Some(shell) = self.shell(life) else {
            return;
        };
        let Some(deadline) = shell.machine.deadline() else {
            return;
        };
        let at = shell
            .world_time(deadline)
            .max(now + Duration::from_millis(1));
        if shell.tick.is_none_or(|set| at < set) {
            shell.tick = Some(at);
            self.at(at, Happening::Tick(life));
        }
    }

    /// Tells the proxies and the write probe.
    pub(super) fn publish(&mut self, routes: &Routes) {
        let checked = self.checks.epochs.published(routes);
        self.must(epochs_only_grow::NAME, checked);
        let checked = unjournaled_nothing::routes(routes, &self.store.record);
        self.must(unjournaled_nothing::NAME, checked);
        let writer = routes.writer.as_ref().filter(|_| !routes.hold_writes);
        let writer = writer.map(|target| self.index(&target.name));
        if let Some(writer) = writer {
            let checked = self.checks.roles.told(writer);
            self.must(routes_follow_roles::NAME, checked);
        }
        if let Some(shell) = &mut self.manager {
            shell.beat.writer = writer;
        }
        self.say(|| {
            let Routes { epoch, version, .. } = routes;
            let writer = routes
                .writer
                .as_ref()
                .map_or("nobody", |one| one.name.as_str());
            let hold = if routes.hold_writes {
                ", writes are held"
            } else {
                ""
            };
            format!("manager  publishes routes {epoch}.{version}: writer {writer}{hold}")
        });
        for proxy in 0..self.clients.proxies.len() {
            let late = if self.peace.is_some() {
                5
            } else {
                self.mood.stale_ms
            };
            let late = self.random.millis(0, late);
            self.after(late, Happening::Routes(proxy, Box::new(routes.clone())));
        }
    }

    /// A message for the manager.
    pub(super) fn hear(&mut self, envelope: Envelope) {
        let End::Server(server) = envelope.from else {
            return;
        };
        match envelope.body {
            Body::Seen(probe, outcome) => self.seen(server, probe, *outcome),
            Body::Closed => self.probe_now(server),
            Body::Answer(run, result) => self.step_answered(run, result),
            Body::Written { write, result, .. } => self.beat_answered(write, result),
            _ => {}
        }
    }

    pub(super) fn step_done(&mut self, run: RunId, result: StepResult) {
        self.say(|| match &result {
            StepResult::Done(_) => format!("manager  step {}.{} is done", run.1, run.2 + 1),
            StepResult::Failed(why) => {
                format!("manager  step {}.{} failed: {why}", run.1, run.2 + 1)
            }
            StepResult::TimedOut => {
                format!("manager  step {}.{} ran out of time", run.1, run.2 + 1)
            }
        });
        self.handle(Event::StepDone {
            operation: mainstay_failover::OperationId(run.1),
            step: run.2,
            result,
        });
        self.step_has_ended();
    }
}

impl Shell {
    /// The process's own clock.
    pub(super) fn clock(&self, at: Timestamp) -> Timestamp {
        Timestamp::from_millis(1) + at.since(self.origin)
    }

    fn world_time(&self, at: Timestamp) -> Timestamp {
        self.origin + at.since(Timestamp::from_millis(1))
    }
}
