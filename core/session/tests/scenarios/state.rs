//! What a session has set up, wherever its statements run, and when it needs its connection no
//! longer.

use mainstay_session::TieReason;
use mainstay_wire::Capabilities;

use crate::client::Reply;
use crate::fake::{PASSWORD, World, policy, routes};

fn single(connections_max: usize) -> World {
    let mut policy = policy();
    policy.pool.server_connections_max = connections_max;
    World::with(policy, routes(1, 0, Some("db1"), &[]))
}

/// True when another session can use the only connection: the first is not tied.
fn is_free(world: &mut World, other: u32) -> bool {
    let reply = world.query(other, "INSERT INTO t VALUES (1)");
    reply.is_ok()
}

#[test]
fn a_mode_that_the_server_computed_is_learned_from_it_and_does_not_tie() {
    let mut world = single(1);
    let [first, second] = [(); 2].map(|()| world.login(None));
    world.query(first, "SET sql_mode='ANSI'");
    let computed = "SET sql_mode=CONCAT(@@sql_mode,',STRICT')";
    assert!(world.query(first, computed).is_ok());
    assert_eq!(world.query(second, "SELECT @@sql_mode"), Reply::rows(&[""]));
    let mode = Reply::rows(&["'ANSI,STRICT'"]);
    assert_eq!(world.query(first, "SELECT @@sql_mode"), mode);
    assert!(world.core.stats().ties.is_empty());
}

#[test]
fn what_the_server_tells_reaches_only_a_client_that_asked_for_it() {
    let computed = "SET sql_mode=CONCAT(@@sql_mode,'STRICT')";
    for tracks in [false, true] {
        let mut world = single(1);
        let client = world.accept();
        let one = world.clients.get_mut(&client).expect("open");
        if tracks {
            one.capabilities = one.capabilities | Capabilities::SESSION_TRACK;
        }
        let hello = world.clients[&client].hello("app", PASSWORD, None);
        world.client_sends(client, &hello);
        world.reply(client);
        assert!(world.query(client, computed).is_ok());
        let got = String::from_utf8_lossy(&world.clients[&client].everything).into_owned();
        assert!(!got.contains("sql_mode"), "tracks: {tracks}");
        world.query(client, "SET time_zone=CONCAT(@@time_zone,'UTC')");
        let got = String::from_utf8_lossy(&world.clients[&client].everything).into_owned();
        assert_eq!(got.contains("time_zone"), tracks);
    }
}

#[test]
fn a_session_that_asks_what_is_tracked_sees_the_servers_own_setting() {
    let mut world = single(1);
    let client = world.login(None);
    world.query(client, "SET sql_mode=CONCAT(@@sql_mode,'STRICT')");
    let setting = world.query(client, "SELECT @@session_track_system_variables");
    assert_eq!(setting, Reply::rows(&[""]));
}

#[test]
fn a_user_variable_with_a_literal_value_follows_its_session() {
    let mut world = single(1);
    let [first, second] = [(); 2].map(|()| world.login(None));
    assert!(world.query(first, "SET @a=5, @b='x'").is_ok());
    assert_eq!(world.query(second, "SELECT @a"), Reply::rows(&[""]));
    assert_eq!(world.query(first, "SELECT @a"), Reply::rows(&["5"]));
    assert_eq!(world.query(first, "SELECT @b"), Reply::rows(&["'x'"]));
    assert!(world.core.stats().ties.is_empty());
}

#[test]
fn texts_in_user_variables_tie_once_the_character_set_changes() {
    let mut world = single(1);
    let client = world.login(None);
    world.query(client, "SET @a='x'");
    assert!(world.core.stats().ties.is_empty());
    world.query(client, "SET NAMES latin1");
    assert_eq!(world.core.stats().ties[&TieReason::UserVariable], 1);
}

#[test]
fn a_lock_given_back_frees_the_connection() {
    let mut world = single(1);
    let [first, second] = [(); 2].map(|()| world.login(None));
    world.query(first, "SELECT GET_LOCK('a', 1)");
    world.query(first, "SELECT GET_LOCK('A', 1)");
    world.query(first, "SELECT RELEASE_LOCK('a')");
    assert!(!is_free(&mut world, second), "it is held once more");
    world.query(first, "SELECT RELEASE_LOCK('a')");
    assert!(world.reply(second).is_ok());
}

#[test]
fn the_last_temporary_table_dropped_frees_the_connection() {
    let mut world = single(1);
    let [first, second] = [(); 2].map(|()| world.login(None));
    world.query(first, "CREATE TEMPORARY TABLE a");
    world.query(first, "CREATE TEMPORARY TABLE b");
    world.query(first, "DROP TEMPORARY TABLE IF EXISTS a");
    assert!(!is_free(&mut world, second), "another one is left");
    world.query(first, "DROP TEMPORARY TABLE IF EXISTS b");
    assert!(world.reply(second).is_ok());
    assert!(!world.log("db1").contains(&"RESET"));
}

#[test]
fn a_statement_made_in_sql_and_given_back_frees_the_connection() {
    let mut world = single(1);
    let [first, second] = [(); 2].map(|()| world.login(None));
    world.query(first, "PREPARE p FROM 'SELECT @a'");
    world.query(first, "EXECUTE p");
    assert!(!is_free(&mut world, second), "it may be executed again");
    world.query(first, "DEALLOCATE PREPARE p");
    assert!(world.reply(second).is_ok());
}

