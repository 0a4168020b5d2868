//! The machine alone under a closed loop of clients, for counting instructions: they do not depend
//! on what else the computer does. Sockets, and the reading of settings, are left to the shell.
//!
//! ```text
//! cargo build --release -p mainstay-session --example cost
//! valgrind --tool=callgrind --callgrind-out-file=/tmp/cost --toggle-collect='*measured*' \
//!     target/release/examples/cost text 16 64 20000
//! ```
//!
//! Divide what `callgrind_annotate` calls the total by the number of queries. The arguments are
//! `text`, `prepared`, `transaction` or `digests` (no statement twice), the clients, the
//! connections kept for them, the queries, and if wanted the number of query rules, of idle
//! sessions and of fast routes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_routing::Rules;
use mainstay_routing::rules::{Conditions, FastRoute, Rule};
use mainstay_session::policy::Budget;
use mainstay_session::{ConnId, Core, Credential, Op, Ops, Policy, Secret, User};
use mainstay_topology::{Address, Epoch, Routes, ServerName, Target};
use mainstay_wire::auth::Plugin;
use mainstay_wire::packet::{HEADER_LEN, PacketReader, build_packet, put_packet};
use mainstay_wire::result::{ColumnDefinition, put_text_result_set};
use mainstay_wire::{Capabilities, Greeting, HandshakeResponse, OkPacket, StatusFlags};

const NAME: &str = "app";
const PASSWORD: &str = "secret";
/// Events of one turn of a driver.
const TURN: usize = 8;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize, usual: usize| -> usize {
        let given = arguments.get(place);
        given.map_or(usual, |text| text.parse().expect("a number"))
    };
    let kind = arguments.first().map_or("text", String::as_str);
    let (clients, connections, queries) = (number(1, 16), number(2, 64), number(3, 10_000));
    let mut world = World::new(connections, (number(4, 0), number(6, 0)));
    for _ in 0..number(5, 0) {
        world.login();
    }
    let clients: Vec<u32> = (0..clients).map(|_| world.login()).collect();
    let mut load = Load::new(kind, &mut world, &clients);
    // The pool fills, and the table of digests.
    load.run(&mut world, 4 * clients.len().max(64));
    world.measures = true;
    load.run(&mut world, queries);
}

/// What callgrind counts: bytes come in, and now and then a turn ends.
#[inline(never)]
fn measured(core: &mut Core, (now, who): (Timestamp, ConnId), bytes: &[u8], ops: &mut Ops) {
    core.input(now, who, bytes, ops);
}

#[inline(never)]
fn measured_turn(core: &mut Core, now: Timestamp, ops: &mut Ops) -> Option<Timestamp> {
    core.tick(now, ops);
    core.deadline()
}

/// A machine, and what a driver would have between it and its peers.
struct World {
    core: Core,
    now: Timestamp,
    ops: Ops,
    /// What servers were sent and have not answered.
    asked: VecDeque<(u32, Vec<u8>)>,
    /// Who has got the end of a reply.
    answered: VecDeque<u32>,
    salt: [u8; 20],
    events: usize,
    measures: bool,
}

fn capabilities() -> Capabilities {
    Capabilities::PROTOCOL_41
        | Capabilities::SECURE_CONNECTION
        | Capabilities::PLUGIN_AUTH
        | Capabilities::CONNECT_WITH_DB
        | Capabilities::TRANSACTIONS
        | Capabilities::MULTI_RESULTS
        | Capabilities::DEPRECATE_EOF
}

/// A rule that matches nothing.
fn rule(number: usize) -> Rule {
    let conditions = Conditions {
        match_digest: Some(format!("^SELECT absent{number} ")),
        caseless: true,
        ..Conditions::default()
    };
    Rule {
        rule_id: u32::try_from(number).expect("a few rules"),
        conditions,
        ..Rule::default()
    }
}

/// A row for somebody else.
fn fast_route(number: usize) -> FastRoute {
    FastRoute {
        username: format!("somebody{number}"),
        schemaname: "absent".to_owned(),
        flag_in: 0,
        destination_hostgroup: 1,
    }
}

