//! What holds for any input.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::client::{Client, Reply};
use crate::fake::{PASSWORD, World, routes};

/// A session with a bit of everything; gives all that the client received.
fn conversation(cut: usize) -> (Vec<u8>, Vec<String>) {
    let mut world = World::new();
    world.cut = cut;
    let client = world.login(Some("shop"));
    for sql in [
        "SELECT 1",
        "SET sql_mode=''",
        "BEGIN",
        "INSERT INTO t VALUES (1)",
        "COMMIT",
        "SELECT LAST_INSERT_ID()",
    ] {
        let reply = world.query(client, sql);
        assert!(
            !matches!(reply, Reply::Nothing | Reply::Error(..)),
            "{sql}: {reply:?}"
        );
    }
    assert_eq!(world.command(client, 0x16, b"SELECT 5"), Reply::Prepared(1));
    let execution = [1, 0, 0, 0, 0, 1, 0, 0, 0];
    assert!(matches!(
        world.command(client, 0x17, &execution),
        Reply::Rows(_)
    ));
    world.publish(routes(2, 0, Some("db3"), &[]));
    assert!(matches!(
        world.command(client, 0x17, &execution),
        Reply::Rows(_)
    ));
    let logs = ["db1", "db2", "db3"].map(|name| world.log(name).join("; "));
    (world.clients[&client].everything.clone(), logs.to_vec())
}

#[test]
fn every_cut_of_the_input_gives_the_same_output() {
    let whole = conversation(usize::MAX);
    for cut in 1..40 {
        assert_eq!(conversation(cut), whole, "pieces of {cut} bytes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn garbage_before_the_login_harms_nobody(bytes in vec(any::<u8>(), 1..300)) {
        let mut world = World::new();
        let other = world.login(None);
        let client = world.accept();
        world.client_sends(client, &bytes);
        prop_assert_eq!(world.query(other, "SELECT 1"), Reply::rows(&["db2"]));
    }

    #[test]
    fn garbage_after_the_login_harms_nobody(
        byte in any::<u8>(),
        bytes in vec(any::<u8>(), 0..80),
        tail in vec(any::<u8>(), 0..40),
    ) {
        // The fake knows no statement but its own; SQL garbage is the lexer's to test.
        prop_assume!(!matches!(byte, 0x03 | 0x16));
        let mut world = World::new();
        let other = world.login(None);
        let client = world.login(None);
        let mut input = Client::command(byte, &bytes);
        input.extend_from_slice(&tail);
        world.client_sends(client, &input);
        prop_assert_eq!(world.query(other, "SELECT 1"), Reply::rows(&["db2"]));
    }

    #[test]
    fn garbage_from_a_server_harms_only_its_session(bytes in vec(any::<u8>(), 1..100)) {
        let mut world = World::new();
        let other = world.login(None);
        let client = world.login(None);
        world.query(client, "SELECT 1");
        world.hang("db2", true);
        world.send(client, "SELECT 2");
        let ids: Vec<u32> = world.connections.keys().copied().collect();
        for id in ids {
            let mut ops = Vec::new();
            let who = mainstay_session::ConnId::Server(id);
            world.core.input(world.now, who, &bytes, &mut ops);
        }
        prop_assert!(world.query(other, "INSERT INTO t VALUES (1)").is_ok());
    }

    #[test]
    fn a_login_cut_anywhere_succeeds(cut in 1_usize..60) {
        let mut world = World::new();
        world.cut = cut;
        let client = world.accept();
        let hello = world.clients[&client].hello("app", PASSWORD, Some("shop"));
        world.client_sends(client, &hello);
        prop_assert!(world.reply(client).is_ok());
    }
}
