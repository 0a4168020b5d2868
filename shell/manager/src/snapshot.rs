//! What the manager knows and does at one moment, for those who show it.

use mainstay_clock::Timestamp;
use mainstay_failover::pause::Pause;
use mainstay_failover::{Durability, Finding, OperationId, Phase, Purpose};
use mainstay_topology::{Record, Routes, Topology};

/// One moment of a manager.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The moment, on the manager's own clock.
    pub at: Timestamp,
    /// What the manager is at.
    pub phase: Phase,
    /// Why.
    pub reason: String,
    /// The picture of the cluster.
    pub topology: Topology,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
    /// The routes that the proxies have; `None` before the first.
    pub routes: Option<Routes>,
    /// What an acknowledged commit promises.
    pub durability: Durability,
    /// The operation that runs now.
    pub operation: Option<Running>,
    /// The newest operation that has ended since the manager started.
    pub last_operation: Option<OperationId>,
    /// An operator wants no automatic operation to begin.
    pub paused: Option<Pause>,
}

impl Snapshot {
    /// Whose reign it is.
    pub fn record(&self) -> &Record {
        &self.topology.record
    }
}

/// The operation that runs now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Its id in the journal.
    pub id: OperationId,
    /// Why it exists.
    pub purpose: Purpose,
    /// The sentences of the steps that run now.
    pub steps: Vec<String>,
}
