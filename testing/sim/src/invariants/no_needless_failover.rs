//! No needless failover: none begins by itself while the primary lives and a replica that the
//! manager can ask hears it all the time, nor while nobody can testify that it is dead.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_topology::Epoch;

pub(crate) const NAME: &str = "no_needless_failover";

/// Longer than any wait of the manager before it may believe that the primary is dead.
const CALM: Duration = Duration::from_millis(3_500);

/// Who has heard the primary, and since when without a break.
#[derive(Debug, Default)]
pub(crate) struct Calm {
    hears: BTreeMap<usize, Timestamp>,
    /// Since when the primary lives and nobody has lost it.
    undoubted: Option<Timestamp>,
    primary: Option<usize>,
    /// The last reign in which a failover was begun or asked for.
    attempted: Option<Epoch>,
}

/// What one look at the world says.
pub(crate) struct Quiet {
    pub(crate) now: Timestamp,
    pub(crate) primary: Option<usize>,
    /// Replicas that hear the primary, and that the manager can ask.
    pub(crate) hear: Vec<usize>,
    /// The primary lives, and no replica has lost it.
    pub(crate) undoubted: bool,
}

impl Calm {
    /// Takes a look.
    pub(crate) fn look(&mut self, quiet: &Quiet) {
        let now = quiet.now;
        if self.primary != quiet.primary {
            self.primary = quiet.primary;
            self.hears.clear();
            self.undoubted = None;
        }
        self.hears.retain(|server, _| quiet.hear.contains(server));
        for server in &quiet.hear {
            self.hears.entry(*server).or_insert(now);
        }
        self.undoubted = quiet.undoubted.then(|| self.undoubted.unwrap_or(now));
    }

    /// A failover begins.
    pub(crate) fn failover(
        &mut self,
        now: Timestamp,
        epoch: Epoch,
        expected: bool,
    ) -> Result<(), String> {
        let again = self.attempted.replace(epoch) == Some(epoch);
        if expected {
            return Ok(());
        }
        let calm = |since: &Timestamp| now.passed(*since, CALM);
        if let Some((server, since)) = self.hears.iter().find(|(_, since)| calm(since)) {
            return Err(format!(
                "a failover begins, and db{} has heard the primary all the time since {since}",
                server + 1
            ));
        }
        match self.undoubted.filter(|since| !again && calm(since)) {
            None => Ok(()),
            Some(since) => Err(format!(
                "a failover begins, and the primary lives and nobody has lost it since {since}"
            )),
        }
    }
}
