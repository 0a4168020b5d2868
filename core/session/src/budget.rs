//! The connections to one server that the workers of a proxy may open together: never more than the
//! cap, however the sessions are spread.
//!
//! Half of the cap is divided evenly, so that no worker is without; the other half is lent to who
//! asks first. A worker that was refused looks again every few milliseconds, and the others do not
//! keep idle what they have borrowed as long as somebody looks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mainstay_topology::ServerName;

use crate::core::Core;
use crate::op::Ops;

/// How soon a worker that was refused asks again.
const ASK_AGAIN: Duration = Duration::from_millis(5);
/// How soon a borrowed connection that is idle is looked at.
const LOOK_AT_IDLE: Duration = Duration::from_secs(1);

/// Shared by the workers of one proxy.
#[derive(Debug)]
pub struct Budget {
    usual: Part,
    /// Of servers with a cap of their own.
    own: BTreeMap<ServerName, Part>,
    lent: Mutex<BTreeMap<ServerName, usize>>,
    /// Workers and servers that wait for a loan.
    starving: AtomicUsize,
}

/// How the cap of one server is divided.
#[derive(Debug, Clone, Copy)]
struct Part {
    /// Of each worker alone.
    share: usize,
    /// What may be lent.
    lendable: usize,
}

impl Part {
    fn of(cap: usize, workers: usize) -> Self {
        let workers = workers.max(1);
        let share = if workers == 1 {
            cap
        } else {
            cap / (2 * workers)
        };
        Self {
            share,
            lendable: cap.saturating_sub(share * workers),
        }
    }
}

impl Budget {
    /// For `workers` workers, at most `cap` connections to each server.
    pub fn new(cap: usize, workers: usize) -> Self {
        Self {
            usual: Part::of(cap, workers),
            own: BTreeMap::new(),
            lent: Mutex::default(),
            starving: AtomicUsize::new(0),
        }
    }

    /// With other caps for these servers.
    #[must_use]
    pub fn with_caps(
        mut self,
        caps: impl IntoIterator<Item = (ServerName, usize)>,
        workers: usize,
    ) -> Self {
        let parts = caps.into_iter();
        self.own = parts
            .map(|(name, cap)| (name, Part::of(cap.max(1), workers)))
            .collect();
        self
    }

    fn part(&self, server: &ServerName) -> Part {
        self.own.get(server).copied().unwrap_or(self.usual)
    }

    /// The connections to this server that each worker may have without asking.
    pub(crate) fn share(&self, server: &ServerName) -> usize {
        self.part(server).share
    }

    fn borrow(&self, server: &ServerName) -> bool {
        let mut lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        let count = lent.entry(server.clone()).or_default();
        let may = *count < self.part(server).lendable;
        *count += usize::from(may);
        may
    }

    /// Also beyond what is lendable: the connection is there already.
    fn take_over(&self, server: &ServerName, count: usize) {
        let mut lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        *lent.entry(server.clone()).or_default() += count;
    }

    fn give_back(&self, server: &ServerName, count: usize) {
        let mut lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lent) = lent.get_mut(server) {
            *lent = lent.saturating_sub(count);
        }
    }

    fn is_wanted(&self) -> bool {
        self.starving.load(Ordering::Relaxed) > 0
    }
}

impl Core {
    /// Takes the right to open one more connection. Without a budget the cap is the worker's own.
    pub(crate) fn may_open(&mut self, index: usize) -> bool {
        let pool = &self.policy.pool;
        let one = &mut self.upstreams[index];
        let Some(budget) = &pool.budget else {
            return one.open < pool.server_connections_max.max(1);
        };
        let own = one.open < budget.share(&one.target.name);
        let may = own || budget.borrow(&one.target.name);
        one.borrowed += usize::from(may && !own);
        if may {
            if one.starves_until.take().is_some() {
                budget.starving.fetch_sub(1, Ordering::Relaxed);
            }
        } else {
            let begins = one.starves_until.replace(self.now + ASK_AGAIN).is_none();
            budget
                .starving
                .fetch_add(usize::from(begins), Ordering::Relaxed);
        }
        may
    }

