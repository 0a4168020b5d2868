//! What is due by the wall clock: the end of a maintenance or a pause, a switchover at a time.
//! People mean wall time; nothing that keeps data safe depends on it.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mainstay_failover::preflight::Terms;
use mainstay_failover::{Change, Request};
use mainstay_store::{Operation, Schedule};
use mainstay_topology::ServerName;
use tokio::time::sleep;

use crate::error::RequestError;
use crate::handle::ManagerHandle;

/// Between two looks at the clock.
const PAUSE: Duration = Duration::from_secs(1);

/// Why switchovers whose time has come were not made at the last try.
type Refused = BTreeMap<u64, String>;

/// Looks at the clock until the manager ends.
pub(crate) async fn run(manager: ManagerHandle) {
    let mut refused = Refused::new();
    loop {
        sleep(PAUSE).await;
        let looked = async {
            end_pause(&manager).await?;
            end_maintenances(&manager).await?;
            if manager.snapshot().paused.is_some() {
                return Ok(());
            }
            switch_over(&manager, &mut refused).await
        };
        match looked.await {
            Ok(()) | Err(RequestError::Refused(_)) => {}
            Err(RequestError::Store(error)) => {
                tracing::warn!(%error, "what is due cannot be read");
            }
            Err(RequestError::Stopped) => return,
        }
    }
}

async fn end_maintenances(manager: &ManagerHandle) -> Result<(), RequestError> {
    for server in overdue(manager, now_ms()) {
        let request = Request::Change {
            server: server.clone(),
            change: Change::Serve,
        };
        match manager.request(request).await {
            Ok(_) => tracing::info!(%server, "the time of its maintenance is over"),
            // It is tried again.
            Err(RequestError::Refused(reason)) => {
                tracing::info!(%server, %reason, "its maintenance goes on");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Ends a pause of automatic operations whose time is over.
async fn end_pause(manager: &ManagerHandle) -> Result<(), RequestError> {
    let snapshot = manager.snapshot();
    let until = snapshot.paused.as_ref().and_then(|pause| pause.until_ms);
    if until.is_some_and(|until| until <= now_ms()) {
        manager.pause(None).await?;
    }
    Ok(())
}

/// Servers whose maintenance should have ended.
fn overdue(manager: &ManagerHandle, now_ms: u64) -> Vec<ServerName> {
    let snapshot = manager.snapshot();
    let servers = snapshot.topology.servers.values();
    let over = servers.filter(|server| {
        let maintenance = server.wish.maintenance.as_ref();
        let until = maintenance.and_then(|maintenance| maintenance.until_ms);
        until.is_some_and(|until| until <= now_ms)
    });
    over.map(|server| server.name().clone()).collect()
}

/// Tries switchovers whose time has come, until their window is over.
async fn switch_over(manager: &ManagerHandle, refused: &mut Refused) -> Result<(), RequestError> {
    let waiting = manager.schedules().await?.into_iter();
    let waiting = waiting.filter(|schedule| schedule.outcome.is_none());
    let due: Vec<Schedule> = waiting.filter(|one| one.at_ms <= now_ms()).collect();
    for schedule in due {
        let until = schedule.at_ms.saturating_add(schedule.window_ms);
        let outcome = match (until < now_ms(), refused.remove(&schedule.id)) {
            (true, Some(reason)) => format!("not made: {reason}"),
            // A manager that was down for longer than the window does not surprise anybody.
            (true, None) => "missed: no manager ran in its window".to_owned(),
            (false, _) => match tried(manager, &schedule).await? {
                Ok(done) => done,
                Err(reason) => {
                    tracing::info!(id = schedule.id, %reason, "a switchover is not made yet");
                    refused.insert(schedule.id, reason);
                    continue;
                }
            },
        };
        tracing::warn!(id = schedule.id, %outcome, "a switchover at a time has ended");
        manager.end_schedule(schedule.id, outcome).await?;
    }
    Ok(())
}

/// What became of it, or why it is tried again.
async fn tried(
    manager: &ManagerHandle,
    schedule: &Schedule,
) -> Result<Result<String, String>, RequestError> {
    let to = schedule.to.as_deref().map(ServerName::new);
    let terms = Terms {
        end_transactions: schedule.end_transactions,
        allow_newer: schedule.allow_newer,
        ..manager.terms()
    };
    let request = Request::Switchover { to: to.clone() };
    if to.is_some() && manager.snapshot().record().primary == to {
        return Ok(Ok("done: it was the primary already".to_owned()));
    }
    match manager.request_under(request, terms).await {
        Ok(Operation {
            id, failure: None, ..
        }) => Ok(Ok(format!("done: operation {id}"))),
        Ok(Operation {
            failure: Some(reason),
            ..
        })
        | Err(RequestError::Refused(reason)) => Ok(Err(reason)),
        Err(error) => Err(error),
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
