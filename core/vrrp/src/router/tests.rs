//! The rules by example: two routers of 10.0.0.0/24, and time as an argument.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_clock::Timestamp;

use super::*;
use crate::event::Packet;
use crate::packet::{Checksum, Envelope, GROUP_V4, Password, Version};
use crate::policy::Preempt;

fn address(last: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, last])
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn policy(priority: u8) -> Policy {
    let id = RouterId::new(51).expect("not zero");
    Policy {
        priority,
        ..Policy::new(id, vec![address(100)])
    }
}

/// One that has started at 0, as 10.0.0.1.
fn started(policy: Policy) -> Router {
    let mut router = Router::new(policy);
    router.handle(at(0), Event::Link(Some(address(1))));
    router.handle(at(0), Event::Start);
    router
}

/// One that became Active as soon as it could; and when.
fn active(policy: Policy) -> (Router, Timestamp) {
    let mut router = started(policy);
    let now = router.deadline().expect("it waits for silence");
    router.handle(now, Event::Timer);
    assert_eq!(router.state(), State::Active);
    (router, now)
}

fn packet(last: u8, change: impl FnOnce(&mut Advert)) -> Packet {
    let mut advert = Advert {
        version: Version::V2,
        id: RouterId::new(51).expect("not zero"),
        priority: 90,
        interval: Duration::from_secs(1),
        addresses: vec![address(100)],
        authentication: Authentication::None,
    };
    change(&mut advert);
    let envelope = Envelope {
        source: address(last),
        destination: IpAddr::V4(GROUP_V4),
    };
    Packet {
        source: envelope.source,
        destination: envelope.destination,
        ttl: 255,
        bytes: advert.encode(&envelope, Checksum::Plain),
    }
}

fn hears(router: &mut Router, now: Timestamp, last: u8, priority: u8) -> Vec<Action> {
    router.handle(
        now,
        Event::Packet(packet(last, |advert| advert.priority = priority)),
    )
}

fn found(actions: &[Action]) -> Vec<&'static str> {
    let found = actions.iter().filter_map(|action| match action {
        Action::Found(finding) => Some(finding.problem.name()),
        _ => None,
    });
    found.collect()
}

#[test]
fn a_router_alone_becomes_active_after_three_intervals_and_its_skew() {
    let mut router = started(policy(90));
    assert_eq!(router.state(), State::Backup);
    let due = router.deadline().expect("it waits");
    assert_eq!(due.as_millis(), 3_648);
    let actions = router.handle(due, Event::Timer);
    let [
        Action::Send(sent),
        Action::Take,
        Action::Announce(5),
        Action::Changed { .. },
    ] = &actions[..]
    else {
        panic!("{actions:?}");
    };
    assert_eq!(sent.priority, 90);
    assert_eq!(router.deadline(), Some(due + Duration::from_secs(1)));
}

#[test]
fn the_owner_is_active_at_once() {
    assert_eq!(started(policy(255)).state(), State::Active);
}

#[test]
fn a_backup_waits_while_a_better_router_is_heard_and_learns_who_it_is() {
    let mut router = started(policy(100));
    hears(&mut router, at(3_000), 2, 110);
    assert_eq!(router.heard().map(|heard| heard.source), Some(address(2)));
    assert_eq!(router.deadline().map(Timestamp::as_millis), Some(6_609));
}

#[test]
fn a_stop_lets_go_first_and_says_so_then_and_a_backup_follows_after_its_skew() {
    let (mut router, now) = active(policy(100));
    let actions = router.handle(now, Event::Stop);
    let [Action::Drop, Action::Send(last), Action::Changed { .. }] = &actions[..] else {
        panic!("{actions:?}");
    };
    assert_eq!(last.priority, 0);
    assert_eq!(router.deadline(), None);

    let mut backup = started(policy(90));
    hears(&mut backup, at(1_000), 2, 0);
    assert_eq!(backup.deadline().map(Timestamp::as_millis), Some(1_648));
}