    /// A connection is gone: what was borrowed for it goes back.
    pub(crate) fn give_back(&mut self, index: usize) {
        let one = &mut self.upstreams[index];
        if let Some(budget) = &self.policy.pool.budget
            && one.borrowed > one.open.saturating_sub(budget.share(&one.target.name))
        {
            one.borrowed -= 1;
            budget.give_back(&one.target.name, 1);
        }
    }

    /// Gives everything back, and takes from the budget of the new policy what is open.
    pub(crate) fn change_budget(&mut self, new: Option<&Budget>) {
        for one in &mut self.upstreams {
            if let Some(old) = &self.policy.pool.budget {
                old.give_back(&one.target.name, one.borrowed);
                if one.starves_until.take().is_some() {
                    old.starving.fetch_sub(1, Ordering::Relaxed);
                }
            }
            one.borrowed = new.map_or(0, |new| {
                one.open.saturating_sub(new.share(&one.target.name))
            });
            if let Some(new) = new {
                new.take_over(&one.target.name, one.borrowed);
            }
        }
    }

    /// False when [`Self::may_open`] would refuse, or has just done so: workers that are at the cap
    /// do not ask each other with every statement.
    pub(crate) fn has_room(&self, index: usize) -> bool {
        let (pool, one) = (&self.policy.pool, &self.upstreams[index]);
        match &pool.budget {
            Some(budget) => {
                let refused = one.starves_until.is_some_and(|until| until > self.now);
                one.open < budget.share(&one.target.name) || !refused
            }
            None => one.open < pool.server_connections_max.max(1),
        }
    }

    /// Asks again for those that were refused, and forgets those that want nothing any more.
    pub(crate) fn feed_starving(&mut self, out: &mut Ops) {
        for index in 0..self.upstreams.len() {
            let one = &mut self.upstreams[index];
            if one.starves_until.is_none_or(|until| until > self.now) {
                continue;
            }
            let wants = !one.waiters.is_empty() && one.is_usable();
            if wants {
                self.grow(index, out);
                let again = self.now + ASK_AGAIN;
                let until = &mut self.upstreams[index].starves_until;
                *until = until.map(|until| until.max(again));
            } else {
                one.starves_until = None;
                if let Some(budget) = &self.policy.pool.budget {
                    budget.starving.fetch_sub(1, Ordering::Relaxed);
                }
            }
        }
    }

    /// True when an idle connection to the server is better closed: another worker wants it.
    pub(crate) fn is_wanted_elsewhere(&self, index: usize) -> bool {
        let one = &self.upstreams[index];
        let budget = self.policy.pool.budget.as_ref();
        one.borrowed > 0 && one.waiters.is_empty() && budget.is_some_and(|one| one.is_wanted())
    }

    /// How long an idle connection to the server is left alone.
    pub(crate) fn idle_look(&self, index: usize) -> Duration {
        let age_max = self.policy.pool.idle_age_max;
        if self.upstreams[index].borrowed > 0 {
            age_max.min(LOOK_AT_IDLE)
        } else {
            age_max
        }
    }
}

impl Drop for Core {
    /// Also when a defect ends a worker: its connections are closed with it.
    fn drop(&mut self) {
        self.change_budget(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_together_never_open_more_than_the_cap() {
        for (cap, workers) in [(64, 4), (3, 4), (1, 8), (10, 3), (5, 1)] {
            let budget = Budget::new(cap, workers);
            let name = ServerName::new("db1");
            let lent = (0..1000).filter(|_| budget.borrow(&name)).count();
            assert_eq!(
                budget.share(&name) * workers + lent,
                cap,
                "{cap} for {workers}"
            );
        }
    }

    #[test]
    fn a_server_may_have_a_cap_of_its_own() {
        let (usual, own) = (ServerName::new("db1"), ServerName::new("db2"));
        let budget = Budget::new(64, 2).with_caps([(own.clone(), 3)], 2);
        let lent = (0..1000).filter(|_| budget.borrow(&own)).count();
        assert_eq!(budget.share(&own) * 2 + lent, 3);
        assert!(budget.share(&usual) > 3);
    }

    #[test]
    fn what_is_given_back_is_lent_again() {
        let (budget, name) = (Budget::new(1, 2), ServerName::new("db1"));
        assert!(budget.borrow(&name) && !budget.borrow(&name));
        budget.give_back(&name, 1);
        assert!(budget.borrow(&name));
    }
}
