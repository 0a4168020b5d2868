//! What a host is told about its floating addresses. Checked where it is read.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use mainstay_vrrp::{Policy, Prefixed};

/// All of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// What is held now, for the next start after a crash.
    pub state: PathBuf,
    /// The process before this one has just handed over to it. What an earlier one has left for a
    /// process that never came is no longer true.
    pub goes_on: bool,
    /// The program that answers to [`crate::GUARD_COMMAND`]; none is started without.
    pub guard: Option<PathBuf>,
    /// The lifetime of an address that is not renewed.
    pub lease: Duration,
    /// The real-time priority of the thread.
    pub realtime_priority: Option<u8>,
    /// Where each change is written.
    pub notify_fifo: Option<PathBuf>,
    /// The virtual routers.
    pub vips: Vec<Vip>,
}

/// One virtual router and its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vip {
    /// Its name.
    pub name: String,
    /// The interface.
    pub interface: String,
    /// The rules of its machine.
    pub policy: Policy,
    /// All addresses, advertised or not.
    pub addresses: Vec<Prefixed>,
    /// What packets are sent from; the first address of the interface otherwise.
    pub source: Option<IpAddr>,
    /// Take packets to the addresses although they are another's.
    pub accept: bool,
    /// The addresses have a hardware address of their own.
    pub use_vmac: bool,
    /// The group with which it stays together.
    pub group: Option<String>,
    /// A program and its arguments, for each change.
    pub notify: Vec<String>,
    /// Other interfaces that it depends on.
    pub links: Vec<TrackedLink>,
}

/// An interface that must be up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedLink {
    /// The name of the track.
    pub track: String,
    /// The interface.
    pub interface: String,
    /// 0 for a fault when it is down.
    pub weight: i16,
}

impl Vip {
    /// Whether its advertisements go over IPv6.
    pub(crate) fn is_six(&self) -> bool {
        self.policy.addresses.first().is_some_and(IpAddr::is_ipv6)
    }

    /// Whether another is the same virtual router in the same place, so that a reload can change
    /// one into the other without letting the addresses go.
    pub(crate) fn continues(&self, before: &Self) -> bool {
        let key = |one: &Self| (one.interface.clone(), one.policy.id, one.is_six());
        key(self) == key(before)
            && self.group == before.group
            && self.use_vmac == before.use_vmac
            && self.accept == before.accept
    }
}
