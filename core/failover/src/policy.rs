//! What the operator allows and how patient the manager is. Given by value, swapped whole.

use std::time::Duration;

use mainstay_topology::ServerName;

use crate::hook::Hook;

/// What an acknowledged commit promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Semi-synchronous, `AFTER_SYNC`, no fallback: a commit is acknowledged only when this many
    /// replicas hold it.
    Lossless {
        /// Acknowledgements a commit needs; at least 1.
        acknowledgements: u32,
    },
    /// A commit may be acknowledged before any replica holds it: a failover may lose it.
    Async,
}

/// The rules of one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "independent permissions")]
pub struct Policy {
    /// What an acknowledged commit promises.
    pub durability: Durability,
    /// Fail over without being asked.
    pub auto_failover: bool,
    /// Attach clean servers without being asked.
    pub auto_rejoin: bool,
    /// Undo what only a diverged server has without being asked, after saving it.
    pub auto_rewind: bool,
    /// Replace the data of diverged servers without being asked, after saving what only they have.
    pub auto_reseed: bool,
    /// Time between two looks at a server.
    pub probe_interval: Duration,
    /// Silence of the primary after which it may be confirmed as hung.
    pub hang_after: Duration,
    /// Silence after which a replica no longer counts as hearing its source; at least two of
    /// its heartbeat periods.
    pub silent_after: Duration,
    /// A switchover gives up when writes in flight have not ended after this long.
    pub drain_limit: Duration,
    /// A switchover gives up when the next primary has not caught up after this long.
    pub catch_up_limit: Duration,
    /// A failover waits this long for received transactions to be applied before it looks again.
    pub apply_limit: Duration,
    /// Replicas that are further behind get no reads.
    pub reader_lag_max: Duration,
    /// Two servers that replicate from each other; one of them is the primary, or should be.
    pub pair: Option<[ServerName; 2]>,
    /// For so long after an automatic failover that nobody has acknowledged, another one for a
    /// primary that is only silent is held back; zero: never.
    pub failover_pause: Duration,
    /// Programs of the operator's that run before and after operations.
    pub hooks: Vec<Hook>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            durability: Durability::Lossless {
                acknowledgements: 1,
            },
            auto_failover: true,
            auto_rejoin: true,
            auto_rewind: true,
            auto_reseed: false,
            probe_interval: Duration::from_millis(250),
            hang_after: Duration::from_secs(2),
            silent_after: Duration::from_millis(1500),
            drain_limit: Duration::from_secs(1),
            catch_up_limit: Duration::from_secs(10),
            apply_limit: Duration::from_secs(30),
            reader_lag_max: Duration::from_secs(10),
            pair: None,
            failover_pause: Duration::ZERO,
            hooks: Vec::new(),
        }
    }
}