#[test]
fn a_worse_router_is_replaced_at_once_later_or_never() {
    let becomes_active = |preempt| {
        let mut router = started(Policy {
            preempt,
            ..policy(100)
        });
        for second in 1..60 {
            if router
                .deadline()
                .is_some_and(|due| due <= at(second * 1_000))
            {
                router.handle(at(second * 1_000), Event::Timer);
            }
            if router.state() == State::Active {
                return Some(second);
            }
            hears(&mut router, at(second * 1_000), 2, 90);
        }
        None
    };
    assert_eq!(becomes_active(Preempt::Always), Some(4));
    // Heard first at 1 s; from 11 s on it is not waited for, and was heard last at 10 s.
    assert_eq!(
        becomes_active(Preempt::After(Duration::from_secs(10))),
        Some(14)
    );
    assert_eq!(becomes_active(Preempt::Never), None);
}

#[test]
fn of_two_active_routers_the_better_stays_and_tells_the_network_again() {
    let (mut router, now) = active(policy(100));
    let later = now + Duration::from_secs(2);
    let actions = hears(&mut router, later, 2, 90);
    assert_eq!(found(&actions), ["two_active"]);
    assert!(
        actions
            .iter()
            .any(|action| matches!(action, Action::Send(_)))
    );
    assert!(actions.contains(&Action::Announce(5)));
    let actions = hears(&mut router, later, 2, 110);
    assert_eq!(
        actions.first(),
        Some(&Action::Found(Finding {
            about: address(2),
            problem: Problem::TwoActive { priority: 110 },
        }))
    );
    assert!(actions.contains(&Action::Drop));
    // What yields says nothing: the better one is heard already.
    assert!(
        !actions
            .iter()
            .any(|action| matches!(action, Action::Send(_)))
    );
    assert_eq!(router.state(), State::Backup);
}

#[test]
fn of_equal_priorities_the_higher_address_stays() {
    let (mut router, now) = active(policy(100));
    hears(&mut router, now, 0, 100);
    assert_eq!(router.state(), State::Active);
    hears(&mut router, now, 2, 100);
    assert_eq!(router.state(), State::Backup);
}

#[test]
fn version_3_learns_the_interval_of_the_active_router() {
    let interval = Duration::from_millis(10);
    let mut router = started(Policy {
        version: Version::V3,
        interval,
        ..policy(100)
    });
    let theirs = Duration::from_millis(200);
    router.handle(
        at(20),
        Event::Packet(packet(2, |advert| {
            advert.version = Version::V3;
            advert.priority = 200;
            advert.interval = theirs;
        })),
    );
    let silence = timers::active_down(Version::V3, 100, theirs);
    assert_eq!(router.deadline(), Some(at(20) + silence));
}

#[test]
fn what_is_not_believed_is_said_once_and_moves_no_timer() {
    type Change = fn(&mut Advert);
    let cases: [(&str, Change); 3] = [
        ("version", |advert| advert.version = Version::V3),
        ("password", |advert| {
            advert.authentication = Authentication::Password(Password::new("other"));
        }),
        ("duplicate_id", |advert| {
            advert.addresses = vec![address(200)];
        }),
    ];
    for (name, change) in cases {
        let mut router = started(policy(100));
        let due = router.deadline();
        let wrong = packet(2, |advert| {
            advert.priority = 200;
            change(advert);
        });
        let actions = router.handle(at(10), Event::Packet(wrong.clone()));
        assert_eq!(found(&actions), [name]);
        assert_eq!(router.handle(at(11), Event::Packet(wrong)), []);
        assert_eq!(router.problems().collect::<Vec<_>>(), [(name, 2)]);
        assert_eq!(router.deadline(), due);
        // A right one refutes it.
        let actions = hears(&mut router, at(12), 2, 200);
        assert!(matches!(&actions[..], [Action::Gone(_)]), "{actions:?}");
    }
}

#[test]
fn a_packet_from_afar_or_from_no_peer_is_not_believed() {
    let mut router = started(policy(100));
    let far = Packet {
        ttl: 254,
        ..packet(2, |_| {})
    };
    assert_eq!(found(&router.handle(at(1), Event::Packet(far))), ["ttl"]);

    let mut unicast = started(Policy {
        peers: vec![address(2)],
        ttl_min: 250,
        ..policy(100)
    });
    let mode = unicast.handle(at(1), Event::Packet(packet(2, |_| {})));
    assert_eq!(found(&mode), ["mode"]);
    let to_us = |last, ttl| Packet {
        destination: address(1),
        ttl,
        ..packet(last, |_| {})
    };
    let stranger = unicast.handle(at(1), Event::Packet(to_us(3, 255)));
    assert_eq!(found(&stranger), ["stranger"]);
    let far = unicast.handle(at(1), Event::Packet(to_us(2, 249)));
    assert_eq!(found(&far), ["ttl"]);
    assert_eq!(
        found(&unicast.handle(at(1), Event::Packet(to_us(2, 250)))),
        [""; 0]
    );
}

