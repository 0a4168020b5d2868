//! Prepared statements: the client's, under ids of our own, and the copies of them on server
//! connections, made when they are needed there.

use std::collections::BTreeMap;
use std::sync::Arc;

use mainstay_sql::Statement;

/// What makes two prepared statements the same on a connection: names in the text are resolved
/// in the schema of the moment.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Text {
    pub(crate) sql: Vec<u8>,
    pub(crate) schema: Option<Vec<u8>>,
}

/// A statement as its client knows it.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    pub(crate) text: Arc<Text>,
    pub(crate) statement: Statement,
    pub(crate) parameters: u16,
    /// The parameter types of the last execution that named them.
    pub(crate) types: Vec<u8>,
}

/// The statements of one client.
#[derive(Debug, Default)]
pub(crate) struct ClientStatements {
    last: u32,
    entries: BTreeMap<u32, Prepared>,
}

impl ClientStatements {
    /// Statements made elsewhere, and the last number that was given there.
    pub(crate) fn with(last: u32, entries: impl IntoIterator<Item = (u32, Prepared)>) -> Self {
        let entries = entries.into_iter().collect();
        Self { last, entries }
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

/// The statements of one server connection.
#[derive(Debug, Default)]
pub(crate) struct ServerStatements {
    entries: BTreeMap<Arc<Text>, OnServer>,
    uses: u64,
}

/// Statements kept on one server connection; the least recently used one goes first.
const STATEMENTS_MAX: usize = 200;

impl ServerStatements {
    /// The statement on this connection, and a note that it was used.
    pub(crate) fn find(&mut self, text: &Arc<Text>) -> Option<&mut OnServer> {
        self.uses += 1;
        let entry = self.entries.get_mut(text)?;
        entry.used = self.uses;
        Some(entry)
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
        if self.entries.len() > STATEMENTS_MAX {
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

/// The offset of the null bitmap in an execute payload: command, id, flags, iteration count.
const BITMAP: usize = 10;

/// The parameter types that an execute payload carries: `None` when it carries none.
/// Source: the MySQL manual of the protocol, page `COM_STMT_EXECUTE`.
pub(crate) fn execute_types(payload: &[u8], parameters: u16) -> Option<&[u8]> {
    let bound = BITMAP + usize::from(parameters).div_ceil(8);
    if parameters == 0 || payload.get(bound) != Some(&1) {
        return None;
    }
    payload.get(bound + 1..bound + 1 + 2 * usize::from(parameters))
}

/// The payload for a server that calls the statement `id`; with `types` put in when the client
/// left them out and the server does not have them.
pub(crate) fn execute_for(payload: &[u8], id: u32, parameters: u16, types: &[u8]) -> Vec<u8> {
    let mut made = Vec::with_capacity(payload.len() + types.len());
    let bound = BITMAP + usize::from(parameters).div_ceil(8);
    if types.is_empty() || payload.get(bound) != Some(&0) {
        made.extend_from_slice(payload);
    } else {
        made.extend_from_slice(&payload[..bound]);
        made.push(1);
        made.extend_from_slice(types);
        made.extend_from_slice(&payload[bound + 1..]);
    }
    if let Some(place) = made.get_mut(1..5) {
        place.copy_from_slice(&id.to_le_bytes());
    }
    made
}

/// The execute payload without the statement's id, and with the types that it left out.
pub(crate) fn execute_whole(payload: &[u8], prepared: &Prepared) -> Vec<u8> {
    let told = execute_types(payload, prepared.parameters).is_some();
    let types = if told { &[][..] } else { &prepared.types };
    execute_for(payload, 0, prepared.parameters, types)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_left_out_by_the_client_are_put_in() {
        let payload = [0x17, 9, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 7];
        let made = execute_for(&payload, 3, 1, &[8, 0]);
        assert_eq!(made, [0x17, 3, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 8, 0, 7]);
        assert_eq!(execute_types(&made, 1), Some(&[8, 0][..]));
        assert_eq!(execute_types(&payload, 1), None);
    }

    #[test]
    fn the_least_recently_used_statement_is_closed_above_the_limit() {
        let mut statements = ServerStatements::default();
        let text = |n: usize| {
            Arc::new(Text {
                sql: n.to_string().into_bytes(),
                schema: None,
            })
        };
        for n in 0..STATEMENTS_MAX {
            assert!(statements.insert(text(n), n as u32).is_empty());
        }
        assert!(statements.find(&text(0)).is_some());
        assert_eq!(statements.insert(text(STATEMENTS_MAX), 999), [1]);
        assert!(statements.has(&text(0)));
    }
}
