//! What is counted of statements when they have ended, or were answered without a server.

use std::sync::Arc;
use std::time::Duration;

use mainstay_sql::{Digest, digest};
use mainstay_wire::Command;
use mainstay_wire::tracker::Summary;

use crate::core::Core;
use crate::queries::{Asked, Ended, NO_HOSTGROUP, error_key};
use crate::rulebook::Under;
use crate::ruling::Arrived;
use crate::session::{Job, Session};

impl Core {
    /// Counts a statement that no server runs.
    pub(crate) fn count_unsent(&mut self, client: u32, arrived: &Arrived<'_>) {
        self.record_unsent(client, arrived);
        if arrived.command == Command::StmtPrepare {
            return;
        }
        let Some(session) = self.clients.get(client) else {
            return;
        };
        let asked = self.asked(session, NO_HOSTGROUP, self.ruled.digest);
        let ended = Ended {
            now: self.now,
            took: Duration::ZERO,
            rows_affected: 0,
            rows_sent: 0,
        };
        let max = self.policy.queries.digests_max;
        self.queries.count(&asked, ended, max, |text| {
            digest(arrived.sql, text);
        });
    }

    fn asked<'a>(&self, session: &'a Session, hostgroup: i64, digest: Digest) -> Asked<'a> {
        let track = self.policy.queries.client_address;
        Asked {
            hostgroup,
            schema: session.state.schema.as_deref().unwrap_or_default(),
            user: &session.key.user,
            client: if track { &session.host } else { "" },
            digest,
        }
    }

    /// Counts bytes of a reply, where somebody limits them.
    pub(crate) fn count_bytes(&mut self, client: u32, bytes: usize) {
        if !self.book.limits {
            return;
        }
        if let Some(running) = self.clients.get_mut(client).and_then(Session::running_mut) {
            running.ruled.reply_bytes += bytes as u64;
        }
    }

    /// Counts the running statement, whose reply is whole.
    pub(crate) fn count_query(&mut self, client: u32, id: u32, summary: &Summary) {
        let (Some(session), Some(server)) = (self.clients.get(client), self.servers.get(id)) else {
            return;
        };
        let Some(running) = session.running() else {
            return;
        };
        let sql = match &running.job {
            Job::Query(_) => running.packet.get(running.text_at..),
            Job::Execute { id, .. } => session.statements.get(*id).map(|one| &one.text.sql[..]),
            Job::Login
            | Job::InitDb { .. }
            | Job::Prepare(_)
            | Job::LongData { .. }
            | Job::OnCursor { .. }
            | Job::Other => return,
        };
        let hostgroup = self.hostgroup_of(running.ruled.hostgroup, server.upstream);
        if self.book.limits {
            let (user, spent) = (Arc::clone(&session.key.user), running.ruled.reply_bytes);
            let under = Under {
                user: &user,
                hostgroup: running.ruled.counted_for,
                rule: running.ruled.limited_by,
            };
            self.book.spend(&self.policy, under, (0, spent), self.now);
        }
        let asked = self.asked(session, i64::from(hostgroup), running.ruled.digest);
        let ended = Ended {
            now: self.now,
            took: self.now.since(running.since),
            rows_affected: summary.affected_rows,
            rows_sent: summary.rows,
        };
        let known = running.ruled.digest_text.as_deref();
        let max = self.policy.queries.digests_max;
        self.queries.count(&asked, ended, max, |text| match known {
            Some(known) => text.extend_from_slice(known),
            None => drop(digest(sql.unwrap_or_default(), text)),
        });
        if let Some(error) = &summary.error {
            let name = &self.upstreams[server.upstream].target.name;
            let key = error_key(name, &asked, error.code);
            self.queries.error(self.now, key, &error.message);
        }
    }
}
