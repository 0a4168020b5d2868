//! Whether a connection can run a statement as it is. What one needs that cannot is left to
//! `steps`, by which each judgement is checked in debug builds.

use mainstay_sql::Kind;

use crate::server::Server;
use crate::session::{Job, Session};
use crate::steps::Asks;
use crate::tracking::Tracking;

impl Session {
    /// True when it is plain that the connection needs no step before the running command: so it is
    /// mostly, and then nothing is put together. False leaves it to `steps`.
    pub(crate) fn is_ready_on(&self, server: &Server, asks: &Asks) -> bool {
        let Some(running) = self.running() else {
            return false;
        };
        let (statement, text) = match &running.job {
            Job::Query(statement) => (statement, None),
            Job::Execute { id, statement, .. } => match self.statements.get(*id) {
                Some(prepared) => (statement, Some(&prepared.text)),
                None => return false,
            },
            Job::Login
            | Job::InitDb { .. }
            | Job::Prepare(_)
            | Job::LongData { .. }
            | Job::OnCursor { .. }
            | Job::Other => return false,
        };
        let plain =
            statement.flags.is_empty() && matches!(statement.kind, Kind::Read | Kind::Write);
        let counts = self.asks || self.pinged || running.blank;
        let tells = match server.tracking {
            Tracking::Unable => false,
            Tracking::Usual => server.tells_gtids || self.state.has_user_variables(),
            Tracking::All => true,
        };
        let stale = server.lacks_login || server.stale_schema;
        let wants = asks.gtids || asks.wait.is_some();
        plain
            && !wants
            && !counts
            && !tells
            && !stale
            && self.log.is_none()
            && server.applied == self.state
            && text.is_none_or(|text| server.statements.has(text))
    }
}
