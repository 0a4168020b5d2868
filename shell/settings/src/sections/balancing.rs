//! `[balancer]` and `[[virtual_server]]`.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use mainstay_balance::{
    Engine, Forwarding, Protocol, Quorum, RealServer, Scheduler, VirtualServer, check,
};
use mainstay_health::{Probe, Script, Timing};

use super::Found;
use super::probe::{self, Kind};
use crate::balancing::BalancerSettings;
use crate::reader::{Report, Section};
use crate::value;

const ENGINES: [(&str, Option<Engine>); 3] = [
    ("auto", None),
    ("ipvs", Some(Engine::Ipvs)),
    ("nftables", Some(Engine::Nftables)),
];

const PROTOCOLS: [(&str, Protocol); 2] = [("tcp", Protocol::Tcp), ("udp", Protocol::Udp)];

const SCHEDULERS: [(&str, Scheduler); 7] = [
    ("rr", Scheduler::RoundRobin),
    ("wrr", Scheduler::WeightedRoundRobin),
    ("lc", Scheduler::LeastConnection),
    ("wlc", Scheduler::WeightedLeastConnection),
    ("sh", Scheduler::SourceHash),
    ("dh", Scheduler::DestinationHash),
    ("random", Scheduler::Random),
];

#[derive(Debug, Clone, Copy)]
enum Way {
    Nat,
    Direct,
    Tunnel,
}

const WAYS: [(&str, Way); 3] = [("nat", Way::Nat), ("dr", Way::Direct), ("tun", Way::Tunnel)];

/// IPVS counts in 31 bits, and more is a mistake.
const WEIGHT_MAX: usize = 65_535;

const ADDRESS: &str = "an IP address and a port, such as \"10.0.0.100:3306\"";

/// What a virtual server says for all of its real servers.
struct Shared {
    probe: Option<(Kind, Option<Probe>)>,
    timing: Timing,
}

pub(super) fn read(
    own: Found<'_, '_>,
    tables: &[Found<'_, '_>],
    folder: &Path,
    report: &mut Report<'_>,
) -> BalancerSettings {
    let mut section = Section::new("balancer", own, report);
    let engine = section.choice("engine", &ENGINES).flatten();
    section.end();
    let mut found: Vec<VirtualServer> = Vec::new();
    for table in tables {
        let mut section = Section::new("virtual_server", table.clone(), report);
        let server = one(&mut section, folder);
        section.end();
        let Some(server) = server else { continue };
        let at = table.1.start;
        for other in &found {
            if other.name == server.name {
                let sentence = format!("`{}` is the name of two", other.name);
                report.add(at, "virtual_server.name", sentence);
            }
            if (other.address, other.protocol) == (server.address, server.protocol) {
                let sentence = format!("is that of `{}` too", other.name);
                report.add(at, "virtual_server.address", sentence);
            }
        }
        for unsupported in engine.iter().flat_map(|&engine| check(engine, &server)) {
            report.add(at, "virtual_server", unsupported.to_string());
        }
        found.push(server);
    }
    BalancerSettings {
        engine,
        virtual_servers: found,
    }
}

fn one(section: &mut Section<'_, '_, '_>, folder: &Path) -> Option<VirtualServer> {
    let expected = "a name of letters, digits, `-` and `_`, at most 60, that begins with a letter";
    let name = section.value("name", expected, |value| {
        let name = value.as_str()?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
        (begins && name.len() <= 60 && name.chars().all(plain)).then(|| name.to_owned())
    });
    let address = section.value("address", ADDRESS, probe::socket_address);
    for (key, why) in [
        ("name", "every virtual server has a name"),
        ("address", ADDRESS),
    ] {
        if !section.has(key) {
            section.missing(key, why);
        }
    }
    let forwarding = forwarding(section);
    let persistence = section.value(
        "persistence",
        "\"off\" or a duration from \"1s\"",
        |value| match value.as_str()? {
            "off" => Some(None),
            text => value::duration(text)
                .filter(|age| *age >= Duration::from_secs(1))
                .map(Some),
        },
    );
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let quorum = Quorum {
        weight: count(section.count("quorum", 1, 1)),
        hysteresis: count(section.count("hysteresis", 0, 0)),
    };
    let sorry_server = section.value("sorry_server", ADDRESS, probe::socket_address);
    let on_quorum_up = script(section, "on_quorum_up");
    let on_quorum_down = script(section, "on_quorum_down");
    let shared = shared(section, address, folder);
    let real_servers = section.subs(
        "real_server",
        "virtual_server.real_server",
        |mut section| {
            let real = real_server(&mut section, &shared, folder);
            section.end();
            real
        },
    );
    if real_servers.is_empty() {
        section.missing(
            "real_server",
            "write each as [[virtual_server.real_server]]",
        );
    }
    Some(VirtualServer {
        name: name?,
        address: address?,
        protocol: section.choice("protocol", &PROTOCOLS).unwrap_or_default(),
        scheduler: section.choice("scheduler", &SCHEDULERS).unwrap_or_default(),
        forwarding,
        persistence: persistence.flatten(),
        quorum,
        sorry_server,
        real_servers: real_servers.into_iter().flatten().collect(),
        on_quorum_up,
        on_quorum_down,
    })
}

