//! The admin interface of a process: its port, and the runtime behind it. The tables, the commands
//! and the protocol are `shell/admin`'s; here rows become settings.

mod accounts;
mod cells;
mod compose;
mod dialect;
mod document;
mod firewall;
mod groups;
mod in_force;
mod living;
mod process;
mod rules;
mod scheduler;
mod servers;
mod terms;
mod users;
mod variables;

#[cfg(test)]
mod honoured;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use mainstay_admin::{Account, Admin, Figures, Listener, Listening, Options, Sources};
use mainstay_settings::{AdminSettings, Settings};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, spawn_blocking};

pub(crate) use in_force::{InForce, Reread};
pub(crate) use living::{Living, Order};
pub(crate) use process::Process;

/// What clients of the port are greeted with: a version that their drivers know how to speak to.
const VERSION: &str = concat!("8.0.36-Mainstay-", env!("CARGO_PKG_VERSION"));

/// How often figures are kept for `stats_history`.
const HISTORY_INTERVAL: Duration = Duration::from_mins(1);

/// What the port is opened with.
pub(crate) struct Opening {
    /// Bound already.
    pub(crate) port: TcpListener,
    pub(crate) accounts: AdminSettings,
    /// The folder of the state.
    pub(crate) folder: PathBuf,
    /// What runs.
    pub(crate) in_force: Arc<InForce>,
    /// Who counts.
    pub(crate) figures: Vec<Arc<dyn Figures>>,
    /// The proxy's certificate.
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
}

/// The port; closed when it is dropped.
pub(crate) struct AdminPort {
    in_force: Arc<InForce>,
    opening: JoinHandle<()>,
    open: Arc<OnceLock<Open>>,
}

struct Open {
    admin: Arc<Admin>,
    history: JoinHandle<()>,
    _listening: Listening,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.history.abort();
    }
}

impl AdminPort {
    /// Opens it, which may put saved rows in force: whoever applies settings has to be running.
    pub(crate) fn open(opening: Opening) -> Self {
        let in_force = Arc::clone(&opening.in_force);
        let open = Arc::new(OnceLock::new());
        let here = Arc::clone(&open);
        let opening = tokio::spawn(async move {
            match opened(opening).await {
                Ok(opened) => drop(here.set(opened)),
                Err(error) => tracing::error!("the admin interface stays closed: {error:#}"),
            }
        });
        Self {
            in_force,
            opening,
            open,
        }
    }

    /// What runs, for whoever reads the file again.
    pub(crate) fn in_force(&self) -> &Arc<InForce> {
        &self.in_force
    }

    /// The file was edited, and runs: memory follows where it can.
    pub(crate) fn follow(&self, read: Reread, waiting: &[&str]) {
        let spoken = self.in_force.taken(read, waiting);
        let Some(open) = self.open.get() else { return };
        let admin = Arc::clone(&open.admin);
        // Memory may be busy with a LOAD that waits for whoever called this.
        drop(spawn_blocking(move || {
            for (module, before) in spoken {
                if let Err(error) = admin.follow(module, &before) {
                    tracing::error!("memory does not follow the file: {error}");
                }
            }
        }));
    }
}

impl Drop for AdminPort {
    fn drop(&mut self) {
        self.opening.abort();
    }
}

async fn opened(opening: Opening) -> anyhow::Result<Open> {
    let options = Options {
        folder: opening.folder,
        version: VERSION.to_owned(),
    };
    let sources = Sources {
        runtime: opening.in_force,
        figures: Arc::new(opening.figures),
    };
    let admin = spawn_blocking(move || Admin::open(&options, sources)).await??;
    if let Ok(address) = opening.port.local_addr() {
        tracing::info!(%address, "the admin interface listens");
    }
    let account = |account: &mainstay_settings::Account| Account {
        user: account.user.clone(),
        password: account.password.reveal().to_owned(),
    };
    let listener = Listener {
        admins: vec![account(&opening.accounts.account)],
        stats: opening.accounts.stats.iter().map(account).collect(),
        tls: opening.tls,
    };
    Ok(Open {
        history: tokio::spawn(keep_history(Arc::clone(&admin))),
        _listening: listener.start(Arc::clone(&admin), opening.port),
        admin,
    })
}

/// Keeps figures over time, for as long as the port is open.
async fn keep_history(admin: Arc<Admin>) {
    let mut clock = tokio::time::interval(HISTORY_INTERVAL);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut failing = false;
    loop {
        clock.tick().await;
        let admin = Arc::clone(&admin);
        let kept = spawn_blocking(move || admin.keep_history()).await;
        // A full disk is worth one word, not one each minute.
        let failed = matches!(kept, Ok(Err(_)) | Err(_));
        if failed && !failing {
            tracing::warn!(?kept, "figures are not kept over time");
        }
        failing = failed;
    }
}

/// The text of the settings file and what it means.
pub(crate) fn in_force(
    text: &str,
    path: &Path,
    settings: Settings,
    process: Arc<dyn Process>,
) -> anyhow::Result<Arc<InForce>> {
    Ok(Arc::new(InForce::new(text, path, settings, process)?))
}
