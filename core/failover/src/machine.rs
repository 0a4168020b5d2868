//! The manager's machine: what is seen goes in, what is to be done comes out.

use std::collections::BTreeMap;

use mainstay_clock::Timestamp;
use mainstay_topology::{Member, Record, Routes, ServerName, Topology};

#[cfg(feature = "bugs")]
use crate::bugs::Bugs;
use crate::event::{Action, Event};
use crate::finding::Finding;
use crate::operation::Operation;
use crate::phase::Phase;
use crate::policy::Policy;
use crate::step::{OperationId, Plan, Purpose};

/// What can be done for one server outside of its SQL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hooks {
    /// Its process can be ended ([`crate::Effect::EndProcess`]).
    pub end_process: bool,
    /// Its data can be replaced, and what only it has be saved before
    /// ([`crate::Effect::SaveErrant`], [`crate::Effect::Reseed`]).
    pub reseed: bool,
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
}

/// The machine.
#[derive(Debug)]
pub struct Manager {
    policy: Policy,
    hooks: BTreeMap<ServerName, Hooks>,
    topology: Topology,
    history: History,
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
        Self {
            policy,
            hooks,
            topology: Topology::new(members, record),
            history,
        }
    }

    /// The same machine with known bugs.
    #[cfg(feature = "bugs")]
    #[must_use]
    pub fn with_bugs(self, _bugs: Bugs) -> Self {
        self
    }

    /// Takes an event; answers what to do, in order.
    pub fn handle(&mut self, _now: Timestamp, _event: Event) -> Vec<Action> {
        Vec::new()
    }

    /// When [`Event::Tick`] is due at the latest; probes and steps have their own clocks.
    pub fn deadline(&self) -> Option<Timestamp> {
        None
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
        Phase::Watching
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
        &[]
    }

    /// The operation that runs now.
    pub fn operation(&self) -> Option<&Operation> {
        let _ = (&self.hooks, &self.history);
        None
    }

    /// The routes published last, by this process.
    pub fn routes(&self) -> Option<&Routes> {
        None
    }

    /// The plan of a switchover as it would be made now, or why there is none.
    pub fn plan_switchover(&self, _to: Option<&ServerName>) -> Result<Plan, String> {
        Err(String::new())
    }

    /// The plan of a failover as it would be made now, with what is expected to follow the
    /// election, or why there is none.
    pub fn plan_failover(&self) -> Result<Plan, String> {
        Err(String::new())
    }
}
