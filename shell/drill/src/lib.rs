//! Drills: a load of numbered writes and reads through the proxy, a fault, and the honest account
//! of what clients saw and of what the servers hold afterwards.
//!
//! Which cluster it is, how it is asked and how the fault is made are left to the caller
//! ([`Cluster`]); printing is left to the caller too. A test that makes faults of its own takes the
//! parts: [`Load`], [`Account`] and [`rows_of_all`].

mod account;
mod cluster;
mod error;
mod load;
mod report;
mod round;
mod verify;

pub use account::{Account, Write, WriteEnd};
pub use cluster::{Cluster, ClusterStatus, Fault, ServerStatus, TimelineEntry};
pub use error::Error;
pub use load::{Load, Shape};
pub use report::{Report, Round, Spread, Summary};
pub use round::{DrillOptions, Progress, prepare_table, run};
pub use verify::{Rows, rows_of_all};
