//! What operators say about automatic operations. It is on disk before it counts.

use mainstay_failover::Event as Seen;
use mainstay_failover::pause::Pause;
use mainstay_store::{Store, StoreError};
use tokio::task::spawn_blocking;

use super::{Daemon, Reply};
use crate::error::RequestError;

impl Daemon {
    pub(super) async fn pause(&self, pause: Option<Pause>, reply: Reply<()>) -> Option<Seen> {
        if let Some(pause) = &pause {
            tracing::warn!("{pause}");
        } else {
            tracing::info!("automatic operations go on");
        }
        let kept = pause.clone();
        let write = move |store: &Store| store.write_pause(kept.as_ref());
        self.kept(write, reply).await.then_some(Seen::Paused(pause))
    }

    pub(super) async fn acknowledge(&self, reply: Reply<()>) -> Option<Seen> {
        let kept = self.kept(Store::acknowledge, reply).await;
        kept.then_some(Seen::Acknowledged)
    }

    async fn kept(
        &self,
        write: impl FnOnce(&Store) -> Result<(), StoreError> + Send + 'static,
        reply: Reply<()>,
    ) -> bool {
        let store = self.journal.store().clone();
        let written = spawn_blocking(move || write(&store)).await;
        let written = written.expect("the store does not panic");
        let kept = written.is_ok();
        // Who asked may have gone.
        let _ = reply.send(written.map_err(RequestError::Store));
        kept
    }
}
