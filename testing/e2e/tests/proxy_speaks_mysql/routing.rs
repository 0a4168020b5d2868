//! Which server runs a statement, proved by its `server_id`.

use mainstay_e2e::wait::wait_until;
use mainstay_e2e::{Client, Sandbox, SqlValue};

use super::{Case, primary_id, session};

pub(crate) const CASES: &[Case] = &[
    ("reads run on replicas", reads),
    (
        "a transaction runs on the primary from its start",
        transactions,
    ),
    ("a locking read runs on the primary", locking_reads),
    (
        "without autocommit everything runs on the primary",
        no_autocommit,
    ),
    ("prepared statements are routed as text is", prepared),
    ("the number of an insert is told afterwards", last_insert_id),
    (
        "a table in the making is not looked for on replicas",
        read_own_table,
    ),
];

fn server(session: &mut Client) -> String {
    session.value("SELECT @@server_id")
}

fn reads(sandbox: &Sandbox) {
    let (mut session, primary) = (session(sandbox), primary_id(sandbox));
    for _ in 0..10 {
        assert_ne!(server(&mut session), primary);
    }
    let quoted = "/* a comment */ SELECT @@server_id, 'FOR UPDATE' AS `update`";
    assert_ne!(session.value(quoted), primary);
    session.execute("CREATE TABLE app.reads (id INT PRIMARY KEY)");
    session.execute("INSERT INTO app.reads VALUES (1)");
    assert_ne!(server(&mut session), primary);
}

fn transactions(sandbox: &Sandbox) {
    let (mut session, primary) = (session(sandbox), primary_id(sandbox));
    for begin in ["BEGIN", "START TRANSACTION", "START TRANSACTION READ ONLY"] {
        session.execute(begin);
        assert_eq!(server(&mut session), primary, "after {begin}");
        session.execute("COMMIT");
        assert_ne!(server(&mut session), primary, "after the end of {begin}");
    }
    session.execute("CREATE TABLE app.undone (id INT PRIMARY KEY)");
    session.execute("BEGIN");
    session.execute("INSERT INTO app.undone VALUES (1)");
    assert_eq!(session.value("SELECT COUNT(*) FROM app.undone"), "1");
    session.execute("ROLLBACK");
    assert_eq!(
        session.value("SELECT COUNT(*) FROM app.undone FOR UPDATE"),
        "0"
    );
    // A session that ends in the middle takes its transaction with it.
    session.execute("BEGIN");
    session.execute("INSERT INTO app.undone VALUES (2)");
    drop(session);
    let mut other = super::session(sandbox);
    let count = "SELECT COUNT(*) FROM app.undone FOR UPDATE";
    wait_until("the end of the transaction", || other.value(count) == "0");
}

fn locking_reads(sandbox: &Sandbox) {
    let (mut session, primary) = (session(sandbox), primary_id(sandbox));
    session.execute("CREATE TABLE app.locked (id INT PRIMARY KEY)");
    session.execute("INSERT INTO app.locked VALUES (1)");
    for lock in ["FOR UPDATE", "for/**/update", "LOCK IN SHARE MODE"] {
        let sql = format!("SELECT @@server_id FROM app.locked {lock}");
        assert_eq!(session.value(&sql), primary, "{lock}");
    }
}

fn no_autocommit(sandbox: &Sandbox) {
    let (mut session, primary) = (session(sandbox), primary_id(sandbox));
    session.execute("CREATE TABLE app.manual (id INT PRIMARY KEY)");
    session.execute("SET autocommit = 0");
    assert_eq!(server(&mut session), primary);
    session.execute("INSERT INTO app.manual VALUES (1)");
    session.execute("ROLLBACK");
    assert_eq!(server(&mut session), primary);
    session.execute("INSERT INTO app.manual VALUES (2)");
    // Turning it on again commits.
    session.execute("SET autocommit = 1");
    assert_ne!(server(&mut session), primary);
    let ids = session.column("SELECT id FROM app.manual FOR UPDATE");
    assert_eq!(ids, ["2"]);
}

fn prepared(sandbox: &Sandbox) {
    let (mut session, primary) = (session(sandbox), primary_id(sandbox));
    session.execute("CREATE TABLE app.prepared (id INT PRIMARY KEY, text VARCHAR(20))");
    let write = session.prepare("INSERT INTO app.prepared VALUES (?, ?)");
    let read = session.prepare("SELECT @@server_id");
    let lock =
        session.prepare("SELECT id, text, @@server_id FROM app.prepared WHERE id = ? FOR UPDATE");
    for id in 1..4_i64 {
        let text = if id == 2 {
            SqlValue::Null
        } else {
            SqlValue::from("text")
        };
        session.run(&write, &[SqlValue::from(id), text]);
        let elsewhere = session.run(&read, &[]);
        assert_ne!(elsewhere.scalar(), Some(primary.as_str()));
        let row = session.run(&lock, &[SqlValue::from(id)]);
        let row = row.first().expect("the row just written");
        assert_eq!(row.get_index(0), Some(id.to_string().as_str()));
        assert_eq!(row.get_index(1), (id != 2).then_some("text"));
        assert_eq!(row.get_index(2), Some(primary.as_str()));
    }
    session.execute("BEGIN");
    let inside = session.run(&read, &[]);
    assert_eq!(inside.scalar(), Some(primary.as_str()));
    session.execute("COMMIT");
}

fn last_insert_id(sandbox: &Sandbox) {
    let mut session = session(sandbox);
    session.execute("CREATE TABLE app.numbered (id INT AUTO_INCREMENT PRIMARY KEY, n INT)");
    for n in 1..5_u64 {
        let ok = session.execute(&format!("INSERT INTO app.numbered (n) VALUES ({n})"));
        assert_eq!((ok.affected_rows, ok.last_insert_id), (1, n));
        // Another session's inserts are not in the way.
        let other = super::session(sandbox).execute("UPDATE app.numbered SET n = n + 0");
        assert_eq!(other.last_insert_id, 0);
        assert_eq!(session.value("SELECT LAST_INSERT_ID()"), n.to_string());
    }
}

/// Data definition waits for no replica, but a session finds at once what it made, if it asks
/// where it made it.
fn read_own_table(sandbox: &Sandbox) {
    let mut session = session(sandbox);
    for number in 0..10 {
        session.execute("BEGIN");
        session.execute(&format!(
            "CREATE TABLE app.made_{number} (id INT PRIMARY KEY)"
        ));
        session.execute("BEGIN");
        assert_eq!(
            session.column(&format!("SELECT id FROM app.made_{number}")),
            [""; 0]
        );
        session.execute("COMMIT");
    }
}
