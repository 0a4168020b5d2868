//! A sandbox from outside: prepared in a directory, started, asked, stopped.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mainstay_topology::{Address, ServerName};
use rustix::process::Signal;
use tokio::sync::{Mutex, broadcast, mpsc, watch};
use tokio::time::timeout;

use crate::accounts;
use crate::credentials::Credentials;
use crate::flavor::{Flavor, Version};
use crate::guard::Guard;
use crate::layout::Layout;
use crate::locate::{ServerProgram, locate};
use crate::reseed::history;
use crate::server::{Order, ServerState, ServerTask};
use crate::supervisor::{RestartRoles, SandboxEvent, ServerHandle, Supervisor};
use crate::template::{end_of, template};
use crate::{Result, SandboxError};

/// A start that recovers from a crash reads the logs of the tables first.
pub(crate) const START_LIMIT: Duration = Duration::from_mins(1);
const EVENTS: usize = 256;
const ORDERS: usize = 16;

/// What to run, and where.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// The directory; made if it does not exist.
    pub dir: PathBuf,
    /// The family of servers.
    pub flavor: Flavor,
    /// The server program; found by itself if not given.
    pub mysqld: Option<PathBuf>,
    /// Where templates are kept; `$XDG_CACHE_HOME/mainstay` or `~/.cache/mainstay` if not given.
    pub cache: Option<PathBuf>,
    /// The first of three ports; 0 for those kept from the last start, or any free ones.
    pub base_port: u16,
    /// Allows the servers' data of another sandbox in the directory to be deleted.
    pub force: bool,
    /// How long a server that ended stays down.
    pub restart_after: Duration,
    /// The program that answers to [`crate::GUARD_COMMAND`]; this one if not given.
    pub guard_program: Option<PathBuf>,
}

impl SandboxOptions {
    /// Everything else at its default.
    pub fn new(dir: PathBuf, flavor: Flavor) -> Self {
        Self {
            dir,
            flavor,
            mysqld: None,
            cache: None,
            base_port: 0,
            force: false,
            restart_after: Duration::from_secs(3),
            guard_program: None,
        }
    }
}

/// One server of a sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxServer {
    /// `db1`, `db2` or `db3`.
    pub name: ServerName,
    /// Where it listens.
    pub address: Address,
    /// Its process; `None` while it is down.
    pub pid: Option<u32>,
    /// Its number in replication.
    pub server_id: u32,
}

/// A directory with everything in place, locked, and nothing running yet.
#[derive(Debug)]
pub struct Prepared {
    pub(crate) layout: Layout,
    pub(crate) program: ServerProgram,
    pub(crate) guard: Guard,
    restart_after: Duration,
}

impl Prepared {
    /// The directory, absolute.
    pub fn dir(&self) -> &Path {
        &self.layout.dir
    }

    /// Whether the servers begin empty: what was known of earlier ones in this directory is void.
    pub fn is_new(&self) -> bool {
        self.layout.is_new
    }

    /// The program that will run.
    pub fn program(&self) -> &ServerProgram {
        &self.program
    }

    /// The accounts of all servers.
    pub fn credentials(&self) -> &Credentials {
        &self.layout.description.credentials
    }

    /// The servers, all down.
    pub fn servers(&self) -> Vec<SandboxServer> {
        let described = self.layout.description.servers.iter();
        described
            .map(|server| SandboxServer {
                name: ServerName::new(&server.name),
                address: Address {
                    host: "127.0.0.1".to_owned(),
                    port: server.port,
                },
                pid: None,
                server_id: server.server_id,
            })
            .collect()
    }

    /// Starts all servers at once, and returns when all of them take logins.
    ///
    /// They are read-only and do not replicate. If one cannot start, none is left running.
    pub async fn start(self, roles: RestartRoles) -> Result<Sandbox> {
        let (events, _) = broadcast::channel(EVENTS);
        let mut tasks = Vec::new();
        let mut handles = Vec::new();
        for server in self.servers() {
            let (orders, inbox) = mpsc::channel(ORDERS);
            let (state, seen) = watch::channel(ServerState::default());
            handles.push(ServerHandle {
                name: server.name.clone(),
                orders,
                state: seen,
            });
            tasks.push(ServerTask {
                directory: self.layout.server(server.name.as_str()),
                name: server.name,
                port: server.address.port,
                program: self.program.clone(),
                guard: self.guard.clone(),
                restart_after: self.restart_after,
                roles: roles.clone(),
                orders: inbox,
                state,
                events: events.clone(),
            });
        }
        let supervisor = Supervisor::launch(tasks, handles, roles)
            .map_err(SandboxError::io("start a thread for", &self.layout.dir))?;
        let sandbox = Sandbox {
            prepared: self,
            reseeding: Mutex::new(()),
            supervisor,
            events,
        };
        match sandbox.wait_until_ready().await {
            Ok(()) => Ok(sandbox),
            Err(error) => {
                sandbox.stop().await;
                Err(error)
            }
        }
    }
}

