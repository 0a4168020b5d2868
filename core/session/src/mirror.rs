//! Copies of queries for another hostgroup, to try it with real load. Nobody waits for a copy, and
//! nobody sees its result.
//!
//! A copy is a session without a client: what would go to that client ends here. Only what is
//! proved a read is copied, so that a mirror can never write twice.

use std::collections::BTreeSet;

use mainstay_routing::rules::{Actions, Query};
use mainstay_routing::{Flag, HostgroupId};
use mainstay_sql::{Access, Kind, Statement, classify_trusting};
use mainstay_wire::Command;
use mainstay_wire::packet::{Packet, PacketHeader};

use crate::core::Core;
use crate::op::{ConnId, Op, Ops};
use crate::ruling::{REWRITTEN_MAX, Ruled};
use crate::session::{Job, Phase, Session};

/// What a rule says of a copy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mirror {
    /// Where it goes, if the rules behind the flag do not say more.
    hostgroup: Option<HostgroupId>,
    /// The flag that the rules begin with for it.
    flag: Option<Flag>,
}

impl Mirror {
    pub(crate) fn of(actions: &Actions) -> Option<Self> {
        let (hostgroup, flag) = (actions.mirror_hostgroup, actions.mirror_flag_out);
        (hostgroup.is_some() || flag.is_some()).then_some(Self { hostgroup, flag })
    }
}

fn is_plain(statement: Statement) -> bool {
    statement.kind == Kind::Read && statement.access == Access::Read && statement.flags.is_empty()
}

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
        mirror: Mirror,
        (statement, packet, at): (Statement, &Packet<'_>, usize),
        out: &mut Ops,
    ) {
        let Some(session) = self.clients.get(client) else {
            return;
        };
        if !is_plain(statement) || packet.header.continues() || !session.ties.is_empty() {
            return;
        }
        if self.copies.len() >= self.policy.mirrors_max {
            self.stats.mirrors_dropped += 1;
            return;
        }
        let sql = packet.payload.get(at..).unwrap_or_default();
        let Some((hostgroup, rewritten)) = self.mirrored(client, mirror, sql) else {
            return;
        };
        let statement = match &rewritten {
            Some(text) => classify_trusting(text, &self.policy.trusted),
            None => statement,
        };
        let payload = rewritten.map(|text| [&packet.payload[..at], &text].concat());
        let packet = Packet {
            header: PacketHeader {
                len: payload.as_ref().map_or(packet.payload.len(), Vec::len),
                sequence: 0,
            },
            payload: payload.as_deref().unwrap_or(packet.payload),
            range: 0..0,
        };
        let Some(session) = self.clients.get(client) else {
            return;
        };
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
        self.ruled.hostgroup = hostgroup;
        self.start(copy, (Command::Query, Job::Query(statement)), &packet, out);
        self.origin = origin;
        self.ruled = decided;
    }

    /// Where a copy goes, and the text that runs instead: what the rules say that begin with the
    /// mirror's flag. `None` when they answer it themselves, or make something else than a read.
    fn mirrored(
        &mut self,
        client: u32,
        mirror: Mirror,
        sql: &[u8],
    ) -> Option<(Option<u32>, Option<Vec<u8>>)> {
        let Some(flag) = mirror.flag else {
            return Some((mirror.hostgroup, None));
        };
        let session = self.clients.get(client)?;
        let query = Query {
            user: &session.key.user,
            schema: session.state.schema.as_deref().unwrap_or_default(),
            client: &session.host,
            proxy: self.policy.listen,
            sql,
            digest: self.ruled.digest,
            digest_text: &self.digest_text,
            flag,
            executes: false,
        };
        let ruling = self.policy.rules.ask(&query, &mut self.book.workspace);
        let Actions {
            destination_hostgroup,
            error_msg,
            ok_msg,
            ..
        } = ruling.actions;
        let is_read = |text: &Vec<u8>| {
            text.len() < REWRITTEN_MAX && is_plain(classify_trusting(text, &self.policy.trusted))
        };
        let answered = error_msg.is_some() || ok_msg.is_some();
        if answered || !ruling.rewritten.as_ref().is_none_or(is_read) {
            return None;
        }
        Some((destination_hostgroup.or(mirror.hostgroup), ruling.rewritten))
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
