//! Random schedules: clients, faults and routes in any order. What must hold in each of them: no
//! write runs twice, each acknowledged write ran, and when the faults stop everybody is served.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::client::Reply;
use crate::fake::{World, policy, routes};

#[derive(Debug, Clone)]
enum Act {
    Insert(usize),
    Read(usize),
    Begin(usize),
    Commit(usize),
    Set(usize),
    Leave(usize),
    Kill(usize),
    Hang(usize),
    Mute(usize),
    Heal(usize),
    ReadOnly(usize),
    NoWriter,
    HoldWrites,
    Promote(usize),
    Wait(u64),
}

fn act() -> impl Strategy<Value = Act> {
    let client = 0_usize..4;
    let server = 0_usize..3;
    prop_oneof![
        8 => client.clone().prop_map(Act::Insert),
        4 => client.clone().prop_map(Act::Read),
        2 => client.clone().prop_map(Act::Begin),
        2 => client.clone().prop_map(Act::Commit),
        1 => client.clone().prop_map(Act::Set),
        1 => client.prop_map(Act::Leave),
        1 => server.clone().prop_map(Act::Kill),
        1 => server.clone().prop_map(Act::Hang),
        1 => server.clone().prop_map(Act::Mute),
        2 => server.clone().prop_map(Act::Heal),
        1 => server.clone().prop_map(Act::ReadOnly),
        1 => Just(Act::NoWriter),
        1 => Just(Act::HoldWrites),
        2 => server.prop_map(Act::Promote),
        2 => (1_u64..3000).prop_map(Act::Wait),
    ]
}

const SERVERS: [&str; 3] = ["db1", "db2", "db3"];

struct Chaos {
    world: World,
    clients: Vec<u32>,
    /// The statement each client waits for, if any.
    waiting: BTreeMap<u32, String>,
    acknowledged: BTreeSet<String>,
    epoch: u64,
    version: u64,
    writer: &'static str,
    number: usize,
}

impl Chaos {
    fn new(connections_max: usize) -> Self {
        let mut policy = policy();
        policy.pool.server_connections_max = connections_max;
        let mut world = World::with(policy, routes(1, 0, Some("db1"), &["db2", "db3"]));
        let clients = (0..4).map(|_| world.login(None)).collect();
        Self {
            world,
            clients,
            waiting: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            epoch: 1,
            version: 0,
            writer: "db1",
            number: 0,
        }
    }

    fn collect(&mut self) {
        for client in self.clients.clone() {
            let reply = self.world.reply(client);
            if reply == Reply::Nothing {
                continue;
            }
            let sql = self.waiting.remove(&client);
            if let (Some(sql), Reply::Ok(_)) = (sql, reply) {
                self.acknowledged.insert(sql);
            }
        }
    }

    fn send(&mut self, place: usize, sql: &str) {
        let client = self.clients[place];
        if self.waiting.contains_key(&client) {
            return;
        }
        self.waiting.insert(client, sql.to_owned());
        self.world.send(client, sql);
    }

    fn publish(&mut self, writer: Option<&str>, hold: bool) {
        self.version += 1;
        let readers: Vec<&str> = SERVERS
            .into_iter()
            .filter(|name| *name != self.writer)
            .collect();
        let mut routes = routes(self.epoch, self.version, writer, &readers);
        routes.hold_writes = hold;
        self.world.publish(routes);
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Insert(place) => {
                self.number += 1;
                let sql = format!("INSERT INTO t VALUES ({})", self.number);
                self.send(place, &sql);
            }
            Act::Read(place) => self.send(place, "SELECT 1"),
            Act::Begin(place) => self.send(place, "BEGIN"),
            Act::Commit(place) => self.send(place, "COMMIT"),
            Act::Set(place) => self.send(place, "SET sql_mode='ANSI'"),
            Act::Leave(place) => {
                let client = self.clients[place];
                self.world.leave(client);
                self.waiting.remove(&client);
                self.clients[place] = self.world.login(None);
            }
            Act::Kill(server) => self.world.kill(SERVERS[server]),
            Act::Hang(server) => self.world.hang(SERVERS[server], true),
            Act::Mute(server) => self.world.mute(SERVERS[server]),
            Act::Heal(server) => {
                let name = SERVERS[server];
                self.world.servers.get_mut(name).expect("a server").alive = true;
                self.world.hang(name, false);
            }
            Act::ReadOnly(server) => {
                self.world
                    .servers
                    .get_mut(SERVERS[server])
                    .expect("a server")
                    .read_only = true;
            }
            Act::NoWriter => self.publish(None, false),
            Act::HoldWrites => self.publish(Some(self.writer), true),
            Act::Promote(server) => {
                self.epoch += 1;
                self.writer = SERVERS[server];
                for name in SERVERS {
                    let server = self.world.servers.get_mut(name).expect("a server");
                    server.read_only = name != self.writer;
                }
                self.publish(Some(self.writer), false);
            }
            Act::Wait(time_ms) => self.world.wait(Duration::from_millis(time_ms)),
        }
        self.collect();
    }

    /// The writes that ran, over all servers.
    fn ran(&self) -> Vec<String> {
        let logs = SERVERS
            .iter()
            .flat_map(|name| &self.world.servers[*name].written);
        logs.cloned().collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_schedule_runs_a_write_twice_or_forgets_a_session(
        acts in vec(act(), 1..60),
        connections_max in 1_usize..4,
    ) {
        let mut chaos = Chaos::new(connections_max);
        for act in &acts {
            chaos.act(act);
        }
        for server in 0..3 {
            chaos.act(&Act::Heal(server));
        }
        chaos.act(&Act::Promote(2));
        // With few connections one session's commit waits for another's, so there are rounds.
        for place in (0..4).cycle().take(20) {
            chaos.act(&Act::Wait(1000));
            chaos.act(&Act::Commit(place));
        }
        prop_assert!(chaos.waiting.is_empty(), "nobody waits: {:?}", chaos.waiting);
        let ran = chaos.ran();
        let distinct: BTreeSet<_> = ran.iter().cloned().collect();
        prop_assert_eq!(distinct.len(), ran.len(), "no write ran twice");
        for sql in chaos.acknowledged.iter().filter(|sql| sql.starts_with("INSERT")) {
            prop_assert!(distinct.contains(sql), "acknowledged, but never run: {}", sql);
        }
        for place in 0..4 {
            let client = chaos.clients[place];
            let reply = chaos.world.query(client, "SELECT 1");
            prop_assert!(matches!(reply, Reply::Rows(_)), "{:?}", reply);
        }
        let stats = chaos.world.core.stats();
        prop_assert_eq!((stats.held, stats.held_bytes), (0, 0));
        for server in stats.servers.values() {
            prop_assert_eq!((server.waiting, server.writes_in_flight), (0, 0));
            prop_assert!(server.idle + server.used + server.connecting <= connections_max);
        }
    }
}
