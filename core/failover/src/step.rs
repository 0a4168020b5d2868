//! Plans: readable data. Dry runs, logs, the API and the journal print the same sentences.

use std::time::Duration;

use mainstay_gtid::GtidSet;
use mainstay_topology::{Epoch, ServerName};

use crate::effect::{Effect, Output, Place};

/// What happens to the operation when a step fails or runs out of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// The operation ends; the undo effects of the steps done so far run, newest first.
    Undo,
    /// The operation goes on without it.
    Continue,
    /// The operation ends here and the cluster is looked at again: a new plan is made from what is.
    Replan,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it does.
    pub effect: Effect,
    /// Where it runs; `None` for those of the manager and the proxies.
    pub place: Option<Place>,
    /// Steps of one group run at the same time; groups run in order.
    pub group: u32,
    /// What must hold before it may run, in English.
    pub precondition: String,
    /// What it does and why, in one English sentence.
    pub sentence: String,
    /// SQL as it will be sent, secrets as `<placeholders>`.
    pub sql: Vec<String>,
    /// How long it may take.
    pub limit: Duration,
    /// What a failure means.
    pub on_failure: OnFailure,
    /// What takes it back, while that is still allowed.
    pub undo: Option<Effect>,
}

impl Step {
    /// The SQL that takes it back: undo effects run where the step runs.
    pub fn undo_sql(&self) -> Vec<String> {
        let undo = self.undo.as_ref().zip(self.place.as_ref());
        undo.map(|(undo, place)| crate::dialect::sql(undo, place))
            .unwrap_or_default()
    }
}

/// Why a plan exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// The primary died; another takes its place.
    Failover {
        /// The dead primary.
        from: ServerName,
    },
    /// Planned move of the primary.
    Switchover {
        /// The present primary.
        from: ServerName,
        /// The next one.
        to: ServerName,
    },
    /// Make the recorded primary serve: first start, restart, or the rest of an interrupted plan.
    Establish {
        /// The primary.
        primary: ServerName,
    },
    /// Bring a server back as a replica with its own data.
    Rejoin {
        /// The server.
        server: ServerName,
    },
    /// Bring a server back as a replica with its own data, without what only it has.
    Rewind {
        /// The server.
        server: ServerName,
    },
    /// Bring a server back as a replica with its data replaced.
    Reseed {
        /// The server.
        server: ServerName,
    },
    /// What an operator wants with a server.
    Change {
        /// The server.
        server: ServerName,
        /// What: one of [`crate::event::Change::NAMES`].
        change: &'static str,
        /// Its new source, of a move.
        under: Option<ServerName>,
    },
}

impl std::fmt::Display for Purpose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failover { from } => write!(f, "failover from {from}"),
            Self::Switchover { from, to } => write!(f, "switchover from {from} to {to}"),
            Self::Establish { primary } => write!(f, "establish {primary} as the primary"),
            Self::Rejoin { server } => write!(f, "rejoin {server}"),
            Self::Rewind { server } => write!(f, "rewind {server}"),
            Self::Reseed { server } => write!(f, "reseed {server}"),
            Self::Change {
                server,
                change,
                under: Some(under),
            } => write!(f, "{change} {server} under {under}"),
            Self::Change {
                server,
                change,
                under: None,
            } => write!(f, "{change} {server}"),
        }
    }
}

/// Ordered intent: steps that lead from what is to what is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Why.
    pub purpose: Purpose,
    /// The reign in which it ends.
    pub epoch: Epoch,
    /// The steps, in order of their groups.
    pub steps: Vec<Step>,
    /// True when the plan is completed after an election: the steps after the last are decided
    /// from what the replicas are found to hold. A dry run shows them as expected.
    pub continues: bool,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepResult {
    /// It succeeded.
    Done(Output),
    /// It failed; the reason is for people.
    Failed(String),
    /// It ran out of time.
    TimedOut,
}

/// Names one run of a plan in the journal. Grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub u64);

/// The proof at the end of a failover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The new reign.
    pub epoch: Epoch,
    /// The dead primary.
    pub from: ServerName,
    /// The new one.
    pub to: ServerName,
    /// What each survivor held when its receiver had been stopped.
    pub survivors: Vec<(ServerName, GtidSet)>,
    /// Servers that could not be asked.
    pub absent: Vec<ServerName>,
    /// Acknowledgements each commit needed; 0 for asynchronous replication.
    pub acknowledgements: u32,
    /// True when nothing acknowledged can be missing.
    pub lossless: bool,
    /// Why, in one sentence.
    pub reason: String,
}
