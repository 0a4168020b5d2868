//! What the file says of names.

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::time::Duration;

/// `[dns]`: an authoritative responder for one zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsSettings {
    /// `listen`; default `127.0.0.1:53`.
    pub listen: SocketAddr,
    /// `zone`: `primary`, `replica` and the names of servers are below it.
    pub zone: String,
    /// `ttl`: how long an answer may be kept; default 1 s.
    pub ttl: Duration,
    /// `name_servers`, as the zone above names them; default `ns.` and the zone.
    pub name_servers: Vec<String>,
    /// `queries_per_second`: answers for one source; default 200, 0 for no limit.
    pub queries_per_second: u32,
}
