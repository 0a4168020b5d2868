//! A stop of both threads of a link waits for its applier: MySQL's, up to a minute, for the rest of
//! a transaction that was cut off in the middle, which cannot come once the receiver is stopped;
//! that of both families for a lock that a client holds, as long as it holds it. The applier is
//! killed then. Nothing is lost: a server is attached only to a source that holds all that it has
//! received, and receives it again as a whole. Waits for what is received are never cut short.

use std::convert::Infallible;
use std::time::Duration;

use mainstay_failover::{Effect, Place, Step};
use mainstay_mysql::{Connection, Error};
use tokio::time::{Instant, sleep};

use super::dialect::Threads;
use super::effects::lend;
use super::{Executor, dialect};

/// Pause between two looks. A stop that is seen by two of them in a row is stuck, if nothing more
/// can come.
const LOOK: Duration = Duration::from_millis(100);

/// A stop that takes longer is stuck, whatever the receiver does: it is told to stop only after
/// the applier.
const STOP_MAX: Duration = Duration::from_secs(1);

/// `ER_NO_SUCH_THREAD`.
const NO_SUCH_THREAD: u16 = 1094;

/// Runs beside the statements of a step, on another connection, until they have ended.
pub(super) async fn unblock(executor: &Executor, step: &Step, stopping: u64) -> Infallible {
    let Some(place) = stops_applier(step) else {
        return std::future::pending().await;
    };
    loop {
        sleep(LOOK).await;
        // A server that cannot be asked is asked again; the step has a limit of its own.
        let Err(reason) = watch(executor, place, stopping).await;
        tracing::debug!(server = %place.name, %reason, "the applier cannot be looked at");
    }
}

/// Where, if the step stops an applier.
fn stops_applier(step: &Step) -> Option<&Place> {
    let stops = matches!(
        step.effect,
        Effect::Attach { .. } | Effect::CloseRing { .. } | Effect::ForgetSource { .. }
    );
    step.place.as_ref().filter(|_| stops)
}

async fn watch(executor: &Executor, place: &Place, stopping: u64) -> Result<Infallible, String> {
    let mut connection = lend(executor, &place.name).await?;
    let threads = dialect::threads(place.dialect);
    let mut since = None;
    loop {
        let looked = look(&mut connection, &threads, stopping, since).await;
        since = looked.map_err(|error| error.to_string())?;
        sleep(LOOK).await;
    }
}

/// Since when a stop is under way; one that is stuck has its applier killed.
async fn look(
    connection: &mut Connection,
    threads: &Threads,
    stopping: u64,
    since: Option<Instant>,
) -> Result<Option<Instant>, Error> {
    let list = connection.query("SHOW PROCESSLIST").await?;
    let stopping = stopping.to_string();
    let pending = list.rows.iter().any(|row| {
        let statement = row.get("Info").unwrap_or_default();
        row.get("Id") == Some(&stopping) && statement.starts_with(threads.stop)
    });
    if !pending {
        return Ok(None);
    }
    let Some(since) = since else {
        return Ok(Some(Instant::now()));
    };
    if !is_stuck(connection, threads, since).await? {
        return Ok(Some(since));
    }
    let of_link = list.rows.iter().filter(|row| {
        let command = row.get("Command").unwrap_or_default();
        let named = threads.appliers.is_empty() || threads.appliers.contains(&command);
        row.get("User") == Some("system user") && named
    });
    let ids: Vec<_> = of_link.filter_map(|row| row.get("Id")).collect();
    tracing::info!(threads = ?ids, "killing an applier that keeps a stop waiting");
    for id in ids {
        match connection.execute(&format!("KILL {id}")).await {
            Err(error) if error.server_code() != Some(NO_SUCH_THREAD) => return Err(error),
            Ok(_) | Err(_) => {}
        }
    }
    // They need a moment.
    Ok(None)
}

/// Never where there are several links: whose threads are whose cannot be told then.
async fn is_stuck(
    connection: &mut Connection,
    threads: &Threads,
    since: Instant,
) -> Result<bool, Error> {
    let links = connection.query(threads.links).await?;
    let [link] = links.rows.as_slice() else {
        return Ok(false);
    };
    let alone = link.get(threads.receiver_runs) == Some("No");
    Ok(alone || since.elapsed() >= STOP_MAX)
}
