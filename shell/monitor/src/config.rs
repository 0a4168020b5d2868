//! How often the servers are asked for what, and how long that may take.

use std::time::Duration;

use mainstay_alone::{Check, Policy, Terms};

/// How to probe, and whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The account's name.
    pub user: String,
    /// Its password.
    pub password: String,
    /// Which variable says that a server is not to be written to.
    pub check: Check,
    /// How often a probe may fail.
    pub policy: Policy,
    /// New connections.
    pub connect: Every,
    /// Pings.
    pub ping: Every,
    /// Whether servers are read-only.
    pub read_only: Every,
    /// Where they replicate from, and their lag.
    pub lag: Every,
    /// How long what was seen is kept.
    pub history: Duration,
    /// The servers.
    pub servers: Vec<Terms>,
}

/// How often, and how long at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Every {
    /// From one to the next.
    pub interval: Duration,
    /// The longest that one may take.
    pub limit: Duration,
}
