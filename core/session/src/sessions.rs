//! What the sessions of a worker are doing at this moment, and which of its server connections are
//! free: the process list of the proxy. How it is shown is left to the shell.
//!
//! A worker makes it when it is asked, from what it knows anyway: nothing is kept for it.

use std::sync::Arc;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_topology::{Address, ServerName};
use mainstay_wire::Command;

use crate::core::Core;
use crate::server::{Server, ServerPhase};
use crate::session::{Phase, Running, Session, Stage};
use crate::tie::{TieReason, Ties};

/// Bytes of a statement that are shown.
const TEXT_MAX: usize = 1024;

/// The sessions and the free server connections of one worker, or of several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sessions {
    /// Clients, in no order.
    pub sessions: Vec<SessionRow>,
    /// Server connections that nobody uses, in no order.
    pub free: Vec<FreeRow>,
    /// Sessions and free connections that were beyond the limit.
    pub left_out: usize,
}

/// One client and what it is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Its number, as its greeting told and `KILL` takes it.
    pub number: u32,
    /// The worker that serves it.
    pub worker: u32,
    /// Empty before it has logged in.
    pub user: Arc<str>,
    /// Where it is.
    pub client: String,
    /// Its default schema.
    pub schema: Option<String>,
    /// Where its statement goes, or went that ties it to its server connection.
    pub hostgroup: Option<u32>,
    /// The server connection that it has.
    pub on: Option<ServerEnd>,
    /// As `SHOW PROCESSLIST` names it: `Sleep`, `Query`, `Execute`, …
    pub command: &'static str,
    /// How far its command has come.
    pub state: SessionState,
    /// Since when: how long it has been in that state.
    pub in_state: Duration,
    /// How long its transaction has been open.
    pub transaction: Option<Duration>,
    /// The beginning of its statement.
    pub statement: Option<String>,
    /// Why it keeps its server connection.
    pub ties: Vec<TieReason>,
    /// Statements that it has prepared.
    pub statements: usize,
    /// Its bytes travel in TLS.
    pub secure: bool,
    /// Its bytes are compressed.
    pub compressed: bool,
}

/// How far a session has come with its command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SessionState {
    /// It has not logged in.
    LoggingIn,
    /// Between commands.
    Idle,
    /// It waits for a writer.
    Held,
    /// It waits for a connection to a server.
    Waiting,
    /// Its connection is being brought to its state.
    SetUp,
    /// Its command is at the server.
    Running,
    /// It waits until a `KILL` is done.
    Killing,
    /// It is joined to its server byte by byte.
    Spliced,
    /// A rule or a limit has it wait.
    Paused,
}

impl SessionState {
    /// As it is shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::LoggingIn => "login",
            Self::Idle => "idle",
            Self::Held => "waiting for a primary",
            Self::Waiting => "waiting for a connection",
            Self::SetUp => "set-up",
            Self::Running => "running",
            Self::Killing => "killing",
            Self::Spliced => "spliced",
            Self::Paused => "delayed",
        }
    }
}

/// A server connection as its session sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerEnd {
    /// The server.
    pub server: ServerName,
    /// Where it is.
    pub address: Address,
    /// The connection's number at the server.
    pub thread: u32,
}

/// A server connection that nobody uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeRow {
    /// The worker that has it.
    pub worker: u32,
    /// Its number within the worker.
    pub number: u32,
    /// Where it leads.
    pub on: ServerEnd,
    /// 0 for a connection to the writer, else 1.
    pub hostgroup: u32,
    /// Who has logged in with it.
    pub user: Arc<str>,
    /// Its default schema.
    pub schema: Option<String>,
    /// The variables that it was given last, as assignments.
    pub variables: Vec<String>,
    /// How long nobody has used it.
    pub idle: Duration,
    /// How long it has been open.
    pub age: Duration,
    /// Statements that are prepared on it.
    pub statements: usize,
}

impl Sessions {
    /// Takes those of another worker.
    pub fn add(&mut self, other: Self) {
        self.sessions.extend(other.sessions);
        self.free.extend(other.free);
        self.left_out += other.left_out;
    }
}

impl Core {
    /// What the sessions are doing, and the free connections: at most `max` of each.
    pub fn sessions(&self, now: Timestamp, max: usize) -> Sessions {
        let clients = self.clients.iter().filter(|(id, _)| !self.copies.has(*id));
        let sessions: Vec<SessionRow> = clients
            .take(max)
            .map(|(_, session)| self.session_row(session, now))
            .collect();
        let mut idle = 0;
        let mut free = Vec::new();
        for (id, server) in self.servers.iter() {
            if let ServerPhase::Idle { since } = server.phase {
                idle += 1;
                if free.len() < max {
                    free.push(self.free_row(id, server, (now, since)));
                }
            }
        }
        let clients = self.clients.len() - self.copies.len();
        Sessions {
            left_out: clients - sessions.len() + idle - free.len(),
            sessions,
            free,
        }
    }

