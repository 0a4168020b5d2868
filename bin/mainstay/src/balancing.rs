//! The balancer of this process, where the settings have one.

use anyhow::Result;
use mainstay_balancer::{Balancing, EngineChoice, start};
use mainstay_settings::BalancerSettings;

use crate::output::BadInput;

/// Starts it; `None` where there is nothing to balance.
pub(crate) fn begin(settings: &BalancerSettings) -> Result<Option<Balancing>> {
    if settings.virtual_servers.is_empty() {
        return Ok(None);
    }
    let choice = settings
        .engine
        .map_or(EngineChoice::Auto, EngineChoice::Only);
    let started = start(settings.virtual_servers.clone(), choice);
    Ok(Some(started.map_err(|error| BadInput(error.to_string()))?))
}

/// Puts other settings in force. Connections under way stay where they are.
pub(crate) async fn change(
    running: Option<Balancing>,
    before: &BalancerSettings,
    after: &BalancerSettings,
) -> Option<Balancing> {
    if before == after {
        return running;
    }
    match running {
        // The next one replaces what is in force in one step.
        Some(running) if !after.virtual_servers.is_empty() && before.engine == after.engine => {
            running.hand_over().await;
        }
        Some(running) => running.stop().await,
        None => {}
    }
    begin(after).unwrap_or_else(|error| {
        tracing::error!("nothing is balanced: {error:#}");
        None
    })
}

/// Ends it, and takes its rules away.
pub(crate) async fn end(running: Option<Balancing>) {
    if let Some(running) = running {
        running.stop().await;
    }
}

/// Ends it, and leaves its rules to the process that takes over.
pub(crate) async fn hand_over(running: Option<Balancing>) {
    if let Some(running) = running {
        running.hand_over().await;
    }
}
