//! What was asked of the servers: a row for each digest, counters for each command, and the errors
//! that servers gave. Each worker has its own; they are added up when somebody asks.
//!
//! The columns are those of ProxySQL's `stats_mysql_query_digest`, `stats_mysql_commands_counters`
//! and `stats_mysql_errors`. All tables are bounded: of digests the ones not seen for longest go.

mod commands;
mod errors;
mod table;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_sql::Digest;
use mainstay_topology::ServerName;

pub use commands::{BOUNDS, CommandRow, command_names};
pub use errors::{ErrorKey, ErrorRow};
pub(crate) use table::{Asked, Table};

use commands::Commands;
use errors::Errors;

/// The hostgroup of a statement that no server ran.
pub const NO_HOSTGROUP: i64 = -1;

/// What is counted from zero after it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// Nothing.
    Nothing,
    /// The digests.
    Digests,
    /// The errors of servers.
    Errors,
    /// All of it.
    Everything,
}

impl From<bool> for Reset {
    /// Everything or nothing.
    fn from(reset: bool) -> Self {
        if reset {
            Self::Everything
        } else {
            Self::Nothing
        }
    }
}

/// What a row of digests is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct QueryKey {
    /// The hostgroup that ran it, or [`NO_HOSTGROUP`].
    pub hostgroup: i64,
    /// The default schema of the session; empty without one.
    pub schema: String,
    /// The user.
    pub user: Arc<str>,
    /// Where the client is, if that is tracked.
    pub client: String,
    /// The hash of the text without its values.
    pub digest: Digest,
}

/// What is known of one digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryRow {
    /// The text without its values.
    pub text: String,
    /// How often it ran.
    pub count: u64,
    /// When it ended first.
    pub first_seen: Timestamp,
    /// When it ended last.
    pub last_seen: Timestamp,
    /// From its arrival to the end of its reply, summed up.
    pub time_sum: Duration,
    /// The shortest.
    pub time_min: Duration,
    /// The longest.
    pub time_max: Duration,
    /// Rows changed.
    pub rows_affected: u64,
    /// Rows sent to clients.
    pub rows_sent: u64,
}

/// Everything that was asked, at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryStats {
    /// The moment.
    pub now: Timestamp,
    /// The digests.
    pub queries: BTreeMap<QueryKey, QueryRow>,
    /// Digests that had to go because the table was full; their counts went with them.
    pub evicted: u64,
    /// The commands.
    pub commands: BTreeMap<&'static str, CommandRow>,
    /// The errors of servers.
    pub errors: BTreeMap<ErrorKey, ErrorRow>,
    /// Errors not counted because the table was full.
    pub errors_lost: u64,
    /// How often each query rule matched, by its number.
    pub rule_hits: BTreeMap<u32, u64>,
    /// What was refused or only noticed before it reached a server.
    pub gate: GateStats,
}

/// What was refused or only noticed before it reached a server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GateStats {
    /// Statements that a rule answered.
    pub answered: u64,
    /// Statements that the firewall refused.
    pub blocked: u64,
    /// Statements that the firewall let pass although no rule of it allows them.
    pub detected: u64,
    /// Statements that waited for their turn under a limit.
    pub delayed: u64,
    /// Statements that were refused because of a limit.
    pub limited: u64,
}

impl QueryStats {
    /// Adds what another worker has counted.
    pub fn add(&mut self, other: Self) {
        let Self {
            now,
            queries,
            evicted,
            commands,
            errors,
            errors_lost,
            rule_hits,
            gate,
        } = other;
        self.gate.answered += gate.answered;
        self.gate.blocked += gate.blocked;
        self.gate.detected += gate.detected;
        self.gate.delayed += gate.delayed;
        self.gate.limited += gate.limited;
        self.now = self.now.max(now);
        for (key, row) in queries {
            match self.queries.get_mut(&key) {
                Some(known) => known.add(&row),
                None => drop(self.queries.insert(key, row)),
            }
        }
        self.evicted += evicted;
        for (name, row) in commands {
            self.commands.entry(name).or_default().add(&row);
        }
        for (key, row) in errors {
            match self.errors.get_mut(&key) {
                Some(known) => known.add(row),
                None => drop(self.errors.insert(key, row)),
            }
        }
        self.errors_lost += errors_lost;
        for (rule, hits) in rule_hits {
            *self.rule_hits.entry(rule).or_default() += hits;
        }
    }
}

impl QueryRow {
    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.first_seen = self.first_seen.min(other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
        self.time_sum += other.time_sum;
        self.time_min = self.time_min.min(other.time_min);
        self.time_max = self.time_max.max(other.time_max);
        self.rows_affected += other.rows_affected;
        self.rows_sent += other.rows_sent;
    }
}

/// How one statement ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    pub(crate) now: Timestamp,
    pub(crate) took: Duration,
    pub(crate) rows_affected: u64,
    pub(crate) rows_sent: u64,
}

/// The counters of one worker.
#[derive(Debug, Default)]
pub(crate) struct Queries {
    table: Table,
    commands: Commands,
    errors: Errors,
}

impl Queries {
    /// Counts one statement; `text` writes its digest text when it is new.
    pub(crate) fn count(
        &mut self,
        asked: &Asked<'_>,
        ended: Ended,
        max: usize,
        text: impl FnOnce(&mut Vec<u8>),
    ) {
        if let Some(command) = self.table.count(asked, ended, max, text) {
            self.commands.count(command, ended.took);
        }
    }

    /// Counts an error of a server.
    pub(crate) fn error(&mut self, now: Timestamp, key: ErrorKey, message: &str) {
        self.errors.count(now, key, message);
    }

    /// What was counted; what `reset` names is counted from zero afterwards.
    pub(crate) fn take(&mut self, now: Timestamp, reset: Reset) -> QueryStats {
        let stats = QueryStats {
            now,
            queries: self.table.rows(),
            evicted: self.table.evicted(),
            commands: self.commands.rows(),
            errors: self.errors.rows.clone(),
            errors_lost: self.errors.lost,
            rule_hits: BTreeMap::new(),
            gate: GateStats::default(),
        };
        match reset {
            Reset::Nothing => {}
            Reset::Digests => self.table = Table::default(),
            Reset::Errors => self.errors = Errors::default(),
            Reset::Everything => *self = Self::default(),
        }
        stats
    }
}

/// The name of the server, for an error of it.
pub(crate) fn error_key(server: &ServerName, asked: &Asked<'_>, code: u16) -> ErrorKey {
    ErrorKey {
        hostgroup: asked.hostgroup,
        server: server.clone(),
        user: Arc::clone(asked.user),
        client: asked.client.to_owned(),
        schema: String::from_utf8_lossy(asked.schema).into_owned(),
        code,
    }
}

#[cfg(test)]
mod tests;
