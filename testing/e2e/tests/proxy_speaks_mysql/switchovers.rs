//! What a session has keeps working when the primary moves.

use std::sync::mpsc;
use std::thread;

use mainstay_e2e::{Sandbox, SqlValue};

use super::{Case, primary_id, session};

pub(crate) const CASES: &[Case] = &[
    (
        "a prepared statement works before and after a switchover",
        prepared,
    ),
    ("settings of a session survive a switchover", settings),
    (
        "a write that is held during a switchover gets its OK",
        held_write,
    ),
];

fn switch_over(sandbox: &Sandbox) {
    sandbox.run(&["switchover"]).succeeded();
}

fn prepared(sandbox: &Sandbox) {
    let mut session = session(sandbox);
    session.execute("CREATE TABLE app.moved (id INT PRIMARY KEY)");
    let insert = session.prepare("INSERT INTO app.moved VALUES (?)");
    let read = session.prepare("SELECT @@server_id FROM app.moved WHERE id = ? FOR UPDATE");
    for id in [1_i64, 2] {
        session.run(&insert, &[SqlValue::from(id)]);
        let at = session.run(&read, &[SqlValue::from(id)]);
        assert_eq!(at.scalar(), Some(primary_id(sandbox).as_str()));
        if id == 1 {
            switch_over(sandbox);
        }
    }
    sandbox.wait_until_whole();
}

fn settings(sandbox: &Sandbox) {
    let mut session = session(sandbox);
    session.execute("CREATE DATABASE IF NOT EXISTS test_moved");
    session.execute("USE test_moved");
    session.execute("SET SESSION time_zone = '+03:00'");
    session.execute("SET NAMES latin1");
    switch_over(sandbox);
    session.execute("BEGIN");
    let all = "SELECT CONCAT_WS(' ', DATABASE(), @@time_zone, @@character_set_client)";
    assert_eq!(session.value(all), "test_moved +03:00 latin1");
    session.execute("COMMIT");
    sandbox.wait_until_whole();
}

/// An open transaction keeps the switchover waiting, and so the write of the other session.
fn held_write(sandbox: &Sandbox) {
    let (mut open, mut other) = (session(sandbox), session(sandbox));
    open.execute("CREATE TABLE app.held (id INT PRIMARY KEY)");
    open.execute("BEGIN");
    open.execute("INSERT INTO app.held VALUES (1)");
    let (tell, begun) = mpsc::channel();
    thread::scope(|scope| {
        let writer = scope.spawn(move || {
            begun.recv().expect("the hold begins");
            other.try_execute("INSERT INTO app.held VALUES (2)")
        });
        let moving = scope.spawn(|| sandbox.run(&["switchover"]));
        let held = sandbox.wait("held writes", |status| status.0["writes_held"] == true);
        tell.send(()).expect("the writer waits");
        assert!(!held.0["operation"].is_null(), "{held}");
        open.execute("COMMIT");
        let written = writer.join().expect("a writer does not panic");
        written.expect("a held write gets its OK");
        moving.join().expect("it was run").succeeded();
    });
    let ids = "SELECT id FROM app.held ORDER BY id FOR UPDATE";
    assert_eq!(session(sandbox).column(ids), ["1", "2"]);
    sandbox.wait_until_whole();
}
