//! What the machine tells of statements and clients for the logs. Where logs are written is left to
//! the shell.

use std::time::Duration;

/// What is recorded for the logs. With the default nothing is.
// Each flag is one setting.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogPolicy {
    /// Statements are recorded of which a rule says so (`log = 1`).
    pub by_rule: bool,
    /// Statements are recorded of which no rule says otherwise (`log = 0`).
    pub statements: bool,
    /// Statements that take so long are slow: they are counted.
    pub slow_after: Duration,
    /// Slow statements are recorded.
    pub slow: bool,
    /// Clients that come, go, or are refused are recorded.
    pub audit: bool,
    /// Bytes kept of the text of a statement.
    pub text_bytes_max: usize,
}

impl Default for LogPolicy {
    fn default() -> Self {
        Self {
            by_rule: false,
            statements: false,
            slow_after: Duration::from_secs(1),
            slow: false,
            audit: false,
            text_bytes_max: 64 << 10,
        }
    }
}
