//! The machine of the proxy: client and server bytes in, operations out.
//!
//! One [`Core`] serves one worker thread. It never reads a clock, opens a socket or blocks: the
//! driver (in `shell/proxy`, or a test) calls an entry point and then runs the [`Ops`] it left.
//!
//! ```text
//! client bytes ─▶ front ─▶ command ─▶ dispatch ─┬─▶ hold (no writer)
//!                                               └─▶ pool ─▶ setup ─▶ server
//! server bytes ─▶ reply ─▶ client, then effects ─▶ pool
//! lost, change: what sessions are told when a connection or a reign ends
//! ```
//!
//! Invariants:
//! - a write that may have been sent is never sent again, unless the server refused it unrun;
//! - a server connection with an unread reply is never used for another session;
//! - nothing is sent to the writer of an earlier reign;
//! - a session's state reaches another session on no path: it is set again, reset, or it ties;
//! - the output does not depend on how the input is cut.

mod allowed;
mod answer;
pub mod budget;
mod cache;
mod cached;
pub mod causal;
mod change;
mod cleaning;
mod client_login;
mod command;
pub mod core;
mod counted;
mod counters;
pub mod counts;
mod dialect;
mod dispatch;
mod effects;
mod errand;
pub mod explain;
mod files;
mod front;
mod full_login;
mod greeting;
mod guests;
mod held;
mod hostgroup;
pub mod hosts;
mod hung;
mod internal;
pub mod inventory;
mod json;
mod kill;
mod limits;
mod local;
mod lost;
mod mirror;
mod moving;
mod note;
mod offer;
pub mod op;
mod opening;
mod option;
mod places;
pub mod policy;
mod pool;
mod prepared;
mod processes;
pub mod queries;
mod readers;
mod ready;
pub mod records;
mod replay;
mod reply;
mod rulebook;
mod ruling;
mod secure;
mod server;
mod server_greeting;
mod server_login;
mod session;
pub mod sessions;
mod setup;
mod slots;
mod splice;
mod state;
mod statements;
pub mod stats;
mod steps;
mod stream;
mod tally;
pub mod tie;
mod timers;
mod tracking;
mod transactions;
mod turns;
mod upstream;
mod warm;
mod why;
mod written;

pub use crate::core::Core;
pub use allowed::Subnet;
pub use cache::CacheStats;
pub use counts::{Count, Counts, GroupStats};
pub use note::Note;
pub use op::{Chunk, CloseReason, ConnId, Op, Ops};
pub use places::Places;
pub use policy::{
    Algorithms, AuthPlugin, BinlogSource, CachePolicy, ClientTls, Compression, Credential, Hold,
    PassThrough, Plugin, Policy, Pool, Require, Secret, ServerTls, Timeouts, User,
};
pub use queries::{QueryStats, Reset};
pub use sessions::{FreeRow, ServerEnd, SessionRow, SessionState, Sessions};
pub use stats::{ServerStats, Stats};
pub use tally::{PreparedStats, Tally};
pub use tie::TieReason;
pub use written::Written;
