//! What a valid configuration says of the servers and of the patience with them.

use std::time::Duration;

use mainstay_topology::{Intent, Member};

/// Which variables say that a server is not to be written to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Check {
    /// `read_only`.
    #[default]
    ReadOnly,
    /// `innodb_read_only`: servers whose storage belongs to a writer.
    InnodbReadOnly,
    /// `super_read_only`.
    SuperReadOnly,
    /// `read_only` or `innodb_read_only`.
    Either,
    /// `read_only` and `innodb_read_only`.
    Both,
}

/// How often a probe may fail in a row before it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// So many pings without an answer: it is not reached.
    pub ping_failures_max: u32,
    /// So many questions for `read_only` without an answer: it is no writer any more.
    pub read_only_failures_max: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            ping_failures_max: 3,
            read_only_failures_max: 3,
        }
    }
}

/// One server, and what is asked of it as a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Its name, its address, and whether it may be the writer.
    pub member: Member,
    /// What the operator wants with it.
    pub intent: Intent,
    /// The lag with which it still serves reads; `None` for any.
    pub lag_max: Option<Duration>,
    /// The time of a ping with which it still serves reads; `None` for any.
    pub latency_max: Option<Duration>,
}
