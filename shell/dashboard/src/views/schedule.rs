//! Switchovers at a time.

use serde::{Deserialize, Serialize};

/// One switchover at a time; as the body of `POST /api/v1/schedule` without `id` and `outcome`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleView {
    /// Its number.
    #[serde(default)]
    pub id: u64,
    /// When, in milliseconds since 1970 (UTC).
    pub at_ms: u64,
    /// It is tried for this long.
    pub window_ms: u64,
    /// The next primary; the manager chooses when it is left out.
    #[serde(default)]
    pub to: Option<String>,
    /// End transactions that are open for longer than a switchover waits.
    #[serde(default)]
    pub end_transactions: bool,
    /// The next primary may be newer than a server that is to replicate from it.
    #[serde(default)]
    pub allow_newer: bool,
    /// Who wants it.
    #[serde(default)]
    pub by: String,
    /// What became of it; null while it waits.
    #[serde(default)]
    pub outcome: Option<String>,
}

/// The body of `POST /api/v1/schedule/cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CancelRequest {
    /// The number.
    pub id: u64,
    /// Who wants it.
    #[serde(default)]
    pub by: String,
}
