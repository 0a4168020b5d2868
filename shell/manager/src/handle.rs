//! The handle that others hold: it asks the loop, and never decides.

use std::sync::Arc;

use mainstay_failover::pause::Pause;
use mainstay_failover::preflight::Terms;
use mainstay_failover::why::{Answer, Condition};
use mainstay_failover::{Plan, Policy, Request};
use mainstay_store::{Operation, Schedule, Store};
use mainstay_topology::ServerName;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::spawn_blocking;

use crate::error::RequestError;
use crate::event::Event;
use crate::snapshot::Snapshot;

/// What would be done, and what it depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Its name for [`ManagerHandle::apply`].
    pub id: String,
    /// The steps.
    pub plan: Plan,
    /// What the servers were asked about it: what does not hold forbids it.
    pub checks: Vec<Condition>,
}

/// A running manager. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ManagerHandle {
    pub(crate) events: mpsc::Sender<Event>,
    pub(crate) snapshots: watch::Receiver<Arc<Snapshot>>,
    pub(crate) store: Store,
    pub(crate) policy: Arc<Policy>,
}

impl ManagerHandle {
    /// What the manager knows and does now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshots.borrow())
    }

    /// For those who wait for a change: the newest snapshot, marked as seen when it is read.
    pub fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// What is allowed when nobody says otherwise.
    pub fn terms(&self) -> Terms {
        Terms {
            transaction_max: self.policy.drain_limit,
            end_transactions: false,
            allow_newer: false,
        }
    }

    /// Asks for an operation; answers with its journal when it has ended, well or not.
    pub async fn request(&self, request: Request) -> Result<Operation, RequestError> {
        self.request_under(request, self.terms()).await
    }

    /// The same under other terms.
    pub async fn request_under(
        &self,
        request: Request,
        terms: Terms,
    ) -> Result<Operation, RequestError> {
        let event = |reply| Event::Asked {
            request,
            terms,
            reply,
        };
        self.ask(event).await
    }

    /// What would be done now, if it were asked for.
    pub async fn plan(&self, request: Request, terms: Terms) -> Result<Planned, RequestError> {
        let event = |reply| Event::PlanAsked {
            request,
            terms,
            reply,
        };
        self.ask(event).await
    }

    /// Runs a plan that was shown, if nothing that it relies on has changed since.
    pub async fn apply(&self, plan: String) -> Result<Operation, RequestError> {
        self.ask(|reply| Event::ApplyAsked { plan, reply }).await
    }

    /// Switchovers at a time: those that wait, and those of late.
    pub async fn schedules(&self) -> Result<Vec<Schedule>, RequestError> {
        let store = self.store.clone();
        let read = spawn_blocking(move || store.schedules()).await;
        Ok(read.map_err(|_| RequestError::Stopped)??)
    }

    /// Keeps a switchover until its time comes; answers its number.
    pub async fn schedule(&self, schedule: Schedule) -> Result<u64, RequestError> {
        let store = self.store.clone();
        let kept = spawn_blocking(move || store.schedule(&schedule)).await;
        Ok(kept.map_err(|_| RequestError::Stopped)??)
    }

    /// Ends the waiting of a switchover; false when none of that number waits.
    pub async fn end_schedule(&self, id: u64, outcome: String) -> Result<bool, RequestError> {
        let store = self.store.clone();
        let ended = spawn_blocking(move || store.end_schedule(id, &outcome)).await;
        Ok(ended.map_err(|_| RequestError::Stopped)??)
    }

    /// Lets no automatic operation begin from now on, or again.
    pub async fn pause(&self, pause: Option<Pause>) -> Result<(), RequestError> {
        self.ask(|reply| Event::PauseAsked { pause, reply }).await
    }

    /// The last failover was seen: it holds nothing back any more.
    pub async fn acknowledge(&self) -> Result<(), RequestError> {
        self.ask(|reply| Event::AcknowledgeAsked { reply }).await
    }

    /// Every decision with what it depends on now, or those about one server.
    pub async fn why(&self, about: Option<ServerName>) -> Result<Vec<Answer>, RequestError> {
        self.ask(|reply| Event::WhyAsked { about, reply }).await
    }

    /// The newest operations of the journal, newest first.
    pub async fn operations(&self, limit: usize) -> Result<Vec<Operation>, RequestError> {
        let store = self.store.clone();
        let read = spawn_blocking(move || store.operations(limit)).await;
        Ok(read.map_err(|_| RequestError::Stopped)??)
    }

    /// One operation of the journal.
    pub async fn operation(&self, id: u64) -> Result<Option<Operation>, RequestError> {
        let store = self.store.clone();
        let read = spawn_blocking(move || store.operation(id)).await;
        Ok(read.map_err(|_| RequestError::Stopped)??)
    }

    /// Stops the manager: no step is begun any more, and all its connections are closed when this
    /// returns. The servers and the proxies are left as they are.
    pub async fn shutdown(&self) {
        if self.events.send(Event::Stop).await.is_ok() {
            self.events.closed().await;
        }
    }

    async fn ask<T>(
        &self,
        event: impl FnOnce(oneshot::Sender<Result<T, RequestError>>) -> Event,
    ) -> Result<T, RequestError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.events.send(event(reply)).await;
        sent.map_err(|_| RequestError::Stopped)?;
        answer.await.map_err(|_| RequestError::Stopped)?
    }
}
