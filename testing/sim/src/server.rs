//! A fake server: its data, its binary log, its semi-synchronous source side. What it does on its
//! own is here; what it is told, and by whom, is in the world.
//!
//! Facts it is made of (measured on real servers):
//! - a commit that waits for its acknowledgement is in the binary log and not visible; after a
//!   crash it is there, acknowledged or not;
//! - MySQL does not count it as executed while it waits, MariaDB does;
//! - semi-synchronous source side off answers OK to every commit that waits;
//! - `KILL` of a waiting commit leaves it waiting (MySQL) or makes it visible (MariaDB).

use std::collections::{BTreeMap, BTreeSet};

use mainstay_topology::{Address, Applier, Family, Member, Part, Promotion, Receiver, ServerName};

use crate::gtids::{Gtids, Transaction};
use crate::link::Link;
use crate::message::{End, Envelope, RunId};
use crate::wait::Wait;

mod facts;

/// Whether the process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// It does.
    Up,
    /// It is stopped (SIGSTOP): its sockets live, and it does nothing.
    Hung,
    /// It does not.
    Down,
}

/// Why the server does not let new connections in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// It does.
    Open,
    /// Error 1040.
    TooManyConnections,
    /// Error 1045.
    AccessDenied,
}

/// A replica's connection, at its source.
#[derive(Debug, Clone)]
pub(crate) struct Dump {
    /// Its number.
    pub(crate) connection: u64,
    /// What the replica held when it connected.
    pub(crate) held: Gtids,
    /// Index in the binary log of what is sent next.
    pub(crate) next: usize,
    /// The replica acknowledges.
    pub(crate) acknowledges: bool,
    /// It is closed, which MySQL notices when it writes next.
    pub(crate) closed: bool,
    /// Acknowledgements are not heard before this (MySQL's thread looks once a second).
    pub(crate) deaf_until: mainstay_clock::Timestamp,
}

/// A client that waits for the acknowledgement of its commit.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    /// The length of the binary log that must be acknowledged.
    pub(crate) upto: usize,
    /// Who waits.
    pub(crate) client: End,
    /// On which connection.
    pub(crate) connection: u64,
    /// For which write.
    pub(crate) write: u64,
}

/// What dies with the process.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Ordinary clients cannot write; on from the first second.
    pub(crate) writable: bool,
    /// Ordinary clients cannot come in (MySQL).
    pub(crate) offline: bool,
    /// Commits wait for acknowledgements.
    pub(crate) source_on: bool,
    /// For so many.
    pub(crate) acks_needed: usize,
    /// Length of the binary log that each replica has acknowledged.
    pub(crate) acks: BTreeMap<usize, usize>,
    /// Replicas that are connected.
    pub(crate) dumps: BTreeMap<usize, Dump>,
    /// Clients that wait.
    pub(crate) pending: Vec<Pending>,
    /// Connections of clients.
    pub(crate) connections: BTreeSet<u64>,
    /// Writes that wait behind a read-only switch.
    pub(crate) behind: Vec<Envelope>,
    /// The manager's connections, one for each step.
    pub(crate) sessions: BTreeSet<RunId>,
    /// Statements of the manager that wait.
    pub(crate) waits: Vec<Wait>,
    /// What arrived while the process was stopped.
    pub(crate) frozen: Vec<Envelope>,
    /// Writes that wait for the disk.
    pub(crate) unwritten: Vec<Envelope>,
}

/// A fake server.
#[derive(Debug)]
pub(crate) struct Server {
    /// Its index in the world.
    pub(crate) index: usize,
    /// `server_id`.
    pub(crate) id: u32,
    /// How it is configured at the manager.
    pub(crate) member: Member,
    /// Its family.
    pub(crate) family: Family,
    /// Whether it lives.
    pub(crate) life: Life,
    /// Grows with each start; what belongs to an older life is void.
    pub(crate) incarnation: u64,
    /// The binary log.
    pub(crate) log: Vec<Transaction>,
    /// How much of it is committed and visible.
    pub(crate) visible: usize,
    /// Its errant transactions are undone in its data, which are these; its log does not say so.
    pub(crate) rewound: Option<Vec<Transaction>>,
    /// The set of all of the log.
    pub(crate) logged: Gtids,
    /// The set of what is visible.
    pub(crate) committed: Gtids,
    /// Its replication link.
    pub(crate) link: Option<Link>,
    /// What dies with the process.
    pub(crate) memory: Memory,
    /// Whom it lets in.
    pub(crate) door: Door,
    /// Extra milliseconds of each commit.
    pub(crate) slow_ms: u64,
    /// It acknowledges as a replica, on connections that it opens from now on.
    pub(crate) acknowledges: bool,
    /// Nothing is written to its disk until it ends.
    pub(crate) disk_hangs: bool,
    /// How far its wall clock is off.
    pub(crate) clock_s: i64,
    /// Its process dies after so many more of the manager's statements.
    pub(crate) dies_after: Option<u32>,
    /// Somebody has switched the wait for acknowledgements off, so an OK promises nothing.
    pub(crate) tampered: bool,
    /// Length of its binary log that is gone.
    pub(crate) purged: usize,
    /// Machines that had this place before.
    pub(crate) replaced: u32,
}

