//! The executor: one job for each step that runs, cut off at the step's limit. Like the real one it
//! decides nothing; a statement it had sent may still run when nobody waits for it any more.

use std::time::Duration;

use mainstay_failover::{Effect, Output, Step, StepResult};
use mainstay_gtid::GtidSet;
use mainstay_topology::{Facts, Receiver, Record};

use super::{Happening, World};
use crate::invariants::{drained_before_demoted, unjournaled_nothing};
use crate::message::{Body, End, Failure, RunId};
use crate::statement::{Statement, script};

/// Between two looks while something is waited for.
const PAUSE: Duration = Duration::from_millis(20);
const LOCKED_PAUSE: Duration = Duration::from_millis(10);

/// A step that runs.
#[derive(Debug)]
pub(crate) struct Job {
    pub(super) step: Box<Step>,
    /// The statements that are left, in reverse, and where they run.
    script: Vec<Statement>,
    server: usize,
    /// It has a connection there.
    connected: bool,
    /// What the source had executed when the step began.
    baseline: Option<GtidSet>,
    facts: Option<Box<Facts>>,
    /// How far an effect of several stages is.
    pub(super) stage: u32,
}

impl Job {
    /// The record that this job stores.
    pub(super) fn into_record(self) -> Option<Record> {
        match self.step.effect {
            Effect::Record { record } => Some(record),
            _ => None,
        }
    }
}

impl World {
    pub(super) fn start_step(&mut self, run: RunId, step: Box<Step>) {
        self.say(|| format!("manager  step {}.{}: {}", run.1, run.2 + 1, step.sentence));
        let checked = unjournaled_nothing::step(run, &step, &self.store);
        self.must(unjournaled_nothing::NAME, checked);
        if let Effect::Demote { server } = &step.effect {
            let server = self.index(server);
            let checked = drained_before_demoted::demotion(server, self.in_flight(server));
            self.must(drained_before_demoted::NAME, checked);
        }
        let limit = step.limit;
        let scripted = script(&step);
        let (server, statements) = match scripted {
            Some((name, statements)) => (self.index(name), statements),
            None => (0, Vec::new()),
        };
        let job = Job {
            script: statements.into_iter().rev().collect(),
            server,
            connected: false,
            baseline: None,
            facts: None,
            stage: 0,
            step,
        };
        if let Some(shell) = self.shell(run.0) {
            shell.jobs.insert(run, job);
            let soon = self.random.millis(0, 1);
            self.after(soon, Happening::StepOn(run));
            self.after(limit, Happening::StepLimit(run));
        }
    }

    pub(super) fn job(&mut self, run: RunId) -> Option<&mut Job> {
        self.shell(run.0)?.jobs.get_mut(&run)
    }

    pub(super) fn step_limit(&mut self, run: RunId) {
        self.end(run, StepResult::TimedOut);
    }

    /// Ends a job, if it still runs.
    pub(super) fn end(&mut self, run: RunId, result: StepResult) {
        let ended = self.shell(run.0).and_then(|shell| shell.jobs.remove(&run));
        if ended.is_some() {
            self.step_done(run, result);
        }
    }

    pub(super) fn done(&mut self, run: RunId) {
        self.end(run, StepResult::Done(Output::Done));
    }

    /// Does the next thing of a job.
    pub(super) fn step_on(&mut self, run: RunId) {
        let Some(job) = self.job(run) else {
            return;
        };
        if let Some(statement) = job.script.last() {
            let (server, statement) = (job.server, statement.clone());
            return self.ask(run, server, statement);
        }
        let effect = job.step.effect.clone();
        let knows = job.baseline.is_some();
        match effect {
            Effect::AwaitAttached { server, source } => {
                let server = self.index(if knows { &server } else { &source.name });
                self.ask(run, server, Statement::Look);
            }
            Effect::AwaitClients { server, .. } => {
                let server = self.index(&server);
                self.ask(run, server, Statement::Look);
            }
            other => self.own_effect(run, other),
        }
    }

    fn ask(&mut self, run: RunId, server: usize, statement: Statement) {
        let looks = statement == Statement::Look;
        let connected = self
            .job(run)
            .is_some_and(|job| std::mem::replace(&mut job.connected, true));
        let fresh = looks || !connected;
        let body = Body::Statement(run, fresh, Box::new(statement));
        self.send(End::Manager, End::Server(server), body);
    }

    /// A server has answered a statement.
    pub(super) fn step_answered(
        &mut self,
        run: RunId,
        answer: Result<Option<Box<Facts>>, Failure>,
    ) {
        let Some(job) = self.job(run) else {
            return;
        };
        let facts = match answer {
            Ok(facts) => facts,
            Err(Failure::Locked) => return self.after(LOCKED_PAUSE, Happening::StepOn(run)),
            Err(Failure::Failed(why)) => {
                return self.end(run, StepResult::Failed(why.to_owned()));
            }
        };
        if job.script.pop().is_some() {
            job.facts = facts.or(job.facts.take());
            if job.script.is_empty() {
                let output = output(job);
                return self.end(run, StepResult::Done(output));
            }
            return self.step_on(run);
        }
        let Some(facts) = facts else {
            return;
        };
        if has_come_true(job, &facts) {
            return self.done(run);
        }
        self.after(PAUSE, Happening::StepOn(run));
    }
}

/// What a finished script answers.
fn output(job: &mut Job) -> Output {
    match (&job.step.effect, job.facts.take()) {
        (Effect::StopReceiver { .. }, Some(facts)) => Output::Held(facts.held().clone()),
        (Effect::Demote { .. }, Some(facts)) => Output::Held(facts.executed),
        _ => Output::Done,
    }
}

/// Whether what a job looks for is there.
fn has_come_true(job: &mut Job, facts: &Facts) -> bool {
    match (&job.step.effect, &job.baseline) {
        (Effect::AwaitAttached { .. }, None) => {
            job.baseline = Some(facts.executed.clone());
            false
        }
        (Effect::AwaitAttached { source, .. }, Some(baseline)) => {
            let running = facts.link.as_ref().is_some_and(|link| {
                link.receiver == Receiver::Running && link.source == source.address
            });
            running && facts.held().contains(baseline)
        }
        (Effect::AwaitClients { clients, .. }, _) => facts.semi_sync.clients >= *clients,
        _ => true,
    }
}
