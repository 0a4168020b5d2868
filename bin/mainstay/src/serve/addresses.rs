//! A host that has no cluster to take care of: its floating addresses, and what it balances.

use std::path::Path;

use anyhow::Result;
use mainstay_dashboard::{Access, Server as ApiServer, guarded_router};
use mainstay_settings::{AddressSettings, Roles};
use sd_notify::NotifyState;
use tokio::sync::oneshot;

use crate::balancing::{self, Balance};
use crate::cloud::Clouds;
use crate::floating::{self, Floating};
use crate::output::BadInput;
use crate::signals::{Request, Signals};

pub(super) async fn serve(path: &Path, mut settings: AddressSettings) -> Result<()> {
    let mut signals = Signals::listen()?;
    let api = ApiServer::bind(settings.api.listen).await;
    let api = api.map_err(|error| BadInput(error.to_string()))?;
    let balance = Balance::default();
    balance.begin(&settings.balancer)?;
    let floating = Floating::begin(&settings.vip).await?;
    let mut clouds = Clouds::start(&settings.vip.cloud, None, &floating);
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
    // Nobody may be listening: then it is no service of systemd.
    let _ = sd_notify::notify(&[NotifyState::MainPid(std::process::id()), NotifyState::Ready]);
    loop {
        match signals.next().await {
            Request::End => break,
            Request::Reload => {
                let Some(after) = read(path) else { continue };
                let (before, now) = (&settings.balancer, &after.balancer);
                balance.change(before, now).await;
                floating.change(&settings.vip, &after.vip).await;
                if settings.vip.cloud != after.vip.cloud {
                    clouds = Clouds::start(&after.vip.cloud, None, &floating);
                }
                if settings.api != after.api {
                    tracing::warn!("[api] waits for a restart");
                }
                settings = AddressSettings {
                    api: settings.api,
                    ..after
                };
                tracing::info!("the settings were read again");
            }
            Request::Upgrade => {
                tracing::warn!("there is no proxy to hand over: restart, or send SIGHUP");
            }
        }
    }
    tracing::info!("stopping");
    drop(clouds);
    floating.end().await;
    let _ = stop_api.send(());
    api.abort();
    balance.end().await;
    Ok(())
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
