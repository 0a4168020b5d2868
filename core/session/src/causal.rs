//! Causal reads: a read on a replica sees what its session, or everybody, wrote before.
//!
//! The writer tells the transaction of each write in its OK packet. Before a read a reader is made
//! to wait for it, unless it is known to have got there; a reader that is not there in time leaves
//! the read to the writer. A transaction that was not told makes all later reads the writer's.
//!
//! Replicas must commit in the order of their source (`replica_preserve_commit_order`, the default
//! of MySQL 8.0.27; `MariaDB` always does): then one transaction stands for all before it.
//!
//! Sources: `session_track_gtids`, `WAIT_FOR_EXECUTED_GTID_SET` (MySQL), `last_gtid`,
//! `MASTER_GTID_WAIT` (`MariaDB`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mainstay_wire::SessionChange;
use mainstay_wire::tracker::Summary;

use crate::core::Core;
use crate::dialect;
use crate::op::Ops;
use crate::server::{Server, ServerPhase};
use crate::session::{Job, Session};
use crate::tracking::last_row;

/// What a read on a replica must see.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Causal {
    /// Whatever the replica has.
    #[default]
    None,
    /// The earlier writes of its session.
    Session,
    /// All earlier writes that went through this proxy.
    Global,
}

/// How causal reads are made.
#[derive(Debug, Clone)]
pub struct CausalPolicy {
    /// For users that have no setting of their own.
    pub reads: Causal,
    /// The longest wait of a reader; then the writer serves the read.
    pub wait: Duration,
    /// The transactions that all workers were told.
    pub board: Arc<Board>,
}

impl Default for CausalPolicy {
    fn default() -> Self {
        Self {
            reads: Causal::None,
            wait: Duration::from_millis(500),
            board: Arc::default(),
        }
    }
}

/// The last transaction of each origin: of a server in MySQL, of a domain in `MariaDB`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen(BTreeMap<String, Last>);

/// Its number, and what stands before the number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Last {
    number: u64,
    prefix: String,
}

impl Seen {
    /// Takes what a server told: `uuid:7`, `uuid:5-7`, `uuid:tag:7`, `0-1-7`, several with commas.
    pub(crate) fn take(&mut self, text: &str) {
        for one in text.split(',') {
            let one = one.trim();
            let found = if let Some((origin, interval)) = one.rsplit_once(':') {
                // An interval ends at its last number.
                let last = interval.rsplit('-').next().unwrap_or_default();
                (origin, format!("{origin}:"), last)
            } else {
                let mut parts = one.splitn(3, '-');
                let (Some(domain), Some(server), Some(number)) =
                    (parts.next(), parts.next(), parts.next())
                else {
                    continue;
                };
                (domain, format!("{domain}-{server}-"), number)
            };
            let (origin, prefix, number) = found;
            if let Ok(number) = number.parse() {
                self.raise(origin, Last { number, prefix });
            }
        }
    }

    fn raise(&mut self, origin: &str, last: Last) {
        match self.0.get_mut(origin) {
            Some(known) if known.number >= last.number => {}
            Some(known) => *known = last,
            None => drop(self.0.insert(origin.to_owned(), last)),
        }
    }

    fn merge(&mut self, other: &Self) {
        for (origin, last) in &other.0 {
            self.raise(origin, last.clone());
        }
    }

    fn covers(&self, other: &Self) -> bool {
        let reached = |(origin, last): (&String, &Last)| {
            let reached = self.0.get(origin);
            reached.is_some_and(|reached| reached.number >= last.number)
        };
        other.0.iter().all(reached)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As the functions that wait take it.
    pub(crate) fn text(&self) -> String {
        let one = |last: &Last| format!("{}{}", last.prefix, last.number);
        self.0.values().map(one).collect::<Vec<_>>().join(",")
    }
}

/// The newest transactions that any worker was told.
#[derive(Debug, Default)]
pub struct Board(Mutex<Seen>);

impl Board {
    fn note(&self, seen: &Seen) {
        let mut board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        board.merge(seen);
    }

    /// Takes what another one knows.
    pub(crate) fn absorb(&self, other: &Self) {
        if !std::ptr::eq(self, other) {
            self.note(&other.look());
        }
    }

