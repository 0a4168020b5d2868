//! The prepared statements of a worker, those with the same text, user and schema together: made
//! when somebody asks.

use std::collections::BTreeMap;
use std::sync::Arc;

use mainstay_sql::Digest;

use crate::core::Core;
use crate::statements::Text;

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
        let mut found = Inventory::new();
        for (_, session) in self.clients.iter() {
            for (_, prepared) in session.statements.iter() {
                let user = &session.key.user;
                let sql = &prepared.text.sql;
                let key = PreparedKey {
                    schema: shown(prepared.text.schema.as_deref().unwrap_or_default()),
                    user: Arc::clone(user),
                    text: shown(&sql[..sql.len().min(TEXT_MAX)]),
                };
                if found.len() >= STATEMENTS_MAX && !found.contains_key(&key) {
                    continue;
                }
                let row = found.entry(key).or_default();
                row.digest = prepared.digest;
                row.parameters = prepared.parameters;
                row.columns = row.columns.max(prepared.columns);
                row.clients += 1;
                // Those of one text are counted with its first client.
                row.servers += copies.remove(&(user, &*prepared.text)).unwrap_or(0);
            }
        }
        found
    }
}

/// Adds those of another worker.
pub fn add_inventory(total: &mut Inventory, other: Inventory) {
    for (key, row) in other {
        let known = total.entry(key).or_default();
        known.digest = row.digest;
        known.parameters = row.parameters;
        known.columns = known.columns.max(row.columns);
        known.clients += row.clients;
        known.servers += row.servers;
    }
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
