//! Statements of `mainstay check`, which both families understand.

/// The rights of the account that asks.
pub(super) const GRANTS: &str = "SHOW GRANTS";

/// Plugins of semi-synchronous replication: built in, or told by their variables.
pub(super) const SEMI_SYNC: &str = "SHOW GLOBAL VARIABLES LIKE 'rpl\\_semi\\_sync\\_%\\_enabled'";

/// How plugins are loaded.
pub(super) const LOAD_SEMI_SYNC: &str = "plugin_load_add = semisync_source.so and \
    semisync_replica.so (before 8.0.26: semisync_master.so and semisync_slave.so), restart";

/// What gives an account what it lacks.
pub(super) fn grant(rights: &[&str], place: &str, user: &str) -> String {
    format!("GRANT {} ON {place} TO '{user}'@'%'", rights.join(", "))
}
