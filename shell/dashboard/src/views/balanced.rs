//! What a host balances.

use serde::{Deserialize, Serialize};

use super::VipView;

/// One virtual server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VirtualServerView {
    /// Its name.
    pub name: String,
    /// What clients connect to.
    pub address: String,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// Who gets a new connection.
    pub scheduler: String,
    /// `nftables` or `IPVS`.
    pub engine: String,
    /// Whether what the engine was last given is in force.
    pub in_force: bool,
    /// Whether there are enough real servers; nothing before all were looked at.
    pub quorum: Option<bool>,
    /// How much weight of real servers that are up is enough.
    pub quorum_weight: u32,
    /// The weight of the real servers that are up.
    pub weight: u32,
    /// Who serves while the quorum is lost.
    pub sorry_server: Option<String>,
    /// Whether it serves now.
    pub sorry: bool,
    /// Its real servers.
    pub real_servers: Vec<RealServerView>,
}

/// One real server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RealServerView {
    /// Where it listens.
    pub address: String,
    /// `up`, `down` or `unknown`: nobody has looked yet.
    pub state: String,
    /// Its share.
    pub weight: u32,
    /// What was wrong when it was last looked at.
    pub reason: Option<String>,
}

/// `GET /api/v1/status` of a host that has no cluster to take care of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressesView {
    /// Its floating addresses.
    pub vips: Vec<VipView>,
    /// What it balances.
    pub virtual_servers: Vec<VirtualServerView>,
}
