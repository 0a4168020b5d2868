//! What one probe of a server saw. A failure is an observation too.

use std::time::Duration;

use mainstay_topology::{Address, Reachability, Receiver};

/// What one probe saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probed {
    /// A new connection, and how long it took.
    Connect(Result<Duration, Failure>),
    /// A ping, and how long it took.
    Ping(Result<Duration, Failure>),
    /// Whether it is read-only.
    ReadOnly(Result<bool, Failure>),
    /// Its place in the replication.
    Replication(Result<Place, Failure>),
}

/// A server's place in the replication.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Its `server_id`.
    pub server_id: u32,
    /// Its source, if it replicates from one.
    pub following: Option<Following>,
}

/// A replication link, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Following {
    /// From where it replicates.
    pub source: Address,
    /// The `server_id` of that; 0 before the first contact.
    pub source_id: u32,
    /// Whether it does.
    pub receiver: Receiver,
    /// The time it is behind; `None` when it does not know.
    pub lag: Option<Duration>,
}

impl Following {
    /// It replicates, or tries to.
    pub fn is_on(&self) -> bool {
        self.receiver != Receiver::Stopped
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What that says about the server: `Closed` is one that is alive.
    pub reachability: Reachability,
    /// For people.
    pub sentence: String,
}
