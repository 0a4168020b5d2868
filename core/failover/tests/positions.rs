//! Servers without GTIDs: places in logs decide as transactions do, and nobody is placed in another
//! log but by a state that both are known to share.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_failover::{Durability, Effect, Event, History, Manager, Plan, Policy};
use mainstay_gtid::GtidSet;
use mainstay_topology::dialect::version;
use mainstay_topology::{
    Address, Applier, Coordinate, Epoch, Facts, Link, Member, Observation, Outcome, Positions,
    Promotion, Receiver, Record, SemiSync, ServerName, Setup,
};
use proptest::prelude::*;

const REPLICAS: u16 = 3;

fn name(server: u16) -> ServerName {
    ServerName::new(&format!("db{server}"))
}

fn address(server: u16) -> Address {
    Address {
        host: "127.0.0.1".to_owned(),
        port: 3300 + server,
    }
}

fn uuid(server: u16) -> String {
    format!("{server:08}-0000-0000-0000-000000000000")
}

fn at(file: u8, position: u32) -> Coordinate {
    let log = format!("binlog.{file:06}");
    Coordinate::parse(&log, u64::from(position)).expect("a place")
}

fn set(server: u16, place: Coordinate) -> GtidSet {
    place.in_log_of(&uuid(server)).expect("a set")
}

/// What a server says: the first is the primary, the others have received so much of its log.
fn facts(server: u16, received: Coordinate) -> Facts {
    let held = set(1, received);
    let link = (server != 1).then(|| Link {
        source: address(1),
        receiver: Receiver::Running,
        receiver_error: 0,
        applier: Applier::Running,
        received: held.clone(),
        heard: u64::from(server),
        lag: Some(Duration::ZERO),
    });
    Facts {
        version: version("5.6.24-log").expect("a version"),
        server_id: u32::from(server),
        server_uuid: Some(uuid(server)),
        read_only: server != 1,
        executed: held,
        semi_sync: SemiSync::default(),
        link,
        setup: Setup::default(),
        rewinding: false,
        positions: Some(Positions {
            base: "binlog".to_owned(),
            end: Some(if server == 1 { received } else { at(7, 777) }),
        }),
    }
}

/// A manager of a reign of the first server that has seen all of them, the primary last.
fn manager(primary: Coordinate, received: &[Coordinate]) -> (Manager, Timestamp) {
    let member = |server| Member {
        name: name(server),
        address: address(server),
        promotion: Promotion::Neutral,
        part: mainstay_topology::Part::default(),
    };
    let members: Vec<Member> = (1..=REPLICAS + 1).map(member).collect();
    let began = set(1, at(1, 4));
    let record = Record {
        epoch: Epoch(1),
        primary: Some(name(1)),
        joined: (2..=REPLICAS + 1).map(name).collect(),
        baseline: Some(began.clone()),
        began_at: Some(began),
        acknowledgements: 0,
    };
    let policy = Policy {
        durability: Durability::Async,
        auto_failover: false,
        ..Policy::default()
    };
    let mut manager = Manager::new(
        policy,
        &members,
        record,
        BTreeMap::new(),
        History::default(),
    );
    let mut now = Timestamp::from_millis(1_000);
    let places = received.iter().copied().chain([primary]);
    for (server, place) in (2..=REPLICAS + 1).chain([1]).zip(places) {
        now = now + Duration::from_millis(2);
        look(
            &mut manager,
            now,
            server,
            Outcome::Answered(Box::new(facts(server, place))),
        );
    }
    (manager, now)
}

fn look(manager: &mut Manager, now: Timestamp, server: u16, outcome: Outcome) {
    let seen = Observation {
        server: name(server),
        begun: now,
        ended: now + Duration::from_millis(1),
        outcome,
    };
    manager.handle(now + Duration::from_millis(1), Event::Observed(seen));
}

fn new_primary(plan: &Plan) -> Option<ServerName> {
    plan.steps.iter().find_map(|step| match &step.effect {
        Effect::Record { record } => record.primary.clone(),
        _ => None,
    })
}

fn places() -> impl Strategy<Value = Vec<Coordinate>> {
    let place = (1_u8..4, 4_u32..1_000).prop_map(|(file, position)| at(file, position));
    prop::collection::vec(place, usize::from(REPLICAS))
}

proptest! {
    #[test]
    fn who_has_received_most_of_the_log_is_elected(received in places()) {
        let end = at(9, 4);
        let (mut manager, now) = manager(end, &received);
        let now = now + Duration::from_millis(2);
        look(&mut manager, now, 1, Outcome::Refused);
        let plan = manager.plan_failover().expect("nothing stands in the way");
        let elected = new_primary(&plan).expect("a new reign is recorded");
        let most = received.iter().max().expect("replicas");
        let index = (2..=REPLICAS + 1).position(|server| name(server) == elected);
        prop_assert_eq!(&received[index.expect("a replica")], most);
    }

    #[test]
    fn every_replica_applies_what_it_has_received_before_it_is_placed(received in places()) {
        let (mut manager, now) = manager(at(9, 4), &received);
        look(&mut manager, now + Duration::from_millis(2), 1, Outcome::Refused);
        let plan = manager.plan_failover().expect("nothing stands in the way");
        for (index, step) in plan.steps.iter().enumerate() {
            let Effect::Attach { server, start, .. } = &step.effect else {
                continue;
            };
            prop_assert!(start.is_some(), "a place is looked for, never a GTID");
            let before = plan.steps[..index].iter();
            let applied = before.filter(|earlier| earlier.group < step.group).any(|earlier| {
                matches!(&earlier.effect, Effect::ApplyReceived { server: one } if one == server)
            });
            prop_assert!(applied, "{server} is placed by what it has executed");
        }
    }
}

#[test]
fn no_replica_moves_behind_the_next_primary_before_the_old_ones_log_has_ended() {
    let end = at(2, 500);
    let (manager, _) = manager(end, &[end; REPLICAS as usize]);
    let plan = manager.plan_switchover(None).expect("all are level");
    let attach = |effect: &Effect| matches!(effect, Effect::Attach { .. });
    let demote = |effect: &Effect| matches!(effect, Effect::Demote { .. });
    let steps = || plan.steps.iter().map(|step| &step.effect);
    let demoted = steps()
        .position(demote)
        .expect("the old primary is demoted");
    let first = steps().position(attach).expect("replicas are attached");
    assert!(demoted < first);
}
