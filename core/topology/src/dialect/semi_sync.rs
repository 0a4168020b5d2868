//! Whether a source's commits surely wait, from all the settings that decide it.

use super::DialectError;
use super::answer::Values;

/// Milliseconds, 49 days: what MySQL accepts at most, and what a lossless source is set to.
const FOR_EVER: u64 = 4_294_967_295;

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
    /// From the row of variables, the status variable, and the number of replicas waited for.
    pub(super) fn read(
        own: Values<'_>,
        status: Option<&str>,
        count: u32,
    ) -> Result<Self, DialectError> {
        let timeout: u64 = own.number("timeout")?;
        Ok(Self {
            enabled: own.is_on("source_enabled")?,
            firm: timeout >= FOR_EVER
                && own.text("wait_point")? == "AFTER_SYNC"
                && own.is_on("wait_alone")?,
            active: status == Some("ON"),
            count,
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
