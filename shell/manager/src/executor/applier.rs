//! `STOP REPLICA` of MySQL waits up to a minute for a transaction that was cut off in the middle:
//! its applier waits for the rest, which cannot come once the receiver is stopped. The applier is
//! killed then; nothing is lost, since the transaction is received again as a whole.

use std::convert::Infallible;
use std::time::Duration;

use mainstay_failover::{Effect, Step};
use mainstay_mysql::{Connection, Error};
use mainstay_topology::{Family, ServerName};
use tokio::time::sleep;

use super::effects::lend;
use super::{Executor, dialect};

/// Pause between two looks. A stop that is seen by two of them in a row is stuck.
const LOOK: Duration = Duration::from_millis(100);

/// `ER_NO_SUCH_THREAD`.
const NO_SUCH_THREAD: u16 = 1094;

/// Runs beside the statements of a step, on another connection, until they have ended.
pub(super) async fn unblock(executor: &Executor, step: &Step, stopping: u64) -> Infallible {
    let Some(server) = stops_applier(step) else {
        return std::future::pending().await;
    };
    loop {
        sleep(LOOK).await;
        // A server that cannot be asked is asked again; the step has a limit of its own.
        let Err(reason) = watch(executor, server, stopping).await;
        tracing::debug!(%server, %reason, "the applier cannot be looked at");
    }
}

/// The server, if the step stops an applier of the family that waits.
fn stops_applier(step: &Step) -> Option<&ServerName> {
    let place = step.place.as_ref()?;
    let stops = matches!(
        step.effect,
        Effect::Attach { .. } | Effect::ForgetSource { .. }
    );
    (stops && place.family == Family::Mysql).then_some(&place.name)
}

async fn watch(
    executor: &Executor,
    server: &ServerName,
    stopping: u64,
) -> Result<Infallible, String> {
    let mut connection = lend(executor, server).await?;
    let mut seen = false;
    loop {
        let stuck = look(&mut connection, stopping, seen).await;
        seen = stuck.map_err(|error| error.to_string())?;
        sleep(LOOK).await;
    }
}

/// Whether a stop is under way; one that was so at the last look too has its applier killed.
async fn look(connection: &mut Connection, stopping: u64, seen: bool) -> Result<bool, Error> {
    let list = connection.query("SHOW PROCESSLIST").await?;
    let stopping = stopping.to_string();
    let pending = list.rows.iter().any(|row| {
        let statement = row.get("Info").unwrap_or_default();
        row.get("Id") == Some(&stopping) && statement.starts_with(dialect::STOP_BOTH)
    });
    if !(pending && seen && receiver_stopped(connection).await?) {
        return Ok(pending);
    }
    // Without a receiver, all that is left of the one link is its applier.
    let threads = list.rows.iter();
    let appliers: Vec<_> = threads
        .filter(|row| row.get("User") == Some("system user"))
        .filter_map(|row| row.get("Id"))
        .collect();
    tracing::info!(threads = ?appliers, "killing an applier that waits for what cannot come");
    for id in appliers {
        match connection.execute(&format!("KILL {id}")).await {
            Err(error) if error.server_code() != Some(NO_SUCH_THREAD) => return Err(error),
            Ok(_) | Err(_) => {}
        }
    }
    // They need a moment.
    Ok(false)
}

/// False where there are several links: whose threads are whose cannot be told then.
async fn receiver_stopped(connection: &mut Connection) -> Result<bool, Error> {
    let links = connection.query(dialect::LINKS).await?;
    let [link] = links.rows.as_slice() else {
        return Ok(false);
    };
    Ok(link.get(dialect::RECEIVER_RUNS) == Some("No"))
}
