//! What a balancer shall do from now on: plain values, complete in themselves.

use std::net::SocketAddr;
use std::time::Duration;

use crate::{Forwarding, Protocol, Scheduler};

/// All virtual servers of this host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// In the order of the settings.
    pub entries: Vec<Entry>,
}

/// One virtual server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What clients connect to.
    pub address: SocketAddr,
    /// Of what.
    pub protocol: Protocol,
    /// Who gets a new connection.
    pub scheduler: Scheduler,
    /// How it gets there.
    pub forwarding: Forwarding,
    /// A client comes back for so long.
    pub persistence: Option<Duration>,
    /// Who may serve. One of weight 0 keeps its connections and gets no new ones.
    pub destinations: Vec<Destination>,
    /// Who went down: connections to them are cut off, so that clients notice.
    pub dead: Vec<SocketAddr>,
}

/// One real server, or the sorry server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destination {
    /// Where.
    pub address: SocketAddr,
    /// Its share.
    pub weight: u32,
}

impl Entry {
    /// Whether both are the same but for who serves.
    pub fn same_service(&self, other: &Self) -> bool {
        let bare = |entry: &Self| Self {
            destinations: Vec::new(),
            dead: Vec::new(),
            ..entry.clone()
        };
        bare(self) == bare(other)
    }

    /// What a destination weighs for this scheduler: all the same where weights do not count.
    pub fn share(&self, destination: &Destination) -> u32 {
        match self.scheduler {
            Scheduler::RoundRobin | Scheduler::LeastConnection => destination.weight.min(1),
            Scheduler::WeightedRoundRobin
            | Scheduler::WeightedLeastConnection
            | Scheduler::SourceHash
            | Scheduler::DestinationHash
            | Scheduler::Random => destination.weight,
        }
    }
}
