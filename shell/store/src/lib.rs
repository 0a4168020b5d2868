//! Durable state of one manager: whose reign it is, and the journal of what was done about it.
//!
//! One SQLite file, flushed to disk at every commit. What a record or an operation *means* is
//! left to `mainstay-failover`; this crate only refuses to let an epoch shrink or be given twice.

mod error;
mod journal;
mod operation;
mod pause;
mod purpose;
mod record;
mod schedule;
mod schema;
mod store;
mod wish;

#[cfg(test)]
mod tests;

pub use error::StoreError;
pub use journal::Entry;
pub use operation::{JournalStep, Operation, PhaseChange, StepOutcome};
pub use schedule::Schedule;
pub use store::Store;
