//! Other settings: what is in both goes on undisturbed.

use std::collections::BTreeMap;

use mainstay_clock::Timestamp;
use mainstay_vrrp::{Event, Group, Policy, Router};

use super::{Keeper, Kept};
use crate::accept;
use crate::config::{Config, Vip};
use crate::held::Holding;

impl Keeper {
    pub(super) fn reload(&mut self, now: Timestamp, config: Config) {
        let wanted: BTreeMap<_, _> = config
            .vips
            .iter()
            .map(|vip| (vip.name.clone(), with_tracks(vip, &config.vips)))
            .collect();
        let members = |vips: &BTreeMap<String, Vip>, group: &str| -> Vec<String> {
            let same = vips.values().filter(|vip| key(vip) == group);
            same.map(|vip| vip.name.clone()).collect()
        };
        let present: BTreeMap<_, _> = self
            .kept
            .iter()
            .map(|(name, kept)| (name.clone(), kept.config.clone()))
            .collect();
        // A group goes on as a whole or begins anew as a whole.
        let goes_on = |name: &String| {
            let (Some(before), Some(after)) = (present.get(name), wanted.get(name)) else {
                return false;
            };
            after.continues(before)
                && members(&present, &key(before)) == members(&wanted, &key(after))
        };
        let all_go_on =
            |vip: &Vip, vips: &BTreeMap<String, Vip>| members(vips, &key(vip)).iter().all(&goes_on);
        for (name, before) in &present {
            if !all_go_on(before, &present) {
                self.remove(now, name);
            }
        }
        self.config = Config {
            vips: Vec::new(),
            ..config
        };
        let mut new: BTreeMap<String, Vec<(String, Router)>> = BTreeMap::new();
        for (name, after) in &wanted {
            if self.kept.contains_key(name) {
                self.change(now, name, after);
            } else {
                let router = Router::new(after.policy.clone());
                new.entry(key(after))
                    .or_default()
                    .push((name.clone(), router));
                self.kept.insert(
                    name.clone(),
                    Kept {
                        config: after.clone(),
                        group: key(after),
                        holds: false,
                        vmac: None,
                    },
                );
            }
        }
        let names: Vec<_> = new
            .values()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect();
        for (key, routers) in new {
            self.groups.insert(key, Group::new(routers));
        }
        for name in &names {
            self.keep_packets_out(name);
        }
        self.look(now);
        for name in names {
            self.event(now, &name, &Event::Start);
        }
    }

    /// Other rules for one that goes on.
    fn change(&mut self, now: Timestamp, name: &str, after: &Vip) {
        let Some(kept) = self.kept.get_mut(name) else {
            return;
        };
        if kept.config == *after {
            return;
        }
        let before = std::mem::replace(&mut kept.config, after.clone());
        let holds = kept.holds;
        self.keep_packets_out(name);
        self.event(now, name, &Event::Reload(after.policy.clone()));
        if holds {
            self.let_go_of(name, &before.addresses);
        }
    }

    /// Where the addresses are another's, and packets to them are not to be taken.
    fn keep_packets_out(&mut self, name: &str) {
        let Some(config) = self.kept.get(name).map(|kept| kept.config.clone()) else {
            return;
        };
        if config.accept || config.policy.is_owner() {
            return;
        }
        self.held.add(&[Holding::Filter(accept::table(&config))]);
        if let Err(error) = accept::refuse_packets(&config) {
            tracing::error!(vip = name, %error, "packets to its addresses are not kept out");
        }
    }

    /// Stops one and forgets it.
    pub(super) fn remove(&mut self, now: Timestamp, name: &str) {
        self.event(now, name, &Event::Stop);
        if let Some((_, holdings)) = self.place(name) {
            self.held.forget(&holdings);
        }
        let Some(kept) = self.kept.remove(name) else {
            return;
        };
        if !kept.config.accept && !kept.config.policy.is_owner() {
            let table = accept::table(&kept.config);
            if let Err(error) = accept::accept_packets(&table) {
                tracing::error!(%error, "the table {table} cannot be removed");
            }
            self.held.remove(&[Holding::Filter(table)]);
        }
        if let Some(vmac) = kept.vmac {
            if let Err(error) = self.kernel.remove_link(&vmac.name) {
                tracing::error!(%error, "{} cannot be removed", vmac.name);
            }
            self.held.remove(&[Holding::Link(vmac.name)]);
        }
        if !self.kept.values().any(|other| other.group == kept.group) {
            self.groups.remove(&kept.group);
        }
    }
}

/// What a router stays together with: its group, or itself alone.
fn key(vip: &Vip) -> String {
    // No name of a group begins so.
    vip.group
        .clone()
        .unwrap_or_else(|| format!("\0{}", vip.name))
}

/// Each router of a group awaits the verdicts of all.
fn with_tracks(vip: &Vip, all: &[Vip]) -> Vip {
    let mut tracks: Vec<String> = Vec::new();
    for other in all.iter().filter(|other| key(other) == key(vip)) {
        tracks.extend(other.policy.tracks.iter().cloned());
    }
    tracks.sort();
    tracks.dedup();
    let policy = Policy {
        tracks,
        ..vip.policy.clone()
    };
    Vip {
        policy,
        ..vip.clone()
    }
}
