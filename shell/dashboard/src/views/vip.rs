//! The floating addresses of a host.

use serde::{Deserialize, Serialize};

/// One floating address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VipView {
    /// Its name.
    pub name: String,
    /// `active`, `backup`, `fault` or `init`.
    pub state: String,
    /// Why, in a sentence.
    pub reason: String,
    /// For how long.
    pub since_ms: u64,
    /// The addresses, with their prefixes.
    pub addresses: Vec<String>,
    /// The interface.
    pub interface: String,
    /// The number of the virtual router.
    pub virtual_router_id: u8,
    /// The version of VRRP.
    pub version: u8,
    /// The priority as it was given.
    pub priority: u8,
    /// The priority after all weights.
    pub priority_now: u8,
    /// The Active router that a Backup hears.
    pub active: Option<String>,
    /// Its sync group.
    pub sync_group: Option<String>,
    /// What it depends on.
    pub tracks: Vec<VipTrackView>,
    /// The name of the track that says what the manager wants, where there is one.
    #[serde(default)]
    pub manager_track: Option<String>,
    /// What is wrong, in sentences.
    pub findings: Vec<String>,
    /// How often each problem was seen.
    pub problems: Vec<VipProblemView>,
    /// Advertisements sent.
    pub sent: u64,
    /// Advertisements that were believed.
    pub received: u64,
    /// Packets that were ignored.
    pub ignored: u64,
    /// Times that it became Active.
    pub became_active: u64,
}

/// Something that an address depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VipTrackView {
    /// Its name.
    pub name: String,
    /// Whether it is well; nothing when it has not been looked at yet.
    pub ok: Option<bool>,
    /// 0 when its failure is a fault.
    pub weight: Option<i16>,
}

/// How often something was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VipProblemView {
    /// Its short name.
    pub problem: String,
    /// How often.
    pub count: u64,
}

/// The body of `POST /api/v1/vip/NAME/take` and `/drop`: in whose name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VipRequest {
    /// The reign of the primary that the address is to follow. An older one than was heard before
    /// is refused.
    pub epoch: u64,
}
