//! Statements of `mainstay check`, which both families understand.

/// The rights of the account that asks.
pub(super) const GRANTS: &str = "SHOW GRANTS";

/// Plugins of semi-synchronous replication: built in, or told by their variables.
pub(super) const SEMI_SYNC: &str = "SHOW GLOBAL VARIABLES LIKE 'rpl\\_semi\\_sync\\_%\\_enabled'";

/// What gives an account what it lacks.
pub(super) fn grant(rights: &[&str], place: &str, user: &str) -> String {
    format!("GRANT {} ON {place} TO '{user}'@'%'", rights.join(", "))
}
