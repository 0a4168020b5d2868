//! Ends a server's process by its own statement and waits for the next one, and waits until the
//! clients of a server have ended what they had under way.

use std::time::Duration;

use mainstay_failover::{Output, Step};
use mainstay_topology::ServerName;
use tokio::time::{Instant, sleep};

use super::effects::{filling, lend};
use super::expand::expand;
use super::{Done, Executor, dialect};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// So many looks in a row find nobody at work: between two statements a client is idle.
const LOOKS: u32 = 3;

/// Whoever still has the routes of before sends its last statements within this time.
const ROUTES_LIMIT: Duration = Duration::from_secs(1);

/// Waits until nobody but the manager and replicas has anything under way.
pub(super) async fn await_idle(executor: &Executor, step: &Step, server: &ServerName) -> Done {
    executor.proxy.drained(ROUTES_LIMIT).await;
    let mut connection = lend(executor, server).await?;
    let mut idle = 0;
    while idle < LOOKS {
        let mut busy = false;
        for statement in &step.sql {
            let filled = expand(&mut connection, statement, filling(executor, step)).await;
            for sql in filled.map_err(|error| error.to_string())? {
                let answer = connection.query(&sql).await;
                let answer = answer.map_err(|error| error.to_string())?;
                busy |= answer.scalar() != Some("0");
            }
        }
        idle = if busy { 0 } else { idle + 1 };
        sleep(PAUSE).await;
    }
    Ok(Output::Done)
}

/// Sends the statement that ends the process, then waits for one that has run for a shorter time.
/// Run twice, it finds a process that is young enough, and leaves it.
pub(super) async fn restart(executor: &Executor, step: &Step, server: &ServerName) -> Done {
    let began = Instant::now();
    let mut connection = lend(executor, server).await?;
    for statement in &step.sql {
        // The answer may be lost with the process.
        if let Err(error) = connection.query(statement).await
            && error.server_code().is_some()
        {
            return Err(format!("`{statement}`: {error}"));
        }
    }
    drop(connection.keep());
    loop {
        sleep(PAUSE).await;
        let Ok(mut connection) = lend(executor, server).await else {
            continue;
        };
        let Ok(answer) = connection.query(dialect::UPTIME).await else {
            continue;
        };
        let row = answer.first().and_then(|row| row.get("Value"));
        let uptime = row
            .and_then(|text| text.parse().ok())
            .map(Duration::from_secs);
        // A process of before would have run longer; seconds are rounded down.
        if uptime.is_some_and(|uptime| uptime <= began.elapsed()) && began.elapsed() > LEAST {
            return Ok(Output::Done);
        }
    }
}

/// No process ends and another begins within this time; its clock of seconds could not tell.
const LEAST: Duration = Duration::from_millis(1_500);
