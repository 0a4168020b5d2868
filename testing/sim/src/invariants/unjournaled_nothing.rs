//! Nothing unjournaled: no effect runs before its journal entry, and none in the name of a reign
//! that is not recorded: writes are opened only on the recorded primary, only recorded replicas are
//! attached to it, and routes name it and its epoch.

use mainstay_failover::{Effect, OperationId, Step};
use mainstay_topology::{Record, Routes, ServerName};

use crate::message::RunId;
use crate::store::Store;

pub(crate) const NAME: &str = "unjournaled_nothing";

/// A step is about to run.
pub(crate) fn step(run: RunId, step: &Step, store: &Store) -> Result<(), String> {
    let id = (OperationId(run.1), run.2);
    if !store.open.contains_key(&id.0) || !store.started.contains(&id) {
        return Err(format!(
            "a step runs that is not in the journal: {}",
            step.sentence
        ));
    }
    let record = &store.record;
    let primary = |server: &ServerName| record.primary.as_ref() == Some(server);
    match &step.effect {
        Effect::OpenWrites { server } | Effect::EnableSemiSync { server, .. }
            if !primary(server) =>
        {
            Err(format!(
                "{server} is made to serve, and is not the recorded primary"
            ))
        }
        Effect::Attach {
            server,
            source,
            manner,
            ..
        } if primary(&source.name)
            && manner.acknowledges != Some(false)
            && !record.joined.contains(server) =>
        {
            Err(format!(
                "{server} is attached, and is not recorded as a replica"
            ))
        }
        Effect::Attach { server, .. } if primary(server) => {
            Err(format!("{server} is attached, and is the recorded primary"))
        }
        _ => Ok(()),
    }
}

/// Routes are about to be published.
pub(crate) fn routes(routes: &Routes, record: &Record) -> Result<(), String> {
    let writer = routes.writer.as_ref().map(|target| &target.name);
    let recorded = match writer {
        // A record whose storing seemed to fail may be stored: holding writes is right in either.
        None => routes.epoch <= record.epoch,
        Some(_) => routes.epoch == record.epoch && writer == record.primary.as_ref(),
    };
    if recorded {
        return Ok(());
    }
    Err(format!(
        "routes of epoch {} are published, and epoch {} is recorded",
        routes.epoch, record.epoch
    ))
}
