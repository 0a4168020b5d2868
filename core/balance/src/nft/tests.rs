//! The text of transactions. That nft(8) takes them and packets follow them is tested end to end.

use std::net::SocketAddr;
use std::time::Duration;

use super::*;
use crate::{Destination, Protocol, Scheduler};

fn entry(scheduler: Scheduler, weights: &[u32]) -> Entry {
    let destinations = (21..).zip(weights).map(|(last, &weight)| Destination {
        address: SocketAddr::from(([10, 0, 0, last], 3306)),
        weight,
    });
    Entry {
        name: "mysql".to_owned(),
        address: ([10, 0, 0, 100], 3306).into(),
        protocol: Protocol::Tcp,
        scheduler,
        forwarding: Forwarding::Nat { masquerade: false },
        persistence: None,
        destinations: destinations.collect(),
        dead: Vec::new(),
    }
}

fn text(before: Option<&Entry>, next: &Entry) -> String {
    let table = |entry: &Entry| Table {
        entries: vec![entry.clone()],
    };
    transaction(before.map(table).as_ref(), &table(next), &Links::default())
}

#[track_caller]
fn has(text: &str, line: &str) {
    assert!(
        text.lines().any(|found| found.trim() == line),
        "no line `{line}` in\n{text}"
    );
}

#[test]
fn each_scheduler_is_a_number_that_leads_to_a_chain() {
    let cases = [
        (
            Scheduler::RoundRobin,
            "numgen inc mod 2 vmap { 0 : goto A, 1 : goto B }",
        ),
        (
            Scheduler::WeightedRoundRobin,
            "numgen inc mod 3 vmap { 0 : goto A, 1 : goto B, 2 : goto A }",
        ),
        (
            Scheduler::Random,
            "numgen random mod 3 vmap { 0-1 : goto A, 2 : goto B }",
        ),
        (
            Scheduler::SourceHash,
            "jhash ip saddr mod 3 seed 0x6d61696e vmap { 0-1 : goto A, 2 : goto B }",
        ),
        (
            Scheduler::DestinationHash,
            "jhash ip daddr mod 3 seed 0x6d61696e vmap { 0-1 : goto A, 2 : goto B }",
        ),
    ];
    for (scheduler, expected) in cases {
        let expected = expected
            .replace('A', "mysql_10_0_0_21_3306")
            .replace('B', "mysql_10_0_0_22_3306");
        has(&text(None, &entry(scheduler, &[4, 2])), &expected);
    }
}

#[test]
fn a_service_is_reached_from_outside_and_from_this_host() {
    let text = text(None, &entry(Scheduler::RoundRobin, &[1]));
    let line = "ip daddr 10.0.0.100 tcp dport 3306 goto mysql";
    assert_eq!(text.matches(line).count(), 2, "{text}");
    has(&text, "meta l4proto tcp dnat ip to 10.0.0.21:3306");
    assert!(
        text.starts_with("add table inet mainstay\ndelete table inet mainstay\n"),
        "{text}"
    );
}

#[test]
fn nobody_is_chosen_of_weight_zero_and_no_one_at_all_is_refused() {
    let text = text(None, &entry(Scheduler::RoundRobin, &[0]));
    assert!(!text.contains("numgen"), "{text}");
    has(&text, "reject with tcp reset");
}

#[test]
fn a_client_is_remembered_by_its_server_and_forgotten_with_it() {
    let mut before = entry(Scheduler::RoundRobin, &[1, 1]);
    before.persistence = Some(Duration::from_secs(50));
    let first = text(None, &before);
    let set = "mysql_10_0_0_21_3306_clients";
    let made =
        format!("set {set} {{ type ipv4_addr; flags dynamic,timeout; timeout 50s; size 65535; }}");
    has(&first, &made);
    has(
        &first,
        &format!("ip saddr @{set} goto mysql_10_0_0_21_3306"),
    );
    has(&first, &format!("update @{set} {{ ip saddr }}"));
    let mut next = before.clone();
    next.dead = vec![next.destinations.remove(1).address];
    let second = text(Some(&before), &next);
    has(&second, "flush table inet mainstay");
    has(
        &second,
        "delete set inet mainstay mysql_10_0_0_22_3306_clients",
    );
    has(&second, "delete chain inet mainstay mysql_10_0_0_22_3306");
    assert!(
        !second.contains("delete table"),
        "the others are still remembered: {second}"
    );
    has(
        &second,
        "ip daddr 10.0.0.22 tcp dport 3306 ct status dnat ct original ip daddr 10.0.0.100 \
         ct original proto-dst 3306 reject with tcp reset",
    );
}

#[test]
fn a_changed_service_starts_anew() {
    let before = entry(Scheduler::RoundRobin, &[1]);
    let next = entry(Scheduler::SourceHash, &[1]);
    assert!(text(Some(&before), &next).contains("delete table inet mainstay"));
}

#[test]
fn direct_routing_rewrites_ethernet_addresses_at_the_device() {
    let mut entry = entry(Scheduler::RoundRobin, &[1, 1, 1]);
    entry.forwarding = Forwarding::Direct {
        device: Some("eth0".to_owned()),
    };
    let ether = |last: u8| format!("02:00:00:00:00:{last:02x}");
    let links = Links {
        devices: vec![Device {
            name: "eth0".to_owned(),
            ether: ether(1),
        }],
        hops: [
            ([10, 0, 0, 21].into(), Hop::Ether(ether(21))),
            ([10, 0, 0, 22].into(), Hop::Local),
        ]
        .into(),
    };
    let table = Table {
        entries: vec![entry],
    };
    let text = transaction(None, &table, &links);
    has(
        &text,
        "type filter hook ingress device \"eth0\" priority 0; policy accept;",
    );
    has(&text, "ether saddr set 02:00:00:00:00:01");
    has(&text, "ether daddr set 02:00:00:00:00:15");
    has(&text, "fwd to \"eth0\"");
    has(
        &text,
        "ip saddr . tcp sport @mysql_10_0_0_21_3306_flows goto mysql_10_0_0_21_3306",
    );
    has(
        &text,
        "numgen inc mod 2 vmap { 0 : goto mysql_10_0_0_21_3306, 1 : goto mysql_10_0_0_22_3306 }",
    );
    has(&text, "# 10.0.0.23:3306 is not reachable yet");
}

#[test]
fn addresses_of_ipv6_have_their_own_words() {
    let mut entry = entry(Scheduler::SourceHash, &[1]);
    entry.address = "[fd00::100]:3306".parse().expect("an address");
    entry.destinations[0].address = "[fd00::21]:3306".parse().expect("an address");
    let text = text(None, &entry);
    has(&text, "ip6 daddr fd00::100 tcp dport 3306 goto mysql");
    has(&text, "meta l4proto tcp dnat ip6 to [fd00::21]:3306");
    assert!(text.contains("jhash ip6 saddr mod 1"), "{text}");
}
