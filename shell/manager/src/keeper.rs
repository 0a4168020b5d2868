//! What is due by the wall clock: the end of a maintenance. People mean wall time; nothing that
//! keeps data safe depends on it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mainstay_failover::{Change, Request};
use mainstay_topology::ServerName;
use tokio::time::sleep;

use crate::error::RequestError;
use crate::handle::ManagerHandle;

/// Between two looks at the clock.
const PAUSE: Duration = Duration::from_secs(1);

/// Looks at the clock until the manager ends.
pub(crate) async fn run(manager: ManagerHandle) {
    loop {
        sleep(PAUSE).await;
        for server in overdue(&manager, now_ms()) {
            let change = Change::Serve;
            let request = Request::Change {
                server: server.clone(),
                change,
            };
            match manager.request(request).await {
                Ok(_) => tracing::info!(%server, "the time of its maintenance is over"),
                // It is tried again.
                Err(RequestError::Refused(reason)) => {
                    tracing::info!(%server, %reason, "its maintenance goes on");
                }
                Err(RequestError::Store(_) | RequestError::Stopped) => return,
            }
        }
    }
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

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
