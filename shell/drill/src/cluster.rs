//! The cluster under drill, as far as a drill needs to know it.

use std::fmt;
use std::future::Future;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// What a drill does to the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// SIGKILL to the primary's process.
    KillPrimary,
    /// SIGSTOP to the primary's process: it hangs, and keeps its sockets.
    StopPrimary,
    /// A planned move of the primary.
    Switchover,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::KillPrimary => "kill-primary",
            Self::StopPrimary => "stop-primary",
            Self::Switchover => "switchover",
        })
    }
}

/// One server of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerStatus {
    /// Its name.
    pub name: String,
    /// Where it listens: host.
    pub host: String,
    /// Where it listens: port.
    pub port: u16,
}

/// The cluster at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterStatus {
    /// The primary that serves writes, if one does.
    pub primary: Option<String>,
    /// Its reign.
    pub epoch: u64,
    /// All servers.
    pub servers: Vec<ServerStatus>,
    /// `None` when a primary serves and all others replicate from it; else what is wrong.
    pub wrong: Option<String>,
}

/// One line of the manager's account of what it did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// Milliseconds since the fault.
    pub at_ms: f64,
    /// How long it took in milliseconds; zero for events.
    pub took_ms: f64,
    /// One sentence.
    pub what: String,
}

/// How a drill asks a cluster and does the fault.
pub trait Cluster: Send + Sync {
    /// The cluster as it is now.
    fn status(&self) -> impl Future<Output = Result<ClusterStatus, Error>> + Send;

    /// Does the fault; returns when it is done (a switchover: when it has ended).
    fn fault(&self, fault: Fault) -> impl Future<Output = Result<(), Error>> + Send;

    /// What the manager did since the fault, which was `ago_ms` milliseconds ago.
    fn timeline(
        &self,
        ago_ms: f64,
    ) -> impl Future<Output = Result<Vec<TimelineEntry>, Error>> + Send;
}
