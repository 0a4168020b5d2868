//! Commands besides queries, sent packet by packet, and several statements in one.

use mainstay_e2e::{Login, PacketClient, Sandbox, server_client};
use mainstay_wire::Command;

use super::{Case, session};

pub(crate) const CASES: &[Case] = &[
    (
        "several statements in one give several results",
        multi_statements,
    ),
    ("a procedure gives several results", procedure),
    ("a reset gives a fresh session", reset_connection),
    ("a change of the user is a login", change_user),
    ("a ping is answered", ping),
];

const ACCESS_DENIED: u16 = 1045;
const NO_SUCH_TABLE: u16 = 1146;

fn connect(sandbox: &Sandbox) -> PacketClient {
    let connected = PacketClient::connect(&sandbox.proxy());
    connected.unwrap_or_else(|error| panic!("no session: {}", error.message))
}

/// The first value of each result; `NULL` also where there are no rows.
fn values(client: &mut PacketClient, sql: &str) -> Vec<String> {
    let values = client.values(sql);
    let values = values.unwrap_or_else(|error| panic!("{sql}: {} {}", error.code, error.message));
    let text = |value: Option<String>| value.unwrap_or_else(|| "NULL".to_owned());
    values.into_iter().map(text).collect()
}

fn value(client: &mut PacketClient, sql: &str) -> String {
    values(client, sql).remove(0)
}

fn multi_statements(sandbox: &Sandbox) {
    session(sandbox).execute("CREATE TABLE app.several (id INT PRIMARY KEY)");
    let mut client = connect(sandbox);
    let sql = "SELECT 'a'; INSERT INTO app.several VALUES (1); SELECT id FROM app.several";
    assert_eq!(values(&mut client, sql), ["a", "NULL", "1"]);
    // The first error ends them; what came before stays.
    let sql = "INSERT INTO app.several VALUES (2); INSERT INTO app.several VALUES (1); \
               INSERT INTO app.several VALUES (3)";
    let error = client.values(sql).expect_err("a duplicate");
    assert_eq!(error.code, 1062);
    let count = "SELECT GROUP_CONCAT(id ORDER BY id) FROM app.several FOR UPDATE";
    assert_eq!(value(&mut client, count), "1,2");
    // A transaction that is opened in the middle is known to be open.
    values(
        &mut client,
        "SELECT 1; BEGIN; INSERT INTO app.several VALUES (4)",
    );
    let count = "SELECT COUNT(*) FROM app.several";
    assert_eq!(value(&mut client, count), "3");
    values(&mut client, "ROLLBACK");

    let script = "SELECT 'x'; SELECT 'y'";
    let done = server_client(
        sandbox.family(),
        &sandbox.proxy(),
        &["--delimiter=//"],
        script,
    );
    assert_eq!(done.succeeded(), "x\ny\n");
}

fn procedure(sandbox: &Sandbox) {
    let mut client = connect(sandbox);
    values(
        &mut client,
        "CREATE PROCEDURE app.two() BEGIN SELECT 'first'; SELECT 'second'; END",
    );
    let results = values(&mut client, "CALL app.two()");
    assert_eq!(results, ["first", "second", "NULL"]);
    assert_eq!(value(&mut client, "SELECT 'afterwards'"), "afterwards");
}

fn reset_connection(sandbox: &Sandbox) {
    let mut client = connect(sandbox);
    values(&mut client, "SET @kept = 1");
    values(&mut client, "SET SESSION time_zone = '+05:00'");
    values(
        &mut client,
        "CREATE TEMPORARY TABLE app.until_reset (id INT PRIMARY KEY)",
    );
    values(&mut client, "BEGIN");
    let reset = client.command(Command::ResetConnection);
    reset.unwrap_or_else(|error| panic!("{} {}", error.code, error.message));
    assert_eq!(value(&mut client, "SELECT @kept"), "NULL");
    let zone = "SELECT @@session.time_zone = @@global.time_zone";
    assert_eq!(value(&mut client, zone), "1");
    let gone = client.values("SELECT * FROM app.until_reset FOR UPDATE");
    assert_eq!(gone.expect_err("it is gone").code, NO_SUCH_TABLE);
    assert_eq!(value(&mut client, "SELECT DATABASE()"), "app");
}

fn change_user(sandbox: &Sandbox) {
    session(sandbox).execute("CREATE DATABASE IF NOT EXISTS test_changed");
    let mut client = connect(sandbox);
    values(&mut client, "SET @kept = 1");
    values(&mut client, "BEGIN");
    let login = sandbox.proxy().with_database("test_changed");
    let changed = client.change_user(&login);
    changed.unwrap_or_else(|error| panic!("{} {}", error.code, error.message));
    let database = "SELECT DATABASE() FROM DUAL WHERE DATABASE() <> 'app'";
    assert_eq!(value(&mut client, database), "test_changed");
    assert_eq!(value(&mut client, "SELECT @kept"), "NULL");

    let wrong = Login {
        password: "wrong".to_owned(),
        ..sandbox.proxy()
    };
    let refused = connect(sandbox).change_user(&wrong);
    assert_eq!(refused.expect_err("a wrong password").code, ACCESS_DENIED);
}

fn ping(sandbox: &Sandbox) {
    let mut client = connect(sandbox);
    for _ in 0..3 {
        let pong = client.command(Command::Ping);
        pong.unwrap_or_else(|error| panic!("{} {}", error.code, error.message));
    }
}
