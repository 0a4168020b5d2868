//! Laws of the machine, for random observations, answers and requests.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_failover::{
    Action, Effect, Event, History, Hooks, Manager, OperationId, Output, Policy, Request, Step,
    StepResult,
};
use mainstay_gtid::{Family as SetFamily, GtidSet};
use mainstay_topology::dialect::version;
use mainstay_topology::{
    Address, Applier, Epoch, Facts, Link, Member, Observation, Outcome, Part, Promotion, Receiver,
    Record, SemiSync, ServerName, Setup,
};
use proptest::collection::vec;
use proptest::prelude::*;

const SERVERS: u8 = 3;

#[derive(Debug, Clone)]
enum Happening {
    Seen {
        server: u8,
        kind: u8,
        last: u64,
        source: u8,
        bits: u8,
        age_ms: u64,
    },
    Answer {
        which: u8,
        kind: u8,
        last: u64,
    },
    Time {
        ms: u64,
    },
    Switchover {
        to: u8,
    },
    Failover,
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let seen = (0..SERVERS, 0..10u8, 0..4u64, 0..4u8, any::<u8>(), 0..300u64).prop_map(
        |(server, kind, last, source, bits, age_ms)| Happening::Seen {
            server,
            kind,
            last,
            source,
            bits,
            age_ms,
        },
    );
    let answer = (any::<u8>(), 0..8u8, 0..4u64).prop_map(|(which, kind, last)| Happening::Answer {
        which,
        kind,
        last,
    });
    let time = (0..3000u64).prop_map(|ms| Happening::Time { ms });
    let one = prop_oneof![
        6 => seen,
        6 => answer,
        2 => time,
        1 => (0..SERVERS).prop_map(|to| Happening::Switchover { to }),
        1 => Just(Happening::Failover),
    ];
    vec(one, 0..120)
}

fn name(server: u8) -> ServerName {
    ServerName::new(&format!("db{}", server + 1))
}

fn address(server: u8) -> Address {
    Address {
        host: name(server).as_str().to_owned(),
        port: 3306,
    }
}

fn set(last: u64) -> GtidSet {
    GtidSet::parse(SetFamily::Mariadb, &format!("0-1-{}", last + 1)).expect("a set")
}

fn facts(server: u8, last: u64, source: u8, bits: u8) -> Facts {
    let bit = |at: u8| bits >> at & 1 == 1;
    let link = (source < SERVERS && source != server).then(|| Link {
        source: address(source),
        receiver: match bits >> 4 & 3 {
            0 => Receiver::Stopped,
            1 => Receiver::Connecting,
            _ => Receiver::Running,
        },
        receiver_error: 0,
        applier: if bit(6) {
            Applier::Running
        } else {
            Applier::Stopped
        },
        received: set(last + u64::from(bit(7))),
        heard: u64::from(bits),
        lag: Some(Duration::ZERO),
    });
    Facts {
        version: version("10.11.19-MariaDB").expect("a version"),
        server_id: u32::from(server) + 1,
        server_uuid: None,
        read_only: bit(0),
        executed: set(last),
        rewinding: false,
        semi_sync: SemiSync {
            source_enabled: bit(1),
            acknowledgements: u32::from(bit(1)),
            replica_enabled: bit(2),
            ..SemiSync::default()
        },
        setup: Setup::default(),
        link,
        positions: None,
    }
}

struct Player {
    manager: Manager,
    now: Timestamp,
    running: Vec<(OperationId, usize, Step)>,
    /// Receivers stopped in the operation that runs, and whether a process was ended.
    stopped: BTreeSet<ServerName>,
    ended: bool,
    demoted: bool,
    /// When somebody was elected, no other server could receive from the old primary.
    revoked: bool,
    from: Option<ServerName>,
    epoch: Epoch,
}

impl Player {
    fn new(auto_reseed: bool, hook: bool) -> Self {
        let members: Vec<Member> = (0..SERVERS)
            .map(|server| Member {
                name: name(server),
                address: address(server),
                promotion: Promotion::Neutral,
                part: Part::default(),
            })
            .collect();
        let record = Record {
            epoch: Epoch(1),
            primary: Some(name(0)),
            joined: [name(1), name(2)].into(),
            baseline: None,
            began_at: None,
            acknowledgements: 1,
        };
        let hooks = Hooks {
            end_process: hook,
            reseed: true,
            address: true,
            disk: false,
        };
        let hooks: BTreeMap<_, _> = (0..SERVERS).map(|server| (name(server), hooks)).collect();
        let policy = Policy {
            auto_reseed,
            ..Policy::default()
        };
        Self {
            manager: Manager::new(policy, &members, record, hooks, History::default()),
            now: Timestamp::from_millis(1000),
            running: Vec::new(),
            stopped: BTreeSet::new(),
            ended: false,
            demoted: false,
            revoked: false,
            from: None,
            epoch: Epoch(1),
        }
    }

