//! What must hold in every life, one file for each invariant.

use std::collections::BTreeMap;
use std::fmt;

use mainstay_clock::Timestamp;
use mainstay_topology::Epoch;

pub(crate) mod drained_before_demoted;
pub(crate) mod epochs_only_grow;
pub(crate) mod it_heals;
pub(crate) mod no_needless_failover;
pub(crate) mod no_silent_divergence;
pub(crate) mod nothing_acknowledged_is_lost;
pub(crate) mod one_writer;
pub(crate) mod routes_follow_roles;
pub(crate) mod saved_before_replaced;
pub(crate) mod unjournaled_nothing;
pub(crate) mod waits_before_it_opens;

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Its name.
    pub invariant: &'static str,
    /// When.
    pub at: Timestamp,
    /// What happened instead.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} was violated at {}: {}",
            self.invariant, self.at, self.what
        )
    }
}

/// What the checks remember.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    pub(crate) reigns: Reigns,
    pub(crate) one_writer: one_writer::OneWriter,
    pub(crate) epochs: epochs_only_grow::Published,
    pub(crate) roles: routes_follow_roles::Roles,
    pub(crate) calm: no_needless_failover::Calm,
    pub(crate) saved: saved_before_replaced::Saved,
    pub(crate) faults_that_last: u64,
    pub(crate) well_looks: u32,
}

/// Whose reign each epoch was, from the records.
#[derive(Debug, Default)]
pub(crate) struct Reigns(BTreeMap<Epoch, usize>);

impl Reigns {
    pub(crate) fn begin(&mut self, epoch: Epoch, primary: usize) {
        self.0.insert(epoch, primary);
    }

    /// The newest reign of a server.
    pub(crate) fn newest_of(&self, server: usize) -> Option<Epoch> {
        let mut newest = self.0.iter().rev();
        newest
            .find(|(_, primary)| **primary == server)
            .map(|(epoch, _)| *epoch)
    }
}
