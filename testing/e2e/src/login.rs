//! Where to log in, and as whom.

/// Where to log in, and as whom.
#[derive(Debug, Clone)]
pub struct Login {
    /// Host.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User.
    pub user: String,
    /// Password.
    pub password: String,
    /// Default schema.
    pub database: Option<String>,
}

impl Login {
    /// With this default schema.
    #[must_use]
    pub fn with_database(mut self, database: &str) -> Self {
        self.database = Some(database.to_owned());
        self
    }
}
