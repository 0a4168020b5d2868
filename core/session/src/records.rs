//! What the logs are told: statements that have ended, clients that came and went. A worker keeps
//! what a turn gave until its driver takes it; writing it is left to the shell.

use std::sync::Arc;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_sql::Digest;
use mainstay_topology::ServerName;
use mainstay_wire::tracker::Summary;
use mainstay_wire::{Command, ErrPacket};

use crate::core::Core;
use crate::counts::Count;
use crate::queries::NO_HOSTGROUP;
use crate::ruling::Arrived;
use crate::session::{Job, Phase, Running, Session};

/// Records that a worker keeps at most, until they are taken.
const RECORDS_MAX: usize = 4_096;

/// One thing for a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A statement has ended.
    Statement(Box<StatementRecord>),
    /// A client has come, gone, or been refused.
    Client(Box<ClientRecord>),
}

/// A statement that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementRecord {
    /// It is for the query log.
    pub logged: bool,
    /// It is for the slow log.
    pub slow: bool,
    /// When its reply was whole.
    pub ended: Timestamp,
    /// From its arrival to then.
    pub took: Duration,
    /// From its arrival until it was sent.
    pub waited: Duration,
    /// The number of the session.
    pub session: u32,
    /// The user.
    pub user: Arc<str>,
    /// Where the client is.
    pub client: String,
    /// The schema of the session; empty without one.
    pub schema: String,
    /// The command that sent it, as ProxySQL names it.
    pub command: &'static str,
    /// The hostgroup that ran it, or -1.
    pub hostgroup: i64,
    /// The server that ran it.
    pub server: Option<ServerName>,
    /// The hash of the text without values.
    pub digest: Digest,
    /// The text, as far as it is kept.
    pub text: String,
    /// Rows changed.
    pub rows_affected: u64,
    /// Rows sent to the client.
    pub rows_sent: u64,
    /// The error it ended with.
    pub error: Option<(u16, String)>,
    /// The query rule that matched last.
    pub rule: Option<u32>,
    /// Why it went where it went.
    pub reason: String,
    /// Times it was sent.
    pub attempts: u8,
}

/// A client that came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRecord {
    /// What happened.
    pub event: ClientEvent,
    /// When.
    pub at: Timestamp,
    /// The number of the session.
    pub session: u32,
    /// The user, or the name that was tried.
    pub user: String,
    /// Where the client is.
    pub client: String,
    /// The schema of the session; empty without one.
    pub schema: String,
    /// Its bytes travel in TLS.
    pub secure: bool,
    /// How long it was there.
    pub lasted: Duration,
    /// Why it was refused.
    pub error: Option<String>,
}

/// What happened to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientEvent {
    /// It has logged in.
    Connected,
    /// Its login was refused.
    Refused,
    /// It has gone, or was closed.
    Gone,
}

/// What became of a statement, for its record.
struct Outcome<'a> {
    server: Option<u32>,
    rows: (u64, u64),
    error: Option<&'a ErrPacket>,
    reason: Option<&'static str>,
}

