//! A proxy without a manager: from what probes see of the servers to who is the writer and who are
//! readers. `read_only` decides, as ProxySQL's replication hostgroups have it, but two servers are
//! never written to at a time (decision 0017).
//!
//! Sending the probes, and telling the proxy, is left to others.

pub mod dialect;
mod judge;
mod machine;
mod policy;
mod probed;
mod server;
mod state;

pub use machine::Alone;
pub use policy::{Check, Policy, Terms};
pub use probed::{Failure, Following, Place, Probed};
pub use state::{Admission, Part, ServerState, Status};
