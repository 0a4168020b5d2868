//! What a read on a replica sees, and which replica it is.

use mainstay_session::policy::{Causal, Choice, NoReader, ReaderTraits};
use mainstay_topology::ServerName;
use mainstay_wire::Capabilities;

use crate::client::Reply;
use crate::fake::{PASSWORD, World, policy, routes};

const READ: &str = "SELECT 1";

fn causal(reads: Causal) -> World {
    let mut policy = policy();
    policy.causal.reads = reads;
    World::with(policy, routes(1, 0, Some("db1"), &["db2"]))
}

fn applied(world: &mut World, last: u64) {
    world.servers.get_mut("db2").expect("db2").applied = last;
}

fn waits(world: &World) -> usize {
    let log = world.log("db2");
    log.iter().filter(|sql| sql.contains("WAIT_FOR")).count()
}

#[test]
fn a_read_on_a_replica_waits_for_what_its_session_wrote_and_only_once() {
    let mut world = causal(Causal::Session);
    let client = world.login(None);
    assert_eq!(world.query(client, READ), Reply::rows(&["db2"]));
    assert_eq!(waits(&world), 0, "nothing was written");
    assert!(world.query(client, "INSERT INTO t VALUES (1)").is_ok());
    assert_eq!(world.query(client, READ), Reply::rows(&["db2"]));
    assert_eq!(world.query(client, READ), Reply::rows(&["db2"]));
    assert_eq!((waits(&world), world.core.stats().causal_waits), (1, 1));
}

#[test]
fn a_replica_that_is_not_there_in_time_leaves_the_read_to_the_writer() {
    let mut world = causal(Causal::Session);
    let [client, other] = [(); 2].map(|()| world.login(None));
    applied(&mut world, 0);
    world.query(client, "INSERT INTO t VALUES (1)");
    assert_eq!(world.query(client, READ), Reply::rows(&["db1"]));
    assert_eq!(world.core.stats().causal_to_writer, 1);
    assert_eq!(
        world.query(other, READ),
        Reply::rows(&["db2"]),
        "it wrote nothing"
    );
    applied(&mut world, 1);
    assert_eq!(world.query(client, READ), Reply::rows(&["db2"]));
}

#[test]
fn the_commit_of_a_transaction_is_waited_for() {
    let mut world = causal(Causal::Session);
    let client = world.login(None);
    applied(&mut world, 0);
    for sql in ["BEGIN", "INSERT INTO t VALUES (1)", "COMMIT"] {
        assert!(world.query(client, sql).is_ok());
    }
    assert_eq!(world.query(client, READ), Reply::rows(&["db1"]));
}

#[test]
fn reads_that_see_everything_wait_for_the_writes_of_others() {
    let mut world = causal(Causal::Global);
    let [writer, reader] = [(); 2].map(|()| world.login(None));
    applied(&mut world, 0);
    world.query(writer, "INSERT INTO t VALUES (1)");
    assert_eq!(world.query(reader, READ), Reply::rows(&["db1"]));
    applied(&mut world, 1);
    assert_eq!(world.query(reader, READ), Reply::rows(&["db2"]));
}

#[test]
fn a_user_may_ask_for_less_or_more_than_the_rule() {
    let mut policy = policy();
    policy.users.get_mut("app").expect("app").causal = Some(Causal::Session);
    let mut world = World::with(policy, routes(1, 0, Some("db1"), &["db2"]));
    let client = world.login(None);
    applied(&mut world, 0);
    world.query(client, "INSERT INTO t VALUES (1)");
    assert_eq!(world.query(client, READ), Reply::rows(&["db1"]));
}

#[test]
fn without_causal_reads_nothing_is_asked_of_any_server() {
    let mut world = causal(Causal::None);
    let client = world.login(None);
    applied(&mut world, 0);
    world.query(client, "INSERT INTO t VALUES (1)");
    assert_eq!(world.query(client, READ), Reply::rows(&["db2"]));
    assert_eq!(world.log("db1"), ["INSERT INTO t VALUES (1)"]);
}

