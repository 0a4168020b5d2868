//! Events. A definer with all privileges goes on writing under `read_only` of `MariaDB` and
//! `MySQL` 5.6, so steps that end writes switch its events off; where they ran, they run again once
//! writes are open.
//!
//! A switchover also takes them along: replicas disable what they replicate, so those that were
//! enabled on the old primary are enabled on the new one, after its writes are open. That is
//! replicated, and disables them on the old one. A manager that was restarted in between does not
//! know any more, and leaves them as they are.

use std::sync::PoisonError;

use mainstay_failover::{Effect, Step};
use mainstay_topology::ServerName;

use super::hand::Lent;
use super::{Executor, dialect};

/// What ran on a primary when it was demoted.
#[derive(Debug)]
pub(crate) struct Handover {
    from: ServerName,
    scheduled: bool,
    enabled: Vec<Event>,
}

#[derive(Debug)]
struct Event {
    schema: String,
    name: String,
    /// As in `jo@%`.
    definer: String,
}

/// Before the statements of a step.
pub(super) async fn remember(
    executor: &Executor,
    step: &Step,
    connection: &mut Lent,
) -> Result<(), String> {
    let Some(place) = &step.place else {
        return Ok(());
    };
    let demotes = matches!(step.effect, Effect::Demote { .. });
    let ends = demotes || matches!(step.effect, Effect::Fence { .. });
    if !ends || (place.dialect.binds_everybody() && !demotes) {
        return Ok(());
    }
    let answer = connection.query(dialect::EVENTS).await;
    let answer = answer.map_err(|error| error.to_string())?;
    let scheduled = answer.scalar() == Some(dialect::EVENTS_RUN);
    if scheduled && !place.dialect.binds_everybody() {
        executor.eventless().insert(place.name.clone());
    }
    if demotes {
        let enabled = enabled(connection).await.unwrap_or_else(|reason| {
            tracing::warn!(server = %place.name, %reason, "events will not be moved along");
            Vec::new()
        });
        // A demotion that is sent once more finds them switched off by the first.
        let again = executor.eventless().contains(&place.name);
        let handover = Handover {
            from: place.name.clone(),
            scheduled: scheduled || again,
            enabled,
        };
        *executor.handover() = Some(handover);
    }
    Ok(())
}

async fn enabled(connection: &mut Lent) -> Result<Vec<Event>, String> {
    let answer = connection.query(dialect::EVENTS_ENABLED).await;
    let answer = answer.map_err(|error| error.to_string())?;
    let text = |row: &mainstay_mysql::Row, column| row.get(column).unwrap_or_default().to_owned();
    let events = answer.rows.iter().map(|row| Event {
        schema: text(row, "event_schema"),
        name: text(row, "event_name"),
        definer: text(row, "definer"),
    });
    Ok(events.collect())
}

/// After the statements of a step. Writes are open whether or not this succeeds.
pub(super) async fn restore(executor: &Executor, step: &Step, connection: &mut Lent) {
    match &step.effect {
        Effect::OpenWrites { server } => {
            if executor.eventless().remove(server) {
                switch_on(server, connection).await;
            }
            let mut handover = executor.handover();
            // A switchover that was undone.
            handover.take_if(|handover| handover.from == *server);
        }
        // The last step of a switchover, behind the first writes.
        Effect::ForgetSource { server } => {
            let handover = executor.handover().take();
            if let Some(handover) = handover.filter(|handover| handover.from != *server) {
                move_to(server, &handover, connection).await;
            }
        }
        _ => {}
    }
}

async fn switch_on(server: &ServerName, connection: &mut Lent) {
    match connection.query(dialect::EVENTS_ON).await {
        Ok(_) => tracing::info!(%server, "events run again"),
        Err(error) => tracing::warn!(%server, %error, "events stay switched off"),
    }
}

async fn move_to(server: &ServerName, handover: &Handover, connection: &mut Lent) {
    for event in &handover.enabled {
        let statement = dialect::enable_event(&event.schema, &event.name, &event.definer);
        let (schema, name) = (&event.schema, &event.name);
        match connection.query(&statement).await {
            Ok(_) => tracing::info!(%server, event = %format_args!("{schema}.{name}"), "enabled"),
            Err(error) => tracing::warn!(%server, %error, "an event stays disabled: `{statement}`"),
        }
    }
    let scheduler = connection.query(dialect::EVENTS).await;
    let off = scheduler.is_ok_and(|answer| answer.scalar() != Some(dialect::EVENTS_RUN));
    if handover.scheduled && off {
        switch_on(server, connection).await;
    }
}

impl Executor {
    fn handover(&self) -> std::sync::MutexGuard<'_, Option<Handover>> {
        let known = self.handover.lock();
        known.unwrap_or_else(PoisonError::into_inner)
    }
}