    fn look(&self) -> Seen {
        let board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        board.clone()
    }
}

/// What at least one user wants.
// Each flag is one wish.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wishes {
    causal: bool,
    global: bool,
    /// A rule does.
    rule: bool,
    pub(crate) replays: bool,
}

/// What a session must see.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) seen: Seen,
    /// It may have written what no server told.
    untold: bool,
}

impl Written {
    /// As another process can read it back.
    pub(crate) fn told(&self) -> (String, bool) {
        (self.seen.text(), self.untold)
    }

    /// What another process wrote down.
    pub(crate) fn read_back(told: &str, untold: bool) -> Self {
        let mut seen = Seen::default();
        seen.take(told);
        Self { seen, untold }
    }
}

impl Core {
    /// A session came from another process: who wants to see everything must see what it wrote.
    pub(crate) fn share_written(&self, session: &Session) {
        if let Some(written) = session.written.as_ref().filter(|_| self.shares_writes()) {
            self.policy.causal.board.note(&written.seen);
        }
    }

    pub(crate) fn causal_of(&self, user: &str) -> Causal {
        if !self.wishes.causal {
            return Causal::None;
        }
        let own = self.policy.users.get(user).and_then(|user| user.causal);
        own.unwrap_or(self.policy.causal.reads)
    }

    /// As [`Self::causal_of`], for the running command: a rule may ask for more than the user.
    fn causal_for(&self, session: &Session) -> Causal {
        let causal = self.causal_of(&session.key.user);
        let ruled = session.running().is_some_and(|one| one.ruled.causal);
        if ruled && causal == Causal::None {
            return Causal::Session;
        }
        causal
    }

    /// Looks up what anybody wants, so that each statement need not.
    pub(crate) fn take_wishes(&mut self) {
        let users = || self.policy.users.values();
        let rule = self.policy.causal.reads;
        let own = |causal: Causal| users().any(|user| user.causal == Some(causal));
        let global = rule == Causal::Global || own(Causal::Global);
        let by_rule = self.policy.rules.asks_for_writes();
        self.wishes = Wishes {
            causal: global || by_rule || rule == Causal::Session || own(Causal::Session),
            global,
            rule: by_rule,
            replays: users().any(|user| user.replays_transactions),
        };
    }

    /// True when somebody wants to see the writes of everybody.
    fn shares_writes(&self) -> bool {
        self.wishes.global
    }

    /// True when a read of the session may ask for what the session wrote.
    fn remembers_writes(&self, session: &Session) -> bool {
        self.wishes.rule || self.causal_of(&session.key.user) != Causal::None
    }

    /// True when the writer must tell the transaction of the session's running command.
    pub(crate) fn wants_gtid(&self, session: &Session) -> bool {
        let reads = session.running().is_none_or(|one| one.job.is_read());
        !reads && (self.remembers_writes(session) || self.shares_writes())
    }

    /// What the reader must wait for before the session's running command.
    pub(crate) fn awaited(&self, session: &Session, server: &Server) -> Option<Seen> {
        if self.writer == Some(server.upstream) {
            return None;
        }
        let running = session.running()?;
        let causal = self.causal_for(session);
        if causal == Causal::None && running.ruled.min_gtid.is_none() {
            return None;
        }
        let mut wanted = match causal {
            Causal::None => Seen::default(),
            Causal::Session => {
                let written = session.written.as_ref();
                written.map_or_else(Seen::default, |written| written.seen.clone())
            }
            Causal::Global => self.policy.causal.board.look(),
        };
        if let Some(asked) = &running.ruled.min_gtid {
            wanted.take(asked);
        }
        let query = matches!(running.job, Job::Query(_) | Job::Execute { .. });
        let reached = &self.upstreams[server.upstream].reached;
        let waits = query && !wanted.is_empty() && !reached.covers(&wanted);
        waits.then_some(wanted)
    }

    /// The statement that waits.
    pub(crate) fn wait_text(&self, server: &Server, wanted: &Seen) -> String {
        let seconds = self.policy.causal.wait.as_secs_f64();
        dialect::wait_for(server.is_mariadb, &wanted.text(), seconds)
    }

