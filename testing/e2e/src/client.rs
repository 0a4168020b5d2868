//! A session on a server or on the proxy, for tests without `async`.

use std::time::Duration;

use mainstay_mysql::{
    ConnectOptions, Connection, Error, OkReply, ResultSet, Row, Statement, Value,
};
use tokio::runtime::Runtime;

use crate::Login;

/// Longer than the proxy holds a statement.
const LIMIT: Duration = Duration::from_secs(45);

/// A session.
pub struct Client {
    runtime: Runtime,
    connection: Connection,
    to: String,
}

impl Client {
    /// Logs in; the test fails if that fails.
    #[track_caller]
    pub fn connect(login: &Login) -> Self {
        Self::try_connect(login).unwrap_or_else(|error| {
            panic!("no session for {} at {}: {error}", login.user, login.port)
        })
    }

    /// Logs in.
    pub fn try_connect(login: &Login) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let Login {
            host,
            port,
            user,
            password,
            database,
        } = login;
        let mut options =
            ConnectOptions::new(host, *port, user, password).with_connect_timeout(LIMIT);
        options.database.clone_from(database);
        let connection = runtime.block_on(Connection::connect(&options))?;
        Ok(Self {
            runtime,
            connection,
            to: format!("{host}:{port}"),
        })
    }

    /// Runs a statement that must succeed.
    #[track_caller]
    pub fn execute(&mut self, sql: &str) -> OkReply {
        let done = self.try_execute(sql);
        done.unwrap_or_else(|error| panic!("{}: {}: {error}", self.to, shortened(sql)))
    }

    /// Runs a statement.
    pub fn try_execute(&mut self, sql: &str) -> Result<OkReply, Error> {
        self.runtime
            .block_on(self.connection.execute_within(sql, LIMIT))
    }

    /// The number of the error that a statement must end with.
    #[track_caller]
    pub fn error_of(&mut self, sql: &str) -> u16 {
        match self.try_execute(sql) {
            Ok(_) => panic!(
                "{}: {} succeeded, an error was expected",
                self.to,
                shortened(sql)
            ),
            Err(error) => error
                .server_code()
                .unwrap_or_else(|| panic!("{}: {}: {error}", self.to, shortened(sql))),
        }
    }

    /// The rows of a query that must succeed.
    #[track_caller]
    pub fn query(&mut self, sql: &str) -> ResultSet {
        let done = self.try_query(sql);
        done.unwrap_or_else(|error| panic!("{}: {}: {error}", self.to, shortened(sql)))
    }

    /// The rows of a query.
    pub fn try_query(&mut self, sql: &str) -> Result<ResultSet, Error> {
        self.runtime
            .block_on(self.connection.query_within(sql, LIMIT))
    }

    /// The first field of the first row, which must be there.
    #[track_caller]
    pub fn value(&mut self, sql: &str) -> String {
        let rows = self.query(sql);
        let value = rows.scalar().map(str::to_owned);
        value.unwrap_or_else(|| panic!("{}: {}: no value", self.to, shortened(sql)))
    }

    /// The first field of every row.
    #[track_caller]
    pub fn column(&mut self, sql: &str) -> Vec<String> {
        let field = |row: &Row| row.get_index(0).unwrap_or("NULL").to_owned();
        self.query(sql).rows.iter().map(field).collect()
    }

    /// Prepares a statement.
    #[track_caller]
    pub fn prepare(&mut self, sql: &str) -> Statement {
        let prepared = self.runtime.block_on(self.connection.prepare(sql));
        prepared.unwrap_or_else(|error| panic!("{}: prepare {sql}: {error}", self.to))
    }

    /// Runs a prepared statement.
    #[track_caller]
    pub fn run(&mut self, statement: &Statement, parameters: &[Value]) -> ResultSet {
        let run = self.connection.execute_statement(statement, parameters);
        let done = self.runtime.block_on(run);
        done.unwrap_or_else(|error| panic!("{}: a prepared statement: {error}", self.to))
    }
}

fn shortened(sql: &str) -> String {
    sql.chars().take(120).collect()
}
