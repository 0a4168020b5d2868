//! What is counted besides statements: by hostgroup and server, by user, and plainly.

use mainstay_session::Count;
use mainstay_topology::ServerName;

use crate::fake::World;

#[test]
fn each_hostgroup_is_charged_with_what_its_statements_cost() {
    let mut world = World::new();
    let client = world.login(Some("shop"));
    for _ in 0..3 {
        world.query(client, "SELECT a FROM t");
    }
    world.query(client, "INSERT INTO t VALUES (1, 'x')");
    let stats = world.core.stats();
    let group = |id, name: &str| stats.tally.groups[&(id, ServerName::new(name))];
    let (writer, reader) = (group(0, "db1"), group(1, "db2"));
    assert_eq!((writer.statements, reader.statements), (1, 3));
    assert!(writer.member && reader.member);
    assert!(reader.received > reader.sent && writer.sent > 0);
    let server = stats.servers[&ServerName::new("db2")];
    assert_eq!((server.opened, server.failed, server.idle), (1, 0, 1));
}

#[test]
fn commands_of_clients_and_to_servers_are_counted() {
    let mut world = World::new();
    let client = world.login(Some("shop"));
    for sql in [
        "SET NAMES utf8mb4",
        "SET autocommit = 0",
        "COMMIT",
        "ROLLBACK",
    ] {
        world.query(client, sql);
    }
    world.command(client, 0x02, b"shop");
    let stats = world.core.stats();
    let counted = [
        Count::Questions,
        Count::ClientSetNames,
        Count::SetAutocommit,
        Count::Commit,
        Count::Rollback,
        Count::ClientInitDb,
    ]
    .map(|count| stats.tally.counts[count]);
    assert_eq!(counted, [4, 1, 1, 1, 1, 1]);
    assert!(stats.tally.counts[Count::BytesFromClients] > 0);
    assert!(stats.tally.counts[Count::PoolGiven] >= stats.tally.counts[Count::PoolAtOnce]);
}

#[test]
fn users_and_those_who_left_too_early_are_counted() {
    let mut world = World::new();
    let one = world.login(None);
    let _other = world.login(None);
    let early = world.accept();
    world.leave(early);
    let stats = world.core.stats();
    assert_eq!(stats.tally.users["app"], 2);
    assert_eq!(stats.tally.counts[Count::ClientsAborted], 1);
    world.leave(one);
    let stats = world.core.stats();
    assert_eq!(stats.tally.users["app"], 1);
    assert_eq!(stats.tally.counts[Count::ClientsAborted], 1);
}
