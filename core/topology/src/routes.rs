//! What the manager tells the proxies: who may be written to, who may be read from.

use crate::server::{Address, Epoch, ServerName};

/// One server that the proxy may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name.
    pub name: ServerName,
    /// Where it listens.
    pub address: Address,
}

/// The routes of one epoch. A proxy ignores routes that are not newer than those it has:
/// they are ordered by `(epoch, version)`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes {
    /// The reign these routes belong to.
    pub epoch: Epoch,
    /// Grows with each publication within an epoch.
    pub version: u64,
    /// The only server that may be written to; `None` while there is none: writes are held.
    pub writer: Option<Target>,
    /// Servers that may be read from, besides the writer. When it is empty the writer serves reads.
    pub readers: Vec<Target>,
    /// Hold new writes and new transactions although there is a writer: a switchover drains it.
    pub hold_writes: bool,
}

impl Routes {
    /// True when these routes replace `other`.
    pub fn is_newer_than(&self, other: &Self) -> bool {
        (self.epoch, self.version) > (other.epoch, other.version)
    }
}
