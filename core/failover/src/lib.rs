//! Topology to analysis to plan, and the machine that walks a plan.
//!
//! Observe, model, analyse, plan, execute: the first is told by events, the last is asked for by
//! actions; what lies between are pure functions. Who talks to servers, stores and proxies is not
//! known here.

pub mod alerts;
mod analysis;
pub mod bugs;
mod decide;
pub mod dialect;
pub mod effect;
mod elect;
pub mod event;
pub mod finding;
pub mod hook;
pub mod machine;
pub mod operation;
pub mod pause;
pub mod phase;
mod plan;
pub mod policy;
pub mod preflight;
mod readers;
mod ring;
mod shape;
pub mod spread;
pub mod step;
mod verdict;
mod view;
pub mod why;
mod words;

pub use effect::{Effect, Manner, Output, Place, Start};
pub use event::{Action, Change, Event, Request};
pub use finding::{Finding, Misfit, Problem, Subject};
pub use machine::{Basis, History, Hooks, Manager};
pub use operation::{Operation, StepState};
pub use phase::Phase;
pub use policy::{Durability, Policy};
pub use step::{Certificate, OnFailure, OperationId, Plan, Purpose, Step, StepResult};
