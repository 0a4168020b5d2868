//! Paths between ends: what is sent on one arrives in order, late while the path is cut. A
//! connection outlives a cut, as TCP does: what was sent is sent again until it arrives.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_clock::Timestamp;

use crate::message::{End, Envelope};
use crate::random::Random;

/// All paths.
#[derive(Debug, Default)]
pub(crate) struct Network {
    cut: BTreeSet<(End, End)>,
    last: BTreeMap<(End, End), Timestamp>,
    held: Vec<Envelope>,
    /// Extra milliseconds on every path.
    pub(crate) slow_ms: u64,
}

impl Network {
    /// When a message sent now arrives; messages of one path keep their order.
    pub(crate) fn arrival(
        &mut self,
        now: Timestamp,
        path: (End, End),
        random: &mut Random,
    ) -> Timestamp {
        let micros = 100 + random.below(600) + self.slow_ms * random.below(1000);
        let at = Timestamp::from_nanos(now.as_nanos() + micros * 1000);
        let last = self.last.entry(path).or_default();
        let at = at.max(Timestamp::from_nanos(last.as_nanos() + 1));
        *last = at;
        at
    }

    /// Whether nothing gets through in this direction.
    pub(crate) fn is_cut(&self, from: End, to: End) -> bool {
        self.cut.contains(&(from, to))
    }

    /// Whether something gets through in both directions.
    pub(crate) fn is_open(&self, a: End, b: End) -> bool {
        !self.is_cut(a, b) && !self.is_cut(b, a)
    }

    /// Cuts one direction.
    pub(crate) fn cut(&mut self, from: End, to: End) {
        self.cut.insert((from, to));
    }

    /// Heals one direction; answers what waited on it.
    pub(crate) fn heal(&mut self, from: End, to: End) -> Vec<Envelope> {
        self.cut.remove(&(from, to));
        let (freed, held) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|one| one.from == from && one.to == to);
        self.held = held;
        freed
    }

    /// All directions that are cut.
    pub(crate) fn cuts(&self) -> Vec<(End, End)> {
        self.cut.iter().copied().collect()
    }

    /// Keeps a message until its path is healed.
    pub(crate) fn hold(&mut self, envelope: Envelope) {
        self.held.push(envelope);
    }
}
