//! Writes of clients at a server: into the binary log, to the replicas, and back as OK when they
//! may be answered.

use mainstay_topology::Family;

use super::{Happening, World};
use crate::gtids::Transaction;
use crate::invariants::one_writer;
use crate::ledger::Execution;
use crate::message::{Body, End, Envelope};
use crate::server::{Door, Life, Pending};

/// `ER_OPTION_PREVENTS_STATEMENT`: read-only.
pub(super) const READ_ONLY: u16 = 1290;
/// The statement did nothing, because it was read too late.
pub(super) const VOID: u16 = 1;
const TOO_MANY: u16 = 1040;
const OFFLINE: u16 = 3032;

impl World {
    pub(super) fn serve_write(&mut self, server: usize, envelope: Envelope) {
        let Body::Write {
            connection,
            fresh,
            write,
            void_after,
        } = envelope.body
        else {
            unreachable!("only writes come here");
        };
        let one = &mut self.servers[server];
        let known = one.memory.connections.contains(&connection);
        let refused = if fresh && !known {
            if one.door != Door::Open {
                Some(TOO_MANY)
            } else if one.memory.offline && envelope.from != End::Manager {
                Some(OFFLINE)
            } else {
                one.memory.connections.insert(connection);
                None
            }
        } else if !known {
            Some(0)
        } else {
            None
        };
        let void = void_after
            .is_some_and(|limit| self.now > limit)
            .then_some(VOID);
        if let Some(code) = refused.or(void) {
            let pending = waiting(&envelope, connection, write, 0);
            self.written(End::Server(server), &pending, Err(code));
            return;
        }
        if self.is_locked(server) {
            self.servers[server].memory.behind.push(envelope);
            return;
        }
        let slow = self.servers[server].slow_ms;
        let disk = self.random.millis(slow, slow * 2 + 1);
        let life = self.servers[server].incarnation;
        self.after(disk, Happening::Commit(Box::new(envelope), server, life));
    }

    /// The write is on the server's disk: it enters the binary log.
    pub(super) fn commit(&mut self, envelope: Envelope, server: usize, life: u64) {
        let Body::Write {
            connection, write, ..
        } = envelope.body
        else {
            unreachable!("only writes come here");
        };
        let one = &mut self.servers[server];
        let upto = one.log.len() + 1;
        let pending = waiting(&envelope, connection, write, upto);
        let own = End::Server(server);
        if one.incarnation != life || one.life == Life::Down {
            return self.written(own, &pending, Err(0));
        }
        if one.life == Life::Hung {
            one.memory.frozen.push(envelope);
            return;
        }
        if !one.memory.connections.contains(&connection) {
            return self.written(own, &pending, Err(0));
        }
        if self.is_locked(server) {
            self.servers[server].memory.behind.push(envelope);
            return;
        }
        let one = &mut self.servers[server];
        if one.disk_hangs {
            one.memory.unwritten.push(envelope);
            return;
        }
        if !one.memory.writable {
            return self.written(own, &pending, Err(READ_ONLY));
        }
        let transaction = Transaction {
            origin: one.id,
            number: one.next_number(),
            write,
        };
        one.memory.pending.push(pending);
        let done = one.append(transaction);
        let reign = self.checks.reigns.newest_of(server);
        self.ledger.executed(
            write,
            Execution {
                server,
                at: self.now,
                reign,
            },
        );
        self.tell(server, || {
            let Transaction { origin, number, .. } = transaction;
            format!("executes write {write} as {origin}-{number}")
        });
        self.after_append(server, done);
    }

    /// What follows when the binary log has grown or become visible.
    pub(super) fn after_append(&mut self, server: usize, done: Vec<Pending>) {
        for one in done {
            self.written(End::Server(server), &one, Ok(()));
        }
        self.pump(server);
        self.check_waits(server);
        self.start_applying(server);
    }

    /// Answers a client.
    pub(super) fn written(&mut self, from: End, to: &Pending, result: Result<(), u16>) {
        let Pending {
            client,
            connection,
            write,
            ..
        } = *to;
        if let (End::Server(server), Ok(())) = (from, result) {
            if !self.servers[server]
                .memory
                .connections
                .contains(&connection)
            {
                return;
            }
            if self.servers[server].tampered {
                self.ledger.promise_nothing(write);
            }
            self.tell(server, || {
                format!("acknowledges write {write} to its client")
            });
        }
        let body = Body::Written {
            connection,
            write,
            result,
        };
        self.send(from, client, body);
    }

    /// A client has received OK.
    pub(super) fn acknowledged(&mut self, write: u64) {
        self.ledger.acknowledge(write, self.now);
        let what = self.ledger.of(write);
        if !what.unprotected {
            let checked = self.checks.one_writer.acknowledged(write, &what);
            self.must(one_writer::NAME, checked);
        }
    }

    pub(super) fn kill_clients(&mut self, server: usize) {
        let one = &mut self.servers[server];
        one.memory.connections.clear();
        let killed = std::mem::take(&mut one.memory.pending);
        let behind = std::mem::take(&mut one.memory.behind);
        // MariaDB ends the wait of a killed commit: it is visible, and on no replica.
        let all = one.log.len();
        if one.family == Family::Mariadb {
            one.release(all);
        }
        for pending in killed {
            self.written(End::Server(server), &pending, Err(0));
        }
        for envelope in behind {
            self.bounce(&envelope);
        }
        self.after_append(server, Vec::new());
    }

    /// Every commit that waits is answered with OK.
    pub(super) fn source_off(&mut self, server: usize) {
        let one = &mut self.servers[server];
        one.memory.source_on = false;
        let all = one.log.len();
        let done = one.release(all);
        self.after_append(server, done);
    }
}

fn waiting(envelope: &Envelope, connection: u64, write: u64, upto: usize) -> Pending {
    Pending {
        upto,
        client: envelope.from,
        connection,
        write,
    }
}
