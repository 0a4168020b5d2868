//! How many clients each worker has, so that new ones go to the least loaded.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The clients of every worker.
#[derive(Debug, Clone)]
pub(crate) struct Loads(Arc<[AtomicUsize]>);

impl Loads {
    /// No clients on any of `workers`.
    pub(crate) fn new(workers: usize) -> Self {
        Self((0..workers).map(|_| AtomicUsize::new(0)).collect())
    }

    /// The worker for a client that `own` accepted: itself, unless another has fewer.
    pub(crate) fn least(&self, own: usize) -> usize {
        let load = |worker: usize| self.0[worker].load(Ordering::Relaxed);
        (0..self.0.len())
            .min_by_key(|&worker| (load(worker), worker != own))
            .unwrap_or(own)
    }

    /// Counts one client to `worker` until the ticket is dropped.
    pub(crate) fn ticket(&self, worker: usize) -> Ticket {
        self.0[worker].fetch_add(1, Ordering::Relaxed);
        Ticket {
            loads: self.clone(),
            worker,
        }
    }

    /// The clients of each worker now.
    pub(crate) fn all(&self) -> Vec<usize> {
        self.0
            .iter()
            .map(|load| load.load(Ordering::Relaxed))
            .collect()
    }
}

/// One client, counted. It travels with the socket, so that no way of losing a client can leave
/// it counted.
#[derive(Debug)]
pub(crate) struct Ticket {
    loads: Loads,
    worker: usize,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.loads.0[self.worker].fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_stays_where_it_was_accepted_unless_another_worker_has_fewer() {
        let loads = Loads::new(2);
        assert_eq!(loads.least(1), 1);
        let ticket = loads.ticket(1);
        assert_eq!(loads.least(1), 0);
        drop(ticket);
        assert_eq!(loads.least(1), 1);
    }
}
