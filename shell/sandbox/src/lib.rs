//! Real servers for a trial: made from templates, started, supervised, stopped.
//!
//! [`Sandbox::prepare`] makes or picks up a directory, [`Prepared::start`] runs its three servers
//! as children of one supervisor thread. Which server is the primary is nobody's business here:
//! every server starts read-only and without replication, and the manager does the rest.

mod accounts;
mod copy;
mod credentials;
mod dialect;
mod error;
mod flavor;
mod guard;
mod layout;
mod locate;
mod lock;
mod ports;
mod reseed;
mod sandbox;
mod server;
mod supervisor;
mod template;

pub use credentials::{Credentials, Login};
pub use error::SandboxError;
pub use flavor::{Flavor, Version};
pub use guard::{GUARD_COMMAND, guard_main};
pub use locate::{ServerProgram, locate};
pub use lock::{Stopped, running_pid, stop_running};
pub use rustix::process::Signal;
pub use sandbox::{Prepared, Sandbox, SandboxOptions, SandboxServer};
pub use supervisor::{RestartRole, RestartRoles, SandboxEvent};

/// What can go wrong is always a [`SandboxError`].
pub type Result<T> = std::result::Result<T, SandboxError>;
