//! Configurations of other programs to `mainstay.toml`: text in, text and a report out.
//!
//! A file each for the formats ([`Format`]); what they share is the report and the writer of TOML.
//! Reading files, and whether the result is accepted, is left to others.

mod cluster;
mod format;
mod keepalived;
mod libconfig;
mod mha;
mod mmm;
mod proxysql;
mod report;
mod toml;

pub use format::{Format, ImportError, Imported, import};
pub use report::{Fate, Remark};
