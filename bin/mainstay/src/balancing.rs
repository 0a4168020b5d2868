//! The balancer of this process, where the settings have one.

mod shown;
mod text;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::routing::get;
use axum::{Json, Router};
use mainstay_balancer::{Balancing, EngineChoice, start};
use mainstay_dashboard::views::{AddressesView, VirtualServerView};
use mainstay_settings::BalancerSettings;

use crate::floating::Floating;
use crate::output::BadInput;
pub(crate) use shown::metrics;
pub(crate) use text::text_of;

/// The balancer of this process; its clones are the same. There may be nothing to balance.
#[derive(Debug, Clone, Default)]
pub(crate) struct Balance(Arc<Mutex<Option<Balancing>>>);

impl Balance {
    /// Starts what the settings ask for.
    pub(crate) fn begin(&self, settings: &BalancerSettings) -> Result<()> {
        if settings.virtual_servers.is_empty() {
            return Ok(());
        }
        let choice = settings
            .engine
            .map_or(EngineChoice::Auto, EngineChoice::Only);
        let started = start(settings.virtual_servers.clone(), choice);
        *self.lock() = Some(started.map_err(|error| BadInput(error.to_string()))?);
        Ok(())
    }

    /// Puts other settings in force. Connections under way stay where they are.
    pub(crate) async fn change(&self, before: &BalancerSettings, after: &BalancerSettings) {
        if before == after {
            return;
        }
        match self.take() {
            // The next one replaces what is in force in one step.
            Some(running) if !after.virtual_servers.is_empty() && before.engine == after.engine => {
                running.hand_over().await;
            }
            Some(running) => running.stop().await,
            None => {}
        }
        if let Err(error) = self.begin(after) {
            tracing::error!("nothing is balanced: {error:#}");
        }
    }

    /// Ends it, and takes its rules away.
    pub(crate) async fn end(&self) {
        if let Some(running) = self.take() {
            running.stop().await;
        }
    }

    /// Ends it, and leaves its rules to the process that takes over.
    pub(crate) async fn hand_over(&self) {
        if let Some(running) = self.take() {
            running.hand_over().await;
        }
    }

    /// What the API shows of it.
    pub(crate) fn views(&self) -> Vec<VirtualServerView> {
        let shown = self.lock().as_ref().map(Balancing::shown);
        let shown = shown.unwrap_or_default();
        shown.iter().map(shown::view).collect()
    }

    fn take(&self) -> Option<Balancing> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Balancing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The status of a host that has no cluster to take care of.
pub(crate) fn status_route(floating: Floating, balance: Balance) -> Router {
    let status = async move || {
        Json(AddressesView {
            vips: floating.views(),
            virtual_servers: balance.views(),
        })
    };
    Router::new().route("/api/v1/status", get(status))
}
