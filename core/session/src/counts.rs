//! Plain counters of a worker: one addition each, at the place where the thing happens. What they
//! are called elsewhere is left to the shell.

use std::ops::Index;

use mainstay_sql::{Flags, Kind, Statement};
use mainstay_wire::Command;

use crate::core::Core;
use crate::server::Step;
use crate::session::{Job, Phase, Running, Session};

/// One thing that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Count {
    /// Statements that clients sent: queries, preparations, executions.
    Questions,
    /// Statements that took as long as the settings call slow.
    Slow,
    /// Clients that went before they had logged in, or in the middle of a command.
    ClientsAborted,
    /// Logins refused because of the user or the password.
    DeniedPassword,
    /// Clients refused because there were too many.
    DeniedFull,
    /// Logins refused because the user had too many.
    DeniedUserFull,
    /// Bytes that clients sent.
    BytesFromClients,
    /// Bytes of replies sent to clients.
    BytesToClients,
    /// `COM_INIT_DB` of clients.
    ClientInitDb,
    /// `USE` of clients.
    ClientUse,
    /// `SET NAMES` of clients.
    ClientSetNames,
    /// Statements that clients prepared.
    ClientPrepare,
    /// Statements that clients executed.
    ClientExecute,
    /// Statements that clients closed.
    ClientClose,
    /// `SET autocommit` of clients.
    SetAutocommit,
    /// `COMMIT` of clients.
    Commit,
    /// `ROLLBACK` of clients.
    Rollback,
    /// Reads of clients that lock rows.
    LockingRead,
    /// Changes of the schema of a server connection, to bring it to its session's.
    ServerInitDb,
    /// `SET` statements for the same.
    ServerSet,
    /// Resets of server connections.
    ServerReset,
    /// Statements prepared on servers.
    ServerPrepare,
    /// Statements executed on servers.
    ServerExecute,
    /// Statements closed on servers.
    ServerClose,
    /// Nanoseconds from the sending of statements to the end of their replies.
    ServerNanos,
    /// Commands that needed a server connection from a pool.
    PoolAsked,
    /// Those that got one.
    PoolGiven,
    /// Those that got one at once.
    PoolAtOnce,
    /// Those that waited too long for one.
    PoolTimeouts,
    /// Server connections given back.
    PoolReturned,
    /// Server connections closed.
    PoolClosed,
    /// Server connections lost in the middle of a statement.
    LostInStatement,
    /// Bytes of results that were kept.
    CacheBytesIn,
    /// Bytes of kept results that were sent to clients.
    CacheBytesOut,
    /// Statements interrupted at their server because they took too long.
    Interrupted,
    /// Records for the logs that there was no room for.
    RecordsDropped,
}

/// How many there are.
const COUNTS: usize = Count::RecordsDropped as usize + 1;

/// All of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts([u64; COUNTS]);

impl Default for Counts {
    fn default() -> Self {
        Self([0; COUNTS])
    }
}

impl Index<Count> for Counts {
    type Output = u64;

    fn index(&self, count: Count) -> &u64 {
        &self.0[count as usize]
    }
}

impl Counts {
    /// One more.
    pub(crate) fn one(&mut self, count: Count) {
        self.0[count as usize] += 1;
    }

    /// So many more.
    pub(crate) fn more(&mut self, count: Count, by: u64) {
        self.0[count as usize] += by;
    }

    /// Adds those of another worker.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }

    /// A statement came, to run or to be prepared.
    pub(crate) fn statement(&mut self, command: Command, statement: Statement, sql: &[u8]) {
        self.one(Count::Questions);
        if command == Command::StmtPrepare {
            return self.one(Count::ClientPrepare);
        }
        match statement.kind {
            Kind::Use => self.one(Count::ClientUse),
            Kind::Commit => self.one(Count::Commit),
            Kind::Rollback => self.one(Count::Rollback),
            Kind::Set if names_charset(sql) => self.one(Count::ClientSetNames),
            Kind::Set
                if statement
                    .flags
                    .intersects(Flags::AUTOCOMMIT_ON | Flags::AUTOCOMMIT_OFF) =>
            {
                self.one(Count::SetAutocommit);
            }
            Kind::Read if statement.flags.contains(Flags::LOCKING_READ) => {
                self.one(Count::LockingRead);
            }
            Kind::Read
            | Kind::Write
            | Kind::Ddl
            | Kind::Begin
            | Kind::Savepoint
            | Kind::Set
            | Kind::Show
            | Kind::Prepare
            | Kind::Execute
            | Kind::Deallocate
            | Kind::LockTables
            | Kind::UnlockTables
            | Kind::Call
            | Kind::LoadData
            | Kind::Kill
            | Kind::Handler
            | Kind::Xa
            | Kind::Admin
            | Kind::Unknown
            | Kind::Empty
            | Kind::Multi => {}
        }
    }

