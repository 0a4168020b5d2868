//! The prepared statements of a worker, those with the same text, user and schema together: made
//! when somebody asks.

use std::collections::BTreeMap;
use std::sync::Arc;

use mainstay_sql::Digest;

use crate::core::Core;
use crate::statements::Text;

/// Prepared statements looked at: the worker does nothing else meanwhile.
const LOOKED_AT_MAX: usize = 200_000;
/// Statements kept of one worker.
const STATEMENTS_MAX: usize = 10_000;
/// Bytes shown of a statement.
const TEXT_MAX: usize = 4_096;

/// What makes prepared statements the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PreparedKey {
    /// The schema in which it was prepared.
    pub schema: String,
    /// The user.
    pub user: Arc<str>,
    /// The text.
    pub text: String,
}

/// What is known of one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PreparedRow {
    /// The hash of its text without values.
    pub digest: Digest,
    /// Clients that have it.
    pub clients: u64,
    /// Server connections that have it.
    pub servers: u64,
    /// Its parameters.
    pub parameters: u16,
    /// The columns of its result.
    pub columns: u16,
}

/// Prepared statements.
pub type Inventory = BTreeMap<PreparedKey, PreparedRow>;

impl Core {
    /// The prepared statements of the clients, and on how many connections each is.
    pub fn inventory(&self) -> Inventory {
        let mut copies: BTreeMap<(&Arc<str>, &Text), u64> = BTreeMap::new();
        for (_, server) in self.servers.iter() {
            for text in server.statements.texts() {
                *copies.entry((&server.key.user, text)).or_default() += 1;
            }
        }
        // By reference first: of most statements there are many copies, and texts are long.
        let mut rows: BTreeMap<(&Arc<str>, &Text), PreparedRow> = BTreeMap::new();
        let sessions = self.clients.iter();
        let all = sessions.flat_map(|(_, session)| {
            let statements = session.statements.iter();
            statements.map(move |(_, prepared)| (&session.key.user, prepared))
        });
        for (user, prepared) in all.take(LOOKED_AT_MAX) {
            let key = (user, &*prepared.text);
            if rows.len() >= STATEMENTS_MAX && !rows.contains_key(&key) {
                continue;
            }
            let row = rows.entry(key).or_default();
            row.digest = prepared.digest;
            row.parameters = prepared.parameters;
            row.columns = row.columns.max(prepared.columns);
            row.clients += 1;
        }
        let mut found = Inventory::new();
        for ((user, text), mut row) in rows {
            row.servers = copies.get(&(user, text)).copied().unwrap_or(0);
            let key = PreparedKey {
                schema: shown(text.schema.as_deref().unwrap_or_default()),
                user: Arc::clone(user),
                text: shown(&text.sql[..text.sql.len().min(TEXT_MAX)]),
            };
            add_row(&mut found, key, row);
        }
        found
    }
}

fn add_row(total: &mut Inventory, key: PreparedKey, row: PreparedRow) {
    let known = total.entry(key).or_default();
    known.digest = row.digest;
    known.parameters = row.parameters;
    known.columns = known.columns.max(row.columns);
    known.clients += row.clients;
    known.servers += row.servers;
}

/// Adds those of another worker.
pub fn add_inventory(total: &mut Inventory, other: Inventory) {
    for (key, row) in other {
        add_row(total, key, row);
    }
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
