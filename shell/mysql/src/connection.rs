//! One session on one server: text queries, prepared statements, and noticing its end.
//!
//! Invariant: a connection whose exchange was not read to its end is never used again. Each
//! exchange marks it as broken first and clears the mark last, so a dropped future leaves the mark.

mod dialect;
mod dump;
mod reply;
#[cfg(test)]
mod tests;

use std::time::Duration;

use mainstay_wire::statement::put_execute;
use mainstay_wire::{Capabilities, Command, Greeting};
use tokio::time::timeout;

use crate::login::{self, Session};
use crate::stream::PacketStream;
use crate::{ConnectOptions, Error, OkReply, ResultSet, Statement, Value};
pub use dump::BinlogDump;
use reply::RowFormat;

const QUIT_TIMEOUT: Duration = Duration::from_secs(1);

/// A session on a server.
pub struct Connection {
    stream: PacketStream,
    greeting: Greeting,
    capabilities: Capabilities,
    broken: bool,
}

impl Connection {
    /// Connects and logs in, all within the limit in `options`.
    pub async fn connect(options: &ConnectOptions) -> Result<Self, Error> {
        let Session {
            stream,
            greeting,
            capabilities,
        } = login::open(options).await?;
        Ok(Self {
            stream,
            greeting,
            capabilities,
            broken: false,
        })
    }

    /// What the server said first.
    pub fn greeting(&self) -> &Greeting {
        &self.greeting
    }

    /// The server's version, without `MariaDB`'s compatibility prefix.
    pub fn server_version(&self) -> &str {
        self.greeting.version()
    }

    /// Whether the server is a `MariaDB`.
    pub fn is_mariadb(&self) -> bool {
        self.greeting.is_mariadb()
    }

    /// The number that `KILL` takes, its low 32 bits.
    pub fn connection_id(&self) -> u64 {
        u64::from(self.greeting.connection_id)
    }

    /// Whether the connection can take no further query.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// Runs a query and gives its first result set. Further ones are read and dropped, but an
    /// error in one of them is returned.
    pub async fn query(&mut self, sql: &str) -> Result<ResultSet, Error> {
        self.begin(Command::Query, sql.as_bytes()).await?;
        self.replies(RowFormat::Text).await.map(|(rows, _)| rows)
    }

    /// As [`query`](Self::query), but gives up after `limit`; the connection is then broken.
    pub async fn query_within(&mut self, sql: &str, limit: Duration) -> Result<ResultSet, Error> {
        timeout(limit, self.query(sql))
            .await
            .unwrap_or_else(|_| Err(late(sql, limit)))
    }

    /// Runs a statement for its effect; rows, if any, are dropped.
    pub async fn execute(&mut self, sql: &str) -> Result<OkReply, Error> {
        self.begin(Command::Query, sql.as_bytes()).await?;
        self.replies(RowFormat::Text).await.map(|(_, ok)| ok)
    }

    /// As [`execute`](Self::execute), but gives up after `limit`; the connection is then broken,
    /// and whether the statement took effect is not known.
    pub async fn execute_within(&mut self, sql: &str, limit: Duration) -> Result<OkReply, Error> {
        timeout(limit, self.execute(sql))
            .await
            .unwrap_or_else(|_| Err(late(sql, limit)))
    }

    /// Asks for a sign of life.
    pub async fn ping(&mut self) -> Result<(), Error> {
        self.begin(Command::Ping, &[]).await?;
        self.replies(RowFormat::Text).await.map(|_| ())
    }

    /// Resolves when the server ends the connection, and tells how. To be awaited while idle, to
    /// notice at once a server whose process was killed. Dropping it is harmless.
    pub async fn closed(&mut self) -> Error {
        if self.broken {
            return Error::Broken;
        }
        let error = self.stream.ended().await;
        self.broken = true;
        error
    }

    /// Prepares a statement.
    pub async fn prepare(&mut self, sql: &str) -> Result<Statement, Error> {
        self.begin(Command::StmtPrepare, sql.as_bytes()).await?;
        let result = self.prepared().await;
        self.finish(result)
    }

    /// Runs a prepared statement and gives its first result set.
    pub async fn execute_statement(
        &mut self,
        statement: &Statement,
        params: &[Value],
    ) -> Result<ResultSet, Error> {
        if params.len() != statement.params() {
            let (expected, given) = (statement.params(), params.len());
            return Err(Error::ParamCount { expected, given });
        }
        let params: Vec<_> = params.iter().map(Value::as_param).collect();
        let mut payload = Vec::new();
        put_execute(&mut payload, statement.id, &params);
        self.begin_payload(&payload).await?;
        self.replies(RowFormat::Binary).await.map(|(rows, _)| rows)
    }

    /// Makes the server forget a prepared statement.
    pub async fn close_statement(&mut self, statement: Statement) -> Result<(), Error> {
        self.begin(Command::StmtClose, &statement.id.to_le_bytes())
            .await?;
        self.finish(Ok(()))
    }

    /// Says goodbye and closes the connection.
    pub async fn quit(mut self) {
        let goodbye = async {
            if self.begin(Command::Quit, &[]).await.is_ok() {
                // The connection is gone after this, whatever the answer.
                let _ = self.stream.shutdown().await;
            }
        };
        let _ = timeout(QUIT_TIMEOUT, goodbye).await;
    }

    async fn begin(&mut self, command: Command, argument: &[u8]) -> Result<(), Error> {
        let mut payload = Vec::with_capacity(1 + argument.len());
        payload.push(command.byte());
        payload.extend_from_slice(argument);
        self.begin_payload(&payload).await
    }

    async fn begin_payload(&mut self, payload: &[u8]) -> Result<(), Error> {
        if std::mem::replace(&mut self.broken, true) {
            return Err(Error::Broken);
        }
        self.stream.command(payload).await
    }

    /// Clears the mark of [`begin`](Self::begin) if the reply was read to its end, as it is when
    /// the server answers with an error.
    fn finish<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        self.broken = !matches!(result, Ok(_) | Err(Error::Server { .. }));
        result
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("server_version", &self.greeting.server_version)
            .field("connection_id", &self.greeting.connection_id)
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}

/// A statement may hold a password, so only its first word is shown.
fn late(sql: &str, after: Duration) -> Error {
    let what = sql
        .split_whitespace()
        .next()
        .unwrap_or("a statement")
        .to_owned();
    Error::Timeout { what, after }
}
