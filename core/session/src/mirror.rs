//! Copies of queries for another hostgroup, to try it with real load. Nobody waits for a copy, and
//! nobody sees its result.
//!
//! A copy is a session without a client: what would go to that client ends here. Only what is
//! proved a read is copied, so that a mirror can never write twice.

use std::collections::BTreeSet;

use mainstay_sql::{Access, Kind, Statement};
use mainstay_wire::Command;
use mainstay_wire::packet::Packet;

use crate::core::Core;
use crate::op::{ConnId, Op, Ops};
use crate::ruling::Ruled;
use crate::session::{Job, Phase, Session};

/// The copies under way on one worker.
#[derive(Debug, Default)]
pub(crate) struct Copies(BTreeSet<u32>);

impl Copies {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn has(&self, client: u32) -> bool {
        !self.0.is_empty() && self.0.contains(&client)
    }
}

impl Core {
    /// Sends a copy of a query to the hostgroup that a rule names, if that many are not under way.
    pub(crate) fn mirror(
        &mut self,
        client: u32,
        hostgroup: u32,
        (statement, packet): (Statement, &Packet<'_>),
        out: &mut Ops,
    ) {
        let Some(session) = self.clients.get(client) else {
            return;
        };
        let plain = statement.kind == Kind::Read
            && statement.access == Access::Read
            && statement.flags.is_empty()
            && !packet.header.continues();
        if !plain || !session.ties.is_empty() {
            return;
        }
        if self.copies.len() >= self.policy.mirrors_max {
            self.stats.mirrors_dropped += 1;
            return;
        }
        let (key, host) = (session.key.clone(), session.host.clone());
        let mut copy = Session::new(0, host, key, Phase::Ready);
        copy.state = session.state.clone();
        self.serial += 1;
        copy.serial = self.serial;
        let copy = self.clients.insert(copy);
        self.copies.0.insert(copy);
        self.stats.mirrored += 1;
        // What was decided about the query is not for its copy; nor are its bytes the input's.
        let decided = std::mem::take(&mut self.ruled);
        let origin = self.origin.take();
        self.ruled.hostgroup = Some(hostgroup);
        self.start(copy, (Command::Query, Job::Query(statement)), packet, out);
        self.origin = origin;
        self.ruled = decided;
    }

    /// Ends the copies that are over, and drops what would have gone to their clients.
    pub(crate) fn end_copies(&mut self, out: &mut Ops) {
        if self.copies.0.is_empty() {
            return;
        }
        for copy in self.copies.0.clone() {
            let over = |one: &Session| matches!(one.phase, Phase::Ready);
            if self.clients.get(copy).is_some_and(over) {
                self.client_gone(copy, out);
            }
        }
        let copies = &self.copies.0;
        let of_copy = |who: &ConnId| matches!(who, ConnId::Client(id) if copies.contains(id));
        out.retain(|op| match op {
            Op::Send { to: who, .. }
            | Op::Pause(who)
            | Op::Resume(who)
            | Op::Close(who)
            | Op::StartTls { who, .. }
            | Op::Compress { who, .. } => !of_copy(who),
            Op::Connect { .. } | Op::Tell { .. } => true,
        });
        let clients = &self.clients;
        self.copies.0.retain(|id| clients.get(*id).is_some());
    }

    /// True when the command of a copy was given up, where that of a client would be kept.
    pub(crate) fn gave_up_copy(&mut self, client: u32) -> bool {
        let copy = self.copies.has(client);
        if copy {
            self.stats.mirrors_dropped += 1;
            self.ruled = Ruled::default();
            self.command_done(client);
        }
        copy
    }
}