#[test]
fn what_a_statement_made_in_sql_leaves_behind_ties_beyond_its_end() {
    let mut world = single(1);
    let [first, second] = [(); 2].map(|()| world.login(None));
    world.query(first, "PREPARE p FROM 'CREATE TEMPORARY TABLE a'");
    world.query(first, "EXECUTE p");
    world.query(first, "DEALLOCATE PREPARE p");
    assert!(!is_free(&mut world, second));
    let left = world.query(first, "SELECT x FROM a");
    assert_eq!(left, Reply::rows(&["temporary"]));
}

#[test]
fn a_procedure_that_leaves_a_temporary_table_ties_and_its_variables_are_learned() {
    let mut world = single(2);
    let [first, second] = [(); 2].map(|()| world.login(None));
    assert!(world.query(first, "CALL p()").is_ok());
    assert_eq!(world.core.stats().ties[&TieReason::Procedure], 1);
    assert_eq!(world.query(second, "SELECT x FROM made").code(), 1146);
    let left = world.query(first, "SELECT x FROM made");
    assert_eq!(left, Reply::rows(&["temporary"]));
}

/// What the server is asked for when a second session gets the cleaned connection of a first.
fn after_a_reset(version: &'static str, charset: u8, capabilities: Capabilities) -> Vec<String> {
    let mut world = World::of_version(version);
    world.publish(routes(1, 1, Some("db1"), &[]));
    let [first, second] = [(); 2].map(|()| {
        let id = world.accept();
        let client = world.clients.get_mut(&id).expect("open");
        client.charset = charset;
        client.capabilities = client.capabilities | capabilities;
        let hello = client.hello("app", PASSWORD, None);
        world.client_sends(id, &hello);
        assert!(world.reply(id).is_ok());
        id
    });
    world.query(first, "CREATE TEMPORARY TABLE t (id INT)");
    world.leave(first);
    for _ in 0..2 {
        assert_eq!(world.query(second, "SELECT 1"), Reply::rows(&["db1"]));
    }
    assert_eq!(world.connections.len(), 1);
    let log = world.log("db1").into_iter().map(str::to_owned);
    log.filter(|one| one.starts_with("SET ")).collect()
}

#[test]
fn a_reset_of_mysql_does_not_lose_the_collation_of_the_login() {
    let set = "SET character_set_client=8, character_set_results=8, collation_connection=8";
    assert_eq!(after_a_reset("9.7.4", 8, Capabilities::NONE), [set]);
}

#[test]
fn a_collation_that_is_the_servers_own_needs_no_statement() {
    assert!(after_a_reset("9.7.4", 45, Capabilities::NONE).is_empty());
}

#[test]
fn a_reset_of_mariadb_does_not_lose_what_the_login_asked_for_by_its_flags() {
    let flags = Capabilities::IGNORE_SPACE | Capabilities::INTERACTIVE;
    let set = "SET sql_mode=CONCAT(@@sql_mode,',IGNORE_SPACE'), wait_timeout=@@interactive_timeout";
    assert_eq!(after_a_reset("10.11.6-MariaDB", 8, flags), [set]);
}

#[test]
fn a_reset_that_the_client_asks_for_takes_what_it_takes_on_its_server() {
    let modes = "SET sql_mode=CONCAT(@@sql_mode,',IGNORE_SPACE')";
    for (version, sets) in [("9.7.4", &[modes][..]), ("10.11.6-MariaDB", &[])] {
        let mut world = World::of_version(version);
        world.publish(routes(1, 1, Some("db1"), &[]));
        let id = world.accept();
        let client = world.clients.get_mut(&id).expect("open");
        client.charset = 8;
        client.capabilities = client.capabilities | Capabilities::IGNORE_SPACE;
        let hello = client.hello("app", PASSWORD, None);
        world.client_sends(id, &hello);
        assert!(world.reply(id).is_ok());
        assert_eq!(world.query(id, "SELECT 1"), Reply::rows(&["db1"]));
        assert!(world.command(id, 0x1f, &[]).is_ok());
        world.query(id, "CREATE TEMPORARY TABLE t (id INT)");
        assert!(world.command(id, 0x1f, &[]).is_ok());
        assert_eq!(world.query(id, "SELECT 1"), Reply::rows(&["db1"]));
        let mut log = world.log("db1");
        log.retain(|one| one.starts_with("SET "));
        assert_eq!(log, sets, "{version}");
    }
}

#[test]
fn the_schema_is_named_again_after_a_reset_that_took_its_character_set() {
    let mut world = single(1);
    let [first, second] = [(); 2].map(|()| world.login(Some("shop")));
    world.query(first, "CREATE TEMPORARY TABLE t (id INT)");
    world.leave(first);
    assert_eq!(
        world.query(second, "SELECT DATABASE()"),
        Reply::rows(&["shop"])
    );
    assert_eq!(world.connections.len(), 1);
    let connection = world.connections.values().next().expect("one");
    assert!(!connection.schema_is_stale);
}

#[test]
fn who_is_in_a_schema_that_is_gone_stays_in_it() {
    let mut world = single(1);
    let [first, second] = [(); 2].map(|()| world.login(Some("shop")));
    world.query(first, "CREATE TEMPORARY TABLE t (id INT)");
    world.leave(first);
    world.servers.get_mut("db1").expect("db1").lacks = Some("shop".to_owned());
    assert_eq!(world.query(second, "SELECT 1"), Reply::rows(&["db1"]));
    assert_eq!(world.command(second, 0x02, b"shop").code(), 1049);
}
