//! Replication between fake servers: connect, send, acknowledge, apply.

use std::time::Duration;

use mainstay_topology::{Applier, Family, Receiver};

use super::{Happening, World};
use crate::gtids::{Gtids, Transaction};
use crate::message::{Body, End};
use crate::server::{Dump, Life};

/// `SOURCE_CONNECT_RETRY`.
const RETRY: Duration = Duration::from_secs(1);
/// MySQL's acknowledgement thread hears a new replica only when it looks again.
const DEAF: Duration = Duration::from_millis(950);
/// The source does not have what the replica asks it to continue from.
const NOT_IN_BINLOG: u32 = 1236;
/// Source and replica have equal server ids.
const SAME_ID: u32 = 1593;
/// `ER_GTID_STRICT_OUT_OF_ORDER`.
const OUT_OF_ORDER: u32 = 1950;

impl World {
    pub(super) fn replicate(&mut self, own: usize, from: End, body: &Body) {
        let End::Server(peer) = from else {
            unreachable!("only servers replicate");
        };
        match body {
            Body::Connect {
                connection,
                held,
                position,
                acknowledges,
            } => {
                let dump = Dump {
                    connection: *connection,
                    held: held.clone(),
                    next: 0,
                    acknowledges: *acknowledges,
                    closed: false,
                    deaf_until: self.now,
                };
                self.accept(own, peer, dump, *position);
            }
            Body::Acknowledge(connection, upto) => self.heed(own, peer, *connection, *upto),
            Body::Bye(connection) => self.hang_up(own, peer, *connection),
            Body::Accepted(connection, upto) => self.accepted(own, peer, *connection, *upto),
            Body::Refused(connection, code) => self.refused(own, *connection, *code),
            Body::Event(connection, index, transaction) => {
                self.receive(own, peer, (*connection, *index), *transaction);
            }
            _ => unreachable!("the caller has chosen"),
        }
    }

    /// The replica's receiver calls its source.
    pub(super) fn connect(&mut self, replica: usize) {
        let connection = self.id();
        let retry = self.now + RETRY;
        let server = &mut self.servers[replica];
        let (held, position) = (server.held(), server.position());
        let acknowledges = server.acknowledges;
        let Some(link) = &mut server.link else {
            return;
        };
        link.receiver = Receiver::Connecting;
        link.connection = connection;
        link.retry = retry;
        let to = End::Server(link.at);
        let body = Body::Connect {
            connection,
            held,
            position,
            acknowledges,
        };
        self.send(End::Server(replica), to, body);
    }

    /// The source begins to send, if it has what the replica asks for.
    fn accept(&mut self, own: usize, replica: usize, mut dump: Dump, at: Option<Transaction>) {
        if self.servers[own].id == self.servers[replica].id {
            let body = Body::Refused(dump.connection, SAME_ID);
            return self.send(End::Server(own), End::Server(replica), body);
        }
        let server = &mut self.servers[own];
        match server.family {
            Family::Mysql => {
                let held = &dump.held;
                let lacks = |one: &Transaction| !held.has(one.origin, one.number);
                dump.next = server
                    .log
                    .iter()
                    .position(lacks)
                    .unwrap_or(server.log.len());
                if server.memory.source_on {
                    dump.deaf_until = self.now + DEAF;
                }
            }
            Family::Mariadb => {
                let same = |one: &Transaction, at: Transaction| {
                    (one.origin, one.number) == (at.origin, at.number)
                };
                let found = at.map(|at| server.log.iter().rposition(|one| same(one, at)));
                let Some(next) = found.map_or(Some(0), |index| index.map(|index| index + 1)) else {
                    let body = Body::Refused(dump.connection, NOT_IN_BINLOG);
                    self.send(End::Server(own), End::Server(replica), body);
                    return;
                };
                dump.next = next;
                dump.held = Gtids::default();
            }
        }
        if dump.next < server.purged {
            let body = Body::Refused(dump.connection, NOT_IN_BINLOG);
            return self.send(End::Server(own), End::Server(replica), body);
        }
        let body = Body::Accepted(dump.connection, dump.next);
        server.memory.dumps.insert(replica, dump);
        self.send(End::Server(own), End::Server(replica), body);
        self.pump(own);
    }

    /// Sends every replica what it has not been sent.
    pub(super) fn pump(&mut self, own: usize) {
        let server = &mut self.servers[own];
        let mut sent = Vec::new();
        for (replica, dump) in &mut server.memory.dumps {
            for (index, one) in server.log.iter().enumerate().skip(dump.next) {
                if !dump.closed && !dump.held.has(one.origin, one.number) {
                    sent.push((*replica, Body::Event(dump.connection, index, *one)));
                }
            }
            dump.next = server.log.len();
        }
        for (replica, body) in sent {
            self.send(End::Server(own), End::Server(replica), body);
        }
    }

