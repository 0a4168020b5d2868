//! What is to be balanced, as the settings say it.

use std::net::SocketAddr;
use std::time::Duration;

use mainstay_health::{Probe, Script, Timing};

/// What moves the packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// The kernel's IPVS.
    Ipvs,
    /// Rules of nftables.
    Nftables,
}

/// What is balanced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

impl Protocol {
    /// As nftables calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }

    /// Its number in an IP header.
    pub fn number(self) -> u16 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
        }
    }
}

/// Which real server gets a new connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scheduler {
    /// One after the other.
    #[default]
    RoundRobin,
    /// One after the other, each as often as its weight says.
    WeightedRoundRobin,
    /// The one with the fewest connections.
    LeastConnection,
    /// The one with the fewest connections for its weight.
    WeightedLeastConnection,
    /// By the client's address.
    SourceHash,
    /// By the address that the client asked for.
    DestinationHash,
    /// By chance, each as often as its weight says.
    Random,
}

impl Scheduler {
    /// Its short name, as `ipvsadm` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::RoundRobin => "rr",
            Self::WeightedRoundRobin => "wrr",
            Self::LeastConnection => "lc",
            Self::WeightedLeastConnection => "wlc",
            Self::SourceHash => "sh",
            Self::DestinationHash => "dh",
            Self::Random => "random",
        }
    }
}

/// How packets come to a real server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forwarding {
    /// Their destination is rewritten, and answers come back through this host.
    Nat {
        /// Their source becomes this host, so that answers come back whatever the routes.
        masquerade: bool,
    },
    /// Only the Ethernet address is rewritten; the real server has the address too, and answers
    /// the client directly.
    Direct {
        /// Where packets come in and go out: needed by nftables.
        device: Option<String>,
    },
    /// In a tunnel (IPIP); the real server has the address too, and answers the client directly.
    Tunnel,
}

/// An Ethernet device of this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its name.
    pub name: String,
    /// Its own Ethernet address, as text.
    pub ether: String,
}

/// How much weight of healthy real servers is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quorum {
    /// Their weights together; default 1.
    pub weight: u32,
    /// So much more is needed to gain it, and so much less to lose it.
    pub hysteresis: u32,
}

impl Default for Quorum {
    fn default() -> Self {
        Self {
            weight: 1,
            hysteresis: 0,
        }
    }
}

/// One address that clients use, and who serves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VirtualServer {
    /// Its name: letters, digits, `-` and `_`.
    pub name: String,
    /// What clients connect to.
    pub address: SocketAddr,
    /// Of what.
    pub protocol: Protocol,
    /// Who gets a new connection.
    pub scheduler: Scheduler,
    /// How it gets there.
    pub forwarding: Forwarding,
    /// A client comes back to its real server for so long.
    pub persistence: Option<Duration>,
    /// When there are enough real servers.
    pub quorum: Quorum,
    /// Serves while there are not.
    pub sorry_server: Option<SocketAddr>,
    /// Who serves otherwise.
    pub real_servers: Vec<RealServer>,
    /// Run when the quorum is gained.
    pub on_quorum_up: Option<Script>,
    /// Run when it is lost.
    pub on_quorum_down: Option<Script>,
}

/// One real server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its share; 0 for none.
    pub weight: u32,
    /// A failure makes its weight 0 and leaves its connections, instead of taking it out.
    pub inhibit_on_failure: bool,
    /// What tells its health; `None`: it counts as healthy.
    pub probe: Option<Probe>,
    /// How often, and how many answers it takes.
    pub timing: Timing,
    /// Run when it comes up.
    pub on_up: Option<Script>,
    /// Run when it goes down.
    pub on_down: Option<Script>,
}
