//! Many routers on a network that loses, delays, cuts one way and partitions, whose hosts pause,
//! die and come back. Then the faults stop: soon exactly one router is Active, and it is the right
//! one. At every moment the addresses are held by those that are Active, and by no others.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_vrrp::packet::{GROUP_V4, TTL};
use mainstay_vrrp::{
    Action, Checksum, Envelope, Event, Packet, Policy, Preempt, Router, RouterId, State, Version,
};
use proptest::prelude::*;

/// One harm: from a moment, for a while.
#[derive(Debug, Clone)]
struct Harm {
    from_ms: u64,
    length_ms: u64,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// So many of 100 packets are lost, everywhere.
    Loss(u64),
    /// Nothing comes from one host to another.
    OneWay(usize, usize),
    /// A host is cut off, both ways.
    Cut(usize),
    /// The process is killed, its addresses with it, and started again at the end.
    Kill(usize),
    /// The host does not run for a while.
    Pause(usize),
    /// The interface is down.
    Down(usize),
}

#[derive(Debug, Clone)]
struct Life {
    version: Version,
    interval_ms: u64,
    preempt: Preempt,
    priorities: Vec<u8>,
    harms: Vec<Harm>,
    seed: u64,
}

struct Host {
    router: Router,
    holds: bool,
    /// What comes while it is paused waits.
    inbox: Vec<Packet>,
}

struct World {
    life: Life,
    hosts: Vec<Host>,
    now: Timestamp,
    under_way: BTreeMap<(Timestamp, u64), (usize, Packet)>,
    number: u64,
    chance: u64,
}

fn address(host: usize) -> IpAddr {
    IpAddr::from([10, 0, 0, host as u8 + 1])
}

fn policy(life: &Life, host: usize) -> Policy {
    let id = RouterId::new(7).expect("not zero");
    Policy {
        version: life.version,
        interval: Duration::from_millis(life.interval_ms),
        priority: life.priorities[host],
        preempt: life.preempt,
        ..Policy::new(id, vec![IpAddr::from([10, 0, 0, 100])])
    }
}

impl World {
    fn new(life: Life) -> Self {
        let hosts = (0..life.priorities.len()).map(|host| Host {
            router: Router::new(policy(&life, host)),
            holds: false,
            inbox: Vec::new(),
        });
        let mut world = Self {
            hosts: hosts.collect(),
            now: Timestamp::ZERO,
            under_way: BTreeMap::new(),
            number: 0,
            chance: life.seed | 1,
            life,
        };
        for host in 0..world.hosts.len() {
            world.start(host);
        }
        world
    }

    fn start(&mut self, host: usize) {
        self.hosts[host].router = Router::new(policy(&self.life, host));
        self.give(host, Event::Link(Some(address(host))));
        self.give(host, Event::Start);
    }

