//! What one manager is given: the cluster's rules, its servers, and how patient its probes are.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use mainstay_failover::Policy;
use mainstay_topology::{Member, ServerName};

/// The configuration of one manager.
#[derive(Debug, Clone)]
pub struct Config {
    /// The cluster's rules.
    pub policy: Policy,
    /// Its servers.
    pub members: Vec<Member>,
    /// The account that the manager uses on every server.
    pub login: Login,
    /// The account that replicas use on their source.
    pub replication: Login,
    /// How patient probes are.
    pub timing: Timing,
    /// The folder for what is kept of a server's transactions before its data are replaced.
    pub salvage: PathBuf,
    /// Data directories of servers that can be read on this host.
    pub data_directories: BTreeMap<ServerName, PathBuf>,
}

/// An account on the servers. Its password is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user.
    pub user: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// How patient probes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// A connection and its login take no longer.
    pub connect_limit: Duration,
    /// The answers of one probe take no longer.
    pub probe_limit: Duration,
    /// Time between two writes to the primary's heartbeat row.
    pub write_interval: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect_limit: Duration::from_millis(700),
            probe_limit: Duration::from_millis(700),
            write_interval: Duration::from_millis(500),
        }
    }
}
