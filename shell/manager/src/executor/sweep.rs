//! What a step that was cut off may have left on a server: a statement that still waits, or one
//! that a hung server reads only when it wakes up. Both are gone before the next step's turn.

use std::time::Duration;

use mainstay_mysql::{Connection, Error};
use tokio::time::{Instant, sleep};

/// What is left of one connection.
#[derive(Debug)]
pub(super) struct Litter {
    /// Its number on the server.
    pub(super) connection: u64,
    /// What puts right what the step has left half done.
    pub(super) repair: Option<&'static str>,
}

/// An answer takes no longer, or the server is asked again later.
const LIMIT: Duration = Duration::from_millis(700);

/// A killed connection is waited for no longer than this.
const GONE_MAX: Duration = Duration::from_millis(500);

/// Pause between two looks whether it is gone.
const GONE_PAUSE: Duration = Duration::from_millis(10);

/// `ER_NO_SUCH_THREAD`.
const NO_SUCH_THREAD: u16 = 1094;

/// Statements of steps that may be killed while they run. A server that has restarted gives its
/// numbers again, and a commit must never be killed: it would be answered with a false OK.
const KILLABLE: [&str; 9] = [
    "SET", "STOP", "START", "CHANGE", "SELECT", "SHOW", "BEGIN", "CLONE", "INSTALL",
];

/// Ends those connections, then repairs. What the server refuses is logged and left; any other
/// error means that it is to be done again.
pub(super) async fn run(
    connection: &mut Connection,
    user: &str,
    litter: &[Litter],
) -> Result<(), Error> {
    for left in litter {
        let swept = sweep(connection, user, left).await;
        if let Err(Error::Server { code, message, .. }) = swept {
            tracing::warn!(code, %message, "what a step has left cannot be cleared away");
        } else {
            swept?;
        }
    }
    Ok(())
}

async fn sweep(connection: &mut Connection, user: &str, left: &Litter) -> Result<(), Error> {
    let kill = format!("KILL {}", left.connection);
    let until = Instant::now() + GONE_MAX;
    while is_there(connection, user, left.connection).await? && Instant::now() < until {
        match connection.query_within(&kill, LIMIT).await {
            Ok(_) => tracing::debug!(connection = left.connection, "a step's rest is killed"),
            Err(error) if error.server_code() == Some(NO_SUCH_THREAD) => break,
            Err(error) => return Err(error),
        }
        sleep(GONE_PAUSE).await;
    }
    if let Some(repair) = left.repair {
        connection.query_within(repair, LIMIT).await?;
    }
    Ok(())
}

async fn is_there(connection: &mut Connection, user: &str, id: u64) -> Result<bool, Error> {
    let list = connection.query_within("SHOW PROCESSLIST", LIMIT).await?;
    let id = id.to_string();
    Ok(list.rows.iter().any(|row| {
        row.get("Id") == Some(&id) && row.get("User") == Some(user) && killable(row.get("Info"))
    }))
}

/// A connection that does nothing is ended too: its next statement may be on its way.
fn killable(statement: Option<&str>) -> bool {
    let word = statement.and_then(|text| text.split_whitespace().next());
    word.is_none_or(|word| KILLABLE.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_never_killed() {
        assert!(killable(None));
        assert!(killable(Some("SET GLOBAL super_read_only = ON")));
        assert!(!killable(Some(
            "REPLACE INTO mainstay.heartbeat (id, beat)"
        )));
        assert!(!killable(Some("COMMIT")));
    }
}
