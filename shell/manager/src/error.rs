//! Why a manager cannot start, and why it does not do what it was asked.

use mainstay_store::StoreError;

/// Why a manager cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ManagerError {
    /// Its state cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It was given no server.
    #[error("the cluster has no server; name at least one in a `[[server]]` section")]
    NoServers,
}

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The cluster's state does not allow it.
    #[error("{0}")]
    Refused(String),
    /// The journal cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The manager has stopped, or is stopping.
    #[error("the manager has stopped")]
    Stopped,
}
