//! What servers call the rights of an account for replication.

/// The right to read binary logs as a replica.
pub(super) const REPLICATE: &str = "REPLICATION SLAVE";
