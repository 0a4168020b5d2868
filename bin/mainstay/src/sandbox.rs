//! `mainstay sandbox`: real servers, the proxy and the manager in one process, for a trial.

mod access;
mod announce;
mod detach;
mod live;
mod proxy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use mainstay_manager::ManagerHandle;
use mainstay_sandbox::{Flavor, Prepared, RestartRoles, Sandbox, SandboxOptions};
use mainstay_store::Store;
use mainstay_topology::ServerName;
use tokio::sync::watch;

use crate::args::{FlavorArg, SandboxAction, SandboxArgs};
use crate::host;
use crate::output::{BadInput, emit};
use crate::runfile::RunFile;
use crate::signals::Interruptions;
use access::Access;
use live::Live;

/// From the start of the servers until a primary serves and all others replicate from it.
const READY_LIMIT: Duration = Duration::from_secs(90);

/// Longer than a sandbox takes to stop its servers.
const STOP_LIMIT: Duration = Duration::from_secs(25);

pub(crate) fn run(args: &SandboxArgs) -> Result<ExitCode> {
    if let Some(SandboxAction::Stop { dir }) = &args.action {
        return stop(dir.as_deref());
    }
    if args.detach && !args.detached_child {
        return detach::launch(args);
    }
    if args.detached_child {
        detach::leave_the_terminal();
    }
    let done = foreground(args);
    if let (Err(error), true) = (&done, args.detached_child) {
        detach::tell_failure(error);
    }
    done
}

fn foreground(args: &SandboxArgs) -> Result<ExitCode> {
    crate::service::start_logging(args.detached_child);
    crate::service::raise_file_limit();
    let home = Home::take(args.dir.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start threads")?;
    let prepared = prepare(args, &home.dir)?;
    runtime.block_on(serve(args, &home, prepared))?;
    Ok(ExitCode::SUCCESS)
}

/// The directory, and whether it is to go at the end.
struct Home {
    dir: PathBuf,
    temporary: bool,
}

impl Home {
    fn take(dir: Option<&Path>) -> Result<Self> {
        if let Some(dir) = dir {
            return Ok(Self {
                dir: dir.to_owned(),
                temporary: false,
            });
        }
        let made = tempfile::Builder::new()
            .prefix("mainstay-sandbox-")
            .tempdir()
            .context("cannot make a temporary directory")?;
        Ok(Self {
            dir: made.keep(),
            temporary: true,
        })
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.temporary {
            // What cannot be removed is left in the system's own place for such things.
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

fn prepare(args: &SandboxArgs, dir: &Path) -> Result<Prepared> {
    let flavor = match args.flavor {
        Some(FlavorArg::Mariadb) => Flavor::MariaDb,
        Some(FlavorArg::Mysql) => Flavor::MySql,
        None => access::kept_flavor(dir).unwrap_or(Flavor::MariaDb),
    };
    let options = SandboxOptions {
        mysqld: args.mysqld.clone(),
        base_port: args.base_port.unwrap_or_else(|| access::first_port(dir)),
        force: args.force,
        restart_after: args.restart_after,
        ..SandboxOptions::new(dir.to_owned(), flavor)
    };
    let prepared = Sandbox::prepare(options).map_err(|error| BadInput(error.to_string()))?;
    let state = state_file(prepared.dir());
    if prepared.is_new() && state.exists() {
        // Written for servers whose data are gone.
        std::fs::remove_file(&state)
            .with_context(|| format!("cannot remove {}", state.display()))?;
    }
    Ok(prepared)
}

fn state_file(dir: &Path) -> PathBuf {
    dir.join("mainstay.state.sqlite")
}

async fn serve(args: &SandboxArgs, home: &Home, prepared: Prepared) -> Result<()> {
    let mut interrupted = Interruptions::listen()?;
    let dir = prepared.dir().to_owned();
    let access = Access::open(&dir, args)?;
    let store = Store::open(&state_file(&dir))?;
    let ports = access.take_ports(&prepared).await?;
    let (known, roles) = restart_roles(&store)?;
    let sandbox = Arc::new(prepared.start(roles).await?);
    let live = proxy::options(args, &sandbox, ports.proxy)
        .await
        .and_then(|proxy| Live::start(args, Arc::clone(&sandbox), &access, ports, (proxy, store)));
    let live = match live {
        Ok(live) => live,
        Err(error) => {
            sandbox.stop().await;
            return Err(error);
        }
    };
    // From now on restarts ask the manager.
    let _ = known.send(Some(live.manager().clone()));
    let result = tokio::select! {
        ready = attend(args, home, &live) => ready,
        () = interrupted.recv() => Ok(()),
    };
    announce::stopping(args);
    live.run_file().remove();
    live.stop().await;
    sandbox.stop().await;
    result
}

/// Waits until the cluster is whole, tells so, and stays.
async fn attend(args: &SandboxArgs, home: &Home, live: &Live) -> Result<()> {
    if tokio::time::timeout(READY_LIMIT, live.whole())
        .await
        .is_err()
    {
        let wrong = live
            .wrong()
            .unwrap_or_else(|| "nothing is wrong any more".to_owned());
        bail!(
            "the cluster is not whole after {} s: {wrong}; the servers' logs are in {}",
            READY_LIMIT.as_secs(),
            home.dir.display()
        );
    }
    let run = live.run_file();
    run.write()?;
    if args.json {
        emit(&format!("{}\n", serde_json::to_string(&run)?));
    } else {
        emit(&announce::ready(&run, &live.status(), home.temporary));
    }
    if args.detached_child {
        detach::let_go();
    }
    std::future::pending().await
}

type KnownManager = watch::Sender<Option<ManagerHandle>>;

/// Who is restarted how: the store knows before the manager runs, the manager knows afterwards.
fn restart_roles(store: &Store) -> Result<(KnownManager, RestartRoles)> {
    let stored = store.record()?;
    let (known, manager) = watch::channel::<Option<ManagerHandle>>(None);
    let roles = move |server: &ServerName| {
        let manager = manager.borrow();
        match manager.as_ref().map(ManagerHandle::snapshot) {
            Some(now) => host::restart_role(server, &now),
            None => host::settled_role(server, &stored),
        }
    };
    Ok((known, Arc::new(roles)))
}

fn stop(dir: Option<&Path>) -> Result<ExitCode> {
    let dir = match dir {
        Some(dir) => dir.to_owned(),
        None => RunFile::find(None)?.dir,
    };
    mainstay_sandbox::stop_running(&dir, STOP_LIMIT)
        .map_err(|error| BadInput(error.to_string()))?;
    emit(&format!("The sandbox in {} has stopped.\n", dir.display()));
    Ok(ExitCode::SUCCESS)
}
