//! What brings a server connection to a session's state: the commands of a set-up, in their order.
//! Sending them, and reading what the server says to them, is left to `setup`.

use std::collections::VecDeque;
use std::sync::Arc;

use mainstay_sql::Flags;
use mainstay_wire::Command;

use crate::causal::Seen;
use crate::core::Core;
use crate::dialect;
use crate::server::{Server, Step};
use crate::session::{Job, Session};
use crate::state::Change;
use crate::tracking::Tracking;

/// What the proxy itself wants from a connection before a command.
pub(crate) struct Asks {
    /// What its server tells by itself is known.
    known: bool,
    /// It must tell the transactions of writes.
    pub(crate) gtids: bool,
    /// It must wait for these.
    pub(crate) wait: Option<(Seen, String)>,
}

impl Core {
    pub(crate) fn asks(&self, client: u32, id: u32) -> Option<Asks> {
        let (session, server) = (self.clients.get(client)?, self.servers.get(id)?);
        // Anything before a question about the last statement would be that statement.
        let follows = session.running().is_some_and(|one| one.job.asks());
        let free = !follows || session.is_new_to(id, server);
        let wait = self.awaited(session, server).filter(|_| free);
        let told = server.tracking != Tracking::Unable && free;
        Some(Asks {
            known: self.upstreams[server.upstream].usual.is_some(),
            gtids: told && self.wants_gtid(session),
            wait: wait.map(|seen| {
                let text = self.wait_text(server, &seen);
                (seen, text)
            }),
        })
    }
}

/// The commands that bring the connection to the session's state, with their arguments.
pub(crate) fn steps(
    session: &Session,
    id: u32,
    server: &Server,
    asks: &Asks,
) -> VecDeque<(Step, Vec<u8>)> {
    let mut steps = VecDeque::new();
    let Some(running) = session.running() else {
        return steps;
    };
    let moved = session.is_new_to(id, server);
    let last_id = (moved && running.job.has(Flags::LAST_INSERT_ID))
        .then(|| format!("last_insert_id={}", session.last_insert_id).into_bytes());
    let extra = last_id
        .as_deref()
        .map(|text| (&b"last_insert_id"[..], text));
    let change = session.change_of(server, extra);
    if change.reset && session.ties.is_empty() {
        steps.push_back((Step::Reset, Vec::new()));
    }
    let reset = !steps.is_empty();
    if server.lacks_login || reset && !server.login_set.is_empty() {
        steps.push_back((Step::Login, server.login_set.clone().into_bytes()));
    }
    let mariadb = server.is_mariadb;
    let ask = || (!asks.known).then(|| (Step::Usual, dialect::ask_usual(mariadb)));
    let tracking = session.tracking(server);
    match tracking {
        Some(true) => {
            steps.extend(ask());
            steps.push_back((Step::Track(true), dialect::TRACK_ALL.to_vec()));
        }
        Some(false) if !reset => {
            steps.push_back((Step::Track(false), dialect::track_usual(mariadb)));
        }
        Some(false) | None => {}
    }
    // MariaDB refuses to be asked for more than everything, of which transactions are a part.
    let everything = mariadb && tracking == Some(true);
    let tells = everything || server.tells_gtids && !reset;
    if asks.gtids && !tells && !session.state.tracks_itself() {
        let asked = steps.iter().any(|(step, _)| matches!(step, Step::Usual));
        steps.extend(ask().filter(|_| !asked));
        steps.push_back((Step::Gtids, dialect::track_gtids(mariadb).to_vec()));
    }
    steps.extend(change.sets.into_iter().map(|set| (Step::Set, set)));
    if let Some((seen, text)) = &asks.wait {
        steps.push_back((Step::Wait(seen.clone()), text.clone().into_bytes()));
    }
    let again = reset || server.stale_schema || matches!(running.job, Job::InitDb { .. });
    let own = session.state.schema.as_ref().filter(|_| again);
    let schema = change.schema.or_else(|| own.cloned());
    if let Some(name) = schema {
        steps.push_back((Step::Schema(name.clone()), name));
    }
    steps.extend(session.counter_steps(server));
    let (Job::Execute { id, .. } | Job::LongData { id, .. }) = running.job else {
        return steps;
    };
    let Some(prepared) = session.statements.get(id) else {
        return steps;
    };
    let text = &prepared.text;
    // A reset closes all statements of the connection.
    if server.statements.has(text) && !matches!(steps.front(), Some((Step::Reset, _))) {
        return steps;
    }
    let there = text
        .schema
        .clone()
        .filter(|name| session.state.schema.as_ref() != Some(name));
    let back = there.as_ref().and(session.state.schema.clone());
    steps.extend(there.map(|name| (Step::Schema(name.clone()), name)));
    steps.push_back((Step::Prepare(Arc::clone(text)), text.sql.clone()));
    steps.extend(back.map(|name| (Step::Schema(name.clone()), name)));
    steps
}

impl Step {
    pub(crate) fn command(&self) -> Command {
        match self {
            Self::Reset => Command::ResetConnection,
            Self::Ping => Command::Ping,
            Self::Set
            | Self::Found
            | Self::Login
            | Self::Usual
            | Self::Track(_)
            | Self::Gtids
            | Self::Wait(_) => Command::Query,
            Self::Replay(entry) => entry.command(),
            Self::Schema(_) => Command::InitDb,
            Self::Prepare(_) => Command::StmtPrepare,
        }
    }
}

impl Session {
    /// What brings the connection to its state.
    fn change_of(&self, server: &Server, extra: Option<(&[u8], &[u8])>) -> Change {
        let reset = self.must_lose_warnings(server);
        server.applied.change_to_after(reset, &self.state, extra)
    }
}
