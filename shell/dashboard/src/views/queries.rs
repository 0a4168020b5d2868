//! What clients asked of the servers: the columns of ProxySQL's statistics, with their units.

use serde::{Deserialize, Serialize};

/// Everything that was asked since the proxy started, or since the last reset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueriesView {
    /// A row for each digest, those that took most time in all first.
    pub queries: Vec<QueryView>,
    /// Digests that had to go because the table was full; their counts went with them.
    pub evicted: u64,
    /// Counters of each command.
    pub commands: Vec<CommandView>,
    /// Errors that servers gave.
    pub errors: Vec<ErrorView>,
    /// How often each query rule matched.
    pub rules: Vec<RuleView>,
    /// Statements that never reached a server, or waited before.
    pub gate: GateView,
}

/// Statements that never reached a server, or waited before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateView {
    /// Answered by a query rule.
    pub answered: u64,
    /// Refused by the firewall.
    pub blocked: u64,
    /// Let pass by the firewall although none of its rules allows them.
    pub detected: u64,
    /// Made to wait under a limit.
    pub delayed: u64,
    /// Refused because of a limit.
    pub limited: u64,
}

/// One digest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryView {
    /// The hostgroup that ran it; -1 when no server did.
    pub hostgroup: i64,
    /// The default schema of the session.
    pub schemaname: String,
    /// The user.
    pub username: String,
    /// Where the client is, if that is tracked.
    pub client_address: String,
    /// The hash of the text, such as `0x226CD90D52A2BA0B`.
    pub digest: String,
    /// The text without its values.
    pub digest_text: String,
    /// How often it ran.
    pub count_star: u64,
    /// When it ended first, in milliseconds since 1970.
    pub first_seen_ms: u64,
    /// When it ended last, in milliseconds since 1970.
    pub last_seen_ms: u64,
    /// From arrival to the end of the reply, summed up.
    pub sum_time_us: u64,
    /// The shortest.
    pub min_time_us: u64,
    /// The longest.
    pub max_time_us: u64,
    /// Rows changed.
    pub sum_rows_affected: u64,
    /// Rows sent.
    pub sum_rows_sent: u64,
}

/// One command.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandView {
    /// Its name, such as `SELECT`.
    pub command: String,
    /// How long it took, summed up.
    pub total_time_us: u64,
    /// How often it ran.
    pub total_cnt: u64,
    /// How often it took at most 100 us, 500 us, 1, 5, 10, 50, 100, 500 ms, 1, 5, 10 s, and longer.
    pub classes: Vec<u64>,
}

/// One kind of error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorView {
    /// The hostgroup of the statement.
    pub hostgroup: i64,
    /// The server.
    pub server: String,
    /// The user.
    pub username: String,
    /// Where the client is, if that is tracked.
    pub client_address: String,
    /// The default schema of the session.
    pub schemaname: String,
    /// The number of the error.
    pub errno: u16,
    /// How often it came.
    pub count_star: u64,
    /// When it came first, in milliseconds since 1970.
    pub first_seen_ms: u64,
    /// When it came last, in milliseconds since 1970.
    pub last_seen_ms: u64,
    /// The last message.
    pub last_error: String,
}

/// One query rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleView {
    /// Its number.
    pub rule_id: u32,
    /// How often it matched.
    pub hits: u64,
}