impl World {
    fn new(connections: usize, (rules, routes): (usize, usize)) -> Self {
        let mut policy = Policy::default();
        let credential = Credential::Clear(Secret::new(PASSWORD));
        let user = User {
            credential,
            ..User::default()
        };
        policy.users.insert(NAME.to_owned(), user);
        // Half of them can be borrowed: there might be another worker.
        policy.pool.budget = Some(Arc::new(Budget::new(2 * connections, 2)));
        policy.clients_max = 100_000;
        let routes = (1..=routes).map(fast_route).collect();
        let rules = Rules::compile((1..=rules).map(rule).collect(), routes);
        policy.rules = Arc::new(rules.expect("rules"));
        let target = Target {
            name: ServerName::new("db1"),
            address: Address {
                host: "db1".to_owned(),
                port: 3306,
            },
        };
        let routes = Routes {
            epoch: Epoch(1),
            version: 1,
            writer: Some(target),
            readers: Vec::new(),
            draining: Vec::new(),
            hold_writes: false,
        };
        Self {
            core: Core::new(Arc::new(policy), Arc::new(routes), 7, 0),
            now: Timestamp::from_millis(1000),
            ops: Ops::new(),
            asked: VecDeque::new(),
            answered: VecDeque::new(),
            salt: [9; 20],
            events: 0,
            measures: false,
        }
    }

    /// A client that has logged in.
    fn login(&mut self) -> u32 {
        let who = self.core.accepted(self.now, None, &mut self.ops);
        let ConnId::Client(id) = who else {
            unreachable!("a client has a client's id")
        };
        let greeting = self.ops.iter().find_map(|op| match op {
            Op::Send { chunk, .. } => Some(chunk.bytes(&[]).to_vec()),
            _ => None,
        });
        self.ops.clear();
        let greeting = greeting.expect("a greeting");
        let greeting = Greeting::parse(&greeting[HEADER_LEN..]).expect("a greeting");
        let hello = HandshakeResponse {
            capabilities: capabilities(),
            max_packet_size: 1 << 24,
            charset: 45,
            user: NAME.to_owned(),
            auth_response: Plugin::CachingSha2.scramble(PASSWORD.as_bytes(), &greeting.salt),
            database: Some("sbtest".to_owned()),
            auth_plugin: Some(Plugin::CachingSha2.name().to_owned()),
            ..HandshakeResponse::default()
        };
        let mut bytes = Vec::new();
        build_packet(&mut bytes, 1, |payload| hello.encode(payload));
        self.input(who, &bytes);
        while let Some((server, _)) = self.asked.front() {
            let server = *server;
            self.answer(server);
        }
        id
    }

    /// One event of the driver.
    fn input(&mut self, who: ConnId, bytes: &[u8]) {
        let (core, ops) = (&mut self.core, &mut self.ops);
        if self.measures {
            measured(core, (self.now, who), bytes, ops);
        } else {
            core.input(self.now, who, bytes, ops);
        }
        self.apply(bytes);
        self.events += 1;
        if self.events.is_multiple_of(TURN) {
            self.now = self.now + Duration::from_micros(50);
            let (core, ops) = (&mut self.core, &mut self.ops);
            if self.measures {
                std::hint::black_box(measured_turn(core, self.now, ops));
            } else {
                core.tick(self.now, ops);
            }
            self.apply(&[]);
        }
    }

    fn apply(&mut self, input: &[u8]) {
        while !self.ops.is_empty() {
            let mut ops = std::mem::take(&mut self.ops);
            for op in ops.drain(..) {
                match op {
                    Op::Send { to, chunk } => self.sent(to, chunk.bytes(input)),
                    Op::Connect { id, .. } => self.open(id),
                    Op::StartTls { .. }
                    | Op::Compress { .. }
                    | Op::Pause(_)
                    | Op::Resume(_)
                    | Op::Close(_)
                    | Op::Tell { .. } => {}
                }
            }
            if self.ops.is_empty() {
                self.ops = ops;
            }
        }
    }

    fn sent(&mut self, to: ConnId, bytes: &[u8]) {
        match to {
            ConnId::Server(id) => self.asked.push_back((id, bytes.to_vec())),
            ConnId::Client(id) => self.answered.push_back(id),
        }
    }

    /// A connection is open: its server greets, and takes any login.
    fn open(&mut self, who: ConnId) {
        self.core.connected(self.now, who, &mut self.ops);
        let greeting = Greeting {
            server_version: "8.4.0".to_owned(),
            connection_id: 1,
            salt: self.salt,
            capabilities: Capabilities(0xdfff_ffff).without(Capabilities::SSL),
            charset: 45,
            status: StatusFlags::AUTOCOMMIT,
            auth_plugin: "mysql_native_password".to_owned(),
        };
        let mut bytes = Vec::new();
        build_packet(&mut bytes, 0, |payload| greeting.encode(payload));
        self.core.input(self.now, who, &bytes, &mut self.ops);
    }

