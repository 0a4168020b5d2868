//! Where a statement goes that a rule, a comment or its user sends to a hostgroup.
//!
//! A hostgroup never makes a second writer: what is no query goes where it would go without one, to
//! the writer. A query that writes all the same is refused by a reader (1290), and runs on the
//! writer then. In a transaction, and without autocommit, no hostgroup is asked.

use mainstay_routing::hostgroups::{Members, READERS, WhenEmpty};
use mainstay_sql::Kind;
use mainstay_wire::ErrorCode;

use crate::core::Core;
use crate::dispatch::Destination;
use crate::op::Ops;
use crate::session::{Job, Session};
use crate::tie::TieReason;

impl Core {
    /// Where the session's command goes by its hostgroup; `None` when none has a say.
    pub(crate) fn ruled_destination(&self, session: &Session) -> Option<Destination> {
        let running = session.running()?;
        if session.fast_forward {
            return Some(self.fast_destination(session));
        }
        let id = running.ruled.hostgroup?;
        let free = session.autocommit && !session.in_transaction() && !running.to_writer;
        let statement = match &running.job {
            Job::Query(statement)
            | Job::Prepare(statement)
            | Job::Execute {
                statement,
                cursor: false,
                ..
            } => statement,
            Job::Execute { cursor: true, .. }
            | Job::Login
            | Job::InitDb { .. }
            | Job::LongData { .. }
            | Job::OnCursor { .. }
            | Job::Other => return None,
        };
        let asks = matches!(statement.kind, Kind::Read | Kind::Show | Kind::Call);
        if !free || !asks {
            return None;
        }
        let group = self.policy.hostgroups.get(id)?;
        if self.must_read_at_writer(session) {
            return None;
        }
        let writer = self.writer.filter(|&one| self.upstreams[one].is_usable());
        let found = match &group.members {
            Members::Writer if session.needs_writer() => return None,
            Members::Writer => writer,
            Members::Readers => {
                let own = self.own_reader(session, |index| self.upstreams[index].reads);
                return own.or_else(|| self.reader()).map(Destination::Upstream);
            }
            Members::Servers(names) => {
                let is_member = |index: usize| {
                    let one = &self.upstreams[index];
                    names.contains(&one.target.name) && (one.reads || self.writer == Some(index))
                };
                let own = self.own_reader(session, is_member);
                own.or_else(|| self.reader_among(is_member))
            }
        };
        if let Some(index) = found {
            return Some(Destination::Upstream(index));
        }
        match group.when_empty {
            WhenEmpty::Wait => Some(Destination::Hold),
            WhenEmpty::Error => Some(Destination::Refuse(id)),
            WhenEmpty::Writer if session.needs_writer() => None,
            WhenEmpty::Writer => Some(writer.map_or(Destination::Hold, Destination::Upstream)),
        }
    }

    /// A user with `fast_forward` gets a server of its hostgroup for good; it may send anything to
    /// it, so that is the writer unless its settings say otherwise.
    fn fast_destination(&self, session: &Session) -> Destination {
        let user = self.policy.users.get(&*session.key.user);
        let group = user.and_then(|user| user.default_hostgroup);
        let group = group.and_then(|id| self.policy.hostgroups.get(id));
        let found = match group.map(|group| &group.members) {
            Some(Members::Readers) => self.reader(),
            Some(Members::Servers(names)) => {
                self.reader_among(|index| names.contains(&self.upstreams[index].target.name))
            }
            Some(Members::Writer) | None => {
                let writer = self.writer.filter(|&one| self.upstreams[one].is_usable());
                writer.filter(|_| !self.routes.hold_writes)
            }
        };
        found.map_or(Destination::Hold, Destination::Upstream)
    }

    /// The first command of such a user was sent: both sides are joined. Where replies must be
    /// changed for the client the connection is only kept for it.
    pub(crate) fn fast_forward(&mut self, client: u32, id: u32) {
        if self
            .servers
            .get(id)
            .is_some_and(crate::server::Server::filters)
        {
            return self.tie(client, TieReason::Rule);
        }
        self.splice(client, id);
    }

    /// The hostgroup has nobody, and that is an error by its settings.
    pub(crate) fn refuse_hostgroup(&mut self, client: u32, id: u32, out: &mut Ops) {
        let name = self.policy.hostgroups.get(id).map(|group| &*group.name);
        let name = name.unwrap_or("?");
        let text = if id == READERS {
            "the statement did not run: no replica may serve it now".to_owned()
        } else {
            format!("the statement did not run: hostgroup {name} ({id}) has no server now")
        };
        self.answer_error(client, &ErrorCode::NetReadInterrupted.with(text), out);
    }

    /// The hostgroup that a statement counts for, which this server ran.
    pub(crate) fn hostgroup_of(&self, asked: Option<u32>, upstream: usize) -> u32 {
        let group = asked.and_then(|id| self.policy.hostgroups.get(id));
        let named = group.is_some_and(|group| match &group.members {
            Members::Servers(names) => names.contains(&self.upstreams[upstream].target.name),
            Members::Writer | Members::Readers => false,
        });
        match asked.filter(|_| named) {
            Some(id) => id,
            None => u32::from(self.writer != Some(upstream)),
        }
    }
}
