//! The manager's machine: what is seen goes in, what is to be done comes out.
//!
//! ```text
//! Watching ⇄ Suspecting → Confirmed → Executing → Cooling → Watching
//!     └──────────┴────────────┴→ Halted (a human is needed, or the cluster must change)
//! ```
//!
//! Invariants:
//! - one operation at a time; answers of an operation that has ended are ignored;
//! - what was seen before an operation ended decides nothing afterwards;
//! - nothing is done in the name of an epoch before its record is stored;
//! - a record whose storing failed may be stored: until a newer one is, no writes are opened;
//!   one of the same reign is stored over before anything relies on it.
//!
//! The table of phases is [`crate::phase`]; reading, deciding and planning are pure functions.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_clock::Timestamp;
use mainstay_gtid::GtidSet;
use mainstay_topology::{Member, Observation, Record, Routes, ServerName, Topology, Wish};

use crate::bugs::Bugs;
use crate::decide::failover_plan;
use crate::effect::Effect;
use crate::elect::elect;
use crate::event::{Action, Change, Event, Request};
use crate::finding::Finding;
use crate::hook::prepend;
use crate::operation::{Operation, Run};
use crate::pause::{Pause, Unacknowledged};
use crate::phase::Phase;
use crate::plan::{Draft, change, failover, switchover};
use crate::policy::Policy;
use crate::step::{OperationId, Plan, Purpose, Step};
use crate::view::View;

mod backoff;
mod basis;
mod drive;
mod fill;
mod walk;

use backoff::Backoff;
pub use basis::Basis;

/// What can be done for one server outside of its SQL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "independent means")]
pub struct Hooks {
    /// Its process can be ended ([`crate::Effect::EndProcess`]).
    pub end_process: bool,
    /// Its host can carry the writer's address ([`crate::Effect::TakeAddress`]).
    pub address: bool,
    /// Its data can be replaced, although the server itself has no means for it
    /// ([`crate::Effect::Reseed`]).
    pub reseed: bool,
    /// The manager can read its disk ([`crate::Effect::ApplyTail`]).
    pub disk: bool,
}

/// What the journal says about the life before this process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// The newest operation of the journal; ids of new ones are higher.
    pub last_operation: OperationId,
    /// An operation that was begun and has no end.
    pub interrupted: Option<(OperationId, Purpose)>,
    /// The highest version of routes that was ever published; new ones are higher.
    pub routes_version: u64,
    /// What operators want with servers.
    pub wishes: BTreeMap<ServerName, Wish>,
    /// An operator wants no automatic operation to begin.
    pub paused: Option<Pause>,
    /// The last automatic failover, if nobody has acknowledged it.
    pub unacknowledged: Option<Unacknowledged>,
}

/// The machine.
#[derive(Debug)]
pub struct Manager {
    policy: Policy,
    hooks: BTreeMap<ServerName, Hooks>,
    /// As configured, without wishes.
    members: Vec<Member>,
    bugs: Bugs,
    topology: Topology,
    history: History,
    /// When it was last told anything.
    now: Timestamp,
    phase: Phase,
    /// Why it is halted.
    halted: String,
    run: Option<Run>,
    /// When the last operation ended.
    settled: Timestamp,
    condemned: bool,
    slow: BTreeSet<ServerName>,
    /// Servers that cannot be rewound, and why.
    stubborn: BTreeMap<ServerName, String>,
    /// Since when commits on the primary wait and nothing is written, and what it has written.
    stalled: Option<(Timestamp, GtidSet)>,
    doubtful: Option<Record>,
    /// What is stored is surely the record in force. It is not after the storing of another record
    /// of the same reign has failed: that one may be stored.
    stored: bool,
    /// The recorded primary serves, and the proxies may be told so.
    established: bool,
    routes: Option<Routes>,
    findings: Vec<Finding>,
    /// While the primary is doubtful: when all are looked at again.
    next_probe: Option<Timestamp>,
    /// A server whose word has just come, and is older than the primary's silence.
    stale_witness: Option<ServerName>,
    /// When the primary was asked last for the sake of a comparison.
    compared: Timestamp,
    backoff: Backoff,
}

