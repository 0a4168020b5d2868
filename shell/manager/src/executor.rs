//! Runs one step: everything it needs is in the step, and nothing is decided here. A step is cut
//! off at its limit; the connection it used is then dropped, since what became of its statement is
//! not known, and what is left of it on the server is cleared away.

mod applier;
mod dialect;
mod effects;
mod events;
mod expand;
mod hand;
mod placing;
mod reseed;
mod restart;
mod rewind;
mod ring;
mod salvage;
mod statements;
mod sweep;
mod tail;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mainstay_failover::{OperationId, Output, Step, StepResult};
use mainstay_store::Store;
use mainstay_topology::{Member, Routes, ServerName, Target};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::config::{Login, Timing};
use crate::control::{HookControl, HostControl, ProxyControl};
use crate::event::Event;
use hand::Hand;
pub(crate) use hand::Lent;
use salvage::Saved;

/// What steps act with.
pub(crate) struct Executor {
    pub(crate) hands: BTreeMap<ServerName, Hand>,
    pub(crate) login: Login,
    pub(crate) replication: Login,
    pub(crate) proxy: Arc<dyn ProxyControl>,
    pub(crate) host: Option<Arc<dyn HostControl>>,
    pub(crate) hooks: Option<Arc<dyn HookControl>>,
    pub(crate) store: Store,
    /// Whom the write probe writes to.
    pub(crate) writer: watch::Sender<Option<Target>>,
    /// The write probe is in the middle of a write.
    pub(crate) probe_busy: watch::Receiver<bool>,
    /// Where transactions are kept before a server's data are replaced.
    pub(crate) salvage: PathBuf,
    /// Data directories of servers that can be read on this host.
    pub(crate) data_directories: BTreeMap<ServerName, PathBuf>,
    /// Which transactions of which server are saved, and where.
    pub(crate) saved: Mutex<BTreeMap<ServerName, Saved>>,
    /// How far a long step on a server is, for people.
    pub(crate) progress: Mutex<BTreeMap<ServerName, String>>,
    /// Where events were switched off with writes.
    pub(crate) eventless: Mutex<BTreeSet<ServerName>>,
    /// What ran on a primary that was demoted, for the next one.
    pub(crate) handover: Mutex<Option<events::Handover>>,
}

impl Executor {
    /// Opens a connection ahead on every server.
    pub(crate) fn open_hands(
        members: &[Member],
        login: &Login,
        timing: &Timing,
        tasks: &mut JoinSet<()>,
    ) -> BTreeMap<ServerName, Hand> {
        let open = |member: &Member| {
            let options = crate::look::options(&member.address, login, timing);
            let hand = Hand::open(options, &login.user, tasks);
            (member.name.clone(), hand.on_channel(&member.part.channel))
        };
        members.iter().map(open).collect()
    }

    /// A connection to the server.
    pub(crate) async fn lend(&self, server: &ServerName) -> Result<Lent, String> {
        let hand = self.hands.get(server);
        let hand = hand.ok_or_else(|| format!("{server} is no server of this cluster"))?;
        hand.lend().await
    }

    /// How far a long step is.
    fn tell(&self, server: &ServerName, progress: Option<String>) {
        let all = self.progress.lock();
        let mut all = all.unwrap_or_else(PoisonError::into_inner);
        match progress {
            Some(progress) => all.insert(server.clone(), progress),
            None => all.remove(server),
        };
    }

    /// How far the long step on this server is.
    pub(crate) fn progress(&self, server: &ServerName) -> Option<String> {
        let all = self.progress.lock();
        all.unwrap_or_else(PoisonError::into_inner)
            .get(server)
            .cloned()
    }

    fn saved(&self) -> MutexGuard<'_, BTreeMap<ServerName, Saved>> {
        self.saved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn eventless(&self) -> MutexGuard<'_, BTreeSet<ServerName>> {
        let known = self.eventless.lock();
        known.unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the proxies, and the write probe, which is a client like others.
    pub(crate) fn publish(&self, routes: &Routes) {
        let writer = routes.writer.clone().filter(|_| !routes.hold_writes);
        self.writer.send_if_modified(|now| {
            let changed = *now != writer;
            *now = writer;
            changed
        });
        self.proxy.publish(routes);
    }
}

/// Runs a step and tells how it ended.
pub(crate) async fn run(
    executor: Arc<Executor>,
    id: (OperationId, usize),
    step: Box<Step>,
    clock: Clock,
    events: mpsc::Sender<Event>,
) {
    let result = match timeout(step.limit, effects::run(&executor, &step)).await {
        Ok(Ok(output)) => StepResult::Done(output),
        Ok(Err(reason)) => StepResult::Failed(reason),
        Err(_) => StepResult::TimedOut,
    };
    let (operation, step) = id;
    let ended = Event::StepEnded {
        operation,
        step,
        result,
        at: clock.now(),
    };
    // When nobody listens any more, the manager has stopped and the journal says so at its start.
    let _ = events.send(ended).await;
}

type Done = Result<Output, String>;
