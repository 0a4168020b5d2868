//! A driver without sockets: a machine, fake servers and clients, and a clock that stands still
//! until it is moved. Everything is delivered in order, and nothing happens by itself.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_session::{
    Chunk, CloseReason, ConnId, Core, Credential, Note, Op, Ops, Policy, Secret,
};
use mainstay_topology::{Address, Epoch, Routes, ServerName, Target};
use mainstay_wire::compression::Compression;

use crate::client::{Client, Reply};
use crate::server::{Connection, Server};

/// The password of user `app`, on the proxy and on the servers.
pub(crate) const PASSWORD: &str = "secret";

pub(crate) struct World {
    pub(crate) core: Core,
    pub(crate) now: Timestamp,
    pub(crate) servers: BTreeMap<String, Server>,
    pub(crate) connections: BTreeMap<u32, Connection>,
    pub(crate) clients: BTreeMap<u32, Client>,
    /// Inputs are cut into pieces of at most this many bytes.
    pub(crate) cut: usize,
    /// Connections asked to be paused, and not resumed.
    pub(crate) paused: Vec<ConnId>,
    /// Notes for the machines of other workers.
    pub(crate) notes: Vec<(u32, Note)>,
    /// TLS cannot be established.
    pub(crate) tls_fails: bool,
    /// What TLS is told to have found: a certificate of the peer.
    pub(crate) certified: bool,
    /// Connections that are compressed.
    pub(crate) compressed: BTreeMap<ConnId, Compression>,
    events: VecDeque<Event>,
}

enum Event {
    Input(ConnId, Vec<u8>),
    Connected(u32),
    Secured(ConnId),
    Closed(ConnId, CloseReason),
}

pub(crate) fn policy() -> Policy {
    let mut policy = Policy::default();
    let user = mainstay_session::User {
        credential: Credential::Clear(Secret::new(PASSWORD)),
        ..mainstay_session::User::default()
    };
    policy.users.insert("app".to_owned(), user);
    policy
}

pub(crate) fn routes(epoch: u64, version: u64, writer: Option<&str>, readers: &[&str]) -> Routes {
    let target = |name: &str| Target {
        name: ServerName::new(name),
        address: Address {
            host: name.to_owned(),
            port: 3306,
        },
    };
    Routes {
        epoch: Epoch(epoch),
        version,
        writer: writer.map(target),
        readers: readers.iter().map(|name| target(name)).collect(),
        ..Routes::default()
    }
}

impl World {
    /// Primary `db1` and replica `db2`.
    pub(crate) fn new() -> Self {
        Self::with(policy(), routes(1, 0, Some("db1"), &["db2"]))
    }

    pub(crate) fn with(policy: Policy, routes: Routes) -> Self {
        let mut servers = BTreeMap::new();
        for name in ["db1", "db2", "db3"] {
            servers.insert(name.to_owned(), Server::new(name != "db1"));
        }
        Self {
            core: Core::new(Arc::new(policy), Arc::new(routes), 7, 0),
            now: Timestamp::from_millis(1000),
            servers,
            connections: BTreeMap::new(),
            clients: BTreeMap::new(),
            cut: usize::MAX,
            paused: Vec::new(),
            notes: Vec::new(),
            tls_fails: false,
            certified: false,
            compressed: BTreeMap::new(),
            events: VecDeque::new(),
        }
    }

    /// The same as the machine of another worker.
    pub(crate) fn of_worker(worker: u32) -> Self {
        let mut world = Self::new();
        let routes = routes(1, 0, Some("db1"), &["db2"]);
        world.core = Core::new(Arc::new(policy()), Arc::new(routes), 8, worker);
        world
    }

    pub(crate) fn note(&mut self, note: Note) {
        let mut ops = Ops::new();
        self.core.note(self.now, note, &mut ops);
        self.apply(&ops, &[]);
        self.run();
    }

    pub(crate) fn stop(&mut self) {
        let mut ops = Ops::new();
        self.core.stop(self.now, &mut ops);
        self.apply(&ops, &[]);
    }

    /// The driver cannot send to the client, or can again.
    pub(crate) fn block(&mut self, client: u32, blocked: bool) {
        let (mut ops, who) = (Ops::new(), ConnId::Client(client));
        if blocked {
            self.core.blocked(self.now, who, 1 << 20, &mut ops);
        } else {
            self.core.unblocked(self.now, who, &mut ops);
        }
        self.apply(&ops, &[]);
    }

    /// The server has some version; clients are greeted with it as well.
    pub(crate) fn of_version(version: &'static str) -> Self {
        let mut policy = policy();
        version.clone_into(&mut policy.server_version);
        policy.auth_plugin = mainstay_session::AuthPlugin::NativePassword;
        let mut world = Self::with(policy, routes(1, 0, Some("db1"), &["db2"]));
        for server in world.servers.values_mut() {
            server.version = version;
        }
        world
    }

