//! From one process to the next: after a crash what was held is taken off, after an upgrade it
//! stays and the next process goes on with it, as if it had been there all along.

use mainstay_clock::Timestamp;
use mainstay_vrrp::{Event, Group, State};

use super::Keeper;
use crate::held::{Handed, Holding, Left, release};
use crate::kernel::Kernel;

/// Removes what an earlier run has left, unless it is ours to go on with.
pub(super) fn clean(kernel: &mut Kernel, before: &Left, goes_on: bool) -> bool {
    if before.handed_over && goes_on {
        return true;
    }
    if before.holdings.is_empty() {
        return false;
    }
    // A Backup notes what it may take, too.
    let links = kernel.links().unwrap_or_default();
    let is_there = |one: &&Holding| match one {
        Holding::Address(interface, held) => links
            .named(interface)
            .is_some_and(|link| link.addresses.contains(held)),
        Holding::Link(name) => links.named(name).is_some(),
        Holding::Filter(_) => true,
    };
    let there = before.holdings.iter().filter(is_there);
    let there: Vec<_> = there.map(ToString::to_string).collect();
    let failures = release(kernel, &before.holdings);
    if !there.is_empty() {
        let there = there.join(", ");
        tracing::warn!("an earlier run has left, now removed: {there}");
    }
    for failure in failures {
        tracing::error!("{failure}");
    }
    false
}

impl Keeper {
    /// Takes again what the process before this one held when it handed over, and believes what it
    /// knew until everything was looked at again. What is not ours by these settings goes.
    pub(super) fn go_on(&mut self, now: Timestamp, before: &Left) {
        for handed in &before.verdicts {
            let kept = self.kept.get(&handed.vip);
            if kept.is_some_and(|kept| kept.config.policy.tracks.contains(&handed.track)) {
                let (name, verdict) = (handed.track.clone(), handed.verdict);
                self.event(now, &handed.vip, &Event::Track { name, verdict });
            }
        }
        let names: Vec<_> = self.kept.keys().cloned().collect();
        for name in names {
            let addresses = &self.kept[&name].config.addresses;
            let ours = before.holdings.iter().any(|one| match one {
                Holding::Address(_, held) => addresses.contains(held),
                Holding::Link(_) | Holding::Filter(_) => false,
            });
            if ours {
                self.event(now, &name, &Event::Claim);
            }
        }
        let rest = self.held.without(&before.holdings);
        for failure in release(&mut self.kernel, &rest) {
            tracing::error!("{failure}");
        }
    }

    /// Ends, and leaves everything to the process that comes next.
    pub(super) fn leave(mut self) {
        let now = self.now();
        let routers = || self.groups.values().flat_map(Group::routers);
        let active = routers().filter(|(_, router)| router.state() == State::Active);
        let active = active.map(|(name, router)| (name.to_owned(), router.policy().clone()));
        let active: Vec<_> = active.collect();
        let verdicts = routers().flat_map(|(name, router)| {
            router.tracks().filter_map(|(track, verdict)| {
                let (vip, track) = (name.to_owned(), track.to_owned());
                verdict.map(|verdict| Handed {
                    vip,
                    track,
                    verdict,
                })
            })
        });
        let verdicts: Vec<_> = verdicts.collect();
        // The others wait for silence from now on, not from some while ago.
        for (name, policy) in active {
            self.event(now, &name, &Event::Reload(policy));
        }
        self.held.hand_over(&verdicts);
    }
}
