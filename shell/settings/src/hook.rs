//! What `[[hook]]` says.

use std::path::PathBuf;
use std::time::Duration;

use mainstay_failover::hook::{Hook, Moment};

/// `[[hook]]`: a program that runs before or after operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookSettings {
    /// `when`.
    pub when: Moment,
    /// `command`: its whole path.
    pub program: PathBuf,
    /// `arguments`.
    pub arguments: Vec<String>,
    /// `limit`: it is ended after so long; default 5 s.
    pub limit: Duration,
    /// `on_failure`: whether that is `stop`; default `go-on`.
    pub stops: bool,
}

impl HookSettings {
    /// As the failover machine takes it.
    pub fn hook(&self) -> Hook {
        Hook {
            when: self.when,
            program: self.program.display().to_string(),
            limit: self.limit,
            stops: self.stops,
        }
    }
}
