//! Events of `MariaDB`: a definer with all privileges goes on writing under `read_only`, so steps
//! that end writes switch events off. Where they ran, they run again once writes are open. A
//! manager that was restarted in between does not know any more, and leaves them as they are.

use mainstay_failover::{Effect, Step};
use mainstay_topology::Family;

use super::hand::Lent;
use super::{Executor, dialect};

/// Before the statements of a step.
pub(super) async fn remember(
    executor: &Executor,
    step: &Step,
    connection: &mut Lent,
) -> Result<(), String> {
    let Some(place) = &step.place else {
        return Ok(());
    };
    let ends = matches!(step.effect, Effect::Demote { .. } | Effect::Fence { .. });
    if !ends || place.family != Family::Mariadb {
        return Ok(());
    }
    let answer = connection.query(dialect::EVENTS).await;
    let answer = answer.map_err(|error| error.to_string())?;
    if answer.scalar() == Some(dialect::EVENTS_RUN) {
        executor.eventless().insert(place.name.clone());
    }
    Ok(())
}

/// After them. Writes are open whether or not this succeeds.
pub(super) async fn restore(executor: &Executor, step: &Step, connection: &mut Lent) {
    let Effect::OpenWrites { server } = &step.effect else {
        return;
    };
    if !executor.eventless().remove(server) {
        return;
    }
    match connection.query(dialect::EVENTS_ON).await {
        Ok(_) => tracing::info!(%server, "events run again"),
        Err(error) => tracing::warn!(%server, %error, "events stay switched off"),
    }
}