    /// A client that has not sent anything.
    pub(crate) fn accept(&mut self) -> u32 {
        let mut ops = Ops::new();
        let ConnId::Client(id) = self.core.accepted(self.now, None, &mut ops) else {
            panic!("a client has a client's id");
        };
        self.clients.insert(id, Client::default());
        self.apply(&ops, &[]);
        id
    }

    /// A client that has logged in.
    pub(crate) fn login(&mut self, schema: Option<&str>) -> u32 {
        let id = self.accept();
        let hello = self.clients[&id].hello("app", PASSWORD, schema);
        self.client_sends(id, &hello);
        assert!(matches!(self.reply(id), Reply::Ok(_)), "the login succeeds");
        id
    }

    pub(crate) fn client_sends(&mut self, id: u32, bytes: &[u8]) {
        self.events
            .push_back(Event::Input(ConnId::Client(id), bytes.to_vec()));
        self.run();
    }

    /// Sends a statement; its reply may come later.
    pub(crate) fn send(&mut self, id: u32, sql: &str) {
        let packet = Client::command(0x03, sql.as_bytes());
        self.clients.get_mut(&id).expect("a client").expects(0x03);
        self.client_sends(id, &packet);
    }

    pub(crate) fn query(&mut self, id: u32, sql: &str) -> Reply {
        self.send(id, sql);
        self.reply(id)
    }

    pub(crate) fn command(&mut self, id: u32, byte: u8, argument: &[u8]) -> Reply {
        self.clients.get_mut(&id).expect("a client").expects(byte);
        self.client_sends(id, &Client::command(byte, argument));
        self.reply(id)
    }

    /// What the client has received and not read yet.
    pub(crate) fn reply(&mut self, id: u32) -> Reply {
        self.clients.get_mut(&id).expect("a client").reply()
    }

    pub(crate) fn leave(&mut self, id: u32) {
        self.events
            .push_back(Event::Closed(ConnId::Client(id), CloseReason::Eof));
        self.run();
        self.clients.remove(&id);
    }

    pub(crate) fn publish(&mut self, routes: Routes) {
        let mut ops = Ops::new();
        self.core.routes(self.now, Arc::new(routes), &mut ops);
        self.apply(&ops, &[]);
        self.run();
    }

    /// The server process is gone: its connections are reset, new ones are refused.
    pub(crate) fn kill(&mut self, name: &str) {
        self.servers.get_mut(name).expect("a server").alive = false;
        let lost: Vec<u32> = self
            .connections
            .iter()
            .filter(|(_, connection)| connection.server == name)
            .map(|(id, _)| *id)
            .collect();
        self.servers.get_mut(name).expect("a server").locks.clear();
        for id in lost {
            self.connections.remove(&id);
            self.events
                .push_back(Event::Closed(ConnId::Server(id), CloseReason::Reset));
        }
        self.run();
    }

    /// The server runs what it gets, but its replies do not arrive.
    pub(crate) fn mute(&mut self, name: &str) {
        self.servers.get_mut(name).expect("a server").mute = true;
    }

    /// The server answers no more, but keeps its connections; or answers what it has got.
    pub(crate) fn hang(&mut self, name: &str, hung: bool) {
        self.servers.get_mut(name).expect("a server").hung = hung;
        if !hung {
            self.servers.get_mut(name).expect("a server").mute = false;
            let ids: Vec<u32> = self.connections.keys().copied().collect();
            for id in ids {
                self.serve(id, &[]);
            }
            self.run();
        }
    }

