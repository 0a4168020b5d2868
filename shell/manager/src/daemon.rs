//! The loop around the machine: it feeds events in and does the actions that come out, in order.
//!
//! Invariants:
//! - the machine is touched by this loop only, and one event at a time;
//! - a step runs only after its beginning is on disk; what cannot be journaled is not run;
//! - a step's end is handed to the machine once, with the operation it belongs to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_failover::hook::Call;
use mainstay_failover::{
    Action, Event as Seen, Manager as Machine, OperationId, Step, StepResult, StepState,
};
use mainstay_store::{Operation, StoreError};
use mainstay_topology::ServerName;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::sleep_until;

use crate::clock::Clock;
use crate::error::RequestError;
use crate::event::Event;
use crate::executor::{self, Executor};
use crate::failpoint::{Failpoint, Moment};
use crate::hooks;
use crate::journal::{self, Journal};
use crate::snapshot::{Running, Snapshot};

mod asks;
mod log;
mod pause;
mod shown;
mod start;

use asks::{Ask, Asks};
pub use start::{Wiring, start};

type Reply<T> = oneshot::Sender<Result<T, RequestError>>;

/// Two deadlines are told no faster than this.
const TICK_LEAST: Duration = Duration::from_millis(1);

struct Daemon {
    clock: Clock,
    machine: Machine,
    journal: Journal,
    executor: Arc<Executor>,
    wakes: BTreeMap<ServerName, Arc<Notify>>,
    events: mpsc::Receiver<Event>,
    sender: mpsc::Sender<Event>,
    snapshots: watch::Sender<Arc<Snapshot>>,
    /// Observers, the write probe, hands, and steps that run.
    tasks: JoinSet<()>,
    /// What the machine is to be told next, before anything from outside.
    own: VecDeque<Seen>,
    /// What people ask, until all servers have been looked at for it.
    asks: Option<Asks>,
    /// Where a test wants this process to end.
    failpoint: Option<Failpoint>,
    /// Plans that were shown, and may be asked for by their names.
    shown: shown::Shown,
    /// Who asked for the operation that is about to begin.
    asked: Option<Reply<Operation>>,
    /// Who waits for the end of which operation.
    waiting: BTreeMap<OperationId, Vec<Reply<Operation>>>,
    reason: String,
    last_operation: Option<OperationId>,
    known: log::Known,
}

impl Daemon {
    async fn run(mut self) {
        loop {
            let event = if let Some(seen) = self.own.pop_front() {
                Some(seen)
            } else {
                match self.next().await {
                    Some(Event::Stop) | None => break,
                    Some(Event::PauseAsked { pause, reply }) => self.pause(pause, reply).await,
                    Some(Event::AcknowledgeAsked { reply }) => self.acknowledge(reply).await,
                    Some(event) => self.take(event),
                }
            };
            if let Some(seen) = event {
                let now = self.clock.now();
                let actions = self.machine.handle(now, seen);
                self.act(now, actions).await;
                self.show(now);
            }
            self.answer_asks();
        }
        // What was journaled last is worth a try; the next start reads the servers anyway.
        let _ = self.journal.flush().await;
        self.tasks.shutdown().await;
    }

