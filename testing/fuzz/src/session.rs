//! The machine of the proxy under sequences of everything that a driver can tell it: clients that
//! log in or do not, commands, garbage, servers that answer well or badly, lost connections, time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_session::{CloseReason, ConnId, Core, Note, Op, Ops, Policy, User};
use mainstay_topology::{Address, Epoch, Routes, ServerName, Target};
use mainstay_wire::packet::build_packet;
use mainstay_wire::result::{ColumnDefinition, put_text_result_set};
use mainstay_wire::{
    Capabilities, Command, ErrPacket, Greeting, HandshakeResponse, OkPacket, StatusFlags,
};

const CONNECTIONS_MAX: usize = 3;
const CLIENTS_MAX: usize = 6;

/// Statements that tie, set, write and read.
const STATEMENTS: [&str; 21] = [
    "SELECT 1",
    "INSERT INTO t VALUES (1)",
    "BEGIN",
    "COMMIT",
    "SET autocommit = 0",
    "SET @a = 1, sql_mode = ''",
    "USE other",
    "CREATE TEMPORARY TABLE t (i INT)",
    "SELECT GET_LOCK('x', 1)",
    "SELECT FOUND_ROWS()",
    "LOCK TABLES t WRITE",
    "PREPARE p FROM 'SELECT 1'",
    "CALL p()",
    "KILL QUERY 1",
    "SELECT CONNECTION_ID()",
    "LOAD DATA LOCAL INFILE 'x' INTO TABLE t",
    "SELECT ROW_COUNT()",
    "SHOW WARNINGS",
    "SHOW PROCESSLIST",
    "USE other; SELECT 1",
    "SELECT unknown(1), @a := 2",
];

const CAPABILITIES: Capabilities = Capabilities::PROTOCOL_41
    .union(Capabilities::TRANSACTIONS)
    .union(Capabilities::SECURE_CONNECTION)
    .union(Capabilities::PLUGIN_AUTH)
    .union(Capabilities::MULTI_STATEMENTS)
    .union(Capabilities::MULTI_RESULTS)
    .union(Capabilities::CONNECT_WITH_DB)
    .union(Capabilities::LOCAL_FILES)
    .union(Capabilities::SESSION_TRACK);

struct World {
    core: Core,
    now: Timestamp,
    version: u64,
    clients: BTreeSet<u32>,
    /// Server connections; true once the machine has been told that they are open.
    servers: BTreeMap<u32, bool>,
    notes: Vec<Note>,
}

/// The bytes of a fuzzer, read as choices.
struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn index(&mut self, end: usize) -> usize {
        self.byte().map_or(0, |byte| usize::from(byte) % end.max(1))
    }

    fn bytes(&mut self) -> &'a [u8] {
        let count = self.index(64).min(self.0.len());
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }
}

fn policy() -> Policy {
    let mut policy = Policy {
        clients_max: CLIENTS_MAX,
        ..Policy::default()
    };
    policy.pool.server_connections_max = CONNECTIONS_MAX;
    policy.users.insert("app".to_owned(), User::default());
    policy
}

fn routes(version: u64, writer: Option<&str>, hold_writes: bool) -> Routes {
    let target = |name: &str| Target {
        name: ServerName::new(name),
        address: Address {
            host: name.to_owned(),
            port: 3306,
        },
    };
    Routes {
        epoch: Epoch(1 + version / 3),
        version,
        writer: writer.map(target),
        readers: vec![target("db2")],
        hold_writes,
        ..Routes::default()
    }
}

impl World {
    fn new() -> Self {
        let routes = Arc::new(routes(0, Some("db1"), false));
        Self {
            core: Core::new(Arc::new(policy()), routes, 7, 0),
            now: Timestamp::from_millis(1000),
            version: 0,
            clients: BTreeSet::new(),
            servers: BTreeMap::new(),
            notes: Vec::new(),
        }
    }

