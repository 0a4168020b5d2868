//! Limits of hostgroups and rules: of the server connections that their statements use at the same
//! time, and of rates.

use std::sync::Arc;
use std::time::Duration;

use mainstay_routing::hostgroups::{Hostgroup, Members, READERS, WhenEmpty};
use mainstay_routing::rules::{Actions, Rule};
use mainstay_routing::{Hostgroups, Limits};
use mainstay_session::Places;

use crate::client::Reply;
use crate::fake::World;
use crate::rules::{rule, to, world};

const SLOW: &str = "SELECT SLEEP(9)";

fn limited(id: u32, connections_max: usize) -> Arc<Hostgroups> {
    let group = Hostgroup {
        id,
        name: "limited".to_owned(),
        members: Members::Servers(vec![mainstay_topology::ServerName::new("db3")]),
        when_empty: WhenEmpty::Writer,
        limits: Limits {
            connections_max: Some(connections_max),
            ..Limits::default()
        },
    };
    Arc::new(Hostgroups::new(vec![group]))
}

fn reports(connections_max: usize, places: &Arc<Places>) -> World {
    world(vec![rule(1, "^SELECT", to(9))], |policy| {
        policy.hostgroups = limited(9, connections_max);
        policy.places = Arc::clone(places);
        policy.limit_wait = Duration::from_secs(2);
    })
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

#[test]
fn a_statement_waits_until_its_hostgroup_has_a_place_for_it() {
    let mut world = reports(1, &Arc::default());
    let [first, second, third] = [(); 3].map(|()| world.login(None));
    world.send(first, SLOW);
    world.send(second, "SELECT 2");
    world.send(third, "SELECT 3");
    world.wait(millis(500));
    assert_eq!(world.reply(second), Reply::Nothing);
    world.leave(first);
    world.wait(millis(10));
    assert_eq!(world.reply(second), Reply::rows(&["db3"]));
    assert_eq!(world.reply(third), Reply::rows(&["db3"]));
    let log = world.log("db3");
    assert_eq!(log[log.len() - 2..], ["SELECT 2", "SELECT 3"]);
    assert_eq!(world.core.queries(false).gate.delayed, 2);
}

#[test]
fn a_statement_that_finds_no_place_in_time_is_refused() {
    let mut world = reports(1, &Arc::default());
    let [first, second] = [(); 2].map(|()| world.login(None));
    world.send(first, SLOW);
    world.send(second, "SELECT 2");
    world.wait(millis(1_900));
    assert_eq!(world.reply(second), Reply::Nothing);
    world.wait(millis(200));
    let text = "User 'app' has exceeded the 'max_connections' resource (current value: 1)";
    let refused = Reply::Error(1226, "42000".to_owned(), text.to_owned());
    assert_eq!(world.reply(second), refused);
    assert!(
        world.query(second, "INSERT INTO t VALUES (1)").is_ok(),
        "of another hostgroup"
    );
}

#[test]
fn workers_count_the_places_together() {
    let places = Arc::default();
    let [mut one, mut other] = [reports(1, &places), reports(1, &places)];
    let [first, second] = [one.login(None), other.login(None)];
    one.send(first, SLOW);
    other.send(second, "SELECT 2");
    other.wait(millis(100));
    assert_eq!(other.reply(second), Reply::Nothing);
    one.leave(first);
    other.wait(millis(10));
    assert_eq!(other.reply(second), Reply::rows(&["db3"]));
}

#[test]
fn a_worker_that_ends_leaves_its_places() {
    let places = Arc::default();
    let [mut one, mut other] = [reports(1, &places), reports(1, &places)];
    let [first, second] = [one.login(None), other.login(None)];
    one.send(first, SLOW);
    drop(one);
    assert_eq!(other.query(second, "SELECT 2"), Reply::rows(&["db3"]));
}

#[test]
fn the_readers_of_the_built_in_split_can_be_limited() {
    let mut world = world(Vec::new(), |policy| {
        policy.hostgroups = limited(READERS, 1);
    });
    let [first, second] = [(); 2].map(|()| world.login(None));
    world.send(first, SLOW);
    world.send(second, "SELECT 2");
    world.wait(millis(100));
    assert_eq!(world.reply(second), Reply::Nothing);
    world.wait(millis(2_000));
    assert_eq!(world.reply(second).code(), 1226);
    assert!(world.query(second, "INSERT INTO t VALUES (1)").is_ok());
}

#[test]
fn a_rule_limits_what_it_matches_and_nothing_else() {
    let limits = Limits {
        connections_max: Some(1),
        queries_per_second: Some(2),
        ..Limits::default()
    };
    let expensive = Rule {
        limits,
        ..rule(1, "FROM big", Actions::default())
    };
    let mut world = world(vec![expensive], |policy| policy.limit_wait = Duration::ZERO);
    let client = world.login(None);
    for _ in 0..2 {
        assert!(matches!(
            world.query(client, "SELECT a FROM big"),
            Reply::Rows(_)
        ));
    }
    assert_eq!(world.query(client, "SELECT a FROM big").code(), 1226);
    for _ in 0..5 {
        assert!(matches!(
            world.query(client, "SELECT a FROM small"),
            Reply::Rows(_)
        ));
    }
    world.wait(Duration::from_secs(1));
    assert!(matches!(
        world.query(client, "SELECT a FROM big"),
        Reply::Rows(_)
    ));
}

#[test]
fn a_killed_statement_leaves_the_queue() {
    let mut world = reports(1, &Arc::default());
    let [first, second, third] = [(); 3].map(|()| world.login(None));
    world.send(first, SLOW);
    world.send(second, "SELECT 2");
    let number = world.core.sessions(world.now, 9).sessions;
    let number = number.iter().find(|one| one.state.name() == "delayed");
    let number = number.expect("it waits").number;
    assert!(world.query(third, &format!("KILL QUERY {number}")).is_ok());
    assert_eq!(world.reply(second).code(), 1317);
    world.leave(first);
    world.wait(millis(10));
    assert_eq!(world.reply(second), Reply::Nothing);
    assert_eq!(world.query(second, "SELECT 4"), Reply::rows(&["db3"]));
}
