//! Prepared statements: the client's, under ids of our own, and the copies of them on server
//! connections, made when they are needed there.

use std::collections::BTreeMap;
use std::sync::Arc;

use mainstay_sql::{Digest, Statement};
use mainstay_wire::Capabilities;
use mainstay_wire::bound::Bound;

/// What makes two prepared statements the same on a connection: names in the text are resolved
/// in the schema of the moment.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Text {
    /// Made of the text, and compared first: each execution looks its statement up by this order.
    order: u64,
    pub(crate) sql: Vec<u8>,
    pub(crate) schema: Option<Vec<u8>>,
    /// Tells equal statements of one client apart: each has a cursor and long data of its own.
    pub(crate) copy: u32,
}

impl Text {
    pub(crate) fn new(sql: Vec<u8>, schema: Option<Vec<u8>>, copy: u32) -> Self {
        // FNV-1a. Texts that share a number are told apart by the rest.
        let order = sql.iter().fold(0xcbf2_9ce4_8422_2325, |order: u64, &byte| {
            (order ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self {
            order,
            sql,
            schema,
            copy,
        }
    }

    /// A number that is the same for the same text in the same schema.
    pub(crate) fn mark(&self) -> u64 {
        let schema = self.schema.as_deref().unwrap_or_default();
        schema.iter().fold(self.order, |order, &byte| {
            (order ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }
}

/// A statement as its client knows it.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    pub(crate) text: Arc<Text>,
    pub(crate) statement: Statement,
    pub(crate) parameters: u16,
    /// Columns of its result, as the server said when it was prepared.
    pub(crate) columns: u16,
    /// The parameter types of the last execution that named them.
    pub(crate) types: Vec<u8>,
    pub(crate) digest: Digest,
    /// It has a cursor with rows left.
    pub(crate) cursor: bool,
    /// Data of parameters were sent in pieces for its next execution.
    pub(crate) long_data: bool,
}

/// The statements of one client.
#[derive(Debug, Default)]
pub(crate) struct ClientStatements {
    last: u32,
    entries: BTreeMap<u32, Prepared>,
    /// What the last prepare gave, if it succeeded.
    pub(crate) prepared_last: Option<u32>,
}

impl ClientStatements {
    /// Statements made elsewhere, and the last number that was given there.
    pub(crate) fn with(last: u32, entries: impl IntoIterator<Item = (u32, Prepared)>) -> Self {
        let entries = entries.into_iter().collect();
        Self {
            last,
            entries,
            prepared_last: None,
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn last(&self) -> u32 {
        self.last
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Prepared)> {
        self.entries.iter().map(|(&id, prepared)| (id, prepared))
    }

    pub(crate) fn insert(&mut self, prepared: Prepared) -> u32 {
        // An id in use is passed over when the numbers come round after 2^32 statements.
        loop {
            self.last = self.last.wrapping_add(1).max(1);
            if !self.entries.contains_key(&self.last) {
                break;
            }
        }
        self.entries.insert(self.last, prepared);
        self.last
    }

    pub(crate) fn get(&self, id: u32) -> Option<&Prepared> {
        self.entries.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: u32) -> Option<&mut Prepared> {
        self.entries.get_mut(&id)
    }

    pub(crate) fn remove(&mut self, id: u32) -> Option<Prepared> {
        self.entries.remove(&id)
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.prepared_last = None;
    }

    /// The number of one more statement of this text.
    pub(crate) fn copies(&self, sql: &[u8], schema: Option<&[u8]>) -> u32 {
        let same = self.entries.values().map(|prepared| &prepared.text);
        let same = same.filter(|text| text.sql == sql && text.schema.as_deref() == schema);
        same.map(|text| text.copy + 1).max().unwrap_or(0)
    }

    pub(crate) fn any(&self, is: impl Fn(&Prepared) -> bool) -> bool {
        self.entries.values().any(is)
    }

    /// Their connection is gone, and with it what was open on it.
    pub(crate) fn close_all(&mut self) {
        for prepared in self.entries.values_mut() {
            prepared.cursor = false;
            prepared.long_data = false;
        }
    }
}

/// One statement on a server connection.
#[derive(Debug)]
pub(crate) struct OnServer {
    pub(crate) id: u32,
    /// The parameter types that the server remembers for it.
    pub(crate) types: Vec<u8>,
    used: u64,
}

/// The statements of one server connection; of more than `max`, the least recently used one goes.
#[derive(Debug)]
pub(crate) struct ServerStatements {
    entries: BTreeMap<Arc<Text>, OnServer>,
    uses: u64,
    max: usize,
}

impl ServerStatements {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            entries: BTreeMap::new(),
            uses: 0,
            max,
        }
    }

    /// Their texts.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &Text> {
        self.entries.keys().map(|text| &**text)
    }

    /// The statement on this connection, and a note that it was used.
    pub(crate) fn find(&mut self, text: &Arc<Text>) -> Option<&mut OnServer> {
        self.uses += 1;
        let entry = self.entries.get_mut(text)?;
        entry.used = self.uses;
        Some(entry)
    }

    pub(crate) fn count(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn has(&self, text: &Arc<Text>) -> bool {
        self.entries.contains_key(text)
    }

    /// Remembers a statement; the ids in the result must be closed on the server.
    pub(crate) fn insert(&mut self, text: Arc<Text>, id: u32) -> Vec<u32> {
        self.uses += 1;
        let entry = OnServer {
            id,
            types: Vec::new(),
            used: self.uses,
        };
        let mut closed: Vec<u32> = self
            .entries
            .insert(text, entry)
            .into_iter()
            .map(|old| old.id)
            .collect();
        if self.entries.len() > self.max {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used);
            if let Some(text) = oldest.map(|(text, _)| Arc::clone(text)) {
                closed.extend(self.entries.remove(&text).map(|old| old.id));
            }
        }
        closed
    }

    /// Forgets a statement; its id must be closed on the server.
    pub(crate) fn remove(&mut self, text: &Arc<Text>) -> Option<u32> {
        self.entries.remove(text).map(|entry| entry.id)
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

/// The execute payload without the statement's id, and with the types that it left out.
pub(crate) fn execute_whole(
    payload: &[u8],
    prepared: &Prepared,
    capabilities: Capabilities,
) -> Vec<u8> {
    let mut made = Vec::with_capacity(payload.len() + prepared.types.len());
    match Bound::read(payload, prepared.parameters, capabilities) {
        Some(bound) if !bound.sent => bound.put_with_types(&mut made, payload, &prepared.types),
        Some(_) | None => made.extend_from_slice(payload),
    }
    if let Some(id) = made.get_mut(1..5) {
        id.fill(0);
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_statement_is_closed_above_the_limit() {
        let mut statements = ServerStatements::new(20);
        let text = |n: usize| Arc::new(Text::new(n.to_string().into_bytes(), None, 0));
        for n in 0..20 {
            assert!(statements.insert(text(n), n as u32).is_empty());
        }
        assert!(statements.find(&text(0)).is_some());
        assert_eq!(statements.insert(text(20), 999), [1]);
        assert!(statements.has(&text(0)));
    }
}
