//! A host that has no cluster to take care of: its floating addresses, and what it balances.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use mainstay_dashboard::{Access, Server as ApiServer, guarded_router};
use mainstay_settings::{AddressSettings, Roles};
use sd_notify::NotifyState;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, block_in_place, spawn_blocking};
use tokio::time::timeout;

use crate::balancing::{self, Balance};
use crate::cloud::Clouds;
use crate::floating::{self, Floating};
use crate::output::BadInput;
use crate::signals::{Request, Signals};
use crate::upgrade::{Itself, Predecessor, Successor};

/// Requests to the API that are under way may take so long to their end.
const API_LIMIT: Duration = Duration::from_secs(1);

/// What runs on such a host.
struct Host {
    settings: AddressSettings,
    balance: Balance,
    floating: Floating,
    clouds: Clouds,
    api: JoinHandle<std::io::Result<()>>,
    stop_api: oneshot::Sender<()>,
}

pub(super) async fn serve(path: &Path, settings: AddressSettings) -> Result<()> {
    let itself = Itself::find()?;
    let mut signals = Signals::listen()?;
    let before = spawn_blocking(predecessor).await??;
    let mut host = Host::start(settings, before.is_some()).await?;
    if let Some(before) = before {
        before.serving(None)?;
    }
    // Nobody may be listening: then it is no service of systemd.
    let _ = sd_notify::notify(&[NotifyState::MainPid(std::process::id()), NotifyState::Ready]);
    loop {
        match signals.next().await {
            Request::End => break,
            Request::Reload => host.reload(path).await,
            Request::Upgrade => match host.upgrade(&itself).await? {
                Some(kept) => host = kept,
                None => return Ok(()),
            },
        }
    }
    tracing::info!("stopping");
    host.end().await;
    Ok(())
}

/// The process before this one, which has let everything go when this returns.
fn predecessor() -> Result<Option<Predecessor>> {
    let before = Predecessor::find()?;
    if let Some(before) = &before {
        before.take_over()?;
    }
    Ok(before)
}

impl Host {
    async fn start(settings: AddressSettings, goes_on: bool) -> Result<Self> {
        let api = ApiServer::bind(settings.api.listen).await;
        let api = api.map_err(|error| BadInput(error.to_string()))?;
        // First of all: after an upgrade nobody speaks for the addresses yet.
        let floating = Floating::begin(&settings.vip, goes_on).await?;
        let balance = Balance::default();
        balance.begin(&settings.balancer)?;
        let clouds = Clouds::start(&settings.vip.cloud, None, &floating);
        let account = &settings.api.account;
        let access = Access::new(&account.user, account.password.reveal());
        let routes = floating::routes(floating.clone())
            .merge(floating::numbers(floating.clone(), balance.clone()))
            .merge(balancing::status_route(floating.clone(), balance.clone()));
        let (stop_api, stopped) = oneshot::channel::<()>();
        let api = tokio::spawn(api.serve(guarded_router(routes, Some(access)), async {
            let _ = stopped.await;
        }));
        tracing::info!(address = %settings.api.listen, "the API listens");
        Ok(Self {
            settings,
            balance,
            floating,
            clouds,
            api,
            stop_api,
        })
    }

    /// Puts the settings of the file in force.
    async fn reload(&mut self, path: &Path) {
        let Some(after) = read(path) else { return };
        let before = &self.settings;
        self.balance.change(&before.balancer, &after.balancer).await;
        self.floating.change(&before.vip, &after.vip).await;
        if before.vip.cloud != after.vip.cloud {
            self.clouds = Clouds::start(&after.vip.cloud, None, &self.floating);
        }
        if before.api != after.api {
            tracing::warn!("[api] waits for a restart");
        }
        self.settings = AddressSettings {
            api: before.api.clone(),
            ..after
        };
        tracing::info!("the settings were read again");
    }

    /// Hands over to a new process; goes on itself when that fails.
    async fn upgrade(self, itself: &Itself) -> Result<Option<Self>> {
        let itself = itself.clone();
        let successor = match spawn_blocking(move || Successor::start(&itself)).await? {
            Ok(successor) => successor,
            Err(error) => {
                tracing::error!("no upgrade: {error:#}");
                return Ok(Some(self));
            }
        };
        tracing::info!(pid = successor.pid(), "a new process takes over");
        drop(self.clouds);
        stop(self.stop_api, self.api).await;
        self.balance.hand_over().await;
        self.floating.hand_over().await;
        match block_in_place(|| successor.take_over(None)) {
            Ok(()) => Ok(None),
            Err(error) => {
                tracing::error!("no upgrade, this process goes on: {error:#}");
                block_in_place(|| successor.give_up());
                Self::start(self.settings, true).await.map(Some)
            }
        }
    }

    /// Lets everything go.
    async fn end(self) {
        drop(self.clouds);
        self.floating.end().await;
        stop(self.stop_api, self.api).await;
        self.balance.end().await;
    }
}

async fn stop(ask: oneshot::Sender<()>, mut api: JoinHandle<std::io::Result<()>>) {
    let _ = ask.send(());
    if timeout(API_LIMIT, &mut api).await.is_err() {
        api.abort();
        let _ = api.await;
    }
}

/// The settings of the file; `None`, and everything stays as it is, when they are wrong.
fn read(path: &Path) -> Option<AddressSettings> {
    match Roles::load(path) {
        Ok(Roles::Addresses(settings)) => return Some(settings),
        Ok(Roles::Cluster(_)) => {
            tracing::error!("the settings stay as they were: a cluster needs a restart");
        }
        Err(error) => tracing::error!("the settings stay as they were: {error}"),
    }
    None
}
