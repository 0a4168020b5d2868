//! The machine's promises, by example.

use std::time::Duration;

use mainstay_health::{Probe, Timing};

use super::*;
use crate::{Forwarding, Protocol, Quorum, Scheduler};

const SORRY: ([u8; 4], u16) = ([10, 0, 0, 99], 3306);

fn real(last: u8, weight: u32) -> RealServer {
    let address = SocketAddr::from(([10, 0, 0, last], 3306));
    RealServer {
        address,
        weight,
        inhibit_on_failure: false,
        probe: Some(Probe::Tcp { address }),
        timing: Timing {
            fall: 2,
            rise: 1,
            ..Timing::default()
        },
        on_up: None,
        on_down: None,
    }
}

fn service(real_servers: Vec<RealServer>) -> VirtualServer {
    VirtualServer {
        name: "mysql".to_owned(),
        address: ([10, 0, 0, 100], 3306).into(),
        protocol: Protocol::Tcp,
        scheduler: Scheduler::RoundRobin,
        forwarding: Forwarding::Nat { masquerade: false },
        persistence: None,
        quorum: Quorum::default(),
        sorry_server: Some(SORRY.into()),
        real_servers,
        on_quorum_up: None,
        on_quorum_down: None,
    }
}

struct Run {
    machine: Balancer,
    now: Timestamp,
}

impl Run {
    fn new(server: VirtualServer) -> Self {
        let now = Timestamp::from_millis(1);
        let machine = Balancer::new(vec![server], now);
        Self { machine, now }
    }

    fn answer(&mut self, real_server: usize, passed: bool) -> Vec<Action> {
        self.weigh(real_server, passed, None)
    }

    fn weigh(&mut self, real_server: usize, passed: bool, weight: Option<u32>) -> Vec<Action> {
        let id = RealId {
            virtual_server: 0,
            real_server,
        };
        let answer = Answer { passed, weight };
        self.now = self.now + Duration::from_secs(1);
        self.machine
            .handle(self.now, Event::Answered { id, answer })
    }

    /// Who serves, by the last number of the address, with the weight.
    fn serving(&self) -> Vec<(u8, u32)> {
        let table = self.machine.applied().expect("a table is in force");
        let destinations = table.entries[0].destinations.iter();
        destinations
            .map(|one| match one.address.ip() {
                std::net::IpAddr::V4(ip) => (ip.octets()[3], one.weight),
                std::net::IpAddr::V6(ip) => panic!("{ip} is not of this test"),
            })
            .collect()
    }
}

fn told(actions: &[Action]) -> Vec<Change> {
    let told = actions.iter().filter_map(|action| match action {
        Action::Tell(change) => Some(*change),
        Action::Probe(_) | Action::Apply(_) => None,
    });
    told.collect()
}

#[test]
fn nothing_is_in_force_before_everybody_was_looked_at() {
    let mut run = Run::new(service(vec![real(1, 1), real(2, 1)]));
    let begun = run.machine.handle(run.now, Event::Tick);
    assert_eq!(begun.len(), 2, "two probes and nothing else: {begun:?}");
    assert!(
        run.machine.handle(run.now, Event::Tick).is_empty(),
        "they are under way"
    );
    run.answer(0, true);
    assert_eq!(run.machine.applied(), None);
    run.answer(1, false);
    assert_eq!(run.serving(), [(1, 1)]);
}

#[test]
fn a_failure_in_doubt_changes_nothing_and_a_confirmed_one_takes_it_out() {
    let mut run = Run::new(service(vec![real(1, 1), real(2, 1)]));
    run.answer(0, true);
    run.answer(1, true);
    let doubt = run.answer(1, false);
    assert!(
        !doubt
            .iter()
            .any(|action| matches!(action, Action::Apply(_)))
    );
    let down = run.answer(1, false);
    let id = RealId {
        virtual_server: 0,
        real_server: 1,
    };
    assert_eq!(told(&down), [Change::Down(id)]);
    assert_eq!(run.serving(), [(1, 1)]);
    let entry = &run.machine.applied().expect("in force").entries[0];
    assert_eq!(entry.dead, [SocketAddr::from(([10, 0, 0, 2], 3306))]);
    run.answer(1, true);
    assert_eq!(run.serving(), [(1, 1), (2, 1)]);
}

#[test]
fn the_sorry_server_serves_alone_while_the_quorum_is_lost() {
    let mut server = service(vec![real(1, 2), real(2, 2)]);
    server.quorum = Quorum {
        weight: 3,
        hysteresis: 1,
    };
    let mut run = Run::new(server);
    run.answer(0, true);
    assert_eq!(told(&run.answer(1, true))[1], Change::QuorumUp(0));
    run.answer(1, false);
    let tolerated = run.answer(1, false);
    assert_eq!(
        told(&tolerated).len(),
        1,
        "a weight of 2 is tolerated: {tolerated:?}"
    );
    assert_eq!(run.serving(), [(1, 2)]);
    run.answer(0, false);
    assert!(told(&run.answer(0, false)).contains(&Change::QuorumDown(0)));
    assert_eq!(run.serving(), [(99, 1)]);
    run.answer(0, true);
    assert_eq!(run.serving(), [(99, 1)], "a weight of 2 is not 3 + 1");
    run.answer(1, true);
    assert_eq!(run.serving(), [(1, 2), (2, 2)]);
}

#[test]
fn an_inhibited_real_server_keeps_its_connections() {
    let kept = RealServer {
        inhibit_on_failure: true,
        ..real(1, 5)
    };
    let mut run = Run::new(service(vec![kept, real(2, 1)]));
    run.answer(0, false);
    run.answer(1, true);
    assert_eq!(run.serving(), [(1, 0), (2, 1)]);
    assert!(
        run.machine.applied().expect("in force").entries[0]
            .dead
            .is_empty()
    );
}

#[test]
fn a_script_sets_the_weight() {
    let mut run = Run::new(service(vec![real(1, 1)]));
    run.weigh(0, true, Some(7));
    assert_eq!(run.serving(), [(1, 7)]);
    run.answer(0, true);
    assert_eq!(run.serving(), [(1, 1)]);
}

#[test]
fn the_deadline_is_that_of_the_next_probe() {
    let mut run = Run::new(service(vec![real(1, 1)]));
    assert_eq!(run.machine.deadline(), Some(run.now));
    run.machine.handle(run.now, Event::Tick);
    assert_eq!(run.machine.deadline(), None, "it is under way");
    run.answer(0, true);
    assert_eq!(
        run.machine.deadline(),
        Some(run.now + Duration::from_secs(2))
    );
}

#[test]
fn what_is_not_probed_counts_as_healthy() {
    let unprobed = RealServer {
        probe: None,
        ..real(1, 1)
    };
    let mut run = Run::new(service(vec![unprobed]));
    run.machine.handle(run.now, Event::Tick);
    assert_eq!(run.serving(), [(1, 1)]);
    assert_eq!(run.machine.deadline(), None);
}