impl Server {
    /// An empty server that has just been started.
    pub(crate) fn new(index: usize, family: Family) -> Self {
        let id = index as u32 + 1;
        let name = format!("db{id}");
        let member = Member {
            name: ServerName::new(&name),
            address: Address {
                host: name,
                port: 3306,
            },
            promotion: Promotion::Neutral,
            part: Part::default(),
        };
        Self {
            index,
            id,
            member,
            family,
            life: Life::Up,
            incarnation: 1,
            log: Vec::new(),
            rewound: None,
            visible: 0,
            logged: Gtids::default(),
            committed: Gtids::default(),
            link: None,
            memory: Memory::default(),
            door: Door::Open,
            slow_ms: 0,
            acknowledges: true,
            disk_hangs: false,
            clock_s: 0,
            dies_after: None,
            tampered: false,
            purged: 0,
            replaced: 0,
        }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &ServerName {
        &self.member.name
    }

    /// The number of its next own transaction.
    pub(crate) fn next_number(&self) -> u64 {
        match self.family {
            Family::Mysql => self.logged.newest_of(self.id) + 1,
            Family::Mariadb => self.logged.newest() + 1,
        }
    }

    /// Puts a transaction in the binary log; it is visible at once unless commits wait.
    pub(crate) fn append(&mut self, transaction: Transaction) -> Vec<Pending> {
        self.log.push(transaction);
        self.logged.insert(transaction.origin, transaction.number);
        self.memory.dumps.retain(|_, dump| !dump.closed);
        if self.memory.source_on {
            return Vec::new();
        }
        self.release(self.log.len())
    }

    /// Makes the binary log visible up to a length; answers the clients that waited for it.
    pub(crate) fn release(&mut self, upto: usize) -> Vec<Pending> {
        while self.visible < upto {
            let one = self.log[self.visible];
            self.committed.insert(one.origin, one.number);
            self.visible += 1;
        }
        let visible = self.visible;
        let (done, waiting) = std::mem::take(&mut self.memory.pending)
            .into_iter()
            .partition(|pending| pending.upto <= visible);
        self.memory.pending = waiting;
        done
    }

    /// Takes a replica's acknowledgement; answers the clients that waited for it.
    pub(crate) fn acknowledge(&mut self, replica: usize, upto: usize) -> Vec<Pending> {
        let upto = upto.min(self.log.len());
        let known = self.memory.acks.entry(replica).or_default();
        *known = upto.max(*known);
        if !self.memory.source_on {
            return Vec::new();
        }
        let mut lengths: Vec<usize> = self.memory.acks.values().copied().collect();
        lengths.sort_unstable_by(|a, b| b.cmp(a));
        match lengths.get(self.memory.acks_needed.max(1) - 1) {
            Some(length) => self.release(*length),
            None => Vec::new(),
        }
    }

    /// Everything that it says it has executed.
    pub(crate) fn executed(&self) -> &Gtids {
        match self.family {
            Family::Mysql => &self.committed,
            Family::Mariadb => &self.logged,
        }
    }

    /// Everything that it holds, applied or not.
    pub(crate) fn held(&self) -> Gtids {
        let mut held = self.logged.clone();
        for one in self.link.iter().flat_map(|link| &link.relay) {
            held.insert(one.origin, one.number);
        }
        held
    }

    /// The newest transaction that it has received or written.
    pub(crate) fn position(&self) -> Option<Transaction> {
        let received = self.link.as_ref().and_then(|link| link.relay.back());
        received.or(self.log.last()).copied()
    }

    /// The end of the process.
    pub(crate) fn crash(&mut self) -> Memory {
        self.life = Life::Down;
        self.tampered = false;
        if let Some(link) = &mut self.link {
            link.receiver = Receiver::Stopped;
            link.applier = Applier::Stopped;
            link.connection = 0;
            link.applying = false;
            link.blocked = false;
        }
        std::mem::take(&mut self.memory)
    }

    /// A new process on the old data. `truncate_to` is the length of the binary log that remains
    /// when MariaDB is told that it was a primary and another is one now.
    pub(crate) fn restart(&mut self, truncate_to: Option<usize>) {
        self.life = Life::Up;
        self.incarnation += 1;
        self.memory = Memory::default();
        if let Some(length) = truncate_to {
            self.log.truncate(length);
        }
        self.replace_log(self.log.clone());
        if let Some(link) = &mut self.link {
            link.forget_errors();
            if self.family == Family::Mariadb {
                link.relay.clear();
            }
        }
    }

    /// Replaces all data.
    pub(crate) fn replace_log(&mut self, log: Vec<Transaction>) {
        self.purged = self.purged.min(log.len());
        self.logged = log.iter().collect();
        self.committed = self.logged.clone();
        self.visible = log.len();
        self.log = log;
    }
}
