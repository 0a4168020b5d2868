//! What the admin interface asks of servers.

/// The same columns in both families; an account for all hosts counts before one for some. One that
/// may replicate or look at replication, and read no table, belongs to a server or a monitor.
pub(super) const ACCOUNTS: &str = "SELECT User, authentication_string FROM mysql.user AS account \
     WHERE NOT ('Y' IN (Repl_slave_priv, Repl_client_priv) AND Select_priv = 'N' \
     AND NOT EXISTS (SELECT 1 FROM mysql.db AS granted WHERE granted.User = account.User) \
     AND NOT EXISTS (SELECT 1 FROM mysql.tables_priv AS granted \
     WHERE granted.User = account.User)) ORDER BY Host = '%'";
