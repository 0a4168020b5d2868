//! The manager as tokio tasks: observers that look at the servers, an executor that runs steps,
//! a journal, and one loop around the pure machine of `mainstay-failover`, which decides.
//!
//! What the proxies and the hosts of the servers do is left to the two traits of [`control`].

mod clock;
mod config;
pub mod control;
mod daemon;
mod error;
mod event;
mod executor;
mod failpoint;
mod handle;
mod hooks;
mod journal;
mod keeper;
mod look;
mod observer;
mod positions;
mod preflight;
mod snapshot;
mod write_probe;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

pub use config::{Config, Login, Timing};
pub use control::{HookControl, HostControl, Pending, ProxyControl};
pub use daemon::{Wiring, start};
pub use error::{ManagerError, RequestError};
pub use handle::{ManagerHandle, Planned};
pub use snapshot::{Running, Snapshot};
