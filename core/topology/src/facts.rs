//! What one server says about itself when it is asked: the content of an answered probe.

use std::fmt;
use std::time::Duration;

use mainstay_gtid::GtidSet;

use crate::coordinate::Coordinate;
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

impl Version {
    /// The words that it understands.
    pub fn dialect(&self) -> Dialect {
        match (self.family, (self.major, self.minor, self.patch)) {
            (Family::Mariadb, _) => Dialect::Mariadb,
            (Family::Mysql, number) if number < (5, 7, 0) => Dialect::Mysql56,
            (Family::Mysql, number) if number < (8, 0, 0) => Dialect::Mysql57,
            (Family::Mysql, number) if number < (8, 0, 26) => Dialect::Mysql80,
            (Family::Mysql, number) if number < (8, 2, 0) => Dialect::Mysql8026,
            (Family::Mysql, _) => Dialect::Mysql,
        }
    }
}

/// The words that a server understands: what differs between families, and within one by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// MySQL 5.6: the old words; no channels, and no read-only mode that binds everybody.
    Mysql56,
    /// MySQL 5.7: the old words.
    Mysql57,
    /// MySQL 8.0 before 8.0.26: the old words, and passwords whose exchange needs a key.
    Mysql80,
    /// MySQL 8.0.26 to 8.1: the new words but for binary logs.
    Mysql8026,
    /// MySQL 8.2 and later.
    Mysql,
    /// MariaDB.
    Mariadb,
}

impl Dialect {
    /// The family.
    pub fn family(self) -> Family {
        match self {
            Self::Mysql56 | Self::Mysql57 | Self::Mysql80 | Self::Mysql8026 | Self::Mysql => {
                Family::Mysql
            }
            Self::Mariadb => Family::Mariadb,
        }
    }

    /// Whether it has a read-only mode that binds everybody: without one, events and accounts with
    /// all privileges go on writing.
    pub fn binds_everybody(self) -> bool {
        match self {
            Self::Mysql57 | Self::Mysql80 | Self::Mysql8026 | Self::Mysql => true,
            Self::Mysql56 | Self::Mariadb => false,
        }
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

/// The words of a server's semi-synchronous replication, which is a plugin on MySQL: both
/// generations of it are there from 8.0.26 to 8.4.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SemiSyncWords {
    /// Those that came with 8.0.26, or those of MariaDB.
    #[default]
    Present,
    /// Those from before.
    Old,
    /// There is no plugin.
    Absent,
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
    /// How its settings are called.
    pub words: SemiSyncWords,
}

/// How a server keeps its place that does not use GTIDs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positions {
    /// How the names of its log's files begin.
    pub base: String,
    /// How far its own log goes; `None` when it has none.
    pub end: Option<Coordinate>,
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
    /// Where it stands, if it does not use GTIDs; its sets are sets of places then.
    pub positions: Option<Positions>,
}

impl Facts {
    /// Every transaction held here, applied or not.
    pub fn held(&self) -> &GtidSet {
        self.link
            .as_ref()
            .map_or(&self.executed, |link| &link.received)
    }

    /// What its own log holds, as a set of places in it; `None` with GTIDs.
    pub fn own_log(&self) -> Option<GtidSet> {
        let end = self.positions.as_ref()?.end?;
        end.in_log_of(self.server_uuid.as_deref()?)
    }
}
