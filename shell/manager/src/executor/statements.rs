//! Runs the statements of a step, and knows which errors mean that the work is done already.

use std::time::Duration;

use mainstay_mysql::{Connection, Error};
use tokio::time::{Instant, sleep};

use super::expand::{self, Filling, expand, receiver_threads};

/// `ER_UDF_EXISTS` and `ER_PLUGIN_INSTALLED`: the plugin is there. `ER_NO_SUCH_THREAD`: the
/// connection to be killed is gone.
const ALREADY_DONE: [u16; 3] = [1125, 1968, 1094];

/// `ER_UNKNOWN_SYSTEM_VARIABLE`: without the plugin there is nothing to switch off.
const NO_VARIABLE: u16 = 1193;

/// `ER_OPTION_PREVENTS_STATEMENT`: events are disabled at start, and cannot be switched off.
const DISABLED: u16 = 1290;

/// `ER_LOCK_WAIT_TIMEOUT`: running statements did not end within the second that `read_only`
/// waits. Tried again within the limit of the step.
const LOCKED: u16 = 1205;

/// Pause before a statement that found a lock is sent again.
const LOCKED_PAUSE: Duration = Duration::from_millis(10);

/// A killed receiver ends within some 20 ms; after this long it is told to stop anyway.
const RECEIVER_END_MAX: Duration = Duration::from_millis(200);

/// Pause between two looks whether it has ended.
const RECEIVER_PAUSE: Duration = Duration::from_millis(2);

/// A statement that did not do its work.
#[derive(Debug)]
pub(super) struct Refused {
    /// The server's number for it, if it is an error of the server.
    pub(super) code: Option<u16>,
    reason: String,
}

impl Refused {
    /// One that the server was not asked for.
    pub(super) fn because(reason: String) -> Self {
        Self { code: None, reason }
    }

    /// The same, with the plan's words for what was sent.
    fn of(mut self, statement: &str) -> Self {
        self.reason = format!("`{statement}`: {}", self.reason);
        self
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reason)
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self {
            code: error.server_code(),
            reason: error.to_string(),
        }
    }
}

impl From<Refused> for String {
    fn from(refused: Refused) -> Self {
        refused.reason
    }
}

/// Runs the statements in order. Those that ask, answer 0 when all is as it should be.
pub(super) async fn run(
    connection: &mut Connection,
    statements: &[String],
    filling: Filling<'_>,
) -> Result<(), Refused> {
    let mut kills = None;
    for statement in statements {
        if expand::kills_clients(statement) {
            kills = Some(statement.as_str());
        }
        let ran = run_statement(connection, statement, kills, filling).await;
        ran.map_err(|refused| refused.of(statement))?;
    }
    Ok(())
}

async fn run_statement(
    connection: &mut Connection,
    statement: &str,
    kills: Option<&str>,
    filling: Filling<'_>,
) -> Result<(), Refused> {
    for sql in expand(connection, statement, filling).await? {
        while run_one(connection, &sql).await? == Ran::Locked {
            sleep(LOCKED_PAUSE).await;
            // Clients that have come back meanwhile may be what it waits for.
            kill(connection, kills, filling).await?;
        }
    }
    if expand::names_receiver(statement) {
        receiver_gone(connection).await?;
    }
    if expand::kills_privileged(statement) {
        privileged_gone(connection, filling).await?;
    }
    Ok(())
}

/// A receiver that was killed needs a moment to end. Told to stop before that, it still asks its
/// source to end the dump, and waits a second for a source that hangs.
async fn receiver_gone(connection: &mut Connection) -> Result<(), Error> {
    let until = Instant::now() + RECEIVER_END_MAX;
    while Instant::now() < until && !receiver_threads(connection).await?.is_empty() {
        sleep(RECEIVER_PAUSE).await;
    }
    Ok(())
}

/// What a killed connection still commits must be in what the server says it has executed.
async fn privileged_gone(connection: &mut Connection, filling: Filling<'_>) -> Result<(), Error> {
    let until = Instant::now() + RECEIVER_END_MAX;
    while Instant::now() < until {
        let left = expand::privileged_connections(connection, filling).await?;
        if left.is_empty() {
            break;
        }
        sleep(RECEIVER_PAUSE).await;
    }
    Ok(())
}

/// Sends the statement that cuts clients off once more.
async fn kill(
    connection: &mut Connection,
    statement: Option<&str>,
    filling: Filling<'_>,
) -> Result<(), Refused> {
    let Some(statement) = statement else {
        return Ok(());
    };
    for sql in expand(connection, statement, filling).await? {
        run_one(connection, &sql).await?;
    }
    Ok(())
}

#[derive(PartialEq, Eq)]
enum Ran {
    Done,
    Locked,
}

async fn run_one(connection: &mut Connection, sql: &str) -> Result<Ran, Refused> {
    match connection.query(sql).await {
        Ok(answer) if answer.rows.is_empty() => Ok(Ran::Done),
        Ok(answer) => match answer.scalar() {
            Some("0") => Ok(Ran::Done),
            other => Err(Refused {
                code: None,
                reason: format!("it answered {}, not 0", other.unwrap_or("NULL")),
            }),
        },
        Err(Error::Server { code: LOCKED, .. }) => Ok(Ran::Locked),
        Err(Error::Server { code, .. }) if is_done(code, sql) => Ok(Ran::Done),
        Err(error) => Err(error.into()),
    }
}

fn is_done(code: u16, sql: &str) -> bool {
    ALREADY_DONE.contains(&code)
        || (code == DISABLED && sql.ends_with("event_scheduler = OFF"))
        || (code == NO_VARIABLE && sql.contains("semi_sync") && sql.ends_with("= OFF"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_switched_off_already() {
        assert!(is_done(
            1193,
            "SET GLOBAL rpl_semi_sync_source_enabled = OFF"
        ));
        assert!(!is_done(
            1193,
            "SET GLOBAL rpl_semi_sync_source_enabled = ON"
        ));
        assert!(!is_done(1193, "SET GLOBAL offline_mode = OFF"));
    }
}
