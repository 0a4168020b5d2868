//! The manager's durable state: the record, the journal, the versions of routes.

use std::collections::BTreeMap;

use mainstay_failover::{History, OperationId, Purpose};
use mainstay_topology::{Epoch, Record, ServerName, Wish};

/// As many versions of routes as one process sets aside.
const ROUTE_VERSIONS: u64 = 1_000_000;

/// The store of one manager.
#[derive(Debug, Default)]
pub(crate) struct Store {
    /// Whose reign it is.
    pub(crate) record: Record,
    /// Operations without an end.
    pub(crate) open: BTreeMap<OperationId, Purpose>,
    /// Steps that were journaled before they ran.
    pub(crate) started: Vec<(OperationId, usize)>,
    /// What operators want with servers.
    pub(crate) wishes: BTreeMap<ServerName, Wish>,
    last: OperationId,
    versions: u64,
}

impl Store {
    /// Stores a record under the rules of the real store.
    pub(crate) fn write(&mut self, record: &Record) -> Result<(), String> {
        let stored = &self.record;
        if record.epoch < stored.epoch {
            return Err(format!(
                "epoch {} is older than {}",
                record.epoch, stored.epoch
            ));
        }
        let same = record.epoch == stored.epoch && stored.epoch != Epoch(0);
        if same && record.primary != stored.primary {
            return Err(format!("epoch {} belongs to another primary", record.epoch));
        }
        self.record = record.clone();
        Ok(())
    }

    /// Journals the beginning of an operation.
    pub(crate) fn begin(&mut self, id: OperationId, purpose: Purpose) -> Result<(), String> {
        if id <= self.last {
            return Err(format!("operation {} was in the journal before", id.0));
        }
        self.last = self.last.max(id);
        self.open.insert(id, purpose);
        Ok(())
    }

    /// Journals the end of an operation.
    pub(crate) fn finish(&mut self, id: OperationId) {
        self.open.remove(&id);
        self.started.retain(|(operation, _)| *operation != id);
    }

    /// What the next manager is told; the open operation is closed.
    pub(crate) fn history(&mut self) -> History {
        self.versions += ROUTE_VERSIONS;
        self.started.clear();
        History {
            last_operation: self.last,
            interrupted: std::mem::take(&mut self.open).pop_last(),
            routes_version: self.versions,
            wishes: self.wishes.clone(),
            ..History::default()
        }
    }
}
