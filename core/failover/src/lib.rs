//! Topology to analysis to plan, and the machine that walks a plan.

pub mod bugs;
pub mod dialect;
pub mod effect;
pub mod event;
pub mod finding;
pub mod machine;
pub mod operation;
pub mod phase;
pub mod policy;
pub mod step;

pub use effect::{Effect, Output, Place};
pub use event::{Action, Event, Request};
pub use finding::{Finding, Problem, Subject};
pub use machine::{History, Hooks, Manager};
pub use operation::{Operation, StepState};
pub use phase::Phase;
pub use policy::{Durability, Policy};
pub use step::{Certificate, OnFailure, OperationId, Plan, Purpose, Step, StepResult};