    /// The server answers the oldest thing that this connection was sent.
    fn answer(&mut self, server: u32) {
        let place = self.asked.iter().position(|(id, _)| *id == server);
        let (_, sent) = self.asked.remove(place.expect("asked")).expect("asked");
        let mut reply = Vec::new();
        for packet in PacketReader::new(&sent) {
            let command = packet.payload.first().copied().unwrap_or_default();
            answer_one(
                &mut reply,
                (packet.header.sequence, command),
                packet.payload,
            );
        }
        self.input(ConnId::Server(server), &reply);
    }
}

fn answer_one(reply: &mut Vec<u8>, (sequence, command): (u8, u8), payload: &[u8]) {
    let text = payload.get(1..).unwrap_or_default();
    match command {
        0x16 => {
            put_packet(reply, 1, &[0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        }
        0x03 | 0x17 if sequence == 0 && (command == 0x17 || text.starts_with(b"SELECT")) => {
            let column = ColumnDefinition {
                schema: "sbtest".to_owned(),
                table: "sbtest1".to_owned(),
                org_table: "sbtest1".to_owned(),
                ..ColumnDefinition::text("c")
            };
            let row = vec![Some("0123456789-".repeat(11))];
            put_text_result_set(reply, 1, capabilities(), &[column], &[row]);
        }
        _ => {
            let status = if text.starts_with(b"BEGIN") {
                StatusFlags::AUTOCOMMIT.union(StatusFlags::IN_TRANS)
            } else {
                StatusFlags::AUTOCOMMIT
            };
            let ok = OkPacket {
                status,
                ..OkPacket::default()
            };
            build_packet(reply, sequence + 1, |payload| {
                ok.encode(payload, capabilities());
            });
        }
    }
}

/// Clients that send their next command when they have the reply to the last one.
struct Load {
    /// The commands of each, which it sends again and again.
    commands: Vec<Vec<u8>>,
    /// The next one of each client, by its number.
    next: Vec<usize>,
}

impl Load {
    fn new(kind: &str, world: &mut World, clients: &[u32]) -> Self {
        let command = |byte: u8, argument: &[u8]| {
            let mut bytes = Vec::new();
            put_packet(&mut bytes, 0, &[&[byte], argument].concat());
            bytes
        };
        let select = b"SELECT c FROM sbtest1 WHERE id=5012";
        let execute = command(0x17, &[1, 0, 0, 0, 0, 1, 0, 0, 0]);
        let commands = match kind {
            "text" => vec![command(0x03, select)],
            "prepared" => vec![execute],
            "digests" => (0..20_000)
                .map(|number| command(0x03, format!("SELECT c FROM t{number}").as_bytes()))
                .collect(),
            "transaction" => {
                let sum = b"SELECT SUM(k) FROM sbtest1 WHERE id BETWEEN 5012 AND 5111";
                let update = b"UPDATE sbtest1 SET k=k+1 WHERE id=5012";
                [&b"BEGIN"[..], select, select, sum, update, b"COMMIT"]
                    .map(|text| command(0x03, text))
                    .to_vec()
            }
            other => panic!("{other} is none of the four"),
        };
        for &client in clients {
            if kind == "prepared" {
                let sql = b"SELECT c FROM sbtest1 WHERE id=?";
                world.input(ConnId::Client(client), &command(0x16, sql));
                while let Some((server, _)) = world.asked.front() {
                    let server = *server;
                    world.answer(server);
                }
            }
        }
        world.answered.clear();
        world.answered.extend(clients);
        let places = clients.iter().max().map_or(0, |last| *last as usize + 1);
        // Each begins elsewhere among those that are all different, and with a whole transaction.
        let next = (0..places).map(|place| place * 6 * 417).collect();
        Self { commands, next }
    }

    /// Until so many queries were answered.
    fn run(&mut self, world: &mut World, queries: usize) {
        let mut sent = 0;
        while sent < queries {
            while let Some(client) = world.answered.pop_front() {
                let next = &mut self.next[client as usize];
                let command = &self.commands[*next % self.commands.len()];
                *next += 1;
                sent += 1;
                world.input(ConnId::Client(client), command);
            }
            let (server, _) = world.asked.front().expect("somebody waits for a reply");
            let server = *server;
            world.answer(server);
        }
    }
}
