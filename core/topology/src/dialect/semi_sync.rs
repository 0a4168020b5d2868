//! Whether a source's commits surely wait, from all the settings that decide it.

use super::DialectError;
use super::answer::{Values, number};

/// Milliseconds, 49 days: what MySQL accepts at most, and what a lossless source is set to.
const FOR_EVER: u64 = 4_294_967_295;

/// The settings, whatever they are called; `None` where there is no such setting.
pub(super) struct Settings<'a> {
    pub(super) enabled: Option<&'a str>,
    pub(super) timeout: Option<&'a str>,
    pub(super) wait_point: Option<&'a str>,
    pub(super) wait_alone: Option<&'a str>,
    /// Replicas that are waited for.
    pub(super) count: Option<&'a str>,
    pub(super) replica_enabled: Option<&'a str>,
}

impl<'a> Settings<'a> {
    /// From columns of the names that the statements give them.
    pub(super) fn of_row(own: Values<'a>) -> Result<Self, DialectError> {
        Ok(Self {
            enabled: own.get("source_enabled")?,
            timeout: own.get("timeout")?,
            wait_point: own.get("wait_point")?,
            wait_alone: own.get("wait_alone")?,
            count: own.get("wait_count")?,
            replica_enabled: own.get("replica_enabled")?,
        })
    }

    pub(super) fn replica_enabled(&self) -> bool {
        is_on(self.replica_enabled)
    }
}

/// The settings of a source.
pub(super) struct Waiting {
    pub(super) enabled: bool,
    /// It neither times out, nor goes on without replicas, nor shows a commit before.
    firm: bool,
    /// It waits now: one that has given up once does not, whatever its settings say since.
    active: bool,
    count: u32,
}

impl Waiting {
    /// From the settings and the status variable.
    pub(super) fn read(
        settings: &Settings<'_>,
        status: Option<&str>,
    ) -> Result<Self, DialectError> {
        let timeout: u64 = number("timeout", settings.timeout.unwrap_or("0"))?;
        Ok(Self {
            enabled: is_on(settings.enabled),
            firm: timeout >= FOR_EVER
                && settings.wait_point == Some("AFTER_SYNC")
                && is_on(settings.wait_alone),
            active: status == Some("ON"),
            count: number("wait_count", settings.count.unwrap_or("0"))?,
        })
    }

    /// Replicas that hold every commit that is answered.
    pub(super) fn acknowledgements(&self) -> u32 {
        if self.enabled && self.firm && self.active {
            self.count
        } else {
            0
        }
    }

    pub(super) fn has_given_up(&self) -> bool {
        self.enabled && !self.active
    }
}

fn is_on(setting: Option<&str>) -> bool {
    matches!(setting, Some("1" | "ON" | "YES"))
}
