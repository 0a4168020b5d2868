//! Users who are in no settings.

use std::collections::BTreeSet;
use std::time::Duration;

/// How users who are not listed are let in: by a login at a server with the password that their
/// client tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassThrough {
    /// How long a password that a server took is believed without asking again.
    pub kept: Duration,
    /// Such users known at the same time.
    pub users_max: usize,
    /// Who is never let in so.
    pub never: BTreeSet<String>,
}
