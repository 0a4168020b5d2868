//! What an engine cannot do, said before it is asked to.

use std::fmt;

use crate::{Engine, Forwarding, Scheduler, VirtualServer};

/// One thing that cannot be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// The virtual server.
    pub name: String,
    /// What, why, and what to do instead.
    pub sentence: &'static str,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "virtual server `{}`: {}", self.name, self.sentence)
    }
}

/// All that this engine cannot do for a virtual server.
pub fn check(engine: Engine, server: &VirtualServer) -> Vec<Unsupported> {
    let sentences = match engine {
        Engine::Nftables => nftables(server),
        Engine::Ipvs => ipvs(server),
    };
    let found = sentences.into_iter().flatten().map(|sentence| Unsupported {
        name: server.name.clone(),
        sentence,
    });
    let families = mixed_families(server).then(|| Unsupported {
        name: server.name.clone(),
        sentence: "the address and its real servers are of two families, IPv4 and IPv6; packets \
                   are not translated between them",
    });
    found.chain(families).collect()
}

fn nftables(server: &VirtualServer) -> [Option<&'static str>; 3] {
    let scheduler = match server.scheduler {
        Scheduler::LeastConnection | Scheduler::WeightedLeastConnection => Some(
            "nftables does not count connections, so it knows neither lc nor wlc; use \
             scheduler = \"wrr\", or a kernel with IPVS",
        ),
        Scheduler::RoundRobin
        | Scheduler::WeightedRoundRobin
        | Scheduler::SourceHash
        | Scheduler::DestinationHash
        | Scheduler::Random => None,
    };
    let forwarding = match &server.forwarding {
        Forwarding::Tunnel => Some(
            "nftables makes no tunnels; use forwarding = \"nat\" or \"dr\", or a kernel with IPVS",
        ),
        Forwarding::Direct { device: None } => Some(
            "direct routing by nftables needs `device`: the interface where clients and real \
             servers are",
        ),
        Forwarding::Direct { device: Some(_) } if !server.address.is_ipv4() => Some(
            "direct routing by nftables is for IPv4; use forwarding = \"nat\", or a kernel with \
             IPVS",
        ),
        Forwarding::Nat { .. } | Forwarding::Direct { device: Some(_) } => None,
    };
    let direct = matches!(server.forwarding, Forwarding::Direct { .. });
    let ports = direct && other_port(server);
    [scheduler, forwarding, ports.then_some(PORTS)]
}

const PORTS: &str = "with \"dr\" and \"tun\" a real server gets the packet as the client sent it, \
                     so its port must be that of the virtual server";

fn ipvs(server: &VirtualServer) -> [Option<&'static str>; 3] {
    let scheduler = match server.scheduler {
        Scheduler::Random => Some("IPVS has no scheduler \"random\"; use \"wrr\""),
        Scheduler::RoundRobin
        | Scheduler::WeightedRoundRobin
        | Scheduler::LeastConnection
        | Scheduler::WeightedLeastConnection
        | Scheduler::SourceHash
        | Scheduler::DestinationHash => None,
    };
    let (ports, masquerade) = match server.forwarding {
        Forwarding::Nat { masquerade } => (false, masquerade),
        Forwarding::Direct { .. } | Forwarding::Tunnel => (other_port(server), false),
    };
    let masquerade = masquerade.then_some(
        "`masquerade` is of nftables; with IPVS the real servers need a route back through this \
         host",
    );
    [scheduler, ports.then_some(PORTS), masquerade]
}

fn other_port(server: &VirtualServer) -> bool {
    let port = server.address.port();
    let real = server.real_servers.iter().map(|real| real.address);
    real.chain(server.sorry_server)
        .any(|address| address.port() != port)
}

fn mixed_families(server: &VirtualServer) -> bool {
    let family = server.address.is_ipv4();
    let real = server.real_servers.iter().map(|real| real.address);
    real.chain(server.sorry_server)
        .any(|address| address.is_ipv4() != family)
}