    /// The next event, or the machine's own deadline.
    async fn next(&mut self) -> Option<Event> {
        while self.tasks.try_join_next().is_some() {}
        let asks = self.asks.as_ref().map(|asks| asks.until);
        let deadline = self.machine.deadline().into_iter().chain(asks).min();
        // One that is over already is still told once, not in a circle.
        let deadline = deadline.map(|at| at.max(self.clock.now() + TICK_LEAST));
        let due = async {
            match deadline {
                Some(at) => sleep_until(self.clock.instant(at)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            event = self.events.recv() => event,
            () = due => Some(Event::Due),
        }
    }

    /// What the machine is to be told of an event; the rest is answered here.
    fn take(&mut self, event: Event) -> Option<Seen> {
        match event {
            Event::Observed(observation) => Some(Seen::Observed(observation)),
            Event::WriteProbed(probe) => Some(Seen::WriteProbed(probe)),
            Event::Due => Some(Seen::Tick),
            Event::StepEnded {
                operation,
                step,
                result,
                at,
            } => {
                self.reached((operation, step), Moment::After);
                let at_us = self.clock.wall_us(at);
                log::step_end(operation, step, &result);
                self.journal.ended(at_us, (operation, step), result.clone());
                Some(Seen::StepDone {
                    operation,
                    step,
                    result,
                })
            }
            Event::Asked {
                request,
                terms,
                reply,
            } => self.ask(Ask::Operation(request, terms, reply)),
            Event::PlanAsked {
                request,
                terms,
                reply,
            } => self.ask(Ask::Plan(request, terms, reply)),
            Event::ApplyAsked { plan, reply } => self.ask(Ask::Apply(plan, reply)),
            Event::Cleared { request, reply } => self.ask(Ask::Cleared(request, reply)),
            Event::WhyAsked { about, reply } => self.ask(Ask::Why(about, reply)),
            // These are answered by the loop itself.
            Event::Stop | Event::PauseAsked { .. } | Event::AcknowledgeAsked { .. } => None,
        }
    }

    /// Does the actions in order; steps run when all that is to be journaled is on disk.
    async fn act(&mut self, now: Timestamp, actions: Vec<Action>) {
        let at_us = self.clock.wall_us(now);
        let mut steps = Vec::new();
        let mut finished = Vec::new();
        for action in actions {
            match action {
                Action::Probe(server) => self.wake(&server),
                Action::Enter { phase, reason } => {
                    tracing::info!(%phase, %reason, "phase");
                    self.journal.entered(at_us, phase, &reason);
                    self.call(hooks::on(&self.machine, phase), None);
                    self.reason = reason;
                }
                Action::Begin { operation, plan } => {
                    let purpose = journal::purpose(&plan.purpose);
                    tracing::info!(operation = operation.0, %purpose, "operation begins");
                    self.journal.began(at_us, operation, plan);
                    if let Some(reply) = self.asked.take() {
                        self.waiting.entry(operation).or_default().push(reply);
                    }
                }
                Action::Run {
                    operation,
                    step,
                    what,
                } => {
                    self.journal.started(at_us, (operation, step), what.clone());
                    steps.push(((operation, step), what));
                }
                Action::Finish {
                    operation,
                    purpose,
                    outcome,
                    certificate,
                } => {
                    let calls = hooks::after(&self.machine, operation, &purpose);
                    self.call(calls, Some(&outcome));
                    let certificate = certificate.as_deref();
                    log::finish(operation, &purpose, &outcome, certificate);
                    self.journal
                        .finished(at_us, operation, outcome, certificate);
                    finished.push(operation);
                }
                Action::Publish(routes) => self.executor.publish(&routes),
                Action::Refuse(sentence) => {
                    tracing::info!(%sentence, "request refused");
                    if let Some(reply) = self.asked.take() {
                        let _ = reply.send(Err(RequestError::Refused(sentence)));
                    }
                }
            }
        }
        self.begin(steps, !finished.is_empty()).await;
        for operation in finished {
            self.finish(operation).await;
        }
    }

    /// Runs hooks that nobody waits for.
    fn call(&mut self, calls: Vec<Call>, result: Option<&Result<(), String>>) {
        let Some(hooks) = &self.executor.hooks else {
            return;
        };
        for call in calls {
            let aside = hooks::Aside {
                hooks: Arc::clone(hooks),
                store: self.journal.store().clone(),
                clock: self.clock,
                call,
                result: result.cloned(),
            };
            self.tasks.spawn(aside.run());
        }
    }

    fn wake(&self, server: &ServerName) {
        if let Some(wake) = self.wakes.get(server) {
            wake.notify_one();
        }
    }

    /// Journals, then runs.
    async fn begin(&mut self, steps: Vec<((OperationId, usize), Box<Step>)>, finished: bool) {
        let idle = self.machine.operation().is_none();
        let written = if steps.is_empty() && !finished && !idle {
            // The end of a step is written with the beginning of the next.
            Ok(())
        } else {
            self.journal.flush().await
        };
        if let Err(error) = written {
            self.cannot_journal(&error, steps);
            return;
        }
        for (id, step) in steps {
            tracing::info!(operation = id.0.0, step = id.1 + 1, sentence = %step.sentence, "step");
            self.reached(id, Moment::Before);
            let executor = Arc::clone(&self.executor);
            let (clock, events) = (self.clock, self.sender.clone());
            self.tasks
                .spawn(executor::run(executor, id, step, clock, events));
        }
    }

    fn reached(&self, id: (OperationId, usize), moment: Moment) {
        if let Some(failpoint) = &self.failpoint {
            failpoint.reached(self.machine.operation(), id, moment);
        }
    }

    fn cannot_journal(
        &mut self,
        error: &StoreError,
        steps: Vec<((OperationId, usize), Box<Step>)>,
    ) {
        tracing::error!(%error, "the journal cannot be written");
        for ((operation, step), _) in steps {
            self.own.push_back(Seen::StepDone {
                operation,
                step,
                result: StepResult::Failed(error.to_string()),
            });
        }
    }

    async fn finish(&mut self, operation: OperationId) {
        self.last_operation = Some(operation);
        let Some(replies) = self.waiting.remove(&operation) else {
            return;
        };
        let store = self.journal.store().clone();
        for reply in replies {
            let store = store.clone();
            let read = spawn_blocking(move || store.operation(operation.0)).await;
            let answer = match read {
                Ok(Ok(Some(operation))) => Ok(operation),
                Ok(Ok(None)) => Err(RequestError::Refused(
                    "the operation has ended, but the journal could not be written".to_owned(),
                )),
                Ok(Err(error)) => Err(RequestError::Store(error)),
                Err(_) => Err(RequestError::Stopped),
            };
            let _ = reply.send(answer);
        }
    }

    /// What a step does, and how far it is if it takes long.
    fn told(&self, step: &Step) -> String {
        let server = step.place.as_ref().map(|place| &place.name);
        match server.and_then(|server| self.executor.progress(server)) {
            Some(progress) => format!("{} ({progress})", step.sentence),
            None => step.sentence.clone(),
        }
    }

    /// Shows the new state to those who watch, and logs what findings came and went.
    fn show(&mut self, now: Timestamp) {
        let findings = self.machine.findings().to_vec();
        self.known.log(now, &findings);
        let operation = self.machine.operation().map(|operation| {
            let steps = operation.plan.steps.iter().zip(&operation.states);
            let running = steps.filter(|(_, state)| matches!(state, StepState::Running { .. }));
            Running {
                id: operation.id,
                purpose: operation.plan.purpose.clone(),
                steps: running.map(|(step, _)| self.told(step)).collect(),
            }
        });
        let snapshot = Snapshot {
            at: now,
            phase: self.machine.phase(),
            reason: self.reason.clone(),
            topology: self.machine.topology().clone(),
            findings,
            routes: self.machine.routes().cloned(),
            durability: self.machine.policy().durability,
            operation,
            last_operation: self.last_operation,
            paused: self.machine.paused().cloned(),
        };
        self.snapshots.send_replace(Arc::new(snapshot));
    }
}