/// Three running servers. Dropped without [`Sandbox::stop`], they are killed.
pub struct Sandbox {
    pub(crate) prepared: Prepared,
    pub(crate) reseeding: Mutex<()>,
    supervisor: Supervisor,
    events: broadcast::Sender<SandboxEvent>,
}

impl Sandbox {
    /// Finds the server program and makes the directory ready, or picks up what is there.
    ///
    /// Blocks for as long as making a template takes: a few seconds, once per server version.
    pub fn prepare(options: SandboxOptions) -> Result<Prepared> {
        let program = locate(options.flavor, options.mysqld.as_deref())?;
        let layout = Layout::open(&options.dir, &program, options.base_port, options.force)?;
        let guard = Guard::new(options.guard_program);
        let template = layout
            .needs_template()
            .then(|| template(&program, options.cache.as_deref(), &guard))
            .transpose()?;
        layout.furnish(&program, template.as_deref())?;
        Ok(Prepared {
            layout,
            program,
            guard,
            restart_after: options.restart_after,
        })
    }

    /// The directory, absolute.
    pub fn dir(&self) -> &Path {
        self.prepared.dir()
    }

    /// The family of the servers.
    pub fn flavor(&self) -> Flavor {
        self.prepared.program.flavor
    }

    /// The version of the servers.
    pub fn version(&self) -> &Version {
        &self.prepared.program.version
    }

    /// The accounts of all servers.
    pub fn credentials(&self) -> &Credentials {
        self.prepared.credentials()
    }

    /// The servers as they are now.
    pub fn servers(&self) -> Vec<SandboxServer> {
        let mut servers = self.prepared.servers();
        for (server, handle) in servers.iter_mut().zip(&self.supervisor.servers) {
            server.pid = handle.state.borrow().pid;
        }
        servers
    }

    /// The process of a server; `None` while it is down, and for a name that there is not.
    pub fn pid(&self, name: &str) -> Option<u32> {
        self.server(name).ok()?.state.borrow().pid
    }

    /// What happens to the servers from now on. A slow reader misses the oldest.
    pub fn events(&self) -> broadcast::Receiver<SandboxEvent> {
        self.events.subscribe()
    }

    /// Sends a signal to a server. After SIGKILL it returns when the process is gone, so that its
    /// success proves that this process acknowledges nothing more.
    pub async fn kill(&self, name: &str, signal: Signal) -> Result<()> {
        self.server(name)?.signal(signal).await
    }

    /// Leaves a server down when it ends, until [`Sandbox::release_restart`].
    pub async fn hold_restart(&self, name: &str) -> Result<()> {
        self.server(name)?.ask(Order::Hold).await
    }

    /// Lets a server be restarted again, and starts it at once if it is down.
    pub async fn release_restart(&self, name: &str) -> Result<()> {
        self.server(name)?.ask(Order::Release).await
    }

    /// Ends all servers, politely first; none is left after 15 s.
    pub async fn stop(&self) {
        self.supervisor.stop().await;
    }

    fn server(&self, name: &str) -> Result<&ServerHandle> {
        let mut servers = self.supervisor.servers.iter();
        servers
            .find(|server| server.name.as_str() == name)
            .ok_or_else(|| SandboxError::UnknownServer {
                name: name.to_owned(),
            })
    }

    async fn wait_until_ready(&self) -> Result<()> {
        for (server, handle) in self.prepared.servers().iter().zip(&self.supervisor.servers) {
            let directory = self.prepared.layout.server(server.name.as_str());
            let log = directory.join("mysqld.log");
            let name = server.name.to_string();
            let mut state = handle.state.clone();
            let changed = state.wait_for(|state| state.ready || state.failed.is_some());
            let seconds = START_LIMIT.as_secs();
            let state = timeout(START_LIMIT, changed)
                .await
                .map_err(|_| SandboxError::StartTimeout {
                    server: name.clone(),
                    seconds,
                    log: log.clone(),
                })?
                .map_err(|_| SandboxError::Stopped)?
                .clone();
            if let Some(how) = state.failed {
                let log_end = end_of(&log);
                return Err(SandboxError::StartFailed {
                    server: name,
                    how,
                    log,
                    log_end,
                });
            }
            accounts::prove(server, &directory, self.credentials()).await?;
            history::prove(server, &directory, self.credentials()).await?;
        }
        Ok(())
    }
}
