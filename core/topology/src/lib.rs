//! Observations assembled into one immutable topology.

pub mod coordinate;
pub mod dialect;
pub mod errant;
pub mod facts;
mod fold;
mod marks;
pub mod observation;
pub mod part;
pub mod routes;
pub mod server;
pub mod setup;
pub mod topology;
mod wish;

pub use coordinate::Coordinate;
pub use errant::Errant;
pub use facts::{
    Applier, Dialect, Facts, Family, Link, Positions, Receiver, SemiSync, SemiSyncWords, Version,
};
pub use marks::Marks;
pub use observation::{Observation, Outcome, WriteOutcome, WriteProbe};
pub use part::{Foreign, Part};
pub use routes::{Routes, Target};
pub use server::{Address, Epoch, Intent, ServerName};
pub use setup::{AutoIncrement, Logging, Setup};
pub use topology::{Member, Promotion, Reachability, Record, Role, Server, Snapshot, Topology};
pub use wish::{Maintenance, Wish};