    /// The reader has answered. False when it is not there: the writer serves the read.
    pub(crate) fn waited(&mut self, id: u32, wanted: &Seen, reply: &[u8]) -> bool {
        let Some(server) = self.servers.get(id) else {
            return false;
        };
        let there = last_row(reply).is_some_and(|mut row| row.lenenc_bytes() == Ok(&b"0"[..]));
        if there {
            self.upstreams[server.upstream].reached.merge(wanted);
            self.stats.causal_waits += 1;
            let upstream = server.upstream;
            let hostgroup = self.hostgroup_of(None, upstream);
            self.upstreams[upstream].group(hostgroup).causal += 1;
        } else {
            self.stats.causal_to_writer += 1;
        }
        there
    }

    /// The session reads at the writer: what it wrote is not known to any reader.
    pub(crate) fn must_read_at_writer(&self, session: &Session) -> bool {
        let untold = session
            .written
            .as_ref()
            .is_some_and(|written| written.untold);
        untold && self.causal_for(session) != Causal::None
    }

    /// Takes what the writer told of a command that is over.
    pub(crate) fn take_gtid(&mut self, client: u32, id: u32, summary: &Summary) {
        if !self.wishes.causal {
            return;
        }
        let Some(session) = self.clients.get(client) else {
            return;
        };
        if !self.wants_gtid(session) && summary.changes.is_empty() {
            return;
        }
        let causal = self.remembers_writes(session);
        let shares = self.shares_writes();
        if !causal && !shares {
            return;
        }
        let mut seen = Seen::default();
        for change in &summary.changes {
            match change {
                SessionChange::Gtids(set) => seen.take(set),
                SessionChange::SystemVariable { name, value } if name == "last_gtid" => {
                    seen.take(value);
                }
                SessionChange::SystemVariable { .. }
                | SessionChange::Schema(_)
                | SessionChange::StateChanged(_)
                | SessionChange::TransactionCharacteristics(_)
                | SessionChange::TransactionState(_)
                | SessionChange::Unknown { .. } => {}
            }
        }
        let wrote = self.wants_gtid(session);
        let tells = self
            .servers
            .get(id)
            .is_some_and(|server| server.tells_gtids);
        if !seen.is_empty() {
            self.policy.causal.board.note(&seen);
        }
        let Some(session) = self.clients.get_mut(client).filter(|_| causal) else {
            return;
        };
        if !seen.is_empty() {
            session.written.get_or_insert_default().seen.merge(&seen);
        } else if wrote && !tells {
            session.written.get_or_insert_default().untold = true;
        }
    }

    /// A reader that was not there in time is left; the writer serves the command.
    pub(crate) fn not_there(&mut self, client: u32, id: u32, out: &mut Ops) {
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        if let Some(running) = session.running_mut() {
            running.to_writer = true;
        }
        let pending = self.servers.get(id).is_some_and(
            |server| matches!(&server.phase, ServerPhase::Setup { steps, .. } if !steps.is_empty()),
        );
        if pending {
            session.lost = session.lose();
            self.close_server(id, out);
        } else {
            self.untie(client, out);
        }
        self.dispatch(client, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(texts: &[&str]) -> Seen {
        let mut seen = Seen::default();
        for text in texts {
            seen.take(text);
        }
        seen
    }

    #[test]
    fn the_last_transaction_of_each_origin_stands_for_all() {
        let mysql = seen(&["a-b:5", "a-b:7", "a-b:6", "c:1-4", "a-b:tag:2"]);
        assert_eq!(mysql.text(), "a-b:7,a-b:tag:2,c:4");
        let maria = seen(&["0-1-9", "1-2-3", "0-2-10", "0-1-8"]);
        assert_eq!(maria.text(), "0-2-10,1-2-3");
        assert_eq!(seen(&["", "nonsense"]).text(), "");
    }

    #[test]
    fn a_reader_that_has_reached_a_later_one_need_not_wait() {
        let reached = seen(&["a:7", "b:2"]);
        assert!(reached.covers(&seen(&["a:6"])));
        assert!(!reached.covers(&seen(&["a:6", "c:1"])));
        assert!(!reached.covers(&seen(&["b:3"])));
    }
}
