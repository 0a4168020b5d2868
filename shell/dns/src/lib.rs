//! An authoritative responder for one zone: the names of a cluster's primary, its replicas and its
//! servers, with short lives.
//!
//! Who is what comes in as [`Names`]; the responder holds no zone file, gives no zone away (AXFR,
//! IXFR), asks nobody else, and answers no more questions of one source than it is told.
//!
//! **Invariant:** bytes of a stranger never panic and never get an answer that is larger than what
//! was asked for.

mod answer;
mod error;
mod limit;
mod names;
mod server;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::time::Duration;

pub use error::DnsError;
pub use names::{Host, Names};
pub use server::{Responder, start};

/// What the responder is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where it listens, with UDP and TCP.
    pub listen: SocketAddr,
    /// The zone, such as `db.example`.
    pub zone: String,
    /// How long an answer may be kept.
    pub ttl: Duration,
    /// The zone's name servers, as the zone above names them.
    pub name_servers: Vec<String>,
    /// Answers for one source; 0 for as many as it asks.
    pub queries_per_second: u32,
}
