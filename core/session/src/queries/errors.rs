//! Errors that servers gave, by server, user and code.

use std::collections::BTreeMap;
use std::sync::Arc;

use mainstay_clock::Timestamp;
use mainstay_topology::ServerName;

/// Kinds of errors kept by one worker.
const ERRORS_MAX: usize = 1_000;
/// Bytes kept of a message.
const MESSAGE_MAX: usize = 512;

/// What a row of errors is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ErrorKey {
    /// The hostgroup of the statement.
    pub hostgroup: i64,
    /// The server that gave the error.
    pub server: ServerName,
    /// The user.
    pub user: Arc<str>,
    /// Where the client is, if that is tracked.
    pub client: String,
    /// The default schema of the session.
    pub schema: String,
    /// The number of the error.
    pub code: u16,
}

/// What is known of one kind of error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorRow {
    /// How often it came.
    pub count: u64,
    /// When it came first.
    pub first_seen: Timestamp,
    /// When it came last.
    pub last_seen: Timestamp,
    /// The last message.
    pub last_error: String,
}

impl ErrorRow {
    pub(super) fn add(&mut self, other: Self) {
        self.count += other.count;
        self.first_seen = self.first_seen.min(other.first_seen);
        if other.last_seen >= self.last_seen {
            self.last_seen = other.last_seen;
            self.last_error = other.last_error;
        }
    }
}

/// The errors seen by one worker.
#[derive(Debug, Default)]
pub(super) struct Errors {
    pub(super) rows: BTreeMap<ErrorKey, ErrorRow>,
    pub(super) lost: u64,
}

impl Errors {
    pub(super) fn count(&mut self, now: Timestamp, key: ErrorKey, message: &str) {
        let full = self.rows.len() >= ERRORS_MAX && !self.rows.contains_key(&key);
        if full {
            self.lost += 1;
            return;
        }
        let row = self.rows.entry(key).or_insert_with(|| ErrorRow {
            count: 0,
            first_seen: now,
            last_seen: now,
            last_error: String::new(),
        });
        row.count += 1;
        row.last_seen = now;
        if row.last_error != message {
            row.last_error = message.chars().take(MESSAGE_MAX).collect();
        }
    }
}