    /// xorshift64: the same seed gives the same life.
    fn below(&mut self, limit: u64) -> u64 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        self.chance % limit
    }

    fn harms(&self, wanted: impl Fn(&Kind) -> bool) -> bool {
        let now = self.now.as_millis();
        let present = |harm: &&Harm| (harm.from_ms..harm.from_ms + harm.length_ms).contains(&now);
        self.life
            .harms
            .iter()
            .filter(present)
            .any(|harm| wanted(&harm.kind))
    }

    fn frozen(&self, host: usize) -> bool {
        self.harms(|kind| matches!(kind, Kind::Pause(whose) | Kind::Kill(whose) if *whose == host))
    }

    fn lost(&mut self, from: usize, to: usize) -> bool {
        let draw = self.below(100);
        self.harms(|kind| match kind {
            Kind::Loss(percent) => draw < *percent,
            Kind::OneWay(a, b) => (*a, *b) == (from, to),
            Kind::Cut(whose) | Kind::Kill(whose) | Kind::Down(whose) => [from, to].contains(whose),
            Kind::Pause(_) => false,
        })
    }

    fn give(&mut self, host: usize, event: Event) {
        let actions = self.hosts[host].router.handle(self.now, event);
        for action in actions {
            self.act(host, &action);
        }
        let one = &self.hosts[host];
        assert_eq!(
            one.holds,
            one.router.state() == State::Active,
            "host {host}"
        );
        if one.router.state() == State::Backup {
            assert!(
                one.router.deadline().is_some(),
                "a Backup that waits for ever"
            );
        }
    }

    fn act(&mut self, host: usize, action: &Action) {
        match action {
            Action::Take => self.hosts[host].holds = true,
            Action::Drop => {
                assert!(self.hosts[host].holds, "dropped twice");
                self.hosts[host].holds = false;
            }
            Action::Send(advert) => {
                let envelope = Envelope {
                    source: address(host),
                    destination: IpAddr::V4(GROUP_V4),
                };
                let bytes = advert.encode(&envelope, Checksum::Pseudo);
                for to in (0..self.hosts.len()).filter(|to| *to != host) {
                    // A tenth of the interval at most: a working network is faster than its timers.
                    let delay = self.below(self.life.interval_ms * 100);
                    if self.lost(host, to) {
                        continue;
                    }
                    self.number += 1;
                    let key = (self.now + Duration::from_micros(delay), self.number);
                    let packet = Packet {
                        source: envelope.source,
                        destination: envelope.destination,
                        ttl: TTL,
                        bytes: bytes.clone(),
                    };
                    self.under_way.insert(key, (to, packet));
                }
            }
            Action::Announce(_) | Action::Changed { .. } | Action::Found(_) | Action::Gone(_) => {}
        }
    }

    /// What harms do at their beginning and end.
    fn turn(&mut self, harm: &Harm, begins: bool) {
        match (&harm.kind, begins) {
            (Kind::Kill(host), true) => {
                self.hosts[*host].holds = false;
                self.hosts[*host].router = Router::new(policy(&self.life, *host));
                self.hosts[*host].inbox.clear();
            }
            (Kind::Kill(host), false) => self.start(*host),
            (Kind::Down(host), true) => self.give(*host, Event::Link(None)),
            (Kind::Down(host), false) => self.give(*host, Event::Link(Some(address(*host)))),
            _ => {}
        }
    }

    fn run_until(&mut self, end: Timestamp) {
        // A step is shorter than any timer's precision that matters here.
        let step = Duration::from_micros(self.life.interval_ms * 20);
        while self.now < end {
            let before = self.now;
            self.now = self.now + step;
            for harm in self.life.harms.clone() {
                let from = Timestamp::from_millis(harm.from_ms);
                let until = Timestamp::from_millis(harm.from_ms + harm.length_ms);
                for (at, begins) in [(from, true), (until, false)] {
                    if before < at && at <= self.now {
                        self.turn(&harm, begins);
                    }
                }
            }
            while let Some((key, _)) = self.under_way.first_key_value() {
                if key.0 > self.now {
                    break;
                }
                let (_, (to, packet)) = self.under_way.pop_first().expect("it was there");
                self.hosts[to].inbox.push(packet);
            }
            for host in 0..self.hosts.len() {
                if self.frozen(host) {
                    continue;
                }
                // What has come is read before the clock is looked at, as the shell does.
                for packet in std::mem::take(&mut self.hosts[host].inbox) {
                    self.give(host, Event::Packet(packet));
                }
                if self.hosts[host]
                    .router
                    .deadline()
                    .is_some_and(|at| at <= self.now)
                {
                    self.give(host, Event::Timer);
                }
            }
        }
    }

    fn active(&self) -> Vec<usize> {
        let active = |host: &usize| self.hosts[*host].router.state() == State::Active;
        (0..self.hosts.len()).filter(active).collect()
    }
}

fn harm(hosts: usize) -> impl Strategy<Value = Harm> {
    let host = 0..hosts;
    let kind = prop_oneof![
        (10u64..90).prop_map(Kind::Loss),
        (host.clone(), host.clone()).prop_map(|(a, b)| Kind::OneWay(a, b)),
        host.clone().prop_map(Kind::Cut),
        host.clone().prop_map(Kind::Kill),
        host.clone().prop_map(Kind::Pause),
        host.prop_map(Kind::Down),
    ];
    (1u64..40, 1u64..20, kind).prop_map(|(from, length, kind)| Harm {
        from_ms: from,
        length_ms: length,
        kind,
    })
}

fn life() -> impl Strategy<Value = Life> {
    let preempt = prop_oneof![
        Just(Preempt::Always),
        Just(Preempt::Never),
        Just(Preempt::After(Duration::from_secs(2))),
    ];
    let priorities = prop::collection::vec(1u8..=254, 2..5);
    (any::<bool>(), preempt, priorities, any::<u64>()).prop_flat_map(
        |(three, preempt, priorities, seed)| {
            let version = if three { Version::V3 } else { Version::V2 };
            let interval_ms = if three { 10 + seed % 9 * 10 } else { 1_000 };
            let harms = prop::collection::vec(harm(priorities.len()), 0..8);
            harms.prop_map(move |mut harms| {
                // Their lengths are in intervals.
                for harm in &mut harms {
                    harm.from_ms *= interval_ms;
                    harm.length_ms *= interval_ms;
                }
                let priorities = priorities.clone();
                Life {
                    version,
                    interval_ms,
                    preempt,
                    priorities,
                    harms,
                    seed,
                }
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn when_the_network_works_there_is_one_active_router_and_it_is_the_best(life in life()) {
        let mut world = World::new(life.clone());
        let intervals = |count| Timestamp::from_millis(life.interval_ms * count);
        world.run_until(intervals(64));
        let delay = match life.preempt {
            Preempt::After(delay) => delay,
            Preempt::Always | Preempt::Never => Duration::ZERO,
        };
        // Three intervals and the skew, twice over, and what preemption adds.
        world.run_until(intervals(80) + delay);
        let active = world.active();
        prop_assert_eq!(active.len(), 1, "at {}", world.now);
        if life.preempt != Preempt::Never {
            let best = (0..life.priorities.len()).map(|host| (life.priorities[host], host)).max();
            let (priority, _) = best.expect("there are hosts");
            // Of equal ones the first stays, as RFC 9568 §6.4.2 has it.
            prop_assert_eq!(life.priorities[active[0]], priority);
        }
        // And it stays so.
        world.run_until(intervals(120) + delay);
        prop_assert_eq!(world.active(), active);
    }
}
