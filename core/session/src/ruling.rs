//! What is decided about a statement before it looks for a server, and what is counted when it has
//! ended.

use mainstay_sql::{Digest, Statement, classify_trusting, digest};
use mainstay_wire::tracker::Summary;

use crate::core::Core;
use crate::queries::{Asked, Ended, error_key};
use crate::session::Job;

/// What was decided about a command.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ruled {
    /// The hash of its text without its values; 0 when it is no statement.
    pub(crate) digest: Digest,
}

impl Core {
    /// Says what a statement is, and remembers its digest for the command that starts next.
    pub(crate) fn read_statement(&mut self, sql: &[u8]) -> Statement {
        if self.policy.queries.digests_max > 0 {
            self.ruled.digest = digest(sql, &mut self.digest_text);
        }
        classify_trusting(sql, &self.policy.trusted)
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
        let track = self.policy.queries.client_address;
        let asked = Asked {
            hostgroup: i64::from(self.writer != Some(server.upstream)),
            schema: session.state.schema.as_deref().unwrap_or_default(),
            user: &session.key.user,
            client: if track { &session.host } else { "" },
            digest: running.ruled.digest,
        };
        let ended = Ended {
            now: self.now,
            took: self.now.since(running.since),
            rows_affected: summary.affected_rows,
            rows_sent: summary.rows,
        };
        let max = self.policy.queries.digests_max;
        self.queries.count(&asked, ended, max, |text| {
            digest(sql.unwrap_or_default(), text);
        });
        if let Some(error) = &summary.error {
            let name = &self.upstreams[server.upstream].target.name;
            let key = error_key(name, &asked, error.code);
            self.queries.error(self.now, key, &error.message);
        }
    }
}
