//! What is shown of a server: four separate states, and the one word of ProxySQL that they come to.

use std::time::Duration;

use mainstay_topology::{Address, Intent, Reachability, ServerName};

/// Its part in the routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// It is written to.
    Writer,
    /// It is read-only, or replicates from the writer: it may serve reads.
    Reader,
    /// It is not known what it is.
    Unknown,
}

/// Whether the proxy uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It gets statements.
    Open,
    /// It finishes what it has begun.
    Draining,
    /// It gets none; why.
    Ejected(String),
}

/// One server as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerState {
    /// Its name.
    pub name: ServerName,
    /// Where it listens.
    pub address: Address,
    /// Its part.
    pub part: Part,
    /// Whether it is reached.
    pub reachability: Reachability,
    /// Whether it is used.
    pub admission: Admission,
    /// What the operator wants.
    pub intent: Intent,
    /// Whether it is read-only, where that is known.
    pub read_only: Option<bool>,
    /// The time of the last ping.
    pub latency: Option<Duration>,
    /// How far it is behind.
    pub lag: Option<Duration>,
    /// Why things are as they are; empty when there is nothing to say.
    pub comment: String,
}

/// ProxySQL's word for a server: `mysql_servers.status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// `ONLINE`.
    Online,
    /// `SHUNNED`.
    Shunned,
    /// `OFFLINE_SOFT`.
    OfflineSoft,
    /// `OFFLINE_HARD`.
    OfflineHard,
}

impl Status {
    /// As ProxySQL writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "ONLINE",
            Self::Shunned => "SHUNNED",
            Self::OfflineSoft => "OFFLINE_SOFT",
            Self::OfflineHard => "OFFLINE_HARD",
        }
    }
}

impl ServerState {
    /// The one word. What the operator wants comes first.
    pub fn status(&self) -> Status {
        match (self.intent, &self.admission) {
            (Intent::Out, _) => Status::OfflineHard,
            (Intent::Draining, _) | (Intent::InService, Admission::Draining) => Status::OfflineSoft,
            (Intent::InService, Admission::Open) => Status::Online,
            (Intent::InService, Admission::Ejected(_)) => Status::Shunned,
        }
    }
}
