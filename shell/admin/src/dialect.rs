//! SQL with the words of `ProxySQL`'s columns.

/// An account of the servers, new or with another password.
pub(crate) const KEEP_ACCOUNT: &str = "INSERT INTO main.mysql_users \
     (username, password, default_hostgroup, comment) VALUES (?1, ?2, NULL, 'from the servers') \
     ON CONFLICT (username, backend) DO UPDATE SET password = excluded.password";
