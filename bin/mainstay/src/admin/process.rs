//! What the admin interface does with the process it is in.

use mainstay_admin::{Event, Refused};
use mainstay_command::Control;
use mainstay_settings::Settings;

/// A process: `serve` or `sandbox`.
pub(crate) trait Process: Send + Sync {
    /// The settings file as it is now; `None` where there is none.
    fn file(&self) -> Option<std::io::Result<String>>;

    /// Puts settings in force; returns the keys and sections that have to wait for a restart.
    /// `members`: servers come or
    /// go by them.
    fn apply(&self, settings: &Settings, members: bool) -> Result<Vec<String>, Refused>;

    /// The accounts of the first server that answers, with what is stored of their passwords.
    fn accounts(&self, settings: &Settings) -> Result<Vec<(String, String)>, Refused>;

    /// `PROXYSQL …`.
    fn control(&self, control: &Control) -> Result<String, Refused>;

    /// `KILL`.
    fn kill(&self, session: u64, only_query: bool) -> Result<bool, Refused>;

    /// `EXPLAIN ROUTE`, for a user or the first.
    fn explain(
        &self,
        user: Option<&str>,
        statement: &str,
    ) -> Result<Vec<(String, String)>, Refused>;

    /// Metrics for Prometheus.
    fn metrics(&self) -> String;

    /// `PROXYSQL FLUSH MYSQL CLIENT HOSTS`.
    fn forget_hosts(&self) {}

    /// Somebody did something at the admin interface.
    fn note(&self, _event: &Event<'_>) {}
}
