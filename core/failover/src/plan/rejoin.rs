//! What a server other than the primary needs: a fence, an attachment, or new data.
//!
//! Invariants:
//! - a server is compared with a primary that was looked at after it, never the other way round;
//! - it is recorded as joined before it is attached: from then on it may acknowledge;
//! - data that the primary once had and has lost are never replaced.

use mainstay_gtid::{Difference, GtidSet};
use mainstay_topology::{
    Applier, Dialect, Epoch, Errant, Facts, Receiver, Record, Server, ServerName,
};

use super::establish::{attach, attach_as, receives};
use super::{Draft, publish};
use crate::bugs::Bug;
use crate::effect::Effect;
use crate::shape::{acknowledges, is_in_place, source_of};
use crate::step::{OnFailure, Plan, Purpose};
use crate::view::{View, may_acknowledge, target};

/// Error codes of a receiver whose source lacks what it asks for: 13114 is MySQL's own, 1236
/// comes from the source.
const LOGS_PURGED: [u32; 2] = [13_114, 1236];

/// Error codes of an applier that was killed or gave up waiting: nothing is wrong with the data.
const TRY_AGAIN: [u32; 5] = [1205, 1213, 1317, 1756, 1927];

/// What is wrong with a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing.
    None,
    /// Not known yet: the primary must be looked at after it.
    Comparison,
    /// It may acknowledge writes.
    Fence,
    /// It replicates from nobody, from the wrong server, does not acknowledge or has stopped.
    Attach,
    /// Its errant transactions are undone, and its GTIDs do not say so yet.
    Rewind,
    /// It has what the primary lacks, or lacks what its source has purged.
    Reseed {
        /// What only it has.
        errant: Option<Difference>,
    },
    /// It is recorded as acknowledging, and is not to.
    Leave,
    /// Only a human can tell what is right.
    Human,
}

/// What one server needs, the primary being well.
pub(crate) fn need(view: View<'_>, server: &Server) -> Need {
    let Some(facts) = view.facts(server) else {
        return Need::None;
    };
    if may_acknowledge(facts) {
        return Need::Fence;
    }
    let Some(errant) = view.errant(server) else {
        return Need::Comparison;
    };
    if !errant.is_clean() && !view.bugs.has(Bug::AttachDiverged) {
        // A replica of this reign is clean when it is attached: what it then received is the
        // primary's loss, not its own error.
        let joined = view.record().joined.contains(server.name());
        let received = joined && !errant.received_by(facts).is_empty();
        let lost = received || !errant.of_primary.is_empty() || is_bereft(view, server, errant);
        return if lost {
            Need::Human
        } else {
            Need::Reseed {
                errant: Some(errant.foreign.clone()),
            }
        };
    }
    if facts.rewinding && !view.bugs.has(Bug::AttachHalfRewound) {
        return Need::Rewind;
    }
    let recorded = view.record().joined.contains(server.name());
    if recorded && !acknowledges(view, server) {
        return Need::Leave;
    }
    if is_in_place(view, server) {
        return Need::None;
    }
    of_unattached(view, server, facts, errant)
}

/// Whether the primary may have lost what this server or a replica of this reign has: then nobody's
/// data are replaced. What is asked for here needs no look of the right moment, because a wrong
/// answer only makes it wait.
fn is_bereft(view: View<'_>, server: &Server, errant: &Errant) -> bool {
    let (Some(primary), Some(facts)) = (view.primary_facts(), view.facts(server)) else {
        return true;
    };
    let lacks_from = |replica: &Server| {
        let joined = view.record().joined.contains(replica.name());
        replica.facts().filter(|_| joined).is_some_and(|replica| {
            let more = Errant::between(replica.held(), primary);
            // Another identity than the primary's, and not its own: it was received.
            !more.received_by(replica).is_empty()
        })
    };
    // Before the first reign nobody wrote: whatever was received was this primary's.
    let baseline = view.record().baseline.as_ref();
    let first = view.record().epoch <= Epoch(1) && baseline.is_none_or(GtidSet::is_empty);
    let received = !errant.received_by(facts).is_empty();
    (first && received) || view.topology.others().any(lacks_from)
}

fn of_unattached(view: View<'_>, server: &Server, facts: &Facts, errant: &Errant) -> Need {
    let Some(link) = &facts.link else {
        return Need::Attach;
    };
    if let Applier::Failed(code) = link.applier
        && !TRY_AGAIN.contains(&code)
    {
        return Need::Human;
    }
    if link.receiver == Receiver::Stopped && LOGS_PURGED.contains(&link.receiver_error) {
        return if errant.of_primary.is_empty() && !is_bereft(view, server, errant) {
            Need::Reseed { errant: None }
        } else {
            Need::Human
        };
    }
    // What it has received from a dead source may still be applied, and make it errant.
    let held = view
        .primary_facts()
        .map(|primary| Errant::between(&link.received, primary));
    let clean = held.is_some_and(|held| held.is_clean());
    let on_primary = view.link_to_primary(server).is_some();
    if !clean && !on_primary && link.applier == Applier::Running {
        return Need::Comparison;
    }
    Need::Attach
}

