//! What a server that was given its data by hand counts for.

use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_gtid::{Family as SetFamily, GtidSet};

use crate::facts::{Applier, Facts, Family, Link, Receiver, SemiSync, Version};
use crate::observation::{Observation, Outcome};
use crate::part::Part;
use crate::server::{Address, Epoch, ServerName};
use crate::topology::{Member, Promotion, Record, Topology};

fn set(text: &str) -> GtidSet {
    GtidSet::parse(SetFamily::Mariadb, text).expect("the test's own text")
}

fn name(server: u32) -> ServerName {
    ServerName::new(&format!("db{server}"))
}

fn address(server: u32) -> Address {
    Address {
        host: format!("db{server}"),
        port: 3306,
    }
}

/// Three servers; `db3` is the primary.
fn cluster(baseline: &str) -> Topology {
    let member = |server| Member {
        name: name(server),
        address: address(server),
        promotion: Promotion::Neutral,
        part: Part::default(),
    };
    let record = Record {
        epoch: Epoch(4),
        primary: Some(name(3)),
        joined: [name(1), name(2)].into(),
        baseline: Some(set(baseline)),
        ..Record::default()
    };
    Topology::new(&[member(1), member(2), member(3)], record)
}

fn answer(server: u32, executed: &GtidSet, received: Option<&GtidSet>) -> Outcome {
    Outcome::Answered(Box::new(Facts {
        version: Version {
            family: Family::Mariadb,
            major: 10,
            minor: 11,
            patch: 19,
        },
        server_id: server,
        server_uuid: None,
        read_only: server != 3,
        executed: executed.clone(),
        rewinding: false,
        semi_sync: SemiSync::default(),
        setup: crate::setup::Setup::default(),
        link: received.map(|received| Link {
            source: address(3),
            receiver: Receiver::Running,
            receiver_error: 0,
            applier: Applier::Running,
            received: received.clone(),
            heard: 1,
            lag: None,
        }),
        positions: None,
    }))
}

/// The look of one second.
fn look(cluster: &mut Topology, second: u64, server: u32, outcome: Outcome) {
    let begun = Timestamp::ZERO + Duration::from_secs(second);
    assert!(cluster.observe(&Observation {
        server: name(server),
        begun,
        ended: begun,
        outcome,
    }));
}

fn primary(cluster: &mut Topology, second: u64, executed: &str) {
    look(cluster, second, 3, answer(3, &set(executed), None));
}

fn replica(cluster: &mut Topology, second: u64, server: u32, held: &str) {
    let held = set(held);
    let answer = answer(server, &held, Some(&held));
    look(cluster, second, server, answer);
}

fn forgot(cluster: &Topology, server: u32) -> bool {
    let server = cluster.server(&name(server)).expect("configured");
    server.forgot.is_some()
}

fn held(cluster: &Topology, server: u32) -> &GtidSet {
    let server = cluster.server(&name(server)).expect("configured");
    server.facts().expect("looked at").held()
}

#[test]
fn a_server_that_was_emptied_and_reseeded_counts_again_once_it_has_caught_up() {
    let mut cluster = cluster("0-1-1753");
    primary(&mut cluster, 1, "0-1-1753,0-3-37000");
    replica(&mut cluster, 2, 1, "0-1-1760");
    look(&mut cluster, 3, 1, Outcome::Refused);
    replica(&mut cluster, 4, 1, "0-3-37100");
    assert!(forgot(&cluster, 1), "the primary was looked at before");
    primary(&mut cluster, 5, "0-1-1753,0-3-37611");
    replica(&mut cluster, 6, 1, "0-3-37610");
    assert!(forgot(&cluster, 1), "it has not caught up");
    replica(&mut cluster, 7, 1, "0-3-37611");
    assert!(!forgot(&cluster, 1));
}

#[test]
fn a_reseeded_server_is_known_to_hold_what_the_reign_began_with() {
    let baseline = "0-1-1753,0-2-2000";
    let mut cluster = cluster(baseline);
    primary(&mut cluster, 1, "0-1-1753,0-2-2000,0-3-37611");
    look(&mut cluster, 2, 3, Outcome::Refused);
    replica(&mut cluster, 3, 1, "0-3-37611");
    assert!(
        held(&cluster, 1).contains(&set(baseline)),
        "{}",
        held(&cluster, 1)
    );
}

#[test]
fn one_whose_history_shares_nothing_known_is_not_trusted() {
    let baseline = "0-1-1753,0-2-2000";
    let mut cluster = cluster(baseline);
    primary(&mut cluster, 1, "0-1-1753,0-2-2000,0-3-37611");
    look(&mut cluster, 2, 1, Outcome::Refused);
    primary(&mut cluster, 3, "0-1-1753,0-2-2000,0-3-37611");
    replica(&mut cluster, 4, 1, "0-9-40000");
    assert!(!held(&cluster, 1).contains(&set(baseline)));
    replica(&mut cluster, 5, 2, "0-9-40000");
    look(&mut cluster, 6, 2, Outcome::Refused);
    replica(&mut cluster, 7, 2, "0-9-40000");
    assert!(forgot(&cluster, 2));
}

#[test]
fn a_replica_that_received_a_new_reigns_first_transaction_has_forgotten_nothing() {
    let mut cluster = cluster("0-1-1753");
    primary(&mut cluster, 1, "0-1-1753,0-3-1755");
    let (given, received) = (set("0-1-1753"), set("0-3-1754"));
    let both = given.union(&received).expect("one family");
    look(&mut cluster, 2, 2, answer(2, &given, Some(&both)));
    replica(&mut cluster, 3, 2, "0-3-1754");
    assert!(!forgot(&cluster, 2));
}

#[test]
fn an_errant_transaction_stays_visible_behind_what_was_received_after_it() {
    let mut cluster = cluster("0-1-1753");
    replica(&mut cluster, 1, 2, "0-1-1753,0-3-2000");
    let errant = set("0-1-1753,0-3-2000,0-2-2001");
    let both = errant.union(&set("0-3-2100")).expect("one family");
    look(&mut cluster, 2, 2, answer(2, &errant, Some(&both)));
    primary(&mut cluster, 3, "0-1-1753,0-3-2100");
    let server = cluster.server(&name(2)).expect("configured");
    let (_, found) = server.errant.as_ref().expect("compared");
    assert_eq!(found.to_string(), "0-2-2001");
    assert!(!set("0-1-1753,0-3-2100").contains(held(&cluster, 2)));
}
