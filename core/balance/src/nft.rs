//! A table as one transaction of nftables (`nft(8)`), in tables of our own that are called
//! `mainstay`.
//!
//! ```text
//! prerouting, output ─▶ chain of the virtual server ─▶ chain of the real server
//!                        known client? same server      remember the client; rewrite
//!                        else numgen or jhash
//! ```
//!
//! Whoever was chosen is remembered in a set for each real server, so that a real server that goes
//! takes its clients' memory with it. NAT happens in the `inet` table, and connections under way
//! are conntrack's: a new table does not disturb them. Direct routing happens in the `netdev`
//! table, at the device, before there are connections: there each flow is remembered.
//!
//! Invariants: one text is one transaction, so no packet sees half a table; nothing of other
//! people's rules is named.

mod chains;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::{Device, Entry, Forwarding, Table};
use chains::{direct_chains, nat_chains};

/// The tables' name.
pub const TABLE: &str = "mainstay";

/// What direct routing needs to know of the links.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    /// Devices that virtual servers name.
    pub devices: Vec<Device>,
    /// Where each destination is; one that is not here is not known, and gets nothing.
    pub hops: BTreeMap<IpAddr, Hop>,
}

/// Where a destination is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hop {
    /// On this host.
    Local,
    /// Behind this Ethernet address.
    Ether(String),
}

/// Removes everything that this program ever made.
pub fn removal() -> String {
    // A table that is not there cannot be deleted, so it is made first.
    ["inet", "netdev"]
        .map(|family| format!("add table {family} {TABLE}\ndelete table {family} {TABLE}\n"))
        .concat()
}

/// What leads from the table in force to the next one; `None` stands for an unknown one.
pub fn transaction(before: Option<&Table>, next: &Table, links: &Links) -> String {
    let same_services = before.is_some_and(|before| {
        let pairs = before.entries.iter().zip(&next.entries);
        before.entries.len() == next.entries.len()
            && pairs.into_iter().all(|(a, b)| a.same_service(b))
    });
    let mut text = match before.filter(|_| same_services) {
        Some(before) => emptied(before, next),
        None => removal(),
    };
    let is_direct = |entry: &&Entry| matches!(entry.forwarding, Forwarding::Direct { .. });
    let (direct, nat): (Vec<_>, Vec<_>) = next.entries.iter().partition(is_direct);
    text += &nat_chains(&nat);
    if !direct.is_empty() {
        text += &direct_chains(&direct, links);
    }
    text
}

/// Takes all rules away, and the chains and sets of those who no longer serve. What is remembered
/// of the others stays.
fn emptied(before: &Table, next: &Table) -> String {
    let mut text = String::new();
    for family in ["inet", "netdev"] {
        text += &format!("add table {family} {TABLE}\nflush table {family} {TABLE}\n");
    }
    for (old, new) in before.entries.iter().zip(&next.entries) {
        let family = family(old);
        let stay: BTreeSet<_> = new.destinations.iter().map(|one| one.address).collect();
        let gone = old
            .destinations
            .iter()
            .filter(|one| !stay.contains(&one.address));
        for destination in gone {
            // One that was not reachable had no chain, so it is made first.
            let chain = chains::chain(old, destination.address);
            let memory = chains::memory(old, destination.address);
            text += &format!("table {family} {TABLE} {{\n  chain {chain} {{ }}\n{memory}}}\n");
            text += &format!("delete chain {family} {TABLE} {chain}\n");
            for set in chains::sets(old, destination.address) {
                text += &format!("delete set {family} {TABLE} {}\n", set.name);
            }
        }
    }
    text
}

fn family(entry: &Entry) -> &'static str {
    match entry.forwarding {
        Forwarding::Direct { .. } => "netdev",
        Forwarding::Nat { .. } | Forwarding::Tunnel => "inet",
    }
}
