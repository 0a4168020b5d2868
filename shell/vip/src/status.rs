//! A floating address as it is now, for whoever shows it.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_vrrp::{Counters, Prefixed, State, Verdict, Version};

/// One virtual router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VipStatus {
    /// Its name.
    pub name: String,
    /// The interface.
    pub interface: String,
    /// The number of the virtual router.
    pub id: u8,
    /// The version that it speaks.
    pub version: Version,
    /// The priority that it was given, and the one that it has after all weights.
    pub priority: (u8, u8),
    /// Its addresses.
    pub addresses: Vec<Prefixed>,
    /// Its state.
    pub state: State,
    /// For how long.
    pub since: Duration,
    /// Why, in a sentence.
    pub reason: String,
    /// The Active router that it hears, and its priority.
    pub active: Option<(IpAddr, u8)>,
    /// Its group.
    pub group: Option<String>,
    /// What it depends on.
    pub tracks: Vec<(String, Option<Verdict>)>,
    /// What is wrong, in sentences.
    pub findings: Vec<String>,
    /// How often each problem was seen.
    pub problems: Vec<(&'static str, u64)>,
    /// What is counted.
    pub counters: Counters,
}
