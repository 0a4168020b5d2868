//! What the machine is told, and what it asks for.

use mainstay_topology::{Maintenance, Observation, ServerName, WriteProbe};

use crate::pause::Pause;
use crate::step::{Certificate, OperationId, Plan, Purpose, Step, StepResult};

/// What an operator may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Move the primary; `None` lets the manager choose.
    Switchover {
        /// The next primary.
        to: Option<ServerName>,
    },
    /// Fail over now although the primary is not confirmed dead. The safety rules still hold.
    Failover,
    /// Change one server, or gather others under it.
    Change {
        /// The server.
        server: ServerName,
        /// What is wanted.
        change: Change,
    },
}

/// What an operator may want with one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Its replication stops, and stays stopped.
    Stop,
    /// Its replication starts.
    Start,
    /// It replicates from another server.
    Move {
        /// The source.
        under: ServerName,
    },
    /// All clean replicas replicate from it.
    Regroup,
    /// It goes into maintenance.
    Maintain(Maintenance),
    /// It comes back into service.
    Serve,
    /// It leaves the cluster.
    Decommission,
    /// Its process ends, and is waited for until it is back. It must be in maintenance.
    Restart,
}

impl Change {
    /// Its name, as in the journal.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Start => "start",
            Self::Move { .. } => "move",
            Self::Regroup => "regroup",
            Self::Maintain(_) => "maintenance on",
            Self::Serve => "maintenance off",
            Self::Decommission => "decommission",
            Self::Restart => "restart",
        }
    }

    /// All names.
    pub const NAMES: [&'static str; 8] = [
        "stop",
        "start",
        "move",
        "regroup",
        "maintenance on",
        "maintenance off",
        "decommission",
        "restart",
    ];
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A server was looked at.
    Observed(Observation),
    /// The primary was written to, or not.
    WriteProbed(WriteProbe),
    /// A step ended.
    StepDone {
        /// Of which operation.
        operation: OperationId,
        /// Its index in the plan.
        step: usize,
        /// How.
        result: StepResult,
    },
    /// An operator asks.
    Requested(Request),
    /// An operator wants no automatic operation to begin, or does again.
    Paused(Option<Pause>),
    /// An operator has seen the last failover.
    Acknowledged,
    /// The deadline passed.
    Tick,
}

/// One thing to do. The shell does them in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Look at the server now, without waiting for its interval.
    Probe(ServerName),
    /// Journal the beginning of an operation.
    Begin {
        /// Its id.
        operation: OperationId,
        /// Its plan as far as it is known.
        plan: Plan,
    },
    /// Journal the step, then run it; answer with [`Event::StepDone`].
    Run {
        /// The operation.
        operation: OperationId,
        /// The step's index in the plan.
        step: usize,
        /// The step.
        what: Box<Step>,
    },
    /// Journal the end of an operation.
    Finish {
        /// Its id.
        operation: OperationId,
        /// Why it existed.
        purpose: Purpose,
        /// `Ok`, or the sentence that says why it failed and what happens next.
        outcome: Result<(), String>,
        /// The proof, after a failover.
        certificate: Option<Box<Certificate>>,
    },
    /// Tell the proxies these routes; not part of a plan (readers came or went, writer held).
    Publish(mainstay_topology::Routes),
    /// The answer to a request that was refused.
    Refuse(String),
    /// The phase changed; for the log.
    Enter {
        /// The new phase's name.
        phase: &'static str,
        /// Why, in one sentence.
        reason: String,
    },
}
