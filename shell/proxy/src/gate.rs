//! The wait of a switchover: until no worker has a write in flight under the newest routes.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use mainstay_topology::{Epoch, Routes};

/// The time was over before the writer was drained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{in_flight} statements or transactions are still in flight on the writer")]
pub struct StillBusy {
    /// How many, over all workers that have taken up the newest routes.
    pub in_flight: usize,
}

/// The place of routes in their order.
pub(crate) type RoutesKey = (Epoch, u64);

/// The key of these routes.
pub(crate) fn key(routes: &Routes) -> RoutesKey {
    (routes.epoch, routes.version)
}

/// What one worker said last: the routes it has, and its writes in flight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) routes: RoutesKey,
    pub(crate) in_flight: usize,
}

/// The gate that all workers of one proxy report to.
#[derive(Debug)]
pub(crate) struct Gate {
    said: Mutex<Vec<Said>>,
    changed: Condvar,
}

impl Gate {
    /// A gate for workers that have not said anything.
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            said: Mutex::new(vec![Said::default(); workers]),
            changed: Condvar::new(),
        }
    }

    /// A worker's report. Workers call it when something changed, so that its lock is not taken
    /// on the path of a query.
    pub(crate) fn say(&self, worker: usize, said: Said) {
        self.lock()[worker] = said;
        self.changed.notify_all();
    }

    /// Waits until every worker has the routes `wanted` and nothing in flight.
    pub(crate) fn drained(&self, wanted: RoutesKey, deadline: Instant) -> Result<(), StillBusy> {
        let mut said = self.lock();
        loop {
            if said
                .iter()
                .all(|one| one.routes >= wanted && one.in_flight == 0)
            {
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(StillBusy {
                    in_flight: said.iter().map(|one| one.in_flight).sum(),
                });
            }
            said = self
                .changed
                .wait_timeout(said, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Said>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: RoutesKey = (Epoch(1), 2);

    #[test]
    fn a_worker_that_has_not_taken_up_the_routes_is_not_drained() {
        let gate = Gate::new(2);
        gate.say(
            0,
            Said {
                routes: NEW,
                in_flight: 0,
            },
        );
        gate.say(
            1,
            Said {
                routes: (Epoch(1), 1),
                in_flight: 0,
            },
        );
        assert_eq!(
            gate.drained(NEW, Instant::now()),
            Err(StillBusy { in_flight: 0 })
        );
        gate.say(
            1,
            Said {
                routes: NEW,
                in_flight: 0,
            },
        );
        assert_eq!(gate.drained(NEW, Instant::now()), Ok(()));
    }

    #[test]
    fn writes_in_flight_of_all_workers_are_told() {
        let gate = Gate::new(2);
        gate.say(
            0,
            Said {
                routes: NEW,
                in_flight: 3,
            },
        );
        gate.say(
            1,
            Said {
                routes: NEW,
                in_flight: 4,
            },
        );
        assert_eq!(
            gate.drained(NEW, Instant::now()),
            Err(StillBusy { in_flight: 7 })
        );
    }
}
