//! Connections to a server over the wire codec, for the control plane.
//!
//! Built to tell apart the ways in which a server can fail to answer: refused, reset, silent,
//! overloaded, unwilling. Deadlines of queries, retries and pools are the caller's; TLS comes with
//! the proxy's filter.

mod connection;
mod error;
mod login;
mod options;
mod result_set;
mod statement;
mod stream;

pub use connection::{BinlogDump, Connection};
pub use error::{ConnectStage, Error};
pub use options::ConnectOptions;
pub use result_set::{OkReply, ResultSet, Row};
pub use statement::{Statement, Value};
