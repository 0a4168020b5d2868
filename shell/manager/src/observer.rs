//! The observer of one server: looks at it at its interval, at once when it is asked to, and at
//! once when the server closes the idle connection, so that a killed process is noticed in
//! milliseconds. It never judges: whatever happens becomes an observation.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use mainstay_mysql::{ConnectOptions, Connection};
use mainstay_topology::{Facts, Observation, Outcome, ServerName};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{sleep, timeout};

use crate::clock::Clock;
use crate::event::Event;
use crate::look::{self, LookError, look};
use crate::positions::trim;
use crate::snapshot::Snapshot;

/// A lost connection is followed at once by another look, which tells a dead process from a killed
/// connection; a server that accepts and drops connections is not asked faster than its interval.
const QUICK_LOOKS_MAX: u32 = 3;

/// The port of a dying process may still accept for a moment.
const QUICK_LOOK_PAUSE: Duration = Duration::from_millis(2);

pub(crate) struct Observer {
    pub(crate) server: ServerName,
    /// The name of its channel of this cluster.
    pub(crate) channel: String,
    pub(crate) options: ConnectOptions,
    pub(crate) interval: Duration,
    pub(crate) limit: Duration,
    pub(crate) wake: Arc<Notify>,
    pub(crate) events: mpsc::Sender<Event>,
    pub(crate) clock: Clock,
    /// What the manager knows; its record says where a log ends that nobody writes to any more.
    pub(crate) known: Option<watch::Receiver<Arc<Snapshot>>>,
}

impl Observer {
    /// Observes until the manager is gone.
    pub(crate) async fn run(self) {
        let mut connection = None;
        let mut quick_looks = 0;
        loop {
            let begun = self.clock.now();
            let outcome = self.probe(&mut connection).await;
            let lost = outcome == Outcome::Lost;
            let observation = Observation {
                server: self.server.clone(),
                begun,
                ended: self.clock.now(),
                outcome,
            };
            if self
                .events
                .send(Event::Observed(observation))
                .await
                .is_err()
            {
                return;
            }
            quick_looks = if lost { quick_looks + 1 } else { 0 };
            if (1..=QUICK_LOOKS_MAX).contains(&quick_looks) {
                sleep(QUICK_LOOK_PAUSE).await;
            } else {
                self.rest(&mut connection).await;
            }
        }
    }

    /// Waits until the next look is due.
    async fn rest(&self, connection: &mut Option<Connection>) {
        let closed = async {
            match connection {
                Some(open) => {
                    open.closed().await;
                }
                None => std::future::pending().await,
            }
        };
        let closed = tokio::select! {
            () = sleep(self.interval) => false,
            () = self.wake.notified() => false,
            () = closed => true,
        };
        if closed {
            *connection = None;
        }
    }

    async fn look(&self, connection: &mut Connection) -> Result<Facts, LookError> {
        let mut facts = look(connection, &self.channel).await?;
        let record = |known: &watch::Receiver<Arc<Snapshot>>| known.borrow().record().clone();
        let record = self.known.as_ref().map(record);
        let others = record.filter(|record| record.primary.as_ref() != Some(&self.server));
        if let Some(began_at) = others.and_then(|record| record.began_at) {
            trim(connection, &mut facts, &began_at).await;
        }
        Ok(facts)
    }

    async fn probe(&self, connection: &mut Option<Connection>) -> Outcome {
        // Taken out: a probe that does not end in time leaves no connection behind.
        let open = match connection.take() {
            Some(open) => Ok(open),
            None => Connection::connect(&self.options).await,
        };
        let mut open = match open {
            Ok(open) => open,
            Err(error) => return look::outcome(&error),
        };
        match timeout(self.limit, self.look(&mut open)).await {
            Ok(Ok(facts)) => {
                *connection = Some(open);
                Outcome::Answered(Box::new(facts))
            }
            Ok(Err(error)) => {
                if !open.is_broken() {
                    *connection = Some(open);
                }
                Outcome::from(&error)
            }
            Err(_) => Outcome::Silent,
        }
    }
}
