//! Who says where statements may go: `[manager]`, or `[monitor]` in its place.

use std::path::PathBuf;
use std::time::Duration;

use mainstay_alone::{Check, Policy as AlonePolicy};

use crate::settings::Account;

/// Who says where statements may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// `[manager]`: of this process.
    Manager(ManagerSettings),
    /// `[monitor]`: the servers themselves, by `read_only`.
    Monitor(MonitorSettings),
}

impl Control {
    /// The manager, where there is one.
    pub fn manager(&self) -> Option<&ManagerSettings> {
        match self {
            Self::Manager(manager) => Some(manager),
            Self::Monitor(_) => None,
        }
    }

    /// The monitor, where there is no manager.
    pub fn monitor(&self) -> Option<&MonitorSettings> {
        match self {
            Self::Manager(_) => None,
            Self::Monitor(monitor) => Some(monitor),
        }
    }

    /// The account with which servers are looked at.
    pub fn account(&self) -> &Account {
        match self {
            Self::Manager(manager) => &manager.account,
            Self::Monitor(monitor) => &monitor.account,
        }
    }
}

/// `[monitor]`: how often servers are asked for what, and how long that may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonitorSettings {
    /// `user`, and `password` or `password_file`.
    pub account: Account,
    /// `check`: which variable says that a server is not to be written to; default `read_only`.
    pub check: Check,
    /// `ping_failures_max` and `read_only_failures_max`, each 3 by default.
    pub policy: AlonePolicy,
    /// Time between two new connections; default 60 s.
    pub connect_interval: Duration,
    /// A new connection takes no longer; default 600 ms.
    pub connect_limit: Duration,
    /// Time between two pings; default 2 s.
    pub ping_interval: Duration,
    /// A ping takes no longer; default 1 s.
    pub ping_limit: Duration,
    /// Time between two questions for `read_only`; default 1 s.
    pub read_only_interval: Duration,
    /// Such a question takes no longer; default 800 ms.
    pub read_only_limit: Duration,
    /// Time between two questions for the lag; default 1 s.
    pub lag_interval: Duration,
    /// Such a question takes no longer; default 1 s.
    pub lag_limit: Duration,
    /// Rows of the `monitor` tables are kept for so long; default 10 min.
    pub history: Duration,
}

/// `[manager]`: how the servers are observed and changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagerSettings {
    /// `user`, and `password` or `password_file`.
    pub account: Account,
    /// `replication_user`, and `replication_password` or `replication_password_file`.
    pub replication: Account,
    /// The state file; default `mainstay.db` beside the settings file.
    pub state: PathBuf,
    /// Time between two looks at a server; default 250 ms.
    pub probe_interval: Duration,
    /// A look takes no longer; default 700 ms.
    pub probe_limit: Duration,
    /// A connection takes no longer; default 700 ms.
    pub connect_limit: Duration,
    /// Time between two writes to the primary's heartbeat row; default 500 ms.
    pub write_interval: Duration,
}