    /// A step of a set-up is sent.
    pub(crate) fn step(&mut self, step: &Step) {
        match step.command() {
            Command::InitDb => self.one(Count::ServerInitDb),
            Command::ResetConnection => self.one(Count::ServerReset),
            Command::StmtPrepare => self.one(Count::ServerPrepare),
            Command::Query if matches!(step, Step::Set) => self.one(Count::ServerSet),
            _ => {}
        }
    }

    /// A client's command is sent to a server.
    pub(crate) fn sent(&mut self, running: &Running) {
        match running.job {
            Job::Prepare(_) => self.one(Count::ServerPrepare),
            Job::Execute { .. } => self.one(Count::ServerExecute),
            Job::Login
            | Job::InitDb { .. }
            | Job::Query(_)
            | Job::LongData { .. }
            | Job::OnCursor { .. }
            | Job::Other => {}
        }
    }
}

/// `SET NAMES …`, and `SET CHARACTER SET …`.
fn names_charset(sql: &[u8]) -> bool {
    let words = sql.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
    let second = words.filter(|word| !word.is_empty()).nth(1);
    second.is_some_and(|word| {
        word.eq_ignore_ascii_case(b"NAMES") || word.eq_ignore_ascii_case(b"CHARACTER")
    })
}

/// Bytes to and from a server that no statement has been charged with yet.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Traffic {
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

/// What statements of one hostgroup have asked of one server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GroupStats {
    /// Statements that it ran.
    pub statements: u64,
    /// Those that waited at it for earlier writes.
    pub causal: u64,
    /// Bytes sent to it.
    pub sent: u64,
    /// Bytes received from it.
    pub received: u64,
    /// Connections to it that serve them now.
    pub used: usize,
    /// It is in the hostgroup now.
    pub member: bool,
}

impl GroupStats {
    /// Adds those of another worker.
    pub fn add(&mut self, other: &Self) {
        self.statements += other.statements;
        self.causal += other.causal;
        self.sent += other.sent;
        self.received += other.received;
        self.used += other.used;
        self.member |= other.member;
    }
}

impl Core {
    /// Charges the hostgroup of the running statement, whose reply is whole, with its bytes.
    pub(crate) fn count_traffic(&mut self, client: u32, id: u32) {
        let session = self.clients.get(client);
        let Some(running) = session.and_then(Session::running) else {
            return;
        };
        let (asked, took) = (running.ruled.hostgroup, self.now.since(running.since));
        let on_server = self.now.since(running.sent_at);
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        let (upstream, traffic) = (server.upstream, std::mem::take(&mut server.traffic));
        let hostgroup = self.hostgroup_of(asked, upstream);
        let group = self.upstreams[upstream].group(hostgroup);
        group.statements += 1;
        group.sent += traffic.sent;
        group.received += traffic.received;
        let nanos = u64::try_from(on_server.as_nanos()).unwrap_or(u64::MAX);
        self.counts.more(Count::ServerNanos, nanos);
        if took >= self.policy.log.slow_after {
            self.counts.one(Count::Slow);
        }
    }

    /// Bytes of a client are passed on to its server as they are.
    pub(crate) fn count_passed(&mut self, id: u32, bytes: usize) {
        if let Some(server) = self.servers.get_mut(id) {
            server.traffic.sent += bytes as u64;
        }
    }

    /// A server connection is closed: what is left of its bytes goes to the role of its server.
    pub(crate) fn count_closed(&mut self, upstream: usize, traffic: Traffic) {
        self.counts.one(Count::PoolClosed);
        let hostgroup = self.hostgroup_of(None, upstream);
        let group = self.upstreams[upstream].group(hostgroup);
        group.sent += traffic.sent;
        group.received += traffic.received;
    }

    /// A client goes: was it in the middle of something?
    pub(crate) fn count_gone(&mut self, client: u32) {
        let aborted = self.clients.get(client).is_some_and(|session| {
            !self.copies.has(client) && !matches!(session.phase, Phase::Ready)
        });
        if aborted {
            self.counts.one(Count::ClientsAborted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_add_up_over_workers() {
        let mut total = Counts::default();
        let mut one = Counts::default();
        one.one(Count::RecordsDropped);
        one.more(Count::BytesToClients, 7);
        total.add(&one);
        total.add(&one);
        assert_eq!(total[Count::BytesToClients], 14);
        assert_eq!(total[Count::RecordsDropped], 2);
        assert_eq!(total[Count::Questions], 0);
    }

    #[test]
    fn what_a_set_is_about_is_known_by_its_first_words() {
        assert!(names_charset(b"SET NAMES utf8mb4") && names_charset(b"set character set utf8"));
        assert!(!names_charset(b"SET sql_mode=''") && !names_charset(b"SET"));
    }
}
