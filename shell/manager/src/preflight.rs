//! Asks the servers what stands in the way of a switchover. What the answers mean is judged by
//! [`mainstay_failover::preflight`].

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use mainstay_failover::preflight::{
    Activity, Events, ReplicaLogin, Survey, Terms, long_transactions,
};
use mainstay_mysql::{Connection, ResultSet};
use mainstay_topology::{Address, Dialect, ServerName, Topology};

use crate::config::Timing;
use crate::executor::Executor;
use crate::look;

mod dialect;

/// An answer takes no longer, or it is not known.
const LIMIT: Duration = Duration::from_secs(1);

/// `ER_NO_SUCH_THREAD`: who is to be ended has gone.
const NO_SUCH_THREAD: u16 = 1094;

/// Asks both servers of a switchover.
pub(crate) async fn survey(
    executor: &Executor,
    topology: &Topology,
    (primary, candidate): (&ServerName, &ServerName),
) -> Survey {
    let words = |server| {
        let facts = topology.server(server).and_then(|server| server.facts());
        facts.map_or(Dialect::Mariadb, |facts| facts.version.dialect())
    };
    let (of_primary, of_candidate) = tokio::join!(
        of_primary(executor, primary, words(primary)),
        of_candidate(executor, candidate, words(candidate)),
    );
    let events = events(of_primary.events, of_candidate.events);
    let login = replica_login(executor, topology, (primary, candidate)).await;
    let address = topology.server(candidate).map(|one| &one.member.address);
    Survey {
        primary: primary.clone(),
        candidate: candidate.clone(),
        transactions: of_primary.transactions,
        prepared: of_primary.prepared,
        running: of_primary.running,
        locks: of_primary.locks,
        replayed: of_candidate.running,
        filters: of_candidate.filters,
        logs: of_candidate.logs,
        room_mib: room_mib(address, of_candidate.folder),
        login,
        events,
    }
}

/// Ends the connections of transactions that are not waited for.
pub(crate) async fn end_transactions(
    executor: &Executor,
    survey: &Survey,
    terms: &Terms,
) -> Result<(), String> {
    let Ok(open) = &survey.transactions else {
        return Ok(());
    };
    let mut connection = executor.lend(&survey.primary).await?;
    for one in long_transactions(open, terms) {
        let statement = dialect::kill(one.id);
        match connection.query_within(&statement, LIMIT).await {
            Ok(_) => tracing::warn!(id = one.id, user = %one.user, "a transaction is ended"),
            Err(error) if error.server_code() == Some(NO_SUCH_THREAD) => {}
            Err(error) => return Err(format!("`{statement}`: {error}")),
        }
    }
    Ok(())
}

struct OfPrimary {
    transactions: Result<Vec<Activity>, String>,
    prepared: Result<Vec<String>, String>,
    running: Result<Vec<Activity>, String>,
    locks: Result<Vec<Activity>, String>,
    events: Result<(String, Vec<(String, String)>), String>,
}

async fn of_primary(executor: &Executor, primary: &ServerName, words: Dialect) -> OfPrimary {
    let mut asked = Asked::new(executor, primary).await;
    OfPrimary {
        transactions: asked.activities(dialect::TRANSACTIONS).await,
        prepared: asked
            .column(dialect::PREPARED, dialect::PREPARED_NAME)
            .await,
        running: asked.activities(dialect::RUNNING).await,
        locks: asked.activities(dialect::locks(words)).await,
        events: asked.events().await,
    }
}

struct OfCandidate {
    running: Result<Vec<Activity>, String>,
    filters: Result<Vec<String>, String>,
    logs: Result<bool, String>,
    events: Result<(String, Vec<String>), String>,
    folder: Result<String, String>,
}

async fn of_candidate(executor: &Executor, candidate: &ServerName, words: Dialect) -> OfCandidate {
    let mut asked = Asked::new(executor, candidate).await;
    let logs = asked.scalar(dialect::LOGS).await;
    OfCandidate {
        running: asked.activities(dialect::RUNNING).await,
        filters: asked.filters(words).await,
        logs: logs.map(|value| value == "1"),
        events: asked.accounts().await,
        folder: asked.scalar(dialect::FOLDER).await,
    }
}

fn events(
    of_primary: Result<(String, Vec<(String, String)>), String>,
    of_candidate: Result<(String, Vec<String>), String>,
) -> Result<Events, String> {
    let (scheduler, enabled) = of_primary?;
    let (candidate_scheduler, candidate_accounts) = of_candidate?;
    Ok(Events {
        enabled,
        scheduler,
        candidate_scheduler,
        candidate_accounts,
    })
}

