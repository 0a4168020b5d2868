//! What kind of life a seed has: how many faults, how close together, which kinds, how patient the
//! operator's rules are.

use std::time::Duration;

use mainstay_topology::{Part, ServerName};

use crate::random::Random;
use crate::scenario::Scenario;
use crate::world::{SCENES, Scene};

/// The character of one seed.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "independent traits")]
pub(crate) struct Mood {
    /// The cluster has never been started.
    pub(crate) newborn: bool,
    /// When the faults stop.
    pub(crate) peace_ms: u64,
    /// Time between faults, up to.
    pub(crate) pause_ms: u64,
    /// Faults at most.
    pub(crate) faults: u64,
    /// A fault strikes only while no other lasts.
    pub(crate) one_at_a_time: bool,
    /// Weight of each kind of fault, in the order of `faults::KINDS`.
    pub(crate) weights: Vec<u64>,
    /// The manager dies after so many of 1000 of its events that change something.
    pub(crate) manager_dies_permille: u64,
    /// Storing a record fails in so many of 1000 cases.
    pub(crate) store_fails_permille: u64,
    /// Routes arrive this late at a proxy, up to.
    pub(crate) stale_ms: u64,
    /// Diverged servers are given new data without asking.
    pub(crate) auto_reseed: bool,
    /// What only they have is undone without asking.
    pub(crate) auto_rewind: bool,
    /// The manager can end processes.
    pub(crate) end_process: bool,
    /// Time between two writes of one writer, up to.
    pub(crate) think_ms: u64,
    /// Writers of each proxy.
    pub(crate) writers: usize,
    /// A sequence of faults to begin with.
    pub(crate) scene: Option<Scene>,
    /// Acknowledgements that a commit needs.
    pub(crate) acknowledgements: u32,
    /// How the last server takes part.
    pub(crate) last: Part,
}

/// Kinds of faults.
pub(crate) const KINDS: usize = 26;

/// A replica of the primary like any other, one of another replica, or one that never acknowledges.
fn last(random: &mut Random) -> Part {
    let source = random.permille(150).then(|| ServerName::new("db2"));
    let silent = source.is_none() && random.permille(100);
    Part {
        source,
        acknowledges: silent.then_some(false),
        ..Part::default()
    }
}

impl Mood {
    pub(crate) fn draw(random: &mut Random, servers: usize) -> Self {
        let single = random.permille(350);
        let storm = !single && random.permille(300);
        let mut weights: Vec<u64> = (0..KINDS)
            .map(|_| {
                if random.permille(500) {
                    random.below(10)
                } else {
                    0
                }
            })
            .collect();
        // Something always happens.
        weights[random.index(4)] += 8;
        Self {
            newborn: random.permille(80),
            peace_ms: 4_000 + random.below(if single { 6_000 } else { 12_000 }),
            pause_ms: if storm { 600 } else { 3_000 },
            faults: if single { 1 + random.below(2) } else { 30 },
            one_at_a_time: single || random.permille(300),
            weights,
            manager_dies_permille: if random.permille(300) { 40 } else { 0 },
            store_fails_permille: if random.permille(150) { 200 } else { 0 },
            stale_ms: if random.permille(250) { 3_000 } else { 5 },
            auto_reseed: random.permille(700),
            auto_rewind: random.permille(600),
            end_process: random.permille(300),
            think_ms: if random.permille(200) { 20 } else { 200 },
            writers: 1 + random.index(2),
            scene: random
                .permille(300)
                .then(|| SCENES[random.index(SCENES.len())]),
            acknowledgements: if servers > 3 && random.permille(500) {
                2
            } else {
                1
            },
            last: if servers > 2 {
                last(random)
            } else {
                Part::default()
            },
        }
    }

    /// What a scenario leaves to chance: nothing but the paths of messages.
    pub(crate) fn of(scenario: &Scenario) -> Self {
        Self {
            newborn: scenario.newborn,
            peace_ms: scenario.end_ms,
            pause_ms: 1,
            faults: 0,
            one_at_a_time: false,
            weights: vec![1],
            manager_dies_permille: 0,
            store_fails_permille: 0,
            stale_ms: 5,
            auto_reseed: scenario.auto_reseed,
            auto_rewind: false,
            end_process: scenario.end_process,
            last: Part::default(),
            think_ms: 60,
            writers: 2,
            scene: None,
            acknowledgements: scenario.acknowledgements,
        }
    }

    /// A time until the next fault.
    pub(crate) fn pause(&self, random: &mut Random) -> Duration {
        random.millis(20, self.pause_ms)
    }
}
