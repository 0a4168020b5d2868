//! Why a statement went where it went: said afterwards, for logs and for whoever asks. Nothing is
//! noted for it while the statement runs.

use mainstay_routing::{Context, Policy, route};
use mainstay_sql::Kind;

use crate::core::Core;
use crate::session::{Job, Running, Session};

impl Core {
    /// Why the running command of a session is where it is, before its effects are taken.
    pub(crate) fn why(&self, session: &Session) -> String {
        let Some(running) = session.running() else {
            return String::new();
        };
        if session.fast_forward {
            return "Its user has fast_forward: its session has one server.".to_owned();
        }
        if running.to_writer {
            return "A replica refused the statement, so the writer runs it.".to_owned();
        }
        let tied = session.ties.first().filter(|_| session.server.is_some());
        if let Some(reason) = tied.filter(|_| !session.ties.is_soft()) {
            let what = reason.what();
            return format!("The session keeps its server connection because of {what}.");
        }
        if let Some(id) = running.ruled.hostgroup.filter(|_| is_movable(running)) {
            let group = self.policy.hostgroups.get(id);
            return match group {
                Some(group) => {
                    let name = &group.name;
                    format!("A rule, a comment or its user names hostgroup {id} ({name}).")
                }
                None => format!("A rule or a comment names hostgroup {id}, which does not exist."),
            };
        }
        let Some(statement) = running.job.statement() else {
            return "The command is no statement.".to_owned();
        };
        let context = Context {
            in_transaction: session.in_transaction(),
            autocommit: session.autocommit,
            tied: false,
            has_readers: self.reader().is_some(),
            policy: Policy {
                split_reads: self.policy.split_reads,
            },
        };
        let reason = route(&context, statement).reason;
        if self.must_read_at_writer(session) && self.policy.split_reads {
            return "It must see earlier writes, and no replica is known to have them.".to_owned();
        }
        reason.sentence().to_owned()
    }
}

/// A hostgroup is asked for it.
fn is_movable(running: &Running) -> bool {
    match &running.job {
        Job::Query(statement) | Job::Prepare(statement) | Job::Execute { statement, .. } => {
            matches!(statement.kind, Kind::Read | Kind::Show | Kind::Call)
        }
        Job::Login
        | Job::InitDb { .. }
        | Job::LongData { .. }
        | Job::OnCursor { .. }
        | Job::Other => false,
    }
}
