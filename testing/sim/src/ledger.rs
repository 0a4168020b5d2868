//! Every write of every client: where and when it was executed, and whether its client got OK.

use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_topology::Epoch;

/// What became of one write.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Write {
    /// The server that executed it first, when, and in whose reign.
    pub(crate) executed: Option<Execution>,
    /// Whoever acknowledged it had been told not to wait: nothing is promised.
    pub(crate) unprotected: bool,
    /// When its client got OK.
    pub(crate) acknowledged: Option<Timestamp>,
}

/// An execution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Execution {
    /// The server's index.
    pub(crate) server: usize,
    /// When the transaction entered its binary log.
    pub(crate) at: Timestamp,
    /// The newest reign that had been recorded for that server by then; `None` if there was none.
    pub(crate) reign: Option<Epoch>,
}

/// All writes; their numbers begin with 1.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    writes: Vec<Write>,
    acknowledged: u64,
    last: Option<Timestamp>,
    longest: Duration,
}

impl Ledger {
    /// A new write.
    pub(crate) fn open(&mut self) -> u64 {
        self.writes.push(Write::default());
        self.writes.len() as u64
    }

    pub(crate) fn of(&self, write: u64) -> Write {
        self.writes[write as usize - 1]
    }

    pub(crate) fn executed(&mut self, write: u64, execution: Execution) {
        self.writes[write as usize - 1].executed = Some(execution);
    }

    /// The OK of this write promises nothing.
    pub(crate) fn promise_nothing(&mut self, write: u64) {
        self.writes[write as usize - 1].unprotected = true;
    }

    pub(crate) fn acknowledge(&mut self, write: u64, at: Timestamp) {
        self.writes[write as usize - 1].acknowledged = Some(at);
        self.acknowledged += 1;
        self.longest = self.longest_pause(at);
        self.last = Some(at);
    }

    /// The longest time without an acknowledged write until now.
    pub(crate) fn longest_pause(&self, now: Timestamp) -> Duration {
        let present = self.last.map_or(Duration::ZERO, |last| now.since(last));
        self.longest.max(present)
    }

    /// How many writes were acknowledged.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// The numbers of all acknowledged writes.
    pub(crate) fn all_acknowledged(&self) -> impl Iterator<Item = u64> {
        let numbered = (1..).zip(&self.writes);
        numbered
            .filter(|(_, write)| write.acknowledged.is_some() && !write.unprotected)
            .map(|(number, _)| number)
    }
}
