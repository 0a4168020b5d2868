//! What can go wrong with a cluster, done to real servers one after the other, and what must hold
//! after each of them.
//!
//! A fault is a line of the catalogue ([`catalogue`], docs/faults.md): what is done, how often the
//! primary may move for it, which errors clients may see. What must hold always is in [`judge`]. A
//! cluster goes through all of them: whatever a fault leaves behind is found by the next one.

mod by_hand;
mod catalogue;
mod crashes;
mod dialect;
mod judge;
mod lines;
mod managers;
mod outages;
mod report;
mod run;
mod stage;
mod stalls;
mod switchovers;

use std::ops::RangeInclusive;

pub use catalogue::catalogue;
pub use judge::Outcome;
pub use report::table;
pub use run::Series;
pub use stage::Stage;

/// One fault of the catalogue.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Its number in docs/faults.md.
    pub number: u32,
    /// Its name there.
    pub name: &'static str,
    /// How often the primary moves for it.
    pub moves: RangeInclusive<u64>,
    /// Error codes that clients of the proxy may see.
    pub errors: &'static [u16],
    /// Does it, waits for what must come of it, and undoes it as far as a person would.
    act: fn(&mut Stage<'_>),
}
