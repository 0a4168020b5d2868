//! What can go wrong with the state file, in sentences for the person who has to mend it.

use std::path::{Path, PathBuf};

use mainstay_topology::Epoch;
use rusqlite::ErrorCode;

/// Why the state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file is not a database, or its content is damaged.
    #[error(
        "the state file {} is damaged ({detail}); move it away: a new one is begun, and the \
         manager learns the primary again from the servers", path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        detail: String,
    },
    /// The file is a database of another program.
    #[error(
        "{} is a database, but not of Mainstay; name another file as the state file",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a newer version.
    #[error(
        "the state file {} has format {found}, this version of Mainstay knows up to {known}; \
         run the newer version", path.display()
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest known one.
        known: i64,
    },
    /// Another process holds the file.
    #[error(
        "the state file {} is in use; another manager runs with it: stop that one first, two \
         managers must never act on one cluster", path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// No space is left.
    #[error(
        "no space is left on the disk of the state file {}; free some: nothing is changed in \
         the cluster until its state can be stored", path.display()
    )]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// Epochs only grow.
    #[error("epoch {given} was refused: epoch {stored} has begun already, and epochs only grow")]
    StaleEpoch {
        /// The refused epoch.
        given: Epoch,
        /// The stored one.
        stored: Epoch,
    },
    /// One epoch has one primary.
    #[error("epoch {epoch} belongs to {stored} and cannot be given to {given}")]
    OtherPrimary {
        /// The epoch.
        epoch: Epoch,
        /// Whose it is.
        stored: String,
        /// Who was to get it.
        given: String,
    },
    /// Anything else: permissions, a missing folder, a failing disk.
    #[error("the state file {} cannot be used: {detail}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        detail: String,
    },
}

impl StoreError {
    /// Sorts what SQLite says.
    pub(crate) fn from_sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        let detail = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Self::Damaged { path, detail }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse { path },
            Some(ErrorCode::DiskFull) => Self::DiskFull { path },
            Some(_) | None => Self::Unusable { path, detail },
        }
    }
}
