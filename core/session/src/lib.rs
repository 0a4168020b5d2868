//! The machine of the proxy: client and server bytes in, operations out.
//!
//! One [`Core`] serves one worker thread. It never reads a clock, opens a socket or blocks: the
//! driver (in `shell/proxy`, or a test) calls an entry point and then runs the [`Ops`] it left.

mod answer;
mod change;
mod client_login;
mod command;
pub mod core;
mod dispatch;
mod effects;
mod front;
mod greeting;
mod lost;
pub mod op;
mod opening;
pub mod policy;
mod pool;
mod prepared;
mod reply;
mod server;
mod server_login;
mod session;
mod setup;
mod slots;
mod state;
mod statements;
pub mod stats;
mod stream;
pub mod tie;
mod timers;
mod upstream;

pub use crate::core::Core;
pub use op::{Chunk, CloseReason, ConnId, Op, Ops};
pub use policy::{AuthPlugin, Hold, Policy, Pool, Secret, Timeouts, User};
pub use stats::{ServerStats, Stats};
pub use tie::TieReason;
