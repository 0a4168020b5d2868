//! What the file says of floating addresses.

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mainstay_health::{Probe, Timing};
use mainstay_session::policy::Secret;
use mainstay_topology::Address;
use mainstay_vrrp::{Announcements, Checksum, Password, Policy, Preempt, Prefixed};
use mainstay_vrrp::{RouterId, Version};

use crate::balancing::BalancerSettings;
use crate::cloud::CloudSettings;
use crate::error::SettingsError;
use crate::sections;
use crate::settings::{Account, ApiSettings, Settings};

/// What a file gives a host to do.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "there is one of it in a process")]
pub enum Roles {
    /// A manager, a proxy, and addresses if there are any.
    Cluster(Box<Settings>),
    /// Addresses alone.
    Addresses(AddressSettings),
}

impl Roles {
    /// Reads a file.
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        let text = std::fs::read_to_string(path).map_err(|reason| SettingsError::Unreadable {
            path: path.to_owned(),
            reason,
        })?;
        Self::parse(&text, path)
    }

    /// Reads the text of a file. Paths in it are relative to the file's folder.
    pub fn parse(text: &str, path: &Path) -> Result<Self, SettingsError> {
        sections::parse_roles(text, path).map_err(|problems| SettingsError::Invalid {
            path: path.to_owned(),
            problems,
        })
    }

    /// `[api]`.
    pub fn api(&self) -> &ApiSettings {
        match self {
            Self::Cluster(settings) => &settings.api,
            Self::Addresses(settings) => &settings.api,
        }
    }
}

/// A file that gives a host floating addresses or balancing only: no servers, no manager, no
/// proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressSettings {
    /// The addresses.
    pub vip: VipRole,
    /// `[balancer]` and `[[virtual_server]]`.
    pub balancer: BalancerSettings,
    /// `[api]`.
    pub api: ApiSettings,
}

/// The floating addresses of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VipRole {
    /// `[vrrp]`: what all have in common.
    pub process: VrrpSettings,
    /// `[[vip]]`, in the order of the file.
    pub vips: Vec<VipSettings>,
    /// `[[cloud_address]]`: addresses that a cloud moves by its API.
    pub cloud: Vec<CloudSettings>,
}

/// `[vrrp]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VrrpSettings {
    /// What addresses are held, for the next start after a crash; default `mainstay.vip` beside the
    /// settings file.
    pub state: PathBuf,
    /// An address goes by itself when it has not been renewed for so long; default 10 s.
    pub lease: Duration,
    /// Real-time priority of the thread, 1 to 99; `None`, the default, for an ordinary one.
    pub realtime_priority: Option<u8>,
    /// Every change of a state is written there, in keepalived's words.
    pub notify_fifo: Option<PathBuf>,
}

/// `[[vip]]`: one virtual router and its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a key of the file")]
pub struct VipSettings {
    /// `name`.
    pub name: String,
    /// `interface`.
    pub interface: String,
    /// `virtual_router_id`: 1 to 255.
    pub id: RouterId,
    /// `version`: 2 (the default) or 3; 3 with IPv6.
    pub version: Version,
    /// `priority`: 1 to 255, default 100; 255 is the owner of the addresses.
    pub priority: u8,
    /// `addresses`, which are advertised.
    pub addresses: Vec<Prefixed>,
    /// `unadvertised_addresses`: taken with the others, not named in packets.
    pub unadvertised: Vec<Prefixed>,
    /// `advert_interval`; default 1 s.
    pub interval: Duration,
    /// `password` or `password_file`: version 2 only.
    pub password: Option<Secret>,
    /// `preempt` and `preempt_delay`.
    pub preempt: Preempt,
    /// `accept`: take packets to the addresses when not their owner; default true.
    pub accept: bool,
    /// `peers`: unicast to these instead of multicast.
    pub peers: Vec<IpAddr>,
    /// `source`: what packets are sent from; `None` for the first address of the interface.
    pub source: Option<IpAddr>,
    /// `ttl_min`: of what comes from peers; default 255.
    pub ttl_min: u8,
    /// `garp_count`, `garp_again_after`, `garp_refresh`.
    pub announcements: Announcements,
    /// `checksum`: `pseudo` (the default) or `plain`.
    pub checksum: Checksum,
    /// `use_vmac`: the addresses have the virtual router's own hardware address; default false.
    pub use_vmac: bool,
    /// `sync_group`: all of a group are Active on one host.
    pub sync_group: Option<String>,
    /// `notify`: a program and its arguments, run at each change of state.
    pub notify: Vec<String>,
    /// `[[vip.track]]`.
    pub tracks: Vec<TrackSettings>,
}

/// `[[vip.track]]`: what the addresses depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackSettings {
    /// `name`; default the kind.
    pub name: String,
    /// `weight`: -253 to 253; 0, the default, lets the addresses go when it fails.
    pub weight: i16,
    /// `kind`, and what belongs to it.
    pub track: Track,
}

/// The kinds of what is tracked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Track {
    /// `kind = "interface"`: another interface is up.
    Interface {
        /// `interface`.
        interface: String,
    },
    /// `kind = "manager"`: the manager wants the addresses here. Which server they follow, the
    /// manager's settings say.
    Manager,
    /// Any other `kind`: it is looked at again and again.
    Probe {
        /// What.
        probe: Probe,
        /// How often, and how many answers it takes.
        timing: Timing,
    },
}

/// `[address_roles]`: floating addresses that the manager moves from host to host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressRoles {
    /// `user` (default `admin`), and `password` or `password_file`: of the `[api]` of the hosts.
    pub account: Account,
    /// `writer`: the `[[vip]]` that is where the primary is.
    pub writer: Option<String>,
    /// `readers`: the `[[vip]]`s that are spread over the replicas that may serve reads.
    pub readers: Vec<String>,
    /// `[[address_roles.host]]`.
    pub hosts: Vec<AddressHost>,
}

/// `[[address_roles.host]]`: a host that can carry the addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressHost {
    /// `server`: the server that it has.
    pub server: String,
    /// `api`: where its Mainstay listens.
    pub api: Address,
}

impl VipSettings {
    /// The rules of its virtual router.
    pub fn policy(&self) -> Policy {
        let password = self.password.as_ref();
        Policy {
            version: self.version,
            priority: self.priority,
            interval: self.interval,
            password: password.map(|secret| Password::new(secret.reveal())),
            preempt: self.preempt,
            peers: self.peers.clone(),
            ttl_min: self.ttl_min,
            announcements: self.announcements.clone(),
            checksum: self.checksum,
            tracks: self.tracks.iter().map(|track| track.name.clone()).collect(),
            ..Policy::new(
                self.id,
                self.addresses.iter().map(|one| one.address).collect(),
            )
        }
    }
}
