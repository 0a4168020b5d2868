//! Count: keep the record true to what was seen. Acknowledgements and replicas that a proof counts
//! on go down at once, and up only when nothing acknowledged before is left to chance.

use mainstay_topology::{Facts, Receiver, Record, Server};

use super::Draft;
use crate::effect::Effect;
use crate::step::{OnFailure, Plan, Purpose};
use crate::view::View;

/// The plan that stores the record again when another may be stored in its place; else the one that
/// records what can be counted on, when that differs from the record: fewer
/// acknowledgements at once; more of them, or fewer replicas, only when one that stays holds all
/// that was acknowledged before.
pub(crate) fn plan(view: View<'_>) -> Option<Plan> {
    let primary = view.primary()?;
    let facts = view.primary_facts()?;
    if !view.stored {
        // Nothing that the other record allows was begun: this one still describes the world.
        return Some(of_record(view, primary, view.record().clone()));
    }
    let mut record = Record {
        acknowledgements: view.promised(Some(facts)),
        ..view.record().clone()
    };
    if !is_joined_by_strangers(view, facts) {
        record
            .joined
            .retain(|name| view.topology.server(name).is_some());
    }
    if record == *view.record() {
        return None;
    }
    let fewer = record.acknowledgements < view.record().acknowledgements;
    if fewer {
        record.joined.clone_from(&view.record().joined);
    } else {
        let holds = |server: &Server| {
            let replica = view.facts(server);
            record.joined.contains(server.name())
                && replica.is_some_and(|replica| replica.held().contains(&facts.executed))
        };
        view.topology.others().find(|server| holds(server))?;
        record.baseline = Some(facts.executed.clone());
    }
    Some(of_record(view, primary, record))
}

fn of_record(view: View<'_>, primary: &Server, record: Record) -> Plan {
    let mut draft = Draft::new(view);
    draft.next(Effect::Record { record }, OnFailure::Replan);
    let primary = primary.name().clone();
    draft.finish(Purpose::Establish { primary }, view.record().epoch)
}

/// Whether somebody who is not configured may be attached to the primary.
fn is_joined_by_strangers(view: View<'_>, primary: &Facts) -> bool {
    let known = view.topology.others().filter(|server| {
        let link = view.link_to_primary(server);
        let facts = view.facts(server);
        facts.is_some_and(|facts| facts.semi_sync.replica_enabled)
            && link.is_some_and(|link| link.receiver == Receiver::Running)
    });
    primary.semi_sync.clients as usize > known.count()
}