    pub(crate) fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(deadline) = self.core.deadline().filter(|&deadline| deadline <= end) {
            self.now = self.now.max(deadline);
            self.tick();
        }
        self.now = end;
        self.tick();
    }

    fn tick(&mut self) {
        let mut ops = Ops::new();
        self.core.tick(self.now, &mut ops);
        self.apply(&ops, &[]);
        self.run();
    }

    /// What the servers were asked to run, in the order of each.
    pub(crate) fn log(&self, name: &str) -> Vec<&str> {
        self.servers[name].log.iter().map(String::as_str).collect()
    }

    fn run(&mut self) {
        while let Some(event) = self.events.pop_front() {
            let mut ops = Ops::new();
            match event {
                Event::Input(who, bytes) => {
                    let mut rest = &bytes[..];
                    while !rest.is_empty() {
                        let (piece, later) = rest.split_at(rest.len().min(self.cut));
                        rest = later;
                        let mut ops = Ops::new();
                        if self.is_open(who) {
                            self.core.input(self.now, who, piece, &mut ops);
                        }
                        self.apply(&ops, piece);
                        if ops.iter().any(|op| matches!(op, Op::StartTls { .. })) {
                            // What is still to come is inside TLS.
                            self.events.push_back(Event::Input(who, rest.to_vec()));
                            break;
                        }
                    }
                }
                Event::Connected(id) => {
                    self.core.connected(self.now, ConnId::Server(id), &mut ops);
                    self.apply(&ops, &[]);
                    self.serve(id, &[]);
                }
                Event::Secured(who) => {
                    let certified = self.certified;
                    self.core.secured(self.now, who, certified, &mut ops);
                    self.apply(&ops, &[]);
                }
                Event::Closed(who, reason) => {
                    self.core.closed(self.now, who, reason, &mut ops);
                    self.apply(&ops, &[]);
                }
            }
            if self.events.is_empty() {
                let mut ops = Ops::new();
                self.core.tick(self.now, &mut ops);
                self.apply(&ops, &[]);
            }
        }
    }

    fn is_open(&self, who: ConnId) -> bool {
        match who {
            ConnId::Client(id) => self.clients.get(&id).is_some_and(|client| !client.closed),
            ConnId::Server(id) => self.connections.contains_key(&id),
        }
    }

    pub(crate) fn apply(&mut self, ops: &Ops, input: &[u8]) {
        for op in ops {
            match op {
                Op::Send { to, chunk } => {
                    let bytes = match chunk {
                        Chunk::Input(range) => input[range.clone()].to_vec(),
                        Chunk::Owned(bytes) => bytes.clone(),
                        Chunk::Static(bytes) => bytes.to_vec(),
                    };
                    match to {
                        ConnId::Client(id) => {
                            if let Some(client) = self.clients.get_mut(id) {
                                client.received(&bytes);
                            }
                        }
                        // Servers take the header of the PROXY protocol away before they look.
                        ConnId::Server(_) if bytes.starts_with(b"\r\n\r\n\0\r\nQUIT\n") => {}
                        ConnId::Server(id) => self.serve(*id, &bytes),
                    }
                }
                Op::Connect {
                    id: ConnId::Server(id),
                    server,
                    ..
                } => {
                    if self.servers[server.as_str()].alive {
                        self.connections
                            .insert(*id, Connection::new(server.as_str(), *id));
                        self.events.push_back(Event::Connected(*id));
                    } else {
                        let who = ConnId::Server(*id);
                        self.events
                            .push_back(Event::Closed(who, CloseReason::Refused));
                    }
                }
                Op::Connect {
                    id: ConnId::Client(_),
                    ..
                } => panic!("a client is never dialled"),
                Op::StartTls { who, .. } if self.tls_fails => {
                    let reason = CloseReason::Tls;
                    if let ConnId::Server(id) = who {
                        self.connections.remove(id);
                    }
                    self.events.push_back(Event::Closed(*who, reason));
                }
                Op::StartTls { who, surplus, .. } => {
                    self.events.push_back(Event::Secured(*who));
                    let rest = input[input.len() - surplus..].to_vec();
                    self.events.push_back(Event::Input(*who, rest));
                }
                Op::Compress { who, how } => {
                    self.compressed.insert(*who, *how);
                }
                Op::Pause(who) => self.paused.push(*who),
                Op::Resume(who) => self.paused.retain(|other| other != who),
                Op::Close(who) => self.close(*who),
                Op::Tell { worker, note } => self.notes.push((*worker, note.clone())),
            }
        }
    }

    fn close(&mut self, who: ConnId) {
        match who {
            ConnId::Client(id) => {
                if let Some(client) = self.clients.get_mut(&id) {
                    client.closed = true;
                }
            }
            ConnId::Server(id) => {
                if let Some(connection) = self.connections.remove(&id) {
                    let server = self.servers.get_mut(&connection.server);
                    connection.free_locks(server.expect("a known server"));
                }
            }
        }
        let of = |event: &Event| match event {
            Event::Input(other, _) | Event::Secured(other) | Event::Closed(other, _) => *other,
            Event::Connected(id) => ConnId::Server(*id),
        };
        self.events.retain(|event| of(event) != who);
    }

    fn serve(&mut self, id: u32, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let server = self
            .servers
            .get_mut(&connection.server)
            .expect("a known server");
        connection.inbox.extend_from_slice(bytes);
        if server.hung {
            return;
        }
        let reply = connection.answer(server);
        connection.unsent.extend_from_slice(&reply);
        if !server.mute && !connection.unsent.is_empty() {
            let reply = std::mem::take(&mut connection.unsent);
            self.events
                .push_back(Event::Input(ConnId::Server(id), reply));
        }
        for killed in std::mem::take(&mut server.kills) {
            if let Some(connection) = self.connections.get_mut(&killed) {
                let who = ConnId::Server(killed);
                self.events
                    .push_back(Event::Input(who, connection.killed()));
            }
        }
    }
}