impl Manager {
    /// A machine for one cluster. The record decides what it does first: it makes the recorded
    /// primary serve, or replaces it.
    pub fn new(
        policy: Policy,
        members: &[Member],
        record: Record,
        hooks: BTreeMap<ServerName, Hooks>,
        history: History,
    ) -> Self {
        // A failover that was cut off has stopped the witnesses; its verdict still stands.
        let condemned = matches!(
            (&history.interrupted, &record.primary),
            (Some((_, Purpose::Failover { from })), Some(primary)) if from == primary
        );
        let mut machine = Self {
            policy,
            hooks,
            members: members.to_vec(),
            bugs: Bugs::default(),
            topology: Topology::new(members, record),
            history,
            now: Timestamp::ZERO,
            phase: Phase::Watching,
            halted: String::new(),
            run: None,
            settled: Timestamp::ZERO,
            condemned,
            slow: BTreeSet::new(),
            stubborn: BTreeMap::new(),
            stalled: None,
            doubtful: None,
            stored: true,
            established: false,
            routes: None,
            findings: Vec::new(),
            next_probe: None,
            stale_witness: None,
            compared: Timestamp::ZERO,
            backoff: Backoff::default(),
        };
        machine.grant_wishes();
        machine
    }

    /// The same machine with known bugs.
    #[cfg(feature = "bugs")]
    #[must_use]
    pub fn with_bugs(mut self, bugs: Bugs) -> Self {
        self.bugs = bugs;
        if bugs.has(crate::bugs::Bug::RepeatOperation) {
            self.history.last_operation = OperationId(0);
        }
        if bugs.has(crate::bugs::Bug::TrustInterrupted)
            && let Some((_, Purpose::Switchover { to, .. })) = &self.history.interrupted
        {
            self.topology.record.primary = Some(to.clone());
        }
        self
    }

    /// Takes an event; answers what to do, in order.
    pub fn handle(&mut self, now: Timestamp, event: Event) -> Vec<Action> {
        self.now = self.now.max(now);
        let mut actions = Vec::new();
        self.close_interrupted(&mut actions);
        match event {
            Event::Observed(seen) => self.observe(&seen),
            Event::WriteProbed(probe) => self.topology.write_probed(&probe),
            Event::StepDone {
                operation,
                step,
                result,
            } => self.step_done(operation, step, result),
            Event::Requested(request) => self.requested(request, &mut actions),
            Event::Paused(pause) => self.history.paused = pause,
            Event::Acknowledged => self.history.unacknowledged = None,
            Event::Tick => {}
        }
        self.drive(&mut actions);
        actions
    }

    /// When [`Event::Tick`] is due at the latest; probes and steps have their own clocks.
    pub fn deadline(&self) -> Option<Timestamp> {
        let steps = self.run.iter().flat_map(|run| {
            run.running()
                .map(|(_, step, since)| since + step.limit + walk::STEP_GRACE)
        });
        let cooling = (self.phase == Phase::Cooling).then(|| self.settled + drive::COOLING_MAX);
        steps
            .chain(cooling)
            .chain(self.next_probe)
            .chain(self.pause_end())
            .chain(self.backoff.next_end(self.now))
            .min()
    }

    /// When an unacknowledged failover holds nothing back any more.
    fn pause_end(&self) -> Option<Timestamp> {
        let last = self.history.unacknowledged;
        last.map(|last| last.until).filter(|end| *end > self.now)
    }

    /// An operator wants no automatic operation to begin.
    pub fn paused(&self) -> Option<&Pause> {
        self.history.paused.as_ref()
    }

    /// The rules in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Replaces the rules; they count from the next decision on.
    pub fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// The present phase.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The picture of the cluster.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// Whose reign it is, as stored.
    pub fn record(&self) -> &Record {
        &self.topology.record
    }

    /// All that is not as it should be, as of the last event.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The operation that runs now.
    pub fn operation(&self) -> Option<&Operation> {
        self.run.as_ref().map(|run| &run.operation)
    }

    /// The routes published last, by this process.
    pub fn routes(&self) -> Option<&Routes> {
        self.routes.as_ref()
    }

    /// The plan of a switchover as it would be made now, or why there is none.
    pub fn plan_switchover(&self, to: Option<&ServerName>) -> Result<Plan, String> {
        let view = self.view();
        match view.doubtful {
            Some(_) => Err("the last record may be stored or not; try again".to_owned()),
            None => switchover::plan(view, to),
        }
    }