/// Logs in to the candidate as its replicas will.
async fn replica_login(
    executor: &Executor,
    topology: &Topology,
    (primary, candidate): (&ServerName, &ServerName),
) -> Result<ReplicaLogin, String> {
    let log_in = async |name: &ServerName| {
        let server = topology.server(name);
        let server = server.ok_or_else(|| Denied::No(format!("{name} is not known")))?;
        log_in(executor, &server.member.address).await
    };
    match log_in(candidate).await {
        Ok(true) => Ok(ReplicaLogin::Accepted),
        Ok(false) => Ok(ReplicaLogin::NoPrivilege),
        Err(Denied::No(reason)) => Err(reason),
        Err(Denied::Yes(reason)) => Ok(ReplicaLogin::Refused {
            reason,
            primary_accepts: log_in(primary).await.is_ok(),
        }),
    }
}

/// Why there was no login.
enum Denied {
    /// The server has refused the account.
    Yes(String),
    /// Something else was in the way.
    No(String),
}

/// Whether the account of replicas, once it is let in, may replicate.
async fn log_in(executor: &Executor, address: &Address) -> Result<bool, Denied> {
    let options = look::options(address, &executor.replication, &Timing::default());
    let connected = Connection::connect(&options).await;
    let mut connection = connected.map_err(|error| match error.server_code() {
        Some(_) => Denied::Yes(error.to_string()),
        None => Denied::No(error.to_string()),
    })?;
    let grants = connection.query_within(dialect::GRANTS, LIMIT).await;
    let grants = grants.map_err(|error| Denied::No(error.to_string()))?;
    connection.quit().await;
    let says = |grant: &str| dialect::MAY_REPLICATE.iter().any(|one| grant.contains(one));
    let mut rows = grants.rows.iter();
    Ok(rows.any(|row| row.get_index(0).is_some_and(says)))
}

/// The room that is left where the server keeps its data, when that is on this host.
fn room_mib(address: Option<&Address>, folder: Result<String, String>) -> Option<u64> {
    let host: IpAddr = address?.host.parse().ok()?;
    let folder = folder.ok()?;
    if !host.is_loopback() || !Path::new(&folder).is_dir() {
        return None;
    }
    let disk = rustix::fs::statvfs(&folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize) >> 20)
}

/// One server that is asked.
struct Asked {
    connection: Result<crate::executor::Lent, String>,
}

impl Asked {
    async fn new(executor: &Executor, server: &ServerName) -> Self {
        Self {
            connection: executor.lend(server).await,
        }
    }

    async fn ask(&mut self, statement: &str) -> Result<ResultSet, String> {
        let connection = self.connection.as_mut().map_err(|reason| reason.clone())?;
        let answer = connection.query_within(statement, LIMIT).await;
        answer.map_err(|error| error.to_string())
    }

    async fn scalar(&mut self, statement: &str) -> Result<String, String> {
        let answer = self.ask(statement).await?;
        Ok(answer.scalar().unwrap_or_default().to_owned())
    }

    async fn column(&mut self, statement: &str, column: &str) -> Result<Vec<String>, String> {
        let answer = self.ask(statement).await?;
        let values = answer.rows.iter().filter_map(|row| row.get(column));
        Ok(values.map(str::to_owned).collect())
    }

    async fn activities(&mut self, statement: &str) -> Result<Vec<Activity>, String> {
        let answer = self.ask(statement).await?;
        let activity = |row: &mainstay_mysql::Row| {
            let text = |column: &str| row.get(column).unwrap_or_default().to_owned();
            Some(Activity {
                id: row.get("id")?.parse().ok()?,
                user: text("user"),
                // Replication threads may count from a clock that is ahead.
                age: Duration::from_secs(text("age").parse::<u32>().unwrap_or_default().into()),
                statement: text("statement"),
            })
        };
        Ok(answer.rows.iter().filter_map(activity).collect())
    }

    async fn events(&mut self) -> Result<(String, Vec<(String, String)>), String> {
        let scheduler = self.scalar(dialect::SCHEDULER).await?;
        let answer = self.ask(dialect::EVENTS).await?;
        let event = |row: &mainstay_mysql::Row| {
            let text = |column: &str| row.get(column).unwrap_or_default().to_owned();
            (text("event"), text("definer"))
        };
        Ok((scheduler, answer.rows.iter().map(event).collect()))
    }

    async fn accounts(&mut self) -> Result<(String, Vec<String>), String> {
        let scheduler = self.scalar(dialect::SCHEDULER).await?;
        let accounts = self.column(dialect::ACCOUNTS, "account").await?;
        Ok((scheduler, accounts))
    }

    async fn filters(&mut self, words: Dialect) -> Result<Vec<String>, String> {
        let (statement, prefix) = dialect::filters(words);
        let answer = self.ask(statement).await?;
        let columns = answer
            .columns
            .iter()
            .filter(|name| name.starts_with(prefix));
        let set = columns.filter_map(|name| {
            let value = answer.first()?.get(name)?;
            // Two of them are lists of numbers that are empty as `0`.
            (!value.is_empty() && value != "0").then(|| format!("{name} = {value}"))
        });
        Ok(set.collect())
    }
}
