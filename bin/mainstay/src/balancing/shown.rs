//! What is balanced, for the API and for Prometheus.

use mainstay_balancer::{Shown, ShownReal};
use mainstay_dashboard::views::{RealServerView, VirtualServerView};
use mainstay_health::Verdict;
use mainstay_telemetry::exposition::{Exposition, Kind};

/// One virtual server as the API shows it.
pub(super) fn view(shown: &Shown) -> VirtualServerView {
    let spec = &shown.virtual_server;
    let reals = &shown.real_servers;
    let up = reals.iter().filter(|real| real.verdict == Verdict::Up);
    VirtualServerView {
        name: spec.name.clone(),
        address: spec.address.to_string(),
        protocol: spec.protocol.name().to_owned(),
        scheduler: spec.scheduler.name().to_owned(),
        engine: shown.engine.to_owned(),
        in_force: shown.in_force,
        quorum: shown.quorum,
        quorum_weight: spec.quorum.weight,
        weight: up.fold(0, |sum: u32, real| sum.saturating_add(real.weight)),
        sorry_server: spec.sorry_server.map(|address| address.to_string()),
        sorry: shown.quorum == Some(false) && spec.sorry_server.is_some(),
        real_servers: spec
            .real_servers
            .iter()
            .zip(reals)
            .map(|(spec, real)| real_view(spec.address.to_string(), real))
            .collect(),
    }
}

fn real_view(address: String, real: &ShownReal) -> RealServerView {
    let state = match real.verdict {
        Verdict::Unknown => "unknown",
        Verdict::Up => "up",
        Verdict::Down => "down",
    };
    RealServerView {
        address,
        state: state.to_owned(),
        weight: real.weight,
        reason: real.failure.clone(),
    }
}

/// A number of one virtual server: its metric, what it means, and itself.
type Number<T> = (&'static str, &'static str, fn(&T) -> u32);

const OF_VIRTUAL_SERVERS: [Number<VirtualServerView>; 4] = [
    (
        "mainstay_balancer_in_force",
        "1 while what the engine was last given is in force.",
        |one| u32::from(one.in_force),
    ),
    (
        "mainstay_balancer_quorum",
        "1 while there are enough real servers.",
        |one| u32::from(one.quorum == Some(true)),
    ),
    (
        "mainstay_balancer_weight",
        "The weight of the real servers that are up.",
        |one| one.weight,
    ),
    (
        "mainstay_balancer_sorry",
        "1 while the sorry server serves.",
        |one| u32::from(one.sorry),
    ),
];

const OF_REAL_SERVERS: [Number<RealServerView>; 2] = [
    (
        "mainstay_balancer_real_server_up",
        "1 for a real server that is up.",
        |real| u32::from(real.state == "up"),
    ),
    (
        "mainstay_balancer_real_server_weight",
        "The share of a real server.",
        |real| real.weight,
    ),
];

/// Their numbers for Prometheus.
pub(crate) fn metrics(out: &mut Exposition, virtual_servers: &[VirtualServerView]) {
    if virtual_servers.is_empty() {
        return;
    }
    for (name, help, number) in OF_VIRTUAL_SERVERS {
        let mut family = out.family(name, Kind::Gauge, help);
        for one in virtual_servers {
            family.sample(&[("virtual_server", &one.name)], number(one));
        }
    }
    for (name, help, number) in OF_REAL_SERVERS {
        let mut family = out.family(name, Kind::Gauge, help);
        for one in virtual_servers {
            for real in &one.real_servers {
                let labels = [
                    ("virtual_server", &*one.name),
                    ("real_server", &*real.address),
                ];
                family.sample(&labels, number(real));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prometheus_sees_a_lost_quorum_and_who_is_down() {
        let real = RealServerView {
            address: "10.0.0.1:3306".to_owned(),
            state: "down".to_owned(),
            weight: 3,
            reason: None,
        };
        let one = VirtualServerView {
            name: "mysql".to_owned(),
            quorum: Some(false),
            sorry: true,
            real_servers: vec![real],
            ..VirtualServerView::default()
        };
        let mut out = Exposition::default();
        metrics(&mut out, &[one]);
        let text = out.into_text();
        for line in [
            "mainstay_balancer_quorum{virtual_server=\"mysql\"} 0",
            "mainstay_balancer_sorry{virtual_server=\"mysql\"} 1",
            "mainstay_balancer_real_server_up{virtual_server=\"mysql\",\
             real_server=\"10.0.0.1:3306\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
