//! The statements that a connection sends of its own.

/// What a session sets before it reads binary logs: events without checksums, and those of
/// `MariaDB` that only its own replicas understand. Both families take all of it, as user
/// variables.
pub(super) const DUMP_TERMS: &str = "SET @master_binlog_checksum = 'NONE', \
                                     @source_binlog_checksum = 'NONE', \
                                     @mariadb_slave_capability = 4";
