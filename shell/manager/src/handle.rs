//! The handle that others hold: it asks the loop, and never decides.

use std::sync::Arc;

use mainstay_failover::why::Answer;
use mainstay_failover::{Plan, Request};
use mainstay_store::{Operation, Store};
use mainstay_topology::ServerName;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::spawn_blocking;

use crate::error::RequestError;
use crate::event::{Event, Question};
use crate::snapshot::Snapshot;

/// A running manager. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ManagerHandle {
    pub(crate) events: mpsc::Sender<Event>,
    pub(crate) snapshots: watch::Receiver<Arc<Snapshot>>,
    pub(crate) store: Store,
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

    /// Asks for an operation; answers with its journal when it has ended, well or not.
    pub async fn request(&self, request: Request) -> Result<Operation, RequestError> {
        self.ask(|reply| Event::Asked { request, reply }).await
    }

    /// What a failover would do now.
    pub async fn plan_failover(&self) -> Result<Plan, RequestError> {
        let question = Question::Failover;
        self.ask(|reply| Event::PlanAsked { question, reply }).await
    }

    /// What a switchover would do now.
    pub async fn plan_switchover(&self, to: Option<ServerName>) -> Result<Plan, RequestError> {
        let question = Question::Switchover { to };
        self.ask(|reply| Event::PlanAsked { question, reply }).await
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
