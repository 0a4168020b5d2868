//! What one server says about itself when it is asked: the content of an answered probe.

use std::fmt;
use std::time::Duration;

use mainstay_gtid::GtidSet;

use crate::server::Address;
use crate::setup::Setup;

/// The two families of servers: what differs between them lives in the `dialect` modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Oracle's MySQL and those that follow it closely (Percona Server).
    Mysql,
    /// MariaDB.
    Mariadb,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Mysql => "MySQL",
            Self::Mariadb => "MariaDB",
        })
    }
}

/// A server's version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Its family.
    pub family: Family,
    /// `10` of 10.11.19.
    pub major: u16,
    /// `11` of 10.11.19.
    pub minor: u16,
    /// `19` of 10.11.19.
    pub patch: u16,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}.{}.{}",
            self.family, self.major, self.minor, self.patch
        )
    }
}

/// The thread of a replica that receives its source's binary log (MySQL's IO thread).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receiver {
    /// Connected to the source, as far as the replica knows.
    Running,
    /// Trying to connect.
    Connecting,
    /// Stopped by a statement or a permanent error.
    Stopped,
}

/// The threads of a replica that apply what was received (MySQL's SQL thread).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applier {
    /// Applying, or waiting for more.
    Running,
    /// Stopped by a statement.
    Stopped,
    /// Stopped by an error, whose server code is given.
    Failed(u32),
}

/// One replication link, seen from its replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The configured source.
    pub source: Address,
    /// The receiver's state.
    pub receiver: Receiver,
    /// Error code of the receiver, 0 for none.
    pub receiver_error: u32,
    /// The applier's state.
    pub applier: Applier,
    /// Every transaction this replica holds: received or executed.
    pub received: GtidSet,
    /// Grows whenever the replica hears its source: heartbeats, events or file positions.
    /// Only whether it changed has a meaning.
    pub heard: u64,
    /// Time behind the source as the server estimates it; `None` when it does not know.
    pub lag: Option<Duration>,
}

/// Semi-synchronous replication, seen from one server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SemiSync {
    /// Waits for acknowledgements as a source.
    pub source_enabled: bool,
    /// Acknowledgements that no commit is answered without. 0 when the source side is off, or its
    /// settings let it give up: after a while, without replicas, or by showing a commit first.
    pub acknowledgements: u32,
    /// It is enabled and does not wait, since it has given up once.
    pub given_up: bool,
    /// Replicas attached that acknowledge.
    pub clients: u32,
    /// Commits waiting for an acknowledgement now.
    pub waiting: u32,
    /// Commits that were answered without an acknowledgement since the server started.
    pub unacknowledged: u64,
    /// Acknowledges as a replica.
    pub replica_enabled: bool,
}

/// What one server says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Its version.
    pub version: Version,
    /// `server_id`, unique in a cluster.
    pub server_id: u32,
    /// `server_uuid`; MariaDB has none.
    pub server_uuid: Option<String>,
    /// Ordinary users cannot write: `read_only`, or stronger (`super_read_only`, `offline_mode`).
    pub read_only: bool,
    /// Every transaction executed here.
    pub executed: GtidSet,
    /// Its errant transactions are being undone: what it says it has executed is not what its data
    /// are until that has ended.
    pub rewinding: bool,
    /// Its semi-synchronous state.
    pub semi_sync: SemiSync,
    /// Its replication link, if one is configured.
    pub link: Option<Link>,
    /// How it is set up.
    pub setup: Setup,
}

impl Facts {
    /// Every transaction held here, applied or not.
    pub fn held(&self) -> &GtidSet {
        self.link
            .as_ref()
            .map_or(&self.executed, |link| &link.received)
    }
}