#[test]
fn another_interval_or_partly_other_addresses_are_said_and_no_reason_for_a_second_active_router() {
    let mut router = started(policy(100));
    let actions = router.handle(
        at(3_000),
        Event::Packet(packet(2, |advert| {
            advert.priority = 200;
            advert.interval = Duration::from_secs(5);
            advert.addresses.push(address(101));
        })),
    );
    assert_eq!(found(&actions), ["interval", "addresses"]);
    assert_eq!(router.deadline().map(Timestamp::as_millis), Some(18_609));
}

#[test]
fn a_fault_lets_go_at_once_and_its_end_begins_as_backup() {
    let (mut router, now) = active(Policy {
        tracks: vec![],
        ..policy(100)
    });
    let track = |ok, weight| Event::Track {
        name: "mysql".to_owned(),
        verdict: Verdict { ok, weight },
    };
    assert_eq!(router.handle(now, track(false, -30)), []);
    assert_eq!(router.priority(), 70);
    let actions = router.handle(now, track(false, 0));
    assert_eq!(actions.first(), Some(&Action::Drop));
    assert_eq!(
        (router.state(), router.reason()),
        (State::Fault, "`mysql` fails")
    );
    router.handle(now, track(true, 0));
    assert_eq!(router.state(), State::Backup);
    router.handle(now, Event::Claim);
    assert_eq!(router.state(), State::Active);
    router.handle(now, Event::Link(None));
    assert_eq!(router.state(), State::Fault);
    assert_eq!(
        router.handle(now, Event::Claim),
        [],
        "who may not serve cannot be told to"
    );
}

#[test]
fn who_did_not_run_for_long_does_not_speak_as_if_nothing_had_been() {
    let (mut router, now) = active(policy(100));
    let late = router.handle(now + Duration::from_mins(1), Event::Timer);
    assert!(late.contains(&Action::Drop), "{late:?}");
    assert_eq!(router.state(), State::Backup);
}

#[test]
fn an_address_that_another_host_answers_for_is_said_and_announced_again() {
    let (mut router, now) = active(policy(100));
    let conflict = || Event::Conflict {
        address: address(100),
        hardware: [2, 0, 0, 0, 0, 9],
    };
    let later = now + Duration::from_millis(1_500);
    let actions = router.handle(later, conflict());
    assert_eq!(found(&actions), ["in_use"]);
    assert!(actions.contains(&Action::Announce(5)));
    assert_eq!(router.handle(later, conflict()), []);
    let Action::Found(finding) = &actions[0] else {
        panic!("{actions:?}")
    };
    let said = finding.to_string();
    assert_eq!(
        said,
        "another host has 10.0.0.100 as well: 02:00:00:00:00:09"
    );
}

#[test]
fn who_hands_an_address_over_may_answer_for_it_a_little_longer() {
    let mut router = started(policy(100));
    let due = router.deadline().expect("it waits for silence");
    hears(&mut router, due, 2, 90);
    router.handle(due, Event::Timer);
    assert_eq!(router.state(), State::Active);
    let conflict = || Event::Conflict {
        address: address(100),
        hardware: [2, 0, 0, 0, 0, 9],
    };
    assert_eq!(router.handle(due, conflict()), []);
    let later = due + Duration::from_secs(1);
    assert_eq!(found(&router.handle(later, conflict())), ["in_use"]);
}

#[test]
fn an_address_that_somebody_removed_is_put_back() {
    let (mut router, now) = active(policy(100));
    let actions = router.handle(now, Event::Lost(address(100)));
    assert_eq!(actions, [Action::Take, Action::Announce(5)]);
    assert_eq!(router.handle(now, Event::Lost(address(9))), []);
}

#[test]
fn a_reload_keeps_the_addresses() {
    let (mut router, now) = active(policy(100));
    let actions = router.handle(now, Event::Reload(policy(120)));
    assert!(!actions.contains(&Action::Drop), "{actions:?}");
    assert_eq!(router.priority(), 120);
    assert_eq!(router.state(), State::Active);
}