impl Core {
    /// What was recorded since the last call.
    pub fn take_records(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.records)
    }

    /// Something was recorded.
    pub fn has_records(&self) -> bool {
        !self.records.is_empty()
    }

    fn record(&mut self, record: Record) {
        if self.records.len() >= RECORDS_MAX {
            return self.counts.one(Count::RecordsDropped);
        }
        self.records.push(record);
    }

    /// The reply to the running statement is whole.
    pub(crate) fn record_finished(&mut self, client: u32, id: u32, summary: &Summary) {
        let outcome = Outcome {
            server: Some(id),
            rows: (summary.affected_rows, summary.rows),
            error: summary.error.as_ref(),
            reason: None,
        };
        self.record_statement(client, &outcome);
    }

    /// The running statement gets an error of the proxy's own.
    pub(crate) fn record_failed(&mut self, client: u32, error: &ErrPacket) {
        let outcome = Outcome {
            server: None,
            rows: (0, 0),
            error: Some(error),
            reason: None,
        };
        self.record_statement(client, &outcome);
    }

    /// The running statement was answered with a result that was kept.
    pub(crate) fn record_cached(&mut self, client: u32) {
        let outcome = Outcome {
            server: None,
            rows: (0, 0),
            error: None,
            reason: Some("Its result was in the cache."),
        };
        self.record_statement(client, &outcome);
    }

    /// Which logs want a statement: the query log, the slow log.
    fn wanted(&self, by_rule: Option<bool>, took: Duration) -> (bool, bool) {
        let log = &self.policy.log;
        let logged = match by_rule {
            Some(wanted) => wanted && log.by_rule,
            None => log.statements,
        };
        (logged, log.slow && took >= log.slow_after)
    }

    fn record_statement(&mut self, client: u32, outcome: &Outcome<'_>) {
        let session = self.clients.get(client);
        let Some((session, running)) = session.and_then(|one| Some((one, one.running()?))) else {
            return;
        };
        let took = self.now.since(running.since);
        let (logged, slow) = self.wanted(running.ruled.log, took);
        let command = name(&running.job);
        if !(logged || slow) || command.is_none() || self.copies.has(client) {
            return;
        }
        let upstream = outcome.server.and_then(|id| self.servers.get(id));
        let upstream = upstream.map(|server| server.upstream);
        let hostgroup = upstream.map(|index| self.hostgroup_of(running.ruled.hostgroup, index));
        let reason = match outcome.reason {
            Some(reason) => reason.to_owned(),
            None => self.why(session),
        };
        let record = StatementRecord {
            logged,
            slow,
            ended: self.now,
            took,
            waited: running.waited(),
            hostgroup: hostgroup.map_or(NO_HOSTGROUP, Into::into),
            server: upstream.map(|index| self.upstreams[index].target.name.clone()),
            command: command.unwrap_or_default(),
            digest: running.ruled.digest,
            text: self.kept_text(running.sql(&session.statements)),
            rows_affected: outcome.rows.0,
            rows_sent: outcome.rows.1,
            error: outcome.error.map(|one| (one.code, one.message.clone())),
            rule: running.ruled.rule,
            reason,
            attempts: running.attempts,
            ..session.record()
        };
        self.record(Record::Statement(Box::new(record)));
    }

    /// A statement was answered before it ran: by a rule, by the firewall, or because of a limit.
    pub(crate) fn record_unsent(&mut self, client: u32, arrived: &Arrived<'_>) {
        let (logged, _) = self.wanted(self.ruled.log, Duration::ZERO);
        let Some(session) = self.clients.get(client).filter(|_| logged) else {
            return;
        };
        let record = StatementRecord {
            logged,
            ended: self.now,
            command: match arrived.command {
                Command::StmtPrepare => "COM_STMT_PREPARE",
                Command::StmtExecute => "COM_STMT_EXECUTE",
                _ => "COM_QUERY",
            },
            digest: self.ruled.digest,
            text: self.kept_text(arrived.sql),
            rule: self.ruled.rule,
            reason: "A rule, the firewall or a limit answered it.".to_owned(),
            ..session.record()
        };
        self.record(Record::Statement(Box::new(record)));
    }

    fn kept_text(&self, sql: &[u8]) -> String {
        let most = self.policy.log.text_bytes_max;
        String::from_utf8_lossy(&sql[..sql.len().min(most)]).into_owned()
    }

    /// A client has logged in, or goes.
    pub(crate) fn record_client(&mut self, client: u32, event: ClientEvent) {
        if !self.policy.log.audit || self.copies.has(client) {
            return;
        }
        let Some(session) = self.clients.get(client) else {
            return;
        };
        let logged_in = !matches!(session.phase, Phase::Login(_));
        if !logged_in {
            // Who was refused is recorded with the refusal.
            return;
        }
        let record = self.client_record(session, event);
        self.record(Record::Client(Box::new(record)));
    }

    /// A client is refused that has not logged in.
    pub(crate) fn record_refused(&mut self, client: u32, error: &ErrPacket) {
        let session = self.clients.get(client).filter(|_| self.policy.log.audit);
        let Some(session) = session else { return };
        if !matches!(session.phase, Phase::Login(_)) {
            return;
        }
        let mut record = self.client_record(session, ClientEvent::Refused);
        record.user.clone_from(&self.refused_user);
        record.error = Some(format!("{}: {}", error.code, error.message));
        self.refused_user.clear();
        self.record(Record::Client(Box::new(record)));
    }

    fn client_record(&self, session: &Session, event: ClientEvent) -> ClientRecord {
        ClientRecord {
            event,
            at: self.now,
            session: session.number,
            user: session.key.user.to_string(),
            client: session.host.clone(),
            schema: session.schema_text(),
            secure: session.transport.is_secure(),
            lasted: self.now.since(session.began),
            error: None,
        }
    }
}

impl Session {
    fn schema_text(&self) -> String {
        let schema = self.state.schema.as_deref().unwrap_or_default();
        String::from_utf8_lossy(schema).into_owned()
    }

    /// What a record says of the session.
    fn record(&self) -> StatementRecord {
        StatementRecord {
            session: self.number,
            user: Arc::clone(&self.key.user),
            client: self.host.clone(),
            schema: self.schema_text(),
            logged: false,
            slow: false,
            ended: Timestamp::ZERO,
            took: Duration::ZERO,
            waited: Duration::ZERO,
            command: "",
            hostgroup: NO_HOSTGROUP,
            server: None,
            digest: Digest(0),
            text: String::new(),
            rows_affected: 0,
            rows_sent: 0,
            error: None,
            rule: None,
            reason: String::new(),
            attempts: 0,
        }
    }
}

impl Running {
    /// How long it was not sent.
    fn waited(&self) -> Duration {
        self.sent_at.since(self.since)
    }
}

/// As ProxySQL names the events of its log; `None` for what is no statement.
fn name(job: &Job) -> Option<&'static str> {
    match job {
        Job::Query(_) => Some("COM_QUERY"),
        Job::Prepare(_) => Some("COM_STMT_PREPARE"),
        Job::Execute { .. } => Some("COM_STMT_EXECUTE"),
        Job::Login
        | Job::InitDb { .. }
        | Job::LongData { .. }
        | Job::OnCursor { .. }
        | Job::Other => None,
    }
}
