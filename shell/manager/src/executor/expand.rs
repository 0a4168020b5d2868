//! Fills the placeholders of a step's statements, so that secrets and numbers found on the spot
//! appear in no plan, log or journal.

use std::collections::BTreeSet;

use mainstay_mysql::{Connection, Error};

use tokio::time::Instant;

use super::dialect::{self, RECEIVER_COMMAND, escaped};
use super::placing::Placing;
use super::statements::Refused;
use crate::config::Login;

/// `<replication user>`.
const USER: &str = "<replication user>";
/// `<manager user>`.
const MANAGER: &str = "<manager user>";
/// `<replication password>`.
const PASSWORD: &str = "<replication password>";
/// The number of the replica's receiver thread, for `KILL`.
const RECEIVER: &str = "<receiver thread id>";
/// What the receiver has received, as a position; without one there is nothing to wait for.
const RECEIVED: &str = "<received position>";
/// The same as a set of transactions.
const RECEIVED_SET: &str = "<received transactions>";
/// Where a replica without GTIDs goes on.
const SOURCE_LOG: &str = "<log of the source>";
const SOURCE_POSITION: &str = "<position in it>";
/// What is left of the step's limit.
const SECONDS: &str = "<seconds left>";
/// A statement of its own: one `KILL` for each connection of an ordinary client.
const CLIENTS: &str = "<kill client connections>";

/// A statement of its own: one `KILL` for each connection of those who write under `read_only`.
const PRIVILEGED: &str = "<kill privileged connections>";

/// What placeholders are filled with.
#[derive(Clone, Copy)]
pub(super) struct Filling<'a> {
    /// The manager's account, whose connections are spared.
    pub(super) manager: &'a Login,
    /// The account of replicas.
    pub(super) replication: &'a Login,
    /// When the step's limit ends.
    pub(super) until: Instant,
    /// How the place in a source's log is found (without GTIDs).
    pub(super) placing: Option<Placing<'a>>,
}

/// The statements to send for one statement of the plan, in order.
pub(super) async fn expand(
    connection: &mut Connection,
    statement: &str,
    filling: Filling<'_>,
) -> Result<Vec<String>, Refused> {
    if let Some(placing) = filling.placing.filter(|_| statement.contains(SOURCE_LOG)) {
        let found = placing.place(connection).await;
        let (log, position) = found.map_err(Refused::because)?;
        let placed = statement
            .replace(SOURCE_LOG, &escaped(&log))
            .replace(SOURCE_POSITION, &position.to_string());
        return Ok(vec![filled(&placed, filling)]);
    }
    if statement.contains(CLIENTS) {
        let clients = client_connections(connection, filling).await?;
        return Ok(clients.iter().map(|id| format!("KILL {id}")).collect());
    }
    if statement.contains(PRIVILEGED) {
        let privileged = privileged_connections(connection, filling).await?;
        return Ok(privileged.iter().map(|id| format!("KILL {id}")).collect());
    }
    for (placeholder, column) in [
        (RECEIVED, dialect::RECEIVED_POSITION),
        (RECEIVED_SET, dialect::RECEIVED_SET),
    ] {
        if statement.contains(placeholder) {
            let status = connection.query(dialect::RECEIVED).await?;
            let received = status.first().and_then(|row| row.get(column));
            let received = received.filter(|text| !text.is_empty());
            let whole = received.map(|text| statement.replace(placeholder, text));
            return Ok(whole.iter().map(|text| filled(text, filling)).collect());
        }
    }
    if statement.contains(RECEIVER) {
        let receivers = receiver_threads(connection).await?;
        let kill = |id: &String| statement.replace(RECEIVER, id);
        return Ok(receivers.iter().map(kill).collect());
    }
    Ok(vec![filled(statement, filling)])
}

/// Whether the statement cuts the clients off.
pub(super) fn kills_clients(statement: &str) -> bool {
    statement.contains(CLIENTS)
}

/// Whether the statement cuts off whom `read_only` does not stop.
pub(super) fn kills_privileged(statement: &str) -> bool {
    statement.contains(PRIVILEGED)
}

/// Whether the statement is about the receiver thread.
pub(super) fn names_receiver(statement: &str) -> bool {
    statement.contains(RECEIVER)
}

fn filled(statement: &str, filling: Filling<'_>) -> String {
    let left = filling.until.saturating_duration_since(Instant::now());
    statement
        .replace(USER, &escaped(&filling.replication.user))
        .replace(MANAGER, &escaped(&filling.manager.user))
        .replace(PASSWORD, &escaped(&filling.replication.password))
        .replace(SECONDS, &format!("{:.3}", left.as_secs_f64()))
}

/// Those of users of whom any account may write under `read_only`.
pub(super) async fn privileged_connections(
    connection: &mut Connection,
    filling: Filling<'_>,
) -> Result<Vec<String>, Error> {
    let grants = connection.query(dialect::PRIVILEGED).await?;
    // As in `'jo'@'%'`.
    let user = |grantee: &str| {
        let (user, _) = grantee.strip_prefix('\'')?.split_once("'@'")?;
        Some(user.to_owned())
    };
    let users = grants
        .rows
        .iter()
        .filter_map(|row| user(row.get("grantee")?));
    let users: BTreeSet<String> = users.collect();
    connections(connection, filling, |user| users.contains(user)).await
}

/// Those of all clients.
async fn client_connections(
    connection: &mut Connection,
    filling: Filling<'_>,
) -> Result<Vec<String>, Error> {
    connections(connection, filling, |_| true).await
}

/// Those of the server itself, of the manager and of replicas stay.
async fn connections(
    connection: &mut Connection,
    filling: Filling<'_>,
    of: impl Fn(&str) -> bool,
) -> Result<Vec<String>, Error> {
    const OF_THE_SERVER: [&str; 2] = ["system user", "event_scheduler"];
    let own = connection.connection_id().to_string();
    let list = connection.query("SHOW PROCESSLIST").await?;
    let ordinary = list.rows.iter().filter(|row| {
        let user = row.get("User").unwrap_or_default();
        let command = row.get("Command").unwrap_or_default();
        !OF_THE_SERVER.contains(&user)
            && user != filling.manager.user
            && user != filling.replication.user
            && !command.starts_with("Binlog Dump")
            && command != "Daemon"
            && of(user)
    });
    let ids = ordinary.filter_map(|row| row.get("Id"));
    Ok(ids.filter(|id| *id != own).map(str::to_owned).collect())
}

/// `MariaDB` names the thread by its command; one that is stopped is not listed.
pub(super) async fn receiver_threads(connection: &mut Connection) -> Result<Vec<String>, Error> {
    let list = connection.query("SHOW PROCESSLIST").await?;
    let receivers = list.rows.iter().filter(|row| {
        let command = row.get("Command").unwrap_or_default();
        command == RECEIVER_COMMAND
    });
    Ok(receivers
        .filter_map(|row| row.get("Id"))
        .map(str::to_owned)
        .collect())
}