#[test]
fn a_client_is_not_told_transactions_that_it_did_not_ask_for() {
    let mut world = causal(Causal::Session);
    let client = world.accept();
    let one = world.clients.get_mut(&client).expect("open");
    one.capabilities = one.capabilities | Capabilities::SESSION_TRACK;
    let hello = world.clients[&client].hello("app", PASSWORD, None);
    world.client_sends(client, &hello);
    world.reply(client);
    world.query(client, "INSERT INTO t VALUES (1)");
    let got = String::from_utf8_lossy(&world.clients[&client].everything).into_owned();
    assert!(!got.contains("uuid"));
}

fn two_readers(change: impl Fn(&mut mainstay_session::policy::Readers)) -> World {
    let mut policy = policy();
    change(&mut policy.readers);
    World::with(policy, routes(1, 0, Some("db1"), &["db2", "db3"]))
}

fn traits(weight: u32, zone: &str) -> ReaderTraits {
    ReaderTraits {
        weight,
        zone: Some(zone.to_owned()),
    }
}

fn read_by(world: &mut World) -> Vec<usize> {
    let client = world.login(None);
    for _ in 0..8 {
        world.query(client, READ);
    }
    ["db1", "db2", "db3"]
        .map(|name| world.log(name).len())
        .to_vec()
}

#[test]
fn reads_are_shared_by_weight() {
    let mut world = two_readers(|readers| {
        readers.choice = Choice::Weight;
        readers
            .servers
            .insert(ServerName::new("db3"), traits(3, "a"));
    });
    assert_eq!(read_by(&mut world), [0, 2, 6]);
}

#[test]
fn a_replica_in_the_zone_of_the_proxy_comes_first() {
    let mut world = two_readers(|readers| {
        readers.zone = Some("a".to_owned());
        readers
            .servers
            .insert(ServerName::new("db2"), traits(1, "b"));
        readers
            .servers
            .insert(ServerName::new("db3"), traits(1, "a"));
    });
    assert_eq!(read_by(&mut world), [0, 0, 8]);
    world.kill("db3");
    assert_eq!(read_by(&mut world)[1], 8);
}

#[test]
fn without_a_replica_a_read_is_refused_or_waits_if_that_is_wanted() {
    let world = |none_left| {
        let mut policy = policy();
        policy.readers.none_left = none_left;
        World::with(policy, routes(1, 0, Some("db1"), &[]))
    };
    let mut refusing = world(NoReader::Error);
    let client = refusing.login(None);
    assert_eq!(refusing.query(client, READ).code(), 1159);
    let mut waiting = world(NoReader::Wait);
    let client = waiting.login(None);
    assert_eq!(waiting.query(client, READ), Reply::Nothing);
    waiting.publish(routes(1, 1, Some("db1"), &["db2"]));
    assert_eq!(waiting.reply(client), Reply::rows(&["db2"]));
}

#[test]
fn mariadb_is_not_asked_for_transactions_where_it_tells_everything() {
    let mut world = World::of_version("10.11.6-MariaDB");
    let mut policy = policy();
    policy.causal.reads = Causal::Session;
    world.core.policy(std::sync::Arc::new(policy));
    world.publish(routes(1, 1, Some("db1"), &[]));
    let client = world.login(None);
    let computed = "SET sql_mode=CONCAT(@@sql_mode,'STRICT')";
    assert!(world.query(client, computed).is_ok());
    assert!(world.query(client, "INSERT INTO t VALUES (1)").is_ok());
    assert!(world.core.stats().ties.is_empty());
    let everything = "SET SESSION session_track_system_variables='*'";
    let log = world.log("db1");
    let asks = log
        .iter()
        .filter(|sql| sql.starts_with("SET SESSION session_track"));
    assert!(asks.clone().count() > 0 && asks.clone().all(|sql| sql.starts_with(everything)));
}

#[test]
fn a_comment_names_the_transactions_that_a_replica_must_have() {
    let mut world = causal(Causal::None);
    let client = world.login(None);
    applied(&mut world, 4);
    let asks =
        |last| format!("SELECT /* min_gtid=3e11fa47-71ca-11e1-9e33-c80aa9429562:{last} */ 1");
    assert_eq!(world.query(client, &asks(4)), Reply::rows(&["db2"]));
    assert_eq!(world.query(client, &asks(5)), Reply::rows(&["db1"]));
    assert_eq!(waits(&world), 2);
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db2"]));
}
