//! The handle on the state file. Cheap to clone; every call blocks for as long as the disk does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mainstay_failover::pause::Pause;
use mainstay_failover::{OperationId, Purpose};
use mainstay_topology::{Record, ServerName, Wish};
use rusqlite::{Connection, Transaction};

use crate::error::StoreError;
use crate::journal::{self, Entry};
use crate::operation::{self, Operation};
use crate::schedule::{self, Schedule};
use crate::{pause, record, schema, wish};

/// How long to wait for a file that another process is about to let go.
const LOCK_WAIT: Duration = Duration::from_millis(500);

/// The open state file of one manager.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    connection: Mutex<Connection>,
}

impl Store {
    /// Opens the state file, or begins a new one. No other process can open it meanwhile.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let sqlite = |error: rusqlite::Error| StoreError::from_sqlite(path, &error);
        let connection = Connection::open(path).map_err(sqlite)?;
        connection.busy_timeout(LOCK_WAIT).map_err(sqlite)?;
        schema::prepare(&connection, path)?;
        for table in [wish::TABLE, schedule::TABLE, pause::TABLE] {
            connection.execute_batch(table).map_err(sqlite)?;
        }
        let store = Self {
            inner: Arc::new(Inner {
                path: path.to_owned(),
                connection: Mutex::new(connection),
            }),
        };
        store.write(journal::forget_oldest)?;
        Ok(store)
    }

    /// The newest reign; epoch 0 without a primary when none has begun.
    pub fn record(&self) -> Result<Record, StoreError> {
        let sqlite = |error: rusqlite::Error| self.error(&error);
        record::read(&self.connection()).map_err(sqlite)
    }

    /// Stores whose reign it is. Refuses an epoch smaller than the stored one, and another primary
    /// for the stored one; the servers joined to it may change.
    pub fn write_record(&self, record: &Record) -> Result<(), StoreError> {
        record::allowed(record, &self.record()?)?;
        self.write(|transaction| record::write(transaction, record))
    }

    /// What operators want with servers.
    pub fn wishes(&self) -> Result<BTreeMap<ServerName, Wish>, StoreError> {
        let sqlite = |error: rusqlite::Error| self.error(&error);
        wish::read(&self.connection()).map_err(sqlite)
    }

    /// Stores what an operator wants with a server from now on.
    pub fn write_wish(&self, server: &ServerName, wish: &Wish) -> Result<(), StoreError> {
        self.write(|transaction| wish::write(transaction, server, wish))
    }

    /// Switchovers that wait for their time, and those of late with what became of them.
    pub fn schedules(&self) -> Result<Vec<Schedule>, StoreError> {
        let sqlite = |error: rusqlite::Error| self.error(&error);
        schedule::read(&self.connection()).map_err(sqlite)
    }

    /// Keeps a switchover until its time comes; answers its number.
    pub fn schedule(&self, schedule: &Schedule) -> Result<u64, StoreError> {
        let mut id = 0;
        self.write(|transaction| {
            id = schedule::add(transaction, schedule)?;
            Ok(())
        })?;
        Ok(id)
    }

    /// Says what became of a switchover that waited; false when none of that number waits.
    pub fn end_schedule(&self, id: u64, outcome: &str) -> Result<bool, StoreError> {
        let mut ended = false;
        self.write(|transaction| {
            ended = schedule::end(transaction, id, outcome)?;
            Ok(())
        })?;
        Ok(ended)
    }

    /// The operator's pause of automatic operations.
    pub fn pause(&self) -> Result<Option<Pause>, StoreError> {
        let sqlite = |error: rusqlite::Error| self.error(&error);
        pause::read(&self.connection()).map_err(sqlite)
    }

    /// Stores that an operator wants a pause, or none any more.
    pub fn write_pause(&self, pause: Option<&Pause>) -> Result<(), StoreError> {
        self.write(|transaction| pause::write(transaction, pause))
    }

    /// Stores that somebody has seen all failovers so far.
    pub fn acknowledge(&self) -> Result<(), StoreError> {
        self.write(pause::acknowledge)
    }

    /// The newest failover that nobody has acknowledged, and when it ended, in microseconds since
    /// 1970.
    pub fn unacknowledged(&self) -> Result<Option<(OperationId, u64)>, StoreError> {
        let sqlite = |error: rusqlite::Error| self.error(&error);
        pause::unacknowledged(&self.connection()).map_err(sqlite)
    }

    /// Appends to the journal; all entries or none, on disk when this returns.
    pub fn append(&self, entries: &[Entry]) -> Result<(), StoreError> {
        self.write(|transaction| {
            entries
                .iter()
                .try_for_each(|entry| journal::append(transaction, entry))
        })
    }

    /// The newest operations, newest first, each with its steps.
    pub fn operations(&self, limit: usize) -> Result<Vec<Operation>, StoreError> {
        let sqlite = |error: rusqlite::Error| self.error(&error);
        operation::newest(&self.connection(), limit).map_err(sqlite)
    }

    /// One operation.
    pub fn operation(&self, id: u64) -> Result<Option<Operation>, StoreError> {
        let sqlite = |error: rusqlite::Error| self.error(&error);
        operation::one(&self.connection(), id).map_err(sqlite)
    }

    /// Operations that were begun and never finished: the manager died in the middle of them.
    pub fn unfinished(&self) -> Result<Vec<(OperationId, Purpose)>, StoreError> {
        let sqlite = |error: rusqlite::Error| self.error(&error);
        operation::unfinished(&self.connection()).map_err(sqlite)
    }

    /// The newest operation's id; 0 when there was none.
    pub fn last_operation(&self) -> Result<OperationId, StoreError> {
        let sqlite = |error: rusqlite::Error| self.error(&error);
        operation::last(&self.connection())
            .map(OperationId)
            .map_err(sqlite)
    }

    /// Sets `count` versions of routes aside for this process, and answers the highest version that
    /// any earlier process can have published. One write at the start instead of one for each.
    pub fn reserve_route_versions(&self, count: u32) -> Result<u64, StoreError> {
        let mut before = 0;
        self.write(|transaction| {
            before = record::reserve(transaction, count)?;
            Ok(())
        })?;
        Ok(before)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A transaction of a panicked holder was rolled back when it was dropped.
        self.inner
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn write(
        &self,
        body: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), StoreError> {
        let mut connection = self.connection();
        connection
            .transaction()
            .and_then(|transaction| {
                body(&transaction)?;
                transaction.commit()
            })
            .map_err(|error| self.error(&error))
    }

    fn error(&self, error: &rusqlite::Error) -> StoreError {
        StoreError::from_sqlite(&self.inner.path, error)
    }

    /// Bounds the file, as a full disk would, for tests.
    #[cfg(test)]
    pub(crate) fn limit_pages(&self, pages: u32) {
        self.connection()
            .pragma_update(None, "max_page_count", pages)
            .expect("a pragma of SQLite");
    }
}