fn forwarding(section: &mut Section<'_, '_, '_>) -> Forwarding {
    let way = section.choice("forwarding", &WAYS).unwrap_or(Way::Nat);
    let masquerade = section.boolean("masquerade", false);
    let device = section.text("device", "the name of an interface");
    match way {
        Way::Nat => {
            if device.is_some() {
                section.wrong("device", "is of `forwarding = \"dr\"`".to_owned());
            }
            Forwarding::Nat { masquerade }
        }
        Way::Direct | Way::Tunnel if masquerade => {
            let sentence = "is of `forwarding = \"nat\"`: real servers answer clients directly";
            section.wrong("masquerade", sentence.to_owned());
            Forwarding::Tunnel
        }
        Way::Direct => Forwarding::Direct { device },
        Way::Tunnel => Forwarding::Tunnel,
    }
}

fn shared(section: &mut Section<'_, '_, '_>, address: Option<SocketAddr>, folder: &Path) -> Shared {
    if !section.has("probe") {
        section.knows(&["probe"]);
        return Shared {
            probe: None,
            timing: Timing::default(),
        };
    }
    section.sub("probe", "virtual_server.probe", |mut section| {
        let shared = own_probe(&mut section, address, folder);
        section.end();
        shared
    })
}

/// A probe that stands in a section of its own, with its timing.
fn own_probe(
    section: &mut Section<'_, '_, '_>,
    address: Option<SocketAddr>,
    folder: &Path,
) -> Shared {
    if !section.has("kind") {
        section.missing("kind", "how it is probed");
    }
    let timing = probe::timing(section);
    let kind = section.choice("kind", &probe::REMOTE);
    let probe = kind.map(|kind| (kind, probe::read(section, kind, address, folder)));
    Shared { probe, timing }
}

fn real_server(
    section: &mut Section<'_, '_, '_>,
    shared: &Shared,
    folder: &Path,
) -> Option<RealServer> {
    let address = section.value("address", ADDRESS, probe::socket_address);
    if !section.has("address") {
        section.missing("address", ADDRESS);
    }
    let weight = section.value("weight", "a whole number from 0 to 65535", |value| {
        let weight: usize = value.as_integer()?.as_str().parse().ok()?;
        (weight <= WEIGHT_MAX).then_some(weight as u32)
    });
    let inhibit_on_failure = section.boolean("inhibit_on_failure", false);
    let (on_up, on_down) = (script(section, "on_up"), script(section, "on_down"));
    let (probe, timing) = if section.has("probe") {
        let own = section.sub(
            "probe",
            "virtual_server.real_server.probe",
            |mut section| {
                let own = own_probe(&mut section, address, folder);
                section.end();
                own
            },
        );
        (own.probe.and_then(|(_, probe)| probe), own.timing)
    } else {
        section.knows(&["probe"]);
        let probe = shared.probe.as_ref().and_then(|(_, probe)| probe.clone());
        (
            probe.and_then(|probe| Some(aimed(probe, address?))),
            shared.timing,
        )
    };
    Some(RealServer {
        address: address?,
        weight: weight.unwrap_or(1),
        inhibit_on_failure,
        probe,
        timing,
        on_up,
        on_down,
    })
}

/// The probe of all real servers, aimed at one.
fn aimed(probe: Probe, at: SocketAddr) -> Probe {
    match probe {
        Probe::Tcp { .. } => Probe::Tcp { address: at },
        Probe::MySql(probe) => Probe::MySql(mainstay_health::MySqlProbe {
            address: at,
            ..probe
        }),
        Probe::Http(probe) => Probe::Http(mainstay_health::HttpProbe {
            address: SocketAddr::new(at.ip(), probe.address.port()),
            ..probe
        }),
        Probe::Script(_) | Probe::Process { .. } | Probe::File { .. } | Probe::Route { .. } => {
            probe
        }
    }
}

fn script(section: &mut Section<'_, '_, '_>, key: &'static str) -> Option<Script> {
    let command = probe::command(section, key)?;
    Some(Script {
        command,
        user: None,
        sets_weight: false,
    })
}