    fn session_row(&self, session: &Session, now: Timestamp) -> SessionRow {
        let server = session.server.and_then(|id| self.servers.get(id));
        let asked = session.running().and_then(|one| one.ruled.hostgroup);
        let on_hostgroup = server.map(|one| self.hostgroup_of(asked, one.upstream));
        let (state, since) = state_of(session);
        let text = session.running().map(|one| one.sql(&session.statements));
        let text = text.filter(|text| !text.is_empty());
        let in_transaction = session.in_transaction();
        SessionRow {
            number: session.number,
            worker: self.worker,
            user: Arc::clone(&session.key.user),
            client: session.host.clone(),
            schema: session.state.schema.as_deref().map(shown),
            hostgroup: on_hostgroup.or(asked),
            on: server.map(|one| self.on_server(one)),
            command: session.command_name(),
            state,
            in_state: now.since(since),
            transaction: in_transaction.then(|| now.since(session.transaction_since)),
            statement: text.map(|text| shown(&text[..text.len().min(TEXT_MAX)])),
            ties: session.ties.added(Ties::default()).collect(),
            statements: session.statements.iter().count(),
            secure: session.transport.is_secure(),
            compressed: session.compressed,
        }
    }

    fn on_server(&self, server: &Server) -> ServerEnd {
        let target = &self.upstreams[server.upstream].target;
        ServerEnd {
            server: target.name.clone(),
            address: target.address.clone(),
            thread: server.thread,
        }
    }

    fn free_row(&self, id: u32, server: &Server, times: (Timestamp, Timestamp)) -> FreeRow {
        let (now, since) = times;
        let variables = server.applied.variables().iter();
        FreeRow {
            worker: self.worker,
            number: id,
            on: self.on_server(server),
            hostgroup: self.hostgroup_of(None, server.upstream),
            user: Arc::clone(&server.key.user),
            schema: server.applied.schema.as_deref().map(shown),
            variables: variables.map(|(_, text)| shown(text)).collect(),
            idle: now.since(since),
            age: now.since(server.opened_at),
            statements: server.statements.count(),
        }
    }
}

/// How far it has come, and since when.
fn state_of(session: &Session) -> (SessionState, Timestamp) {
    let running = match &session.phase {
        Phase::Login(_) => return (SessionState::LoggingIn, session.last_active),
        Phase::Ready => return (SessionState::Idle, session.last_active),
        Phase::Busy(running) => running,
    };
    let state = match running.stage {
        Stage::Held => SessionState::Held,
        Stage::Waiting(_) => SessionState::Waiting,
        Stage::Setup => SessionState::SetUp,
        Stage::Sent => SessionState::Running,
        Stage::Killing(_) => SessionState::Killing,
        Stage::Spliced => SessionState::Spliced,
        Stage::Paused(_) => SessionState::Paused,
    };
    let since = match running.stage {
        Stage::Waiting(_) => running.queued_at,
        Stage::Sent | Stage::Spliced => running.sent_at,
        Stage::Held | Stage::Setup | Stage::Killing(_) | Stage::Paused(_) => running.since,
    };
    (state, since)
}

impl Session {
    fn command_name(&self) -> &'static str {
        match &self.phase {
            Phase::Login(_) => "Connect",
            Phase::Ready => "Sleep",
            Phase::Busy(Running { command, .. }) => name(*command),
        }
    }
}

/// As `SHOW PROCESSLIST` of MySQL names a command.
fn name(command: Command) -> &'static str {
    match command {
        Command::Sleep => "Sleep",
        Command::Quit => "Quit",
        Command::InitDb => "Init DB",
        Command::Query => "Query",
        Command::FieldList => "Field List",
        Command::CreateDb => "Create DB",
        Command::DropDb => "Drop DB",
        Command::Refresh => "Refresh",
        Command::Shutdown => "Shutdown",
        Command::Statistics => "Statistics",
        Command::ProcessInfo => "Processlist",
        Command::Connect => "Connect",
        Command::ProcessKill => "Kill",
        Command::Debug => "Debug",
        Command::Ping => "Ping",
        Command::Time => "Time",
        Command::DelayedInsert => "Delayed insert",
        Command::ChangeUser => "Change user",
        Command::BinlogDump => "Binlog Dump",
        Command::TableDump => "Table Dump",
        Command::ConnectOut => "Connect Out",
        Command::RegisterReplica => "Register Replica",
        Command::StmtPrepare => "Prepare",
        Command::StmtExecute | Command::StmtBulkExecute => "Execute",
        Command::StmtSendLongData => "Long Data",
        Command::StmtClose => "Close stmt",
        Command::StmtReset => "Reset stmt",
        Command::SetOption => "Set option",
        Command::StmtFetch => "Fetch",
        Command::Daemon => "Daemon",
        Command::BinlogDumpGtid => "Binlog Dump GTID",
        Command::ResetConnection => "Reset Connection",
        Command::Clone => "Clone",
        Command::Unknown(_) => "Unknown",
    }
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
