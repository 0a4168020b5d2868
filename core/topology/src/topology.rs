//! The immutable picture of a cluster that analysis and plans are made from.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_clock::Timestamp;

use crate::facts::Facts;
use crate::observation::{Outcome, WriteOutcome};
use crate::server::{Address, Epoch, ServerName};

/// Part of the cluster, as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: ServerName,
    /// Where it listens.
    pub address: Address,
    /// May it be promoted, and how gladly.
    pub promotion: Promotion,
}

/// How gladly a server is promoted. Data comes first: a preferred server never wins over one that
/// holds more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promotion {
    /// Before others.
    Prefer,
    /// Like others.
    #[default]
    Neutral,
    /// After others.
    PreferNot,
    /// Never.
    Never,
}

/// The durable truth about a cluster: whose reign it is. Stored before anything is done in its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The current reign.
    pub epoch: Epoch,
    /// Its primary; `None` before the first.
    pub primary: Option<ServerName>,
    /// Servers that were attached to that primary during this reign, and so may hold its
    /// transactions. Only they can be elected, and only they count in the proof of no loss.
    pub joined: BTreeSet<ServerName>,
}

/// Can the server be reached. One of four separate states: see also role, admission and intent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reachability {
    /// It answers.
    Reachable,
    /// Nothing listens there, or an open connection was reset.
    Gone,
    /// Something holds the port and does not answer, or nothing comes back at all.
    Silent,
    /// It is alive but does not let us in (too many connections, bad password, other errors).
    Closed,
    /// Not looked at yet.
    #[default]
    Unknown,
}

/// A server's part in the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The recorded primary of the current epoch.
    Primary,
    /// Attached to the recorded primary, directly or through another replica.
    Replica,
    /// Neither: waits to be attached.
    Detached,
    /// Not known yet.
    Unknown,
}

/// One server in the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its configuration.
    pub member: Member,
    /// Whether it can be reached.
    pub reachability: Reachability,
    /// Since when the reachability is what it is.
    pub since: Timestamp,
    /// What the last probe saw, and when that probe was begun.
    pub last: Option<(Timestamp, Outcome)>,
    /// The last facts it gave, and when the probe that brought them was begun. Kept when it
    /// becomes unreachable.
    pub facts: Option<(Timestamp, Facts)>,
    /// When this server, as a replica, was last seen to hear from its source.
    pub heard_at: Option<Timestamp>,
    /// The last write probe, and when.
    pub write: Option<(Timestamp, WriteOutcome)>,
}

/// The picture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Topology {
    /// When it was last changed.
    pub at: Timestamp,
    /// The durable record it is seen under.
    pub record: Record,
    /// All configured servers.
    pub servers: BTreeMap<ServerName, Server>,
}