    /// The plan of a failover as it would be made now, with what is expected to follow the
    /// election, or why there is none.
    pub fn plan_failover(&self) -> Result<Plan, String> {
        let view = self.view();
        let mut plan = failover_plan(view)?;
        let ballot = failover::ballot(view, &failover::expected(view));
        let ballot = ballot.ok_or("there is no primary yet")?;
        let won = elect(&ballot)?;
        let groups = plan.steps.iter().map(|step| step.group).max();
        let mut draft = Draft::after(view, groups.unwrap_or_default());
        failover::continuation(&mut draft, view, &failover::expected(view), (&ballot, &won));
        plan.steps.extend(draft.steps);
        Ok(plan)
    }

    /// The plan that a request would be followed by now, or why there is none.
    pub fn plan(&self, request: &Request) -> Result<Plan, String> {
        let mut plan = match request {
            Request::Switchover { to } => self.plan_switchover(to.as_ref()),
            Request::Failover => self.plan_failover(),
            Request::Change { server, change } => self.plan_change(server, change),
        }?;
        prepend(self.view(), self.next_operation(), true, &mut plan);
        Ok(plan)
    }

    /// The id of the operation that is begun next.
    fn next_operation(&self) -> OperationId {
        OperationId(self.history.last_operation.0 + 1)
    }

    fn plan_change(&self, server: &ServerName, change: &Change) -> Result<Plan, String> {
        if self.doubtful.is_some() {
            return Err("the last record may be stored or not; try again".to_owned());
        }
        change::plan(self.view(), &self.history.wishes, (server, change))
    }

    /// What operators want with servers.
    pub fn wishes(&self) -> &BTreeMap<ServerName, Wish> {
        &self.history.wishes
    }

    /// Looks at the servers as configured, under what is wished for them.
    fn grant_wishes(&mut self) {
        for member in &self.members {
            let wish = self.history.wishes.get(&member.name);
            let wish = wish.cloned().unwrap_or_default();
            if let Some(server) = self.topology.servers.get_mut(&member.name) {
                server.member = member.under(&wish);
                server.wish = wish;
            }
        }
    }

    pub(crate) fn view(&self) -> View<'_> {
        View {
            topology: &self.topology,
            policy: &self.policy,
            hooks: &self.hooks,
            bugs: self.bugs,
            now: self.now,
            settled: self.settled,
            condemned: self.condemned,
            slow: &self.slow,
            stubborn: &self.stubborn,
            stalled: self.stalled.as_ref().map(|(since, _)| *since),
            doubtful: self.doubtful.as_ref(),
            stored: self.stored,
            established: self.established,
            paused: self.history.paused.as_ref(),
            unacknowledged: self.history.unacknowledged,
        }
    }

    fn observe(&mut self, seen: &Observation) {
        let reachability = |topology: &Topology| {
            let server = topology.server(&seen.server);
            server.map(|server| server.reachability)
        };
        let before = reachability(&self.topology);
        self.topology.observe(seen);
        self.stalled = self.topology.stall(self.stalled.take());
        let silence = self.topology.primary().map(|primary| primary.since);
        let stale = silence.is_some_and(|since| seen.begun < since);
        self.stale_witness = stale.then(|| seen.server.clone());
        if reachability(&self.topology) != before {
            // What failed may succeed now.
            self.backoff.clear();
        }
    }

    fn requested(&mut self, request: Request, actions: &mut Vec<Action>) {
        if let Some(run) = &self.run {
            let id = run.operation.id.0;
            let busy = format!("operation {id} is running; wait until it has ended");
            actions.push(Action::Refuse(busy));
            return;
        }
        let plan = match request {
            Request::Switchover { to } => self.plan_switchover(to.as_ref()),
            Request::Failover => failover_plan(self.view()),
            Request::Change { server, change } => self.plan_change(&server, &change),
        };
        let drains = |step: &Step| matches!(step.effect, Effect::Publish { .. });
        match plan {
            Ok(Plan {
                purpose: Purpose::Change { .. },
                steps,
                ..
            }) if self.routes.is_none() && steps.iter().any(drains) => {
                // Where writes go now, only the manager before this one knows.
                actions.push(Action::Refuse(
                    "the primary was not seen to serve yet; try again in a second".to_owned(),
                ));
            }
            Ok(plan) if self.phase != Phase::Cooling => self.begin(plan, true, actions),
            Ok(_) => actions.push(Action::Refuse(
                "an operation has just ended; try again in a second".to_owned(),
            )),
            Err(reason) => actions.push(Action::Refuse(reason)),
        }
    }
}
