//! Where to connect and as whom.

use std::fmt;
use std::time::Duration;

use mainstay_wire::handshake::UTF8MB4_GENERAL_CI;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where to connect and as whom. Its `Debug` never shows the password.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectOptions {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// User.
    pub user: String,
    /// Clear password.
    pub password: String,
    /// Default schema.
    pub database: Option<String>,
    /// Limit of TCP connect, greeting and login together.
    pub connect_timeout: Duration,
    /// Collation number of the connection.
    pub charset: u8,
}

impl ConnectOptions {
    /// Options without a default schema, in `utf8mb4`, with five seconds to connect.
    pub fn new(
        host: impl Into<String>,
        port: u16,
        user: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        Self {
            host: host.into(),
            port,
            user: user.into(),
            password: password.into(),
            database: None,
            connect_timeout: CONNECT_TIMEOUT,
            charset: UTF8MB4_GENERAL_CI,
        }
    }

    /// With this default schema.
    #[must_use]
    pub fn with_database(self, database: impl Into<String>) -> Self {
        Self {
            database: Some(database.into()),
            ..self
        }
    }

    /// With this limit of TCP connect, greeting and login together.
    #[must_use]
    pub fn with_connect_timeout(self, connect_timeout: Duration) -> Self {
        Self {
            connect_timeout,
            ..self
        }
    }

    /// `host:port`, as messages show it.
    pub fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectOptions")
            .field("address", &self.address())
            .field("user", &self.user)
            .field("database", &self.database)
            .field("connect_timeout", &self.connect_timeout)
            .finish_non_exhaustive()
    }
}
