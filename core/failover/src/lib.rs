//! Topology to analysis to plan, and the machine that walks a plan.

pub mod effect;
pub mod event;
pub mod policy;
pub mod step;

pub use effect::{Effect, Output, Place};
pub use event::{Action, Event, Request};
pub use policy::{Durability, Policy};
pub use step::{Certificate, OnFailure, OperationId, Plan, Purpose, Step, StepResult};
