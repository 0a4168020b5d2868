//! What servers call the variables that are looked at.

/// One statement for both families: what a server does not have it leaves out.
pub(super) const STATEMENT: &str = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_id', \
    'log_bin', 'sync_binlog', 'innodb_flush_log_at_trx_commit', 'read_only', 'super_read_only', \
    'gtid_mode', 'enforce_gtid_consistency', 'gtid_strict_mode', 'binlog_format', \
    'log_slave_updates', 'log_replica_updates', 'max_connections', 'version')";

/// The names of one variable, newest first: transactions of a source go to the binary log too.
pub(super) const LOG_UPDATES: [&str; 2] = ["log_replica_updates", "log_slave_updates"];
