//! Seeded simulation of clusters over the real core machines.
//!
//! One seed is one life of a cluster: the real manager's machine, fake servers that fail the way
//! real ones were measured to fail, a network, proxies, clients, and faults. The same seed always
//! gives the same life. Afterwards the faults stop, and the cluster must heal.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use mainstay_clock::Timestamp;
use mainstay_failover::bugs::Bugs;
use mainstay_topology::Family;

mod gtids;
mod invariants;
mod ledger;
mod link;
mod message;
mod mood;
mod network;
mod random;
mod scenario;
mod server;
mod statement;
mod store;
mod totals;
mod trace;
mod wait;
mod world;

pub use invariants::Violation;
pub use scenario::Scenario;
pub use totals::Totals;

/// What to simulate.
#[derive(Debug, Clone)]
pub struct Options {
    /// The seed.
    pub seed: u64,
    /// How many servers.
    pub servers: usize,
    /// Of which family.
    pub family: Family,
    /// Known bugs to put back.
    pub bugs: Bugs,
    /// Keep the story.
    pub verbose: bool,
    /// A story instead of chance.
    pub scenario: Option<Arc<Scenario>>,
    /// After how many steps that happens which the scenario has happen after each.
    pub at_step: Option<u64>,
}

/// What came of one seed.
#[derive(Debug)]
pub struct Summary {
    /// The seed.
    pub seed: u64,
    /// What was violated, if anything.
    pub violation: Option<Violation>,
    /// The story, if it was kept.
    pub trace: Vec<String>,
    /// Writes that were acknowledged.
    pub acknowledged: u64,
    /// The last epoch.
    pub epochs: u64,
    /// Faults by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Happenings in all.
    pub happenings: u64,
    /// Something happened after the step that the options name.
    pub acted_at_step: bool,
    /// Virtual time at the end.
    pub ended: Timestamp,
}

/// Lives one seed.
pub fn simulate(options: Options) -> Summary {
    let mut world = world::World::new(options);
    let lived = catch_unwind(AssertUnwindSafe(|| world.run()));
    if lived.is_err() {
        // Its own assertions are part of what is tested; the message is on standard error.
        world.fail("no_panic", "the machine panicked".to_owned());
    }
    world.summary()
}
