//! Everything that can happen to the manager's loop: one closed enum.

use mainstay_clock::Timestamp;
use mainstay_failover::pause::Pause;
use mainstay_failover::preflight::Terms;
use mainstay_failover::why::Answer;
use mainstay_failover::{OperationId, Request, StepResult};
use mainstay_store::Operation;
use mainstay_topology::{Observation, ServerName, WriteProbe};
use tokio::sync::oneshot;

use crate::error::RequestError;
use crate::handle::Planned;

/// One thing that happened.
#[derive(Debug)]
pub(crate) enum Event {
    /// A server was looked at.
    Observed(Observation),
    /// The primary was written to, or not.
    WriteProbed(WriteProbe),
    /// A step ended.
    StepEnded {
        operation: OperationId,
        step: usize,
        result: StepResult,
        at: Timestamp,
    },
    /// Somebody asks for an operation.
    Asked {
        request: Request,
        terms: Terms,
        reply: oneshot::Sender<Result<Operation, RequestError>>,
    },
    /// Somebody asks what would be done.
    PlanAsked {
        request: Request,
        terms: Terms,
        reply: oneshot::Sender<Result<Planned, RequestError>>,
    },
    /// Somebody asks for a plan that was shown.
    ApplyAsked {
        plan: String,
        reply: oneshot::Sender<Result<Operation, RequestError>>,
    },
    /// Nothing stands in the way of what somebody has asked for.
    Cleared {
        request: Request,
        reply: oneshot::Sender<Result<Operation, RequestError>>,
    },
    /// Somebody asks why.
    WhyAsked {
        about: Option<ServerName>,
        reply: oneshot::Sender<Result<Vec<Answer>, RequestError>>,
    },
    /// Somebody wants no automatic operation to begin, or does again.
    PauseAsked {
        pause: Option<Pause>,
        reply: oneshot::Sender<Result<(), RequestError>>,
    },
    /// Somebody has seen the last failover.
    AcknowledgeAsked {
        reply: oneshot::Sender<Result<(), RequestError>>,
    },
    /// The machine's deadline has come.
    Due,
    /// The manager is to stop.
    Stop,
}
