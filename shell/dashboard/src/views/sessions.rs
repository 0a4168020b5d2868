//! What the clients of the proxy are doing now.

use serde::{Deserialize, Serialize};

/// The clients of the proxy, and its server connections that nobody uses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionsView {
    /// A row for each client, those that have been in their state for longest first.
    pub sessions: Vec<SessionView>,
    /// A row for each free server connection.
    pub free: Vec<FreeView>,
    /// Rows of both that were beyond the limit of a worker.
    pub left_out: usize,
}

/// One client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// Its number, as `KILL` takes it.
    pub id: u32,
    /// The worker that serves it.
    pub worker: u32,
    /// Empty before the login.
    pub user: String,
    /// Where it is.
    pub client: String,
    /// Its default schema.
    pub schema: Option<String>,
    /// The hostgroup of its statement.
    pub hostgroup: Option<u32>,
    /// The server that it is on.
    pub server: Option<String>,
    /// The address of that server.
    pub address: Option<String>,
    /// The number of its connection at that server.
    pub thread: Option<u32>,
    /// As in `SHOW PROCESSLIST`.
    pub command: String,
    /// `idle`, `running`, `waiting for a primary`, …
    pub state: String,
    /// How long it has been in that state.
    pub in_state_ms: u64,
    /// How long its transaction has been open.
    pub transaction_ms: Option<u64>,
    /// The beginning of its statement.
    pub statement: Option<String>,
    /// Why it keeps its server connection: names as in `docs/proxy/sessions.md`.
    pub ties: Vec<String>,
    /// Statements that it has prepared.
    pub statements: usize,
    /// It is connected by TLS.
    pub tls: bool,
    /// Its bytes are compressed.
    pub compressed: bool,
}

/// One free server connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreeView {
    /// The worker that has it.
    pub worker: u32,
    /// The server.
    pub server: String,
    /// Its address.
    pub address: String,
    /// Its number at the server.
    pub thread: u32,
    /// 0 when the server is the writer, else 1.
    pub hostgroup: u32,
    /// Who has logged in with it.
    pub user: String,
    /// Its default schema.
    pub schema: Option<String>,
    /// The variables that it was given last.
    pub variables: Vec<String>,
    /// How long nobody has used it.
    pub idle_ms: u64,
    /// How long it has been open.
    pub age_ms: u64,
    /// Statements that are prepared on it.
    pub statements: usize,
}
