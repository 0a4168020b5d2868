//! How a server takes part in the cluster, as configured: whom it follows, over which channel, how
//! far behind, and whether it may acknowledge. What it is set up for itself is its own word: see
//! [`crate::setup`].

use std::collections::BTreeSet;
use std::time::Duration;

use mainstay_gtid::GtidSet;
use mainstay_gtid::mysql::Uuid;

use crate::server::ServerName;

/// A server's part, as configured. By default: a replica of the primary like any other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// It follows this server, while that is not the primary and serves.
    pub source: Option<ServerName>,
    /// The name of its channel (MySQL) or connection (MariaDB) for this cluster; others are not
    /// touched. Empty is the one without a name.
    pub channel: String,
    /// Whose transactions are none of this cluster's.
    pub foreign: Foreign,
    /// How far behind it is kept; `None` leaves that as it is set on the server.
    pub delay: Option<Duration>,
    /// Whether it acknowledges; `None` if it could be promoted.
    pub acknowledges: Option<bool>,
    /// Whether it gets reads; `None` unless it is delayed.
    pub reads: Option<bool>,
    /// It may be promoted although replication filters leave something out.
    pub promote_filtered: bool,
}

/// The transactions of other clusters that a replica with several sources has: they are not errant,
/// and count nowhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Foreign {
    /// MariaDB's domains.
    pub domains: BTreeSet<u32>,
    /// MySQL's servers.
    pub servers: BTreeSet<Uuid>,
}

impl Part {
    /// Whether it has sources outside of the cluster.
    pub fn has_other_sources(&self) -> bool {
        !self.foreign.is_empty() || !self.channel.is_empty()
    }
}

impl Foreign {
    /// Whether nothing is foreign.
    pub fn is_empty(&self) -> bool {
        self.domains.is_empty() && self.servers.is_empty()
    }

    /// A server of MySQL, by its `server_uuid`.
    pub fn server(text: &str) -> Option<Uuid> {
        Uuid::parse(text)
    }

    /// Leaves what is foreign out of a set.
    pub fn strip(&self, set: &mut GtidSet) {
        if self.is_empty() {
            return;
        }
        match set {
            GtidSet::Mysql(set) => *set = set.without(&self.servers),
            GtidSet::Mariadb(set) => *set = set.without(&self.domains),
        }
    }
}
