//! Known bugs, put back on purpose: the simulator proves with them that it would notice.
//!
//! They can be switched on only with the cargo feature `bugs`, which no release is built with.

/// Which bugs are put back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "four independent switches")]
pub struct Bugs {
    /// Promote although the old primary may still acknowledge.
    pub grant_before_revoke: bool,
    /// Elect by what is applied, not by what is received.
    pub elect_by_applied: bool,
    /// Promote before the received transactions are applied.
    pub discard_relay_logs: bool,
    /// Promote although a server that may hold acknowledged transactions cannot be asked.
    pub ignore_absent: bool,
}