    /// What a driver would do, and what it may rely on.
    fn apply(&mut self, ops: &[Op], input: &[u8]) {
        for op in ops {
            match op {
                Op::Send { to, chunk } => {
                    assert!(self.is_open(*to), "nothing is sent to what is closed");
                    assert!(chunk.bytes(input).len() <= 1 << 24, "no packet without end");
                }
                Op::Connect { id, .. } => {
                    let ConnId::Server(id) = id else {
                        panic!("clients are not connected to");
                    };
                    assert!(
                        self.servers.insert(*id, false).is_none(),
                        "ids are not reused"
                    );
                }
                Op::Close(ConnId::Client(id)) => {
                    assert!(self.clients.remove(id), "a client is closed once");
                }
                Op::Close(ConnId::Server(id)) => {
                    assert!(self.servers.remove(id).is_some(), "a server is closed once");
                }
                Op::StartTls { who, .. }
                | Op::Compress { who, .. }
                | Op::Pause(who)
                | Op::Resume(who) => assert!(self.is_open(*who), "it acts on what is open"),
                Op::Tell { note, .. } => self.notes.push(note.clone()),
            }
        }
        let stats = self.core.stats();
        assert_eq!(stats.sessions, self.clients.len(), "each client is counted");
        assert!(stats.sessions <= CLIENTS_MAX, "the limit of clients holds");
        for server in stats.servers.values() {
            let open = server.connecting + server.used + server.idle;
            assert!(open <= CONNECTIONS_MAX, "the limit of connections holds");
        }
    }

    fn is_open(&self, who: ConnId) -> bool {
        match who {
            ConnId::Client(id) => self.clients.contains(&id),
            ConnId::Server(id) => self.servers.contains_key(&id),
        }
    }

    fn input(&mut self, who: ConnId, bytes: &[u8], cut: usize) {
        for piece in bytes.chunks(cut.max(1)) {
            if !self.is_open(who) {
                return;
            }
            let mut ops = Ops::new();
            self.core.input(self.now, who, piece, &mut ops);
            self.apply(&ops, piece);
        }
    }

    fn accept(&mut self) {
        if self.clients.len() == CLIENTS_MAX {
            return;
        }
        let mut ops = Ops::new();
        let ConnId::Client(id) = self.core.accepted(self.now, None, &mut ops) else {
            panic!("a client has a client's id");
        };
        self.clients.insert(id);
        self.apply(&ops, &[]);
    }

    fn act(&mut self, choices: &mut Choices<'_>) -> Option<()> {
        let action = choices.byte()?;
        let at = choices.index(8);
        let client = self
            .clients
            .iter()
            .nth(at % self.clients.len().max(1))
            .copied();
        let server = self
            .servers
            .keys()
            .nth(at % self.servers.len().max(1))
            .copied();
        match (
            action % 16,
            client.map(ConnId::Client),
            server.map(ConnId::Server),
        ) {
            (0, ..) => self.accept(),
            (1, Some(who), _) => self.input(who, &hello(), choices.index(40) + 1),
            (2 | 3, Some(who), _) => {
                let sql = STATEMENTS[choices.index(STATEMENTS.len())];
                let packet = packet(0, &[&[0x03], sql.as_bytes()].concat());
                self.input(who, &packet, choices.index(40) + 1);
            }
            (4, Some(who), _) => {
                let command = Command::from_byte(choices.byte()?).byte();
                let packet = packet(0, &[&[command], choices.bytes()].concat());
                self.input(who, &packet, 256);
            }
            (5, Some(who), _) => self.input(who, choices.bytes(), 7),
            (6, _, Some(who)) => self.connect(who, choices.byte()? % 4 == 0),
            (7, _, Some(who)) => self.input(who, &greeting(), choices.index(40) + 1),
            (8..=10, _, Some(who)) => {
                let answer = answer(choices.index(7), choices.byte()?);
                self.input(who, &answer, choices.index(40) + 1);
            }
            (11, _, Some(who)) => self.input(who, choices.bytes(), 9),
            (12, Some(who), _) | (13, _, Some(who)) => self.lose(who),
            (14, Some(who), _) => self.block(who, choices.byte()? % 2 == 0),
            (15, ..) => self.pass_time(choices),
            _ => {}
        }
        Some(())
    }

    fn connect(&mut self, who: ConnId, fails: bool) {
        let ConnId::Server(id) = who else { return };
        if std::mem::replace(self.servers.get_mut(&id).expect("it is open"), true) {
            return;
        }
        let mut ops = Ops::new();
        if fails {
            self.servers.remove(&id);
            self.core
                .closed(self.now, who, CloseReason::Refused, &mut ops);
        } else {
            self.core.connected(self.now, who, &mut ops);
        }
        self.apply(&ops, &[]);
    }

    fn lose(&mut self, who: ConnId) {
        match who {
            ConnId::Client(id) => self.clients.remove(&id),
            ConnId::Server(id) => self.servers.remove(&id).is_some(),
        };
        let mut ops = Ops::new();
        self.core
            .closed(self.now, who, CloseReason::Reset, &mut ops);
        self.apply(&ops, &[]);
    }

