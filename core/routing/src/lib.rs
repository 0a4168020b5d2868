//! Session state, statement and hostgroups to a route.
//!
//! **Invariant:** a statement that is not proved to be a read never gets [`Route::Reader`].

pub mod bucket;
pub mod firewall;
pub mod hostgroups;
mod reader;
mod reason;
mod route;
pub mod rules;

#[cfg(test)]
mod tests;

pub use bucket::{Bucket, Limits};
pub use firewall::Firewall;
pub use hostgroups::{Hostgroup, Hostgroups};
pub use reader::{Choice, Reader, pick_reader};
pub use reason::Reason;
pub use route::{Context, Decision, Policy, Route, route};
pub use rules::{Flag, HostgroupId, Rules};
