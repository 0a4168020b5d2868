//! The thread that all servers are children of, and the way to talk to it.
//!
//! A thread of its own, because the kernel ends a server when the thread that forked it ends; see
//! [`crate::guard`]. It lives until every server has ended.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mainstay_topology::ServerName;
use rustix::process::Signal;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::server::{Order, ServerState, ServerTask};
use crate::{Result, SandboxError};

/// How a server is to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestartRole {
    /// As it is: it is the primary, or nobody is known to be.
    Plain,
    /// As it is: it replicates from the primary, and must keep what it has acknowledged.
    Replica,
    /// Another server is the primary of the current epoch, and does not count on this one: what it
    /// has not had acknowledged is removed, where the server can do that (MariaDB).
    Rejoin,
    /// Not yet: it is the primary, and about to be replaced. What it has not had acknowledged
    /// would be committed by a plain start, and could not be removed any more.
    ///
    /// Asked again soon. A server that nobody decides about is started plainly after a while, and
    /// so is one that is asked for the first time.
    Wait,
}

/// Asked before each start of a server. It must answer at once.
///
/// Answer [`RestartRole::Rejoin`] only if other servers certainly hold all that was acknowledged:
/// the server drops every transaction that it had prepared, acknowledged or not.
pub type RestartRoles = Arc<dyn Fn(&ServerName) -> RestartRole + Send + Sync>;

/// What happens to the servers' processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SandboxEvent {
    /// A process was started.
    Started {
        /// Which server.
        server: ServerName,
        /// Its process.
        pid: u32,
        /// How it was asked to come back.
        role: RestartRole,
    },
    /// It accepts connections.
    Ready {
        /// Which server.
        server: ServerName,
        /// Its process.
        pid: u32,
    },
    /// Its process is gone.
    Exited {
        /// Which server.
        server: ServerName,
        /// The process that is gone; 0 if it could not even be started.
        pid: u32,
        /// Exit status or signal, in words.
        how: String,
        /// When it is started again; `None` if it is held or stopped.
        restart_in: Option<Duration>,
    },
}

/// How long a server has to end by itself before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(9);
/// How long the primary is ahead of its replicas in stopping.
const STOP_LEAD: Duration = Duration::from_secs(4);

/// One server, seen from outside of the thread.
#[derive(Debug)]
pub(crate) struct ServerHandle {
    pub(crate) name: ServerName,
    pub(crate) orders: mpsc::Sender<Order>,
    pub(crate) state: watch::Receiver<ServerState>,
}

impl ServerHandle {
    pub(crate) async fn signal(&self, signal: Signal) -> Result<()> {
        self.ask(|reply| Order::Signal(signal, reply)).await?
    }

    pub(crate) async fn ask<T>(
        &self,
        order: impl FnOnce(oneshot::Sender<T>) -> Order,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        self.orders
            .send(order(reply))
            .await
            .map_err(|_| SandboxError::Stopped)?;
        answer.await.map_err(|_| SandboxError::Stopped)
    }
}

/// The thread and its servers.
pub(crate) struct Supervisor {
    pub(crate) servers: Vec<ServerHandle>,
    roles: RestartRoles,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Supervisor {
    /// Starts the thread, which starts all servers at once.
    pub(crate) fn launch(
        tasks: Vec<ServerTask>,
        servers: Vec<ServerHandle>,
        roles: RestartRoles,
    ) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = thread::Builder::new()
            .name("sandbox".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    let mut running: JoinSet<()> = tasks.into_iter().map(ServerTask::run).collect();
                    while running.join_next().await.is_some() {}
                });
            })?;
        Ok(Self {
            servers,
            roles,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Ends all servers; after at most [`STOP_LEAD`] plus [`STOP_LIMIT`] none is left.
    ///
    /// The primary goes first, as far as it is known, while its replicas can still acknowledge: a
    /// MySQL primary that stops with commits waiting would answer OK to them.
    pub(crate) async fn stop(&self) {
        let (first, then): (Vec<_>, Vec<_>) = self.servers.iter().partition(|server| match (self
            .roles)(
            &server.name,
        ) {
            RestartRole::Plain | RestartRole::Wait => true,
            RestartRole::Replica | RestartRole::Rejoin => false,
        });
        let ending = stop_all(first);
        tokio::pin!(ending);
        if tokio::time::timeout(STOP_LEAD, &mut ending).await.is_ok() {
            stop_all(then).await;
        } else {
            tokio::join!(ending, stop_all(then));
        }
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // Nothing is left for it to do, so this does not block.
            let _panicked = thread.join();
        }
    }
}

/// Asks all before it waits for the first.
async fn stop_all(servers: Vec<&ServerHandle>) {
    let mut answers = Vec::new();
    for server in servers {
        let (reply, answer) = oneshot::channel();
        // A server that takes no orders any more has ended for good.
        if server
            .orders
            .send(Order::Stop(STOP_LIMIT, reply))
            .await
            .is_ok()
        {
            answers.push(answer);
        }
    }
    for answer in answers {
        let _ended_meanwhile = answer.await;
    }
}
