//! The chains: what each virtual and each real server becomes.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::{Hop, Links, TABLE};
use crate::slots::{ranges, turns};
use crate::{Destination, Device, Entry, Forwarding, Protocol, Scheduler};

/// A flow that has sent nothing for so long is forgotten, and its next packet is a stranger's.
const FLOW_AGE: Duration = Duration::from_hours(2);

/// The same on every balancer, so that two of them choose alike.
const SEED: &str = "0x6d61696e";

/// A set of clients or flows that belong to one real server.
pub(super) struct Set {
    pub(super) name: String,
    key_type: String,
    key: String,
    age: Duration,
}

/// The name of the chain of a destination.
pub(super) fn chain(entry: &Entry, address: SocketAddr) -> String {
    let ip = address.ip().to_string().replace([':', '.'], "_");
    format!("{}_{ip}_{}", entry.name, address.port())
}

/// What is remembered for a destination.
pub(super) fn sets(entry: &Entry, address: SocketAddr) -> Vec<Set> {
    let chain = chain(entry, address);
    let (ip, ip_type) = match address.ip() {
        IpAddr::V4(_) => ("ip", "ipv4_addr"),
        IpAddr::V6(_) => ("ip6", "ipv6_addr"),
    };
    let protocol = entry.protocol.name();
    let flows = matches!(entry.forwarding, Forwarding::Direct { .. }).then(|| Set {
        name: format!("{chain}_flows"),
        key_type: format!("{ip_type} . inet_service"),
        key: format!("{ip} saddr . {protocol} sport"),
        age: FLOW_AGE,
    });
    let clients = entry.persistence.map(|age| Set {
        name: format!("{chain}_clients"),
        key_type: ip_type.to_owned(),
        key: format!("{ip} saddr"),
        age,
    });
    flows.into_iter().chain(clients).collect()
}

/// The table of NAT.
pub(super) fn nat_chains(entries: &[&Entry]) -> String {
    let mut text = format!("table inet {TABLE} {{\n");
    for entry in entries {
        for destination in &entry.destinations {
            text += &memory(entry, destination.address);
            let rewrite = dnat(entry.protocol, destination.address);
            text += &real_chain(entry, destination.address, &[rewrite]);
        }
        let serving = serving(entry);
        text += &virtual_chain(entry, &serving, &serving, true);
    }
    let dispatch: String = entries.iter().map(|entry| dispatch(entry)).collect();
    text += &base("prerouting", "nat hook prerouting priority -100", &dispatch);
    text += &base("output", "nat hook output priority -100", &dispatch);
    let masquerade: String = entries
        .iter()
        .filter_map(|entry| masquerade(entry))
        .collect();
    text += &base(
        "postrouting",
        "nat hook postrouting priority 100",
        &masquerade,
    );
    let cut: String = entries.iter().map(|entry| cut_off(entry)).collect();
    for hook in ["input", "forward"] {
        let name = format!("{hook}_cut");
        text += &base(&name, &format!("filter hook {hook} priority 0"), &cut);
    }
    text + "}\n"
}

/// The table of direct routing.
pub(super) fn direct_chains(entries: &[&Entry], links: &Links) -> String {
    let mut text = format!("table netdev {TABLE} {{\n");
    let mut dispatches: BTreeMap<&str, String> = BTreeMap::new();
    for entry in entries {
        let device = device(entry, links);
        let mut known = Vec::new();
        for destination in &entry.destinations {
            let hop = links.hops.get(&destination.address.ip());
            let Some(rules) = hop.and_then(|hop| hop_rules(hop, device)) else {
                text += &format!("  # {} is not reachable yet\n", destination.address);
                continue;
            };
            known.push(*destination);
            text += &memory(entry, destination.address);
            text += &real_chain(entry, destination.address, &rules);
        }
        let choosable: Vec<_> = known.iter().filter(|one| one.weight > 0).copied().collect();
        text += &virtual_chain(entry, &known, &choosable, false);
        if let Some(device) = device {
            *dispatches.entry(&device.name).or_default() += &dispatch(entry);
        }
    }
    for (number, (device, dispatch)) in (1..).zip(&dispatches) {
        let hook = format!("filter hook ingress device \"{device}\" priority 0");
        text += &base(&format!("ingress_{number}"), &hook, dispatch);
    }
    text + "}\n"
}

fn device<'l>(entry: &Entry, links: &'l Links) -> Option<&'l Device> {
    let Forwarding::Direct { device } = &entry.forwarding else {
        return None;
    };
    links
        .devices
        .iter()
        .find(|known| Some(&known.name) == device.as_ref())
}

fn hop_rules(hop: &Hop, device: Option<&Device>) -> Option<Vec<String>> {
    match hop {
        Hop::Local => Some(vec!["accept".to_owned()]),
        Hop::Ether(ether) => device.map(|device| {
            // A switch must not learn the client's address at our port.
            vec![
                format!("ether saddr set {}", device.ether),
                format!("ether daddr set {ether}"),
                format!("fwd to \"{}\"", device.name),
            ]
        }),
    }
}

fn serving(entry: &Entry) -> Vec<Destination> {
    let serving = entry.destinations.iter().filter(|one| one.weight > 0);
    serving.copied().collect()
}

/// The sets of a destination, as they are made.
pub(super) fn memory(entry: &Entry, address: SocketAddr) -> String {
    let set = |set: Set| {
        format!(
            "  set {} {{ type {}; flags dynamic,timeout; timeout {}s; size 65535; }}\n",
            set.name,
            set.key_type,
            set.age.as_secs().max(1)
        )
    };
    sets(entry, address).into_iter().map(set).collect()
}

