//! `[[virtual_server]]` by example.

use std::path::Path;

use mainstay_balance::{Forwarding, Scheduler};
use mainstay_health::{Probe, Role};

use super::*;
use crate::Roles;

const EXAMPLE: &str = include_str!("../../../../examples/balancer.toml");

fn parse(text: &str) -> Result<BalancerSettings, String> {
    let roles = Roles::parse(text, Path::new("balancer.toml"));
    match roles.map_err(|error| error.to_string())? {
        Roles::Addresses(settings) => Ok(settings.balancer),
        Roles::Cluster(_) => Err("it has a cluster".to_owned()),
    }
}

#[track_caller]
fn refused(from: &str, to: &str, expected: &str) {
    assert!(EXAMPLE.contains(from), "{from}");
    let said = parse(&EXAMPLE.replacen(from, to, 1)).expect_err("it is wrong");
    assert!(said.contains(expected), "{said}");
}

#[test]
fn the_example_is_right_and_needs_no_cluster() {
    let settings = parse(EXAMPLE).expect("it is right");
    assert_eq!(settings.engine, None);
    let [server] = &settings.virtual_servers[..] else {
        panic!("{settings:?}");
    };
    assert_eq!(server.scheduler, Scheduler::WeightedRoundRobin);
    assert_eq!(server.forwarding, Forwarding::Nat { masquerade: false });
    let weights: Vec<_> = server.real_servers.iter().map(|real| real.weight).collect();
    assert_eq!(weights, [3, 1]);
    for real in &server.real_servers {
        let Some(Probe::MySql(probe)) = &real.probe else {
            panic!("{real:?}");
        };
        assert_eq!((probe.address, probe.role), (real.address, Role::Any));
    }
}

#[test]
fn the_defaults_that_the_example_shows_are_the_defaults() {
    let shown: String = EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.contains(" = ") && !rest.contains('[') && !rest.contains(',') => {
                rest
            }
            Some(_) | None => line,
        })
        .fold(String::new(), |text, line| text + line + "\n");
    assert_ne!(shown, EXAMPLE);
    assert_eq!(parse(&shown), parse(EXAMPLE));
}

#[test]
fn what_an_engine_cannot_do_is_said_with_the_settings() {
    let both = "\n[balancer]\nengine = \"nftables\"\n";
    let text = EXAMPLE
        .replacen("\n[balancer]\n", both, 1)
        .replacen("= \"wrr\"", "= \"wlc\"", 1);
    let said = parse(&text).expect_err("nftables has no wlc");
    assert!(said.contains("neither lc nor wlc"), "{said}");
    refused(
        "\"10.0.0.22:6033\"",
        "\"[fd00::22]:6033\"\n[balancer2]",
        "balancer2",
    );
}

#[test]
fn mistakes_are_told_with_their_key() {
    refused(
        "scheduler = \"wrr\"",
        "scheduler = \"best\"",
        "virtual_server.scheduler",
    );
    refused(
        "\"10.0.0.21:6033\"",
        "\"db1:6033\"",
        "virtual_server.real_server.address",
    );
    refused("weight = 3", "weigth = 3", "did you mean `weight`");
    refused(
        "kind = \"mysql\"",
        "kind = \"process\"",
        "virtual_server.probe.kind",
    );
    refused(
        "user = \"watch\"",
        "lag_max = \"1s\"",
        "virtual_server.probe.user",
    );
    refused(
        "name = \"mysql\"",
        "name = \"my sql\"",
        "begins with a letter",
    );
    refused(
        "# masquerade = false",
        "forwarding = \"dr\"\nmasquerade = true",
        "masquerade",
    );
}

#[test]
fn a_real_server_may_have_a_probe_of_its_own() {
    let own = "weight = 3\n[virtual_server.real_server.probe]\nkind = \"http\"\npath = \"/up\"\n\
               port = 8080\n";
    let settings = parse(&EXAMPLE.replacen("weight = 3\n", own, 1)).expect("it is right");
    let reals = &settings.virtual_servers[0].real_servers;
    let Some(Probe::Http(probe)) = &reals[0].probe else {
        panic!("{reals:?}");
    };
    assert_eq!(probe.address, ([10, 0, 0, 21], 8080).into());
    assert!(matches!(reals[1].probe, Some(Probe::MySql(_))));
}