/// Cuts a server off that may acknowledge. Its data are compared afterwards.
pub(crate) fn fence(view: View<'_>, server: &Server) -> Plan {
    let name = server.name().clone();
    let mut draft = Draft::new(view);
    let effect = Effect::Fence {
        server: name.clone(),
    };
    draft.next(effect, OnFailure::Replan);
    draft.finish(Purpose::Rejoin { server: name }, view.record().epoch)
}

/// Records a clean server and attaches it.
pub(crate) fn rejoin(view: View<'_>, server: &Server) -> Option<Plan> {
    if !acknowledges(view, server) {
        return follow(view, server);
    }
    let name = server.name().clone();
    let mut draft = Draft::new(view);
    let applies = server
        .link()
        .is_some_and(|link| link.applier == Applier::Running);
    if receives(server) && !applies {
        // It may acknowledge until it is stopped; what it then holds is read by the next look.
        return detach(view, server);
    }
    if receives(server) {
        // A change of source drops what was received and not applied; it may have acknowledged it.
        let server = name.clone();
        draft.next(
            Effect::StopReceiver {
                server: server.clone(),
            },
            OnFailure::Replan,
        );
        draft.next(Effect::ApplyReceived { server }, OnFailure::Replan);
    }
    let mut record = view.record().clone();
    record.joined.insert(name.clone());
    record.baseline = baseline(view, &[server]);
    if view.must_store(&record) && !view.bugs.has(Bug::AttachUnrecorded) {
        draft.next(Effect::Record { record }, OnFailure::Replan);
    }
    draft.next(attach(server, view.primary()?), OnFailure::Replan);
    Some(draft.finish(Purpose::Rejoin { server: name }, view.record().epoch))
}

/// Attaches a server that does not acknowledge: what it drops of its relay log counts for nothing.
fn follow(view: View<'_>, server: &Server) -> Option<Plan> {
    let name = server.name().clone();
    let source = source_of(view, server)?;
    let mut draft = Draft::new(view);
    draft.then();
    let effect = attach_as(server, source, false);
    let former = server.link().map(|link| &link.source);
    let former = former.and_then(|former| view.topology.at_address(former));
    match former.filter(|former| former.name() != source.name()) {
        Some(former) => draft.push_undoable(effect, attach_as(server, former, false)),
        None => draft.push(effect, OnFailure::Replan),
    }
    Some(draft.finish(Purpose::Rejoin { server: name }, view.record().epoch))
}

/// The baseline with what these servers have received and not applied: an attachment drops it, and
/// until they have received it again from the primary nobody else may be known to hold it. What the
/// primary has not executed was not acknowledged, so it does not count.
pub(crate) fn baseline(view: View<'_>, servers: &[&Server]) -> Option<GtidSet> {
    let mut baseline = view.record().baseline.clone();
    let Some(primary) = view.primary_facts() else {
        return baseline;
    };
    for server in servers {
        let Some(facts) = server.facts() else {
            continue;
        };
        let kept = if server.forgot.is_some() {
            // What it has forgotten it may have acknowledged; only the primary surely has it.
            primary.executed.clone()
        } else if facts.executed.contains(facts.held()) {
            continue;
        } else {
            shared(facts.held(), &primary.executed)
        };
        baseline = match baseline {
            Some(set) => set.union(&kept).ok(),
            None => Some(kept),
        };
    }
    baseline
}

fn shared(one: &GtidSet, other: &GtidSet) -> GtidSet {
    match (one, other) {
        (GtidSet::Mysql(one), GtidSet::Mysql(other)) => GtidSet::Mysql(one.intersect(other)),
        (GtidSet::Mariadb(one), GtidSet::Mariadb(other)) => GtidSet::Mariadb(one.intersect(other)),
        (GtidSet::Mysql(_), GtidSet::Mariadb(_)) | (GtidSet::Mariadb(_), GtidSet::Mysql(_)) => {
            GtidSet::empty(one.family())
        }
    }
}

/// A diverged server must not acknowledge for the primary: stop it. `None` when it is stopped.
pub(crate) fn detach(view: View<'_>, server: &Server) -> Option<Plan> {
    if !receives(server) {
        return None;
    }
    let name = server.name().clone();
    let mut draft = Draft::new(view);
    let effect = Effect::StopReceiver {
        server: name.clone(),
    };
    draft.next(effect, OnFailure::Replan);
    Some(draft.finish(Purpose::Rejoin { server: name }, view.record().epoch))
}

