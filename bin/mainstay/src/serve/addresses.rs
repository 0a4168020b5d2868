//! A host that has no cluster to take care of: what it balances.

use std::path::Path;

use anyhow::Result;
use mainstay_settings::{AddressSettings, Roles};
use sd_notify::NotifyState;

use crate::balancing;
use crate::signals::{Request, Signals};

pub(super) async fn serve(path: &Path, mut settings: AddressSettings) -> Result<()> {
    let mut signals = Signals::listen()?;
    let mut balancing = balancing::begin(&settings.balancer)?;
    // Nobody may be listening: then it is no service of systemd.
    let _ = sd_notify::notify(&[NotifyState::MainPid(std::process::id()), NotifyState::Ready]);
    loop {
        match signals.next().await {
            Request::End => break,
            Request::Reload => {
                let Some(after) = read(path) else { continue };
                let (before, now) = (&settings.balancer, &after.balancer);
                balancing = balancing::change(balancing, before, now).await;
                settings = after;
                tracing::info!("the settings were read again");
            }
            Request::Upgrade => {
                tracing::warn!("there is no proxy to hand over: restart, or send SIGHUP");
            }
        }
    }
    tracing::info!("stopping");
    balancing::end(balancing).await;
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
