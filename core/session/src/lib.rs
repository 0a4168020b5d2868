//! The machine of the proxy: client and server bytes in, operations out.
//!
//! One [`Core`] serves one worker thread. It never reads a clock, opens a socket or blocks: the
//! driver (in `shell/proxy`, or a test) calls an entry point and then runs the [`Ops`] it left.

pub mod core;
pub mod op;
pub mod policy;
pub mod stats;
pub mod tie;

pub use crate::core::Core;
pub use op::{Chunk, CloseReason, ConnId, Op, Ops};
pub use policy::{AuthPlugin, Hold, Policy, Pool, Secret, Timeouts, User};
pub use stats::{ServerStats, Stats};
pub use tie::TieReason;