/// Takes a server that can never be elected out of the reign, so that what it alone has received
/// does not forbid a failover. It must be stopped, and another must hold all that the primary has
/// executed since; `None` until then.
pub(crate) fn leave(view: View<'_>, server: &Server) -> Option<Plan> {
    if receives(server) {
        return detach(view, server);
    }
    let primary = view.primary_facts()?;
    let mut record = Record {
        baseline: Some(primary.executed.clone()),
        ..view.record().clone()
    };
    record.joined.remove(server.name());
    let holds = |other: &Server| {
        let replica = view.facts(other);
        record.joined.contains(other.name())
            && replica.is_some_and(|replica| replica.held().contains(&primary.executed))
    };
    view.topology.others().find(|other| holds(other))?;
    let mut draft = Draft::new(view);
    draft.next(Effect::Record { record }, OnFailure::Replan);
    let server = server.name().clone();
    Some(draft.finish(Purpose::Rejoin { server }, view.record().epoch))
}

/// Saves what only this server has, then replaces its data. The server is stopped already.
pub(crate) fn reseed(view: View<'_>, server: &Server, errant: Option<Difference>) -> Option<Plan> {
    let primary = view.primary()?;
    let name = server.name().clone();
    let mut draft = Draft::new(view);
    let donor = donor(view, server).unwrap_or(primary);
    let waits = view
        .primary_facts()
        .is_some_and(|facts| facts.semi_sync.source_enabled && facts.semi_sync.clients == 0);
    if donor.name() == primary.name() && waits {
        // Its commits wait for ever, and nothing can be copied behind them.
        draft.next(publish(Some(target(primary)), true), OnFailure::Continue);
        let server = primary.name().clone();
        draft.next(Effect::Fence { server }, OnFailure::Replan);
        let primary = primary.name().clone();
        return Some(draft.finish(Purpose::Establish { primary }, view.record().epoch));
    }
    out_of_reign(&mut draft, view, &name)?;
    if let Some(transactions) = errant.filter(|_| !view.bugs.has(Bug::ReseedUnsaved)) {
        let server = name.clone();
        let effect = Effect::SaveErrant {
            server,
            transactions,
        };
        draft.next(effect, OnFailure::Replan);
    }
    let effect = Effect::Reseed {
        server: name.clone(),
        donor: target(donor),
    };
    draft.next(effect, OnFailure::Replan);
    Some(draft.finish(Purpose::Reseed { server: name }, view.record().epoch))
}

/// Takes a stopped server that is about to be changed out of the reign. It may have acknowledged
/// for the primary what no other replica has; the primary was looked at since it was stopped, so
/// the new baseline has all of that.
fn out_of_reign(draft: &mut Draft<'_>, view: View<'_>, name: &ServerName) -> Option<()> {
    let joined = view.record().joined.contains(name);
    if joined || !view.stored {
        let mut record = Record {
            baseline: Some(view.primary_facts()?.executed.clone()),
            ..view.record().clone()
        };
        record.joined.remove(name);
        draft.next(Effect::Record { record }, OnFailure::Replan);
    }
    Some(())
}

/// Whether what only this server has may be undone on it.
pub(crate) fn can_be_rewound(view: View<'_>, server: &Server, errant: &Difference) -> bool {
    let lacks = |other: &Server| match (errant, view.facts(other).map(Facts::held)) {
        // A later primary gives the numbers of its own domain on and on.
        (Difference::Mariadb(_), _) => true,
        // The server may give these numbers again: nobody may hold the old transactions.
        (Difference::Mysql(errant), Some(GtidSet::Mysql(held))) => {
            held.intersect(errant).is_empty()
        }
        (Difference::Mysql(_), Some(GtidSet::Mariadb(_)) | None) => false,
    };
    let mut others = view.topology.servers.values();
    // The statements are those of today's servers.
    let spoken = server.facts().is_some_and(|facts| {
        let words = facts.version.dialect();
        matches!(words, Dialect::Mysql | Dialect::Mariadb) && facts.positions.is_none()
    });
    view.policy.auto_rewind
        && spoken
        && !view.stubborn.contains_key(server.name())
        && others.all(|other| other.name() == server.name() || lacks(other))
}

/// Saves what only this server has, then undoes it; without, what was begun is finished. The server
/// is stopped already.
pub(crate) fn rewind(view: View<'_>, server: &Server, errant: Option<Difference>) -> Option<Plan> {
    let name = server.name().clone();
    let mut draft = Draft::new(view);
    out_of_reign(&mut draft, view, &name)?;
    if let Some(transactions) = errant.clone() {
        let server = name.clone();
        let effect = Effect::SaveErrant {
            server,
            transactions,
        };
        draft.next(effect, OnFailure::Replan);
    }
    let effect = Effect::Rewind {
        server: name.clone(),
        transactions: errant,
    };
    draft.next(effect, OnFailure::Replan);
    Some(draft.finish(Purpose::Rewind { server: name }, view.record().epoch))
}

/// A healthy replica, so that the primary is not burdened.
fn donor<'a>(view: View<'a>, server: &Server) -> Option<&'a Server> {
    view.topology.others().find(|other| {
        other.name() != server.name()
            && view.facts(other).is_some()
            && view.is_attached(other)
            && view.errant(other).is_some_and(Errant::is_clean)
            && other
                .link()
                .is_some_and(|link| link.receiver == Receiver::Running)
    })
}