    fn heed(&mut self, own: usize, replica: usize, connection: u64, upto: usize) {
        let dump = self.servers[own].memory.dumps.get(&replica);
        let speaks = |dump: &&Dump| dump.connection == connection && dump.acknowledges;
        let Some(dump) = dump.filter(speaks) else {
            return;
        };
        if dump.deaf_until > self.now {
            let again = crate::message::Envelope {
                from: End::Server(replica),
                to: End::Server(own),
                body: Body::Acknowledge(connection, upto),
            };
            self.at(dump.deaf_until, Happening::Arrive(Box::new(again)));
            return;
        }
        let done = self.servers[own].acknowledge(replica, upto);
        self.after_append(own, done);
    }

    fn hang_up(&mut self, own: usize, replica: usize, connection: u64) {
        let server = &mut self.servers[own];
        let Some(dump) = server.memory.dumps.get_mut(&replica) else {
            return;
        };
        if dump.connection == connection {
            match server.family {
                Family::Mysql => dump.closed = true,
                Family::Mariadb => {
                    server.memory.dumps.remove(&replica);
                }
            }
        }
    }

    /// Whether the replica's receiver still uses the connection; if not, the source is told.
    fn is_current(&mut self, own: usize, source: usize, connection: u64) -> bool {
        let link = self.servers[own].link.as_ref();
        let current = link.is_some_and(|link| link.connection == connection);
        if !current {
            self.send(End::Server(own), End::Server(source), Body::Bye(connection));
        }
        current
    }

    fn accepted(&mut self, own: usize, source: usize, connection: u64, upto: usize) {
        if !self.is_current(own, source, connection) {
            return;
        }
        let now = self.now;
        if let Some(link) = &mut self.servers[own].link {
            link.receiver = Receiver::Running;
            link.receiver_error = 0;
            link.heard = now;
            let source = link.source.name.clone();
            self.tell(own, || format!("receives from {source}"));
        }
        if upto > 0 {
            let body = Body::Acknowledge(connection, upto);
            self.send(End::Server(own), End::Server(source), body);
        }
    }

    fn refused(&mut self, own: usize, connection: u64, code: u32) {
        let now = self.now;
        let Some(link) = &mut self.servers[own].link else {
            return;
        };
        if link.connection != connection {
            return;
        }
        link.connection = 0;
        if code == 0 {
            link.receiver = Receiver::Connecting;
            link.retry = now + RETRY;
            self.tell(own, || "has lost its source".to_owned());
        } else {
            link.receiver = Receiver::Stopped;
            link.receiver_error = code;
            self.tell(own, || {
                format!("is refused by its source with error {code}")
            });
        }
    }

    fn receive(&mut self, own: usize, source: usize, at: (u64, usize), one: Transaction) {
        let (connection, index) = at;
        if !self.is_current(own, source, connection) {
            return;
        }
        let now = self.now;
        let server = &mut self.servers[own];
        let known = server.logged.has(one.origin, one.number);
        let Some(link) = &mut server.link else {
            return;
        };
        link.heard = now;
        link.received += 1;
        let same = |other: &Transaction| (other.origin, other.number) == (one.origin, one.number);
        if !known && !link.relay.iter().any(same) {
            link.relay.push_back(one);
        }
        let body = Body::Acknowledge(connection, index + 1);
        self.send(End::Server(own), End::Server(source), body);
        self.start_applying(own);
    }

    /// The applier takes the next transaction, if it can.
    pub(super) fn start_applying(&mut self, own: usize) {
        let server = &mut self.servers[own];
        let idle =
            server.life == Life::Up && !server.disk_hangs && server.visible == server.log.len();
        let life = server.incarnation;
        let Some(link) = &mut server.link else {
            return;
        };
        let ready = link.applier == Applier::Running && !link.blocked && !link.applying;
        if idle && ready && !link.relay.is_empty() {
            link.applying = true;
            let slow = link.slow_ms;
            let time = self.random.millis(slow, slow + 2);
            self.after(time, Happening::Apply(own, life));
        }
    }

    pub(super) fn applied(&mut self, own: usize, life: u64) {
        let server = &mut self.servers[own];
        if server.incarnation != life {
            return;
        }
        let Some(link) = &mut server.link else {
            return;
        };
        let was = std::mem::replace(&mut link.applying, false);
        let stopped = server.life != Life::Up || server.disk_hangs;
        if !was || stopped || link.blocked || link.applier != Applier::Running {
            return;
        }
        let Some(one) = link.relay.pop_front() else {
            return;
        };
        if server.logged.has(one.origin, one.number) {
            return self.after_append(own, Vec::new());
        }
        if server.family == Family::Mariadb && one.number <= server.logged.newest() {
            link.relay.push_front(one);
            link.applier = Applier::Failed(OUT_OF_ORDER);
            self.tell(own, || {
                format!("cannot apply {}-{}", one.origin, one.number)
            });
            return;
        }
        let done = self.servers[own].append(one);
        self.after_append(own, done);
    }
}
