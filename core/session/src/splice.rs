//! Readers of binlogs (`mysqlbinlog`, replicas, change capture): their session gets one server,
//! and from the dump on both sides are joined byte by byte.
//!
//! Which server that is, is settled by the first thing that only such a client does: it sets a user
//! variable of the replication protocol, registers itself, or asks for the dump.

use mainstay_sql::{Flags, Kind, names_replication_variable};
use mainstay_wire::Command;

use crate::core::Core;
use crate::policy::BinlogSource;
use crate::server::ServerPhase;
use crate::session::{Job, Running, Session, Stage};
use crate::tie::TieReason;

impl Core {
    /// The server that binlogs are read from, if it can be used now.
    pub(crate) fn binlog_source(&self) -> Option<usize> {
        let writer = self.writer.filter(|&one| self.upstreams[one].is_usable());
        match &self.policy.binlog {
            BinlogSource::Reader => self.reader().or(writer),
            BinlogSource::Writer => writer,
            BinlogSource::Server(name) => self
                .upstreams
                .iter()
                .position(|one| one.is_usable() && one.target.name == *name),
        }
    }

    /// The dump was sent: from now on nothing is looked at any more.
    pub(crate) fn splice(&mut self, client: u32, id: u32) {
        self.tie(client, TieReason::Replication);
        if let Some(running) = self.clients.get_mut(client).and_then(Session::running_mut) {
            running.stage = Stage::Spliced;
        }
        if let Some(server) = self.servers.get_mut(id) {
            server.phase = ServerPhase::Spliced { session: client };
            server.spent = true;
        }
        self.ready.push_back(client);
    }
}

impl Running {
    /// True for what only a reader of binlogs sends.
    pub(crate) fn reads_binlog(&self) -> bool {
        if matches!(
            self.command,
            Command::RegisterReplica | Command::BinlogDump | Command::BinlogDumpGtid
        ) {
            return true;
        }
        let Job::Query(statement) = self.job else {
            return false;
        };
        statement.kind == Kind::Set
            && statement.flags.contains(Flags::ASSIGNS_USER_VARIABLE)
            && self
                .packet
                .get(self.text_at..)
                .is_some_and(names_replication_variable)
    }
}
