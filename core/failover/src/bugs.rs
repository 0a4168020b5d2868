//! Known bugs, put back on purpose: the simulator proves with them that it would notice.
//!
//! Each is a mistake that a hand could make at one decision. They can be switched on only with the
//! cargo feature `bugs`, which no release is built with: without it [`Bugs::has`] is the constant
//! `false`, and what it guards is not compiled in.

/// A mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// Promote although the old primary may still acknowledge.
    GrantBeforeRevoke,
    /// Elect by what is applied, not by what is received.
    ElectByApplied,
    /// Promote before the received transactions are applied.
    DiscardRelayLogs,
    /// Promote although a server that may hold acknowledged transactions cannot be asked.
    IgnoreAbsent,
    /// Count on a replica that was restarted and may have forgotten what it acknowledged.
    IgnoreForgetful,
    /// Attach a replica that is not recorded.
    AttachUnrecorded,
    /// Let the elected server serve before its reign is recorded.
    OpenBeforeRecord,
    /// Tell the proxies of a writer before it accepts writes.
    PublishBeforeOpen,
    /// Open writes before commits wait for acknowledgements.
    OpenBeforeWaiting,
    /// Demote without waiting for writes in flight.
    SkipDrain,
    /// Promote in a switchover before the last transactions are applied.
    SkipCatchUp,
    /// Fence by switching the semi-synchronous source side off first.
    SourceOffFirst,
    /// Fence without ending the clients' connections.
    SkipKill,
    /// Take a server that lets the manager not in for a dead one.
    ClosedIsGone,
    /// Count a replica as a witness that an operator has stopped.
    StoppedWitness,
    /// Attach a server with transactions of its own.
    AttachDiverged,
    /// Begin a reign with the epoch of the last one.
    RepeatEpoch,
    /// Go on as if a record whose storing failed were not stored.
    IgnoreDoubtful,
    /// Take a step that ran out of time for done.
    TimeoutIsSuccess,
    /// Number operations from 1 after each start.
    RepeatOperation,
    /// Take a switchover that was cut off for done.
    TrustInterrupted,
    /// Replace diverged data before they are saved.
    ReseedUnsaved,
    /// Attach a server whose GTIDs are taken away and not set anew by a rewinding.
    AttachHalfRewound,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 23] = [
        Self::GrantBeforeRevoke,
        Self::ElectByApplied,
        Self::DiscardRelayLogs,
        Self::IgnoreAbsent,
        Self::IgnoreForgetful,
        Self::AttachUnrecorded,
        Self::OpenBeforeRecord,
        Self::PublishBeforeOpen,
        Self::OpenBeforeWaiting,
        Self::SkipDrain,
        Self::SkipCatchUp,
        Self::SourceOffFirst,
        Self::SkipKill,
        Self::ClosedIsGone,
        Self::StoppedWitness,
        Self::AttachDiverged,
        Self::RepeatEpoch,
        Self::IgnoreDoubtful,
        Self::TimeoutIsSuccess,
        Self::RepeatOperation,
        Self::TrustInterrupted,
        Self::ReseedUnsaved,
        Self::AttachHalfRewound,
    ];
}

/// Which bugs are put back: at most one, none in a release.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bugs(Option<Bug>);

impl Bugs {
    /// One bug.
    #[cfg(feature = "bugs")]
    pub const fn only(bug: Bug) -> Self {
        Self(Some(bug))
    }

    pub(crate) fn has(self, bug: Bug) -> bool {
        cfg!(feature = "bugs") && self.0 == Some(bug)
    }

    /// The statements of a step, spoilt.
    pub(crate) fn spoil(self, mut sql: Vec<String>) -> Vec<String> {
        let fences = sql.iter().any(|one| one.starts_with("<kill"));
        if fences && self.has(Bug::SourceOffFirst) {
            // A stable sort: the rest keeps its order.
            sql.sort_by_key(|one| !(one.contains("semi_sync") && one.ends_with("_enabled = OFF")));
        }
        if self.has(Bug::SkipKill) {
            sql.retain(|one| !one.starts_with("<kill") && !one.ends_with("offline_mode = ON"));
        }
        sql
    }
}
