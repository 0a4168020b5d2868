//! Session state, statement and hostgroups to a route.
//!
//! **Invariant:** a statement that is not proved to be a read never gets [`Route::Reader`].

mod reader;
mod reason;
mod route;

#[cfg(test)]
mod tests;

pub use reader::{Choice, Reader, pick_reader};
pub use reason::Reason;
pub use route::{Context, Decision, Policy, Route, route};