fn real_chain(entry: &Entry, address: SocketAddr, rewrite: &[String]) -> String {
    let mut text = format!("  chain {} {{\n", chain(entry, address));
    for Set { name, key, .. } in sets(entry, address) {
        text += &format!("    update @{name} {{ {key} }}\n");
    }
    for rule in rewrite {
        text += &format!("    {rule}\n");
    }
    text + "  }\n"
}

/// Who is known goes where it was; everybody else is given to whom the scheduler says.
fn virtual_chain(
    entry: &Entry,
    known: &[Destination],
    choosable: &[Destination],
    refuses: bool,
) -> String {
    let mut text = format!("  chain {} {{\n", entry.name);
    for kind in ["_flows", "_clients"] {
        for destination in known {
            let chain = chain(entry, destination.address);
            let sets = sets(entry, destination.address);
            for Set { name, key, .. } in sets.iter().filter(|set| set.name.ends_with(kind)) {
                text += &format!("    {key} @{name} goto {chain}\n");
            }
        }
    }
    text += &choice(entry, choosable);
    if refuses {
        let how = match entry.protocol {
            Protocol::Tcp => "reject with tcp reset",
            Protocol::Udp => "reject",
        };
        text += &format!("    {how}\n");
    }
    text + "  }\n"
}

fn choice(entry: &Entry, choosable: &[Destination]) -> String {
    let weights: Vec<_> = choosable.iter().map(|one| entry.share(one)).collect();
    let goto = |at: usize| format!("goto {}", chain(entry, choosable[at].address));
    let ip = if entry.address.is_ipv4() { "ip" } else { "ip6" };
    let (total, by_range) = ranges(&weights);
    let map = match entry.scheduler {
        // In the order of turns: ranges would send runs to one server.
        Scheduler::RoundRobin
        | Scheduler::WeightedRoundRobin
        | Scheduler::LeastConnection
        | Scheduler::WeightedLeastConnection => {
            let turns = turns(&weights).into_iter().enumerate();
            turns
                .map(|(turn, at)| format!("{turn} : {}", goto(at)))
                .collect()
        }
        Scheduler::SourceHash | Scheduler::DestinationHash | Scheduler::Random => {
            let ranges = by_range.into_iter().map(|(at, from, to)| {
                let goto = goto(at);
                if from == to {
                    format!("{from} : {goto}")
                } else {
                    format!("{from}-{to} : {goto}")
                }
            });
            ranges.collect::<Vec<_>>()
        }
    };
    if map.is_empty() {
        return String::new();
    }
    let number = match entry.scheduler {
        Scheduler::RoundRobin
        | Scheduler::WeightedRoundRobin
        | Scheduler::LeastConnection
        | Scheduler::WeightedLeastConnection => format!("numgen inc mod {}", map.len()),
        Scheduler::Random => format!("numgen random mod {total}"),
        Scheduler::SourceHash => format!("jhash {ip} saddr mod {total} seed {SEED}"),
        Scheduler::DestinationHash => format!("jhash {ip} daddr mod {total} seed {SEED}"),
    };
    format!("    {number} vmap {{ {} }}\n", map.join(", "))
}

fn wanted(entry: &Entry) -> String {
    let ip = if entry.address.is_ipv4() { "ip" } else { "ip6" };
    let (address, port) = (entry.address.ip(), entry.address.port());
    format!(
        "{ip} daddr {address} {} dport {port}",
        entry.protocol.name()
    )
}

fn dispatch(entry: &Entry) -> String {
    format!("    {} goto {}\n", wanted(entry), entry.name)
}

fn dnat(protocol: Protocol, address: SocketAddr) -> String {
    let ip = if address.is_ipv4() { "ip" } else { "ip6" };
    format!("meta l4proto {} dnat {ip} to {address}", protocol.name())
}

/// What conntrack says of a connection that one of our chains has sent on.
fn was_ours(entry: &Entry) -> String {
    let ip = if entry.address.is_ipv4() { "ip" } else { "ip6" };
    let (address, port) = (entry.address.ip(), entry.address.port());
    format!("ct status dnat ct original {ip} daddr {address} ct original proto-dst {port}")
}

fn masquerade(entry: &Entry) -> Option<String> {
    let Forwarding::Nat { masquerade: true } = entry.forwarding else {
        return None;
    };
    let protocol = entry.protocol.name();
    Some(format!(
        "    meta l4proto {protocol} {} masquerade\n",
        was_ours(entry)
    ))
}

/// A connection to a server that is down would be waited for until a timeout of the client.
fn cut_off(entry: &Entry) -> String {
    let protocol = entry.protocol.name();
    let reject = match entry.protocol {
        Protocol::Tcp => "reject with tcp reset",
        Protocol::Udp => "reject",
    };
    let rule = |address: &SocketAddr| {
        let ip = if address.is_ipv4() { "ip" } else { "ip6" };
        let (to, port) = (address.ip(), address.port());
        let ours = was_ours(entry);
        format!("    {ip} daddr {to} {protocol} dport {port} {ours} {reject}\n")
    };
    entry.dead.iter().map(rule).collect()
}

fn base(name: &str, hook: &str, rules: &str) -> String {
    format!("  chain {name} {{\n    type {hook}; policy accept;\n{rules}  }}\n")
}
