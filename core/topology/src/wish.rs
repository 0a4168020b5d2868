//! What an operator wants with one server beyond its configuration: kept by the manager until the
//! operator takes it back.

use crate::server::ServerName;
use crate::topology::{Member, Promotion};

/// The wishes for one server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// It is in maintenance: no reads, never promoted, left alone.
    pub maintenance: Option<Maintenance>,
    /// Its replication was stopped, and is not started by itself.
    pub stopped: bool,
    /// It is taken out of the cluster for good.
    pub retired: bool,
    /// It follows this server, not the one that is configured.
    pub source: Option<ServerName>,
}

/// Why a server is in maintenance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Maintenance {
    /// What for.
    pub reason: String,
    /// Who wants it.
    pub by: String,
    /// When it ends by itself, in milliseconds since 1970 (UTC).
    pub until_ms: Option<u64>,
}

impl Wish {
    /// Whether nothing is wished.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the server is left alone: nothing is repaired on it.
    pub fn is_off(&self) -> bool {
        self.maintenance.is_some() || self.stopped || self.retired
    }

    /// Why it is left alone, in words for people.
    pub fn why_off(&self) -> Option<String> {
        if self.retired {
            return Some("is decommissioned".to_owned());
        }
        if let Some(maintenance) = &self.maintenance {
            let Maintenance { reason, by, .. } = maintenance;
            return Some(match reason.as_str() {
                "" => format!("is in maintenance ({by})"),
                reason => format!("is in maintenance ({reason}; {by})"),
            });
        }
        self.stopped
            .then(|| "was stopped by an operator".to_owned())
    }
}

impl Member {
    /// The same server under an operator's wishes.
    #[must_use]
    pub fn under(&self, wish: &Wish) -> Self {
        let mut member = self.clone();
        if wish.source.is_some() {
            member.part.source.clone_from(&wish.source);
        }
        if wish.is_off() {
            member.promotion = Promotion::Never;
            member.part.reads = Some(false);
        }
        if wish.retired || wish.stopped {
            member.part.acknowledges = Some(false);
        }
        member
    }
}
