//! Who gets what workers record for the logs. How it is written is left to them.

use std::fmt::Debug;

use mainstay_clock::Timestamp;
use mainstay_session::records::Record;

/// Takes records. Called by workers at the end of a turn that recorded something: it must not
/// block, and what it has no room for it drops, and counts.
pub trait Recorder: Debug + Send + Sync {
    /// The records of a turn; `now` is the time of their clock.
    fn take(&self, now: Timestamp, records: Vec<Record>);

    /// Begins new files.
    fn rotate(&self);

    /// What each log has done.
    fn report(&self) -> Vec<LogReport>;
}

/// What a log has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogReport {
    /// Which log.
    pub name: &'static str,
    /// Lines written.
    pub written: u64,
    /// Entries dropped.
    pub dropped: u64,
}