    fn happen(&mut self, what: &Happening) {
        let event = match what {
            Happening::Seen {
                server,
                kind,
                last,
                source,
                bits,
                age_ms,
            } => {
                let outcome = match kind {
                    0 => Outcome::Refused,
                    1 => Outcome::Lost,
                    2 => Outcome::Silent,
                    3 => Outcome::TooManyConnections,
                    _ => Outcome::Answered(Box::new(facts(*server, *last, *source, *bits))),
                };
                let begun = self.now.as_millis().saturating_sub(*age_ms);
                Event::Observed(Observation {
                    server: name(*server),
                    begun: Timestamp::from_millis(begun),
                    ended: self.now,
                    outcome,
                })
            }
            Happening::Answer { which, kind, last } => {
                if self.running.is_empty() {
                    return;
                }
                let at = usize::from(*which) % self.running.len();
                let (operation, step, what) = self.running.remove(at);
                let result = self.result(&what.effect, *kind, *last);
                Event::StepDone {
                    operation,
                    step,
                    result,
                }
            }
            Happening::Time { ms } => {
                self.now = self.now + Duration::from_millis(*ms);
                Event::Tick
            }
            Happening::Switchover { to } => Event::Requested(Request::Switchover {
                to: (*to < SERVERS).then(|| name(*to)),
            }),
            Happening::Failover => Event::Requested(Request::Failover),
        };
        let open = |manager: &Manager| {
            let operation = manager.operation();
            operation.map(|operation| (operation.id, operation.plan.continues))
        };
        let before = open(&self.manager);
        let actions = self.manager.handle(self.now, event);
        if let (Some((id, true)), Some((same, false))) = (before, open(&self.manager)) {
            assert_eq!(id, same);
            self.revoked = self.is_revoked();
        }
        assert!(
            self.manager.record().epoch >= self.epoch,
            "epochs only grow"
        );
        self.epoch = self.manager.record().epoch;
        for action in actions {
            self.check(action);
        }
    }

    fn result(&mut self, effect: &Effect, kind: u8, last: u64) -> StepResult {
        match kind {
            0 => StepResult::Failed("it failed".to_owned()),
            1 => StepResult::TimedOut,
            _ => match effect {
                Effect::StopReceiver { server } => {
                    self.stopped.insert(server.clone());
                    StepResult::Done(Output::Held(set(last)))
                }
                Effect::EndProcess { .. } => {
                    self.ended = true;
                    StepResult::Done(Output::Done)
                }
                Effect::Demote { .. } => {
                    self.demoted = true;
                    StepResult::Done(Output::Held(set(last)))
                }
                _ => StepResult::Done(Output::Done),
            },
        }
    }

    fn check(&mut self, action: Action) {
        match action {
            Action::Begin { .. } => {
                self.from = self.manager.record().primary.clone();
                self.stopped.clear();
                self.running.clear();
                (self.ended, self.demoted, self.revoked) = (false, false, false);
            }
            Action::Run {
                operation,
                step,
                what,
            } => {
                self.check_step(&what);
                self.running.push((operation, step, *what));
            }
            Action::Probe(_)
            | Action::Finish { .. }
            | Action::Publish(_)
            | Action::Refuse(_)
            | Action::Enter { .. } => {}
        }
    }

    /// Every server but the old primary was stopped, receives from nobody, or does not answer.
    fn is_revoked(&self) -> bool {
        let idle = |name: &ServerName| {
            let server = self.manager.topology().server(name).expect("a server");
            let facts = server.facts();
            facts.is_none_or(|facts| facts.link.is_none()) || server.answered().is_none()
        };
        let mut others = self.manager.topology().servers.keys();
        others.all(|name| {
            Some(name) == self.from.as_ref() || self.stopped.contains(name) || idle(name)
        })
    }

    /// Writes are opened only on the recorded primary, and a new one is recorded only after the
    /// old one was revoked.
    fn check_step(&self, step: &Step) {
        let record = self.manager.record();
        match &step.effect {
            Effect::OpenWrites { server } | Effect::EnableSemiSync { server, .. } => {
                assert_eq!(record.primary.as_ref(), Some(server), "before its record");
            }
            Effect::Attach {
                server,
                source,
                manner,
                ..
            } => {
                let silent = manner.acknowledges == Some(false);
                let chained = silent || record.primary.as_ref() != Some(&source.name);
                assert!(
                    chained || record.joined.contains(server),
                    "attached before recorded"
                );
            }
            Effect::Record { record: next } if next.primary != record.primary => {
                assert!(next.epoch > record.epoch, "a new primary in an old epoch");
                assert!(
                    self.ended || self.demoted || self.revoked,
                    "granted before revoked"
                );
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn handle_never_panics_and_grants_only_after_it_has_revoked(
        happenings in happenings(),
        auto_reseed in any::<bool>(),
        hook in any::<bool>(),
    ) {
        let mut player = Player::new(auto_reseed, hook);
        for happening in &happenings {
            player.happen(happening);
            let _ = player.manager.plan_failover();
            let _ = player.manager.plan_switchover(None);
            if let Some(deadline) = player.manager.deadline() {
                // A deadline that has passed must be over after one tick, or a shell would spin.
                if deadline <= player.now {
                    player.happen(&Happening::Time { ms: 0 });
                    let next = player.manager.deadline();
                    prop_assert!(next.is_none_or(|next| next > player.now));
                }
            }
        }
    }
}