    fn block(&mut self, who: ConnId, blocked: bool) {
        let mut ops = Ops::new();
        if blocked {
            self.core.blocked(self.now, who, 1 << 20, &mut ops);
        } else {
            self.core.unblocked(self.now, who, &mut ops);
        }
        self.apply(&ops, &[]);
    }

    /// New routes, notes of other workers, timers.
    fn pass_time(&mut self, choices: &mut Choices<'_>) {
        let mut ops = Ops::new();
        match choices.index(4) {
            0 => {
                self.version += 1;
                let writer = [None, Some("db1"), Some("db3")][choices.index(3)];
                let routes = routes(self.version, writer, choices.index(2) == 1);
                self.core.routes(self.now, Arc::new(routes), &mut ops);
            }
            1 => {
                if let Some(note) = self.notes.pop() {
                    self.core.note(self.now, note, &mut ops);
                }
            }
            _ => {
                self.now = self.now + Duration::from_millis(1 << choices.index(17));
                self.core.tick(self.now, &mut ops);
            }
        }
        self.apply(&ops, &[]);
    }
}

fn packet(sequence: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    build_packet(&mut out, sequence, |bytes| bytes.extend_from_slice(payload));
    out
}

fn hello() -> Vec<u8> {
    let hello = HandshakeResponse {
        capabilities: CAPABILITIES,
        max_packet_size: 1 << 24,
        charset: 45,
        user: "app".to_owned(),
        auth_plugin: Some("caching_sha2_password".to_owned()),
        ..HandshakeResponse::default()
    };
    let mut payload = Vec::new();
    hello.encode(&mut payload);
    packet(1, &payload)
}

fn greeting() -> Vec<u8> {
    let greeting = Greeting {
        server_version: "8.0.40".to_owned(),
        connection_id: 5,
        salt: [3; 20],
        capabilities: CAPABILITIES,
        charset: 45,
        status: StatusFlags::AUTOCOMMIT,
        auth_plugin: "caching_sha2_password".to_owned(),
    };
    let mut payload = Vec::new();
    greeting.encode(&mut payload);
    packet(0, &payload)
}

/// What servers say: success, failure, rows, a statement, a request for a file.
fn answer(which: usize, choice: u8) -> Vec<u8> {
    let sequence = if choice.is_multiple_of(8) { 2 } else { 1 };
    let status = match choice % 3 {
        0 => StatusFlags::AUTOCOMMIT,
        1 => StatusFlags::IN_TRANS,
        _ => StatusFlags::AUTOCOMMIT.union(StatusFlags::MORE_RESULTS_EXISTS),
    };
    let ok = OkPacket {
        status,
        ..OkPacket::default()
    };
    let mut payload = Vec::new();
    match which {
        0 | 1 => ok.encode(&mut payload, CAPABILITIES),
        2 => {
            let code = [1045, 1290, 1213, 1064, 2013, 1317][usize::from(choice) % 6];
            ErrPacket::new(code, *b"HY000", "read-only").encode(&mut payload);
        }
        3 => {
            let mut out = Vec::new();
            let columns = [ColumnDefinition::text("c")];
            let rows = [vec![Some("1".to_owned())]];
            put_text_result_set(&mut out, 1, CAPABILITIES, &columns, &rows);
            return out;
        }
        4 => payload.extend_from_slice(&[0, choice, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        5 => payload.extend_from_slice(b"\xfbfile"),
        _ => return [packet(2, b"\x01\x03"), packet(3, b"\0\0\0\x02\0\0\0")].concat(),
    }
    packet(sequence, &payload)
}

pub(crate) fn sessions(data: &[u8]) {
    let mut world = World::new();
    let mut choices = Choices(data);
    world.accept();
    while world.act(&mut choices).is_some() {}
    // At last everybody leaves; nothing of a session may remain.
    while let Some(client) = world.clients.first().copied() {
        world.lose(ConnId::Client(client));
    }
    let stats = world.core.stats();
    assert_eq!(
        (stats.sessions, stats.held),
        (0, 0),
        "all sessions are gone"
    );
    for server in stats.servers.values() {
        assert_eq!(
            (server.used, server.waiting),
            (0, 0),
            "nobody uses a connection"
        );
    }
}

/// What another process says of a session that it hands over.
pub(crate) fn moved(data: &[u8]) {
    let mut world = World::new();
    if let Some(ConnId::Client(id)) = world.core.receive(world.now, data) {
        world.clients.insert(id);
        let ping = packet(0, &[0x0e]);
        world.input(ConnId::Client(id), &ping, 2);
    }
}
