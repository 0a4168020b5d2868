//! What is counted of the statements that ran.

use mainstay_sql::Digest;

use crate::fake::World;

#[test]
fn statements_are_counted_by_digest_and_hostgroup() {
    let mut world = World::new();
    let client = world.login(Some("shop"));
    for value in [1, 2, 3] {
        world.query(client, &format!("SELECT a FROM t WHERE id = {value}"));
    }
    world.query(client, "INSERT INTO t VALUES (1, 'x')");
    let stats = world.core.queries(false);
    let seen: Vec<_> = stats
        .queries
        .iter()
        .map(|(key, row)| (key.hostgroup, row.text.as_str(), row.count))
        .collect();
    let expected = [
        (0, "INSERT INTO t VALUES (?,?)", 1),
        (1, "SELECT a FROM t WHERE id = ?", 3),
    ];
    assert_eq!(seen, expected);
    assert_eq!(stats.commands["SELECT"].count, 3);
    let key = stats.queries.keys().next().expect("a row");
    assert_eq!(key.digest, Digest::of_text(b"INSERT INTO t VALUES (?,?)"));
    assert_eq!((&*key.user, key.schema.as_str()), ("app", "shop"));
}

#[test]
fn prepared_statements_count_when_they_are_executed() {
    let mut world = World::new();
    let client = world.login(Some("shop"));
    world.command(client, 0x16, b"SELECT a FROM t WHERE id = ?");
    assert!(world.core.queries(false).queries.is_empty());
    let mut execute = 1_u32.to_le_bytes().to_vec();
    execute.extend_from_slice(&[0, 1, 0, 0, 0]);
    world.command(client, 0x17, &execute);
    let stats = world.core.queries(true);
    let texts: Vec<_> = stats
        .queries
        .values()
        .map(|row| (row.text.as_str(), row.count))
        .collect();
    assert_eq!(texts, [("SELECT a FROM t WHERE id = ?", 1)]);
    assert!(world.core.queries(false).queries.is_empty());
}
