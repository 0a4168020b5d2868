//! What a session sets stays with it, on whatever server it runs next, and with it alone.

use mainstay_e2e::wait::wait_until;
use mainstay_e2e::{Client, Sandbox};

use super::{Case, session};

pub(crate) const CASES: &[Case] = &[
    ("settings follow a session to every server", settings_follow),
    (
        "settings do not leak into another session",
        settings_do_not_leak,
    ),
    ("user variables belong to their session", user_variables),
    ("temporary tables belong to their session", temporary_tables),
    ("a named lock is held until its session ends", named_locks),
    ("the default schema follows a session", default_schema),
];

const NO_SUCH_TABLE: u16 = 1146;
const SETTINGS: &str =
    "SELECT CONCAT_WS(' ', @@sql_mode, @@time_zone, @@character_set_client, @@lock_wait_timeout)";

/// On a replica, and on the primary.
fn settings(session: &mut Client) -> [String; 2] {
    let outside = session.value(SETTINGS);
    session.execute("BEGIN");
    let inside = session.value(SETTINGS);
    session.execute("COMMIT");
    [outside, inside]
}

fn set_all(session: &mut Client) -> String {
    session.execute("SET NAMES latin1");
    session.execute("SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION', time_zone = '+05:00'");
    session.execute("SET @@session.lock_wait_timeout = 77");
    "NO_ENGINE_SUBSTITUTION +05:00 latin1 77".to_owned()
}

fn settings_follow(sandbox: &Sandbox) {
    let (mut plain, mut special) = (session(sandbox), session(sandbox));
    let default = plain.value(SETTINGS);
    let wanted = set_all(&mut special);
    for _ in 0..20 {
        assert_eq!(settings(&mut special), [wanted.clone(), wanted.clone()]);
        assert_eq!(settings(&mut plain), [default.clone(), default.clone()]);
    }
}

fn settings_do_not_leak(sandbox: &Sandbox) {
    let default = session(sandbox).value(SETTINGS);
    for _ in 0..10 {
        let mut special = session(sandbox);
        set_all(&mut special);
        settings(&mut special);
        drop(special);
        assert_eq!(
            settings(&mut session(sandbox)),
            [default.clone(), default.clone()]
        );
    }
}

fn user_variables(sandbox: &Sandbox) {
    let (mut one, mut other) = (session(sandbox), session(sandbox));
    one.execute("SET @shared = 'one'");
    other.execute("SET @shared = 'other'");
    one.execute("CREATE TABLE app.variables (text VARCHAR(20) PRIMARY KEY)");
    for _ in 0..5 {
        assert_eq!(one.value("SELECT @shared"), "one");
        assert_eq!(other.value("SELECT @shared"), "other");
        let mut third = session(sandbox);
        assert_eq!(third.value("SELECT @shared IS NULL"), "1");
    }
    one.execute("INSERT INTO app.variables VALUES (@shared)");
    assert_eq!(
        one.column("SELECT text FROM app.variables FOR UPDATE"),
        ["one"]
    );
    one.execute("SELECT COUNT(*) INTO @counted FROM app.variables FOR UPDATE");
    assert_eq!(one.value("SELECT @counted"), "1");
}

fn temporary_tables(sandbox: &Sandbox) {
    let (mut one, mut other) = (session(sandbox), session(sandbox));
    one.execute("CREATE TEMPORARY TABLE app.passing (id INT PRIMARY KEY)");
    one.execute("INSERT INTO app.passing VALUES (1)");
    for _ in 0..5 {
        assert_eq!(one.column("SELECT id FROM app.passing"), ["1"]);
        assert_eq!(other.error_of("SELECT id FROM app.passing"), NO_SUCH_TABLE);
    }
    drop(one);
    let mut third = session(sandbox);
    assert_eq!(
        third.error_of("SELECT id FROM app.passing FOR UPDATE"),
        NO_SUCH_TABLE
    );
}

fn named_locks(sandbox: &Sandbox) {
    let (mut one, mut other) = (session(sandbox), session(sandbox));
    assert_eq!(one.value("SELECT GET_LOCK('the lock', 0)"), "1");
    one.value("SELECT 1");
    assert_eq!(other.value("SELECT GET_LOCK('the lock', 0)"), "0");
    drop(one);
    wait_until("the lock of a session that has ended", || {
        other.value("SELECT GET_LOCK('the lock', 0)") == "1"
    });
}

fn default_schema(sandbox: &Sandbox) {
    let (mut one, mut other) = (session(sandbox), session(sandbox));
    one.execute("CREATE DATABASE IF NOT EXISTS test_schema");
    one.execute("USE test_schema");
    one.execute("CREATE TABLE here (id INT PRIMARY KEY)");
    for _ in 0..5 {
        assert_eq!(one.value("SELECT DATABASE()"), "test_schema");
        assert_eq!(one.column("SELECT id FROM here FOR UPDATE"), [""; 0]);
        assert_eq!(other.value("SELECT DATABASE()"), "app");
    }
}
