//! Sessions that leave for another process.

use mainstay_session::{ConnId, Ops};

use crate::client::Reply;
use crate::fake::{World, policy, routes};
use crate::statements::{execute, prepare};

impl World {
    /// Moves a session to the other world, its client and all.
    fn give(&mut self, client: u32, other: &mut Self) -> Option<u32> {
        let mut ops = Ops::new();
        let bytes = self.core.give(self.now, ConnId::Client(client), &mut ops)?;
        self.apply(&ops, &[]);
        let moved = other.core.receive(other.now, &bytes)?;
        let ConnId::Client(id) = moved else {
            panic!("a client stays a client");
        };
        let client = self.clients.remove(&client).expect("a client");
        other.clients.insert(id, client);
        Some(id)
    }

    fn resting(&self) -> usize {
        self.core.at_rest().len()
    }
}

#[test]
fn a_session_goes_on_in_another_process_with_all_it_had() {
    let (mut old, mut new) = (World::new(), World::new());
    let client = old.login(Some("shop"));
    old.query(client, "SET sql_mode='ANSI'");
    let id = prepare(&mut old, client, "INSERT INTO t VALUES (1)");
    let client = old.give(client, &mut new).expect("it is at rest");
    assert_eq!(old.core.stats().sessions, 0);
    let reply = new.query(client, "INSERT INTO t VALUES (1)");
    assert!(reply.is_ok(), "{reply:?}");
    assert!(execute(&mut new, client, id).is_ok());
    let log = new.log("db1");
    assert!(log.contains(&"SET sql_mode='ANSI'"), "{log:?}");
    assert!(new.connections.values().any(|one| one.schema == "shop"));
}

#[test]
fn a_session_in_a_transaction_stays_until_that_has_ended() {
    let (mut old, mut new) = (World::new(), World::new());
    let client = old.login(None);
    old.query(client, "BEGIN");
    assert_eq!(old.resting(), 0);
    assert_eq!(old.give(client, &mut new), None);
    assert!(old.query(client, "COMMIT").is_ok());
    assert_eq!(old.resting(), 1);
    let client = old.give(client, &mut new).expect("it is at rest now");
    assert_eq!(new.query(client, "SELECT 1"), Reply::rows(&["db2"]));
}

#[test]
fn a_session_of_a_user_who_is_unknown_there_is_refused() {
    let mut without = policy();
    without.users.clear();
    let mut old = World::new();
    let mut new = World::with(without, routes(1, 0, Some("db1"), &[]));
    let client = old.login(None);
    assert_eq!(old.give(client, &mut new), None);
    assert_eq!(new.core.stats().sessions, 0);
}

#[test]
fn a_session_that_is_dismissed_is_told_why() {
    let mut world = World::new();
    let [resting, busy] = [(); 2].map(|()| world.login(None));
    world.query(busy, "BEGIN");
    for client in [resting, busy] {
        let mut ops = Ops::new();
        world
            .core
            .dismiss(world.now, ConnId::Client(client), &mut ops);
        world.apply(&ops, &[]);
    }
    assert_eq!(world.reply(resting).code(), 1053);
    assert!(world.query(busy, "COMMIT").is_ok());
}
