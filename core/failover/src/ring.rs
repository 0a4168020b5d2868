//! The ring of two primaries, one of which is active: it also replicates from the passive one, so
//! that either may become the other.
//!
//! The passive one is a replica like any other. What closes the ring is a link of the *primary*:
//! - it is made only while the passive one is proved to have nothing of its own, and is forgotten
//!   as soon as that one cannot be asked: what it comes back with is compared first;
//! - it never acknowledges: who acknowledges must be in the record, and a primary is not. So a
//!   former primary that wakes up acknowledges nothing of the new reign.

use mainstay_topology::{Applier, Errant, Facts, Reachability, Receiver, Server};

use crate::effect::Effect;
use crate::finding::Misfit;
use crate::plan::Draft;
use crate::step::{Plan, Purpose};
use crate::view::{View, target};

/// The other of the pair, if the primary is one of it.
pub(crate) fn partner(view: View<'_>) -> Option<&Server> {
    let [one, other] = view.policy.pair.as_ref()?;
    let primary = view.record().primary.as_ref()?;
    match (primary == one, primary == other) {
        (true, false) => view.topology.server(other),
        (false, true) => view.topology.server(one),
        (true, true) | (false, false) => None,
    }
}

/// Whether a server is not one of the pair, where there is one.
pub(crate) fn is_outside(view: View<'_>, server: &Server) -> bool {
    let pair = view.policy.pair.as_ref();
    pair.is_some_and(|pair| !pair.contains(server.name()))
}

/// Whether the primary replicates from its partner as it should, or did until that one went away.
pub(crate) fn is_closed(view: View<'_>, primary: &Facts) -> bool {
    let address = partner(view).map(|partner| &partner.member.address);
    let runs = primary.link.as_ref().is_some_and(|link| {
        Some(&link.source) == address
            && link.receiver != Receiver::Stopped
            && link.applier == Applier::Running
    });
    runs && !(primary.semi_sync.replica_enabled && view.is_lossless())
}

/// Why the ring cannot be closed now, if it is wanted.
fn obstacle(view: View<'_>, partner: &Server) -> Option<String> {
    let name = partner.name();
    if partner.reachability != Reachability::Reachable {
        return Some(format!("{name} does not answer"));
    }
    if !view.is_attached(partner) {
        return Some(format!("{name} does not replicate from the primary"));
    }
    match view.errant(partner) {
        None => Some(format!("{name} was not compared with the primary yet")),
        Some(errant) if !errant.is_clean() => Some(format!("{name} has transactions of its own")),
        Some(_) => None,
    }
}

/// Whether the primary's link is to be kept: it is of the ring, and its other end is in order.
pub(crate) fn keeps_link(view: View<'_>) -> bool {
    let Some((partner, primary)) = partner(view).zip(view.primary_facts()) else {
        return false;
    };
    let unclean = |errant: &Errant| !errant.is_clean();
    let link = primary.link.as_ref();
    link.is_some_and(|link| link.source == partner.member.address)
        && partner.reachability == Reachability::Reachable
        && !view.errant(partner).is_some_and(unclean)
}

/// The plan that closes the ring; `None` where that is not wanted, not possible or done.
pub(crate) fn plan(view: View<'_>) -> Option<Plan> {
    let partner = partner(view)?;
    let primary = view.primary()?;
    if is_closed(view, view.primary_facts()?) || obstacle(view, partner).is_some() {
        return None;
    }
    let mut draft = Draft::new(view);
    draft.then();
    let server = primary.name().clone();
    let effect = Effect::CloseRing {
        server: server.clone(),
        source: target(partner),
    };
    draft.push_undoable(effect, Effect::ForgetSource { server });
    let primary = primary.name().clone();
    Some(draft.finish(Purpose::Establish { primary }, view.record().epoch))
}

/// What is not as it should be with the pair.
pub(crate) fn misfits(view: View<'_>) -> Vec<Misfit> {
    let Some([one, other]) = view.policy.pair.as_ref() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let facts = [one, other].map(|name| view.topology.server(name).and_then(Server::facts));
    if let [Some(first), Some(second)] = facts {
        let numbers = [first, second].map(|facts| facts.setup.auto_increment);
        if !numbers[0].is_apart_from(numbers[1]) {
            found.push(Misfit::SameNumbers {
                servers: [one.clone(), other.clone()],
                numbers,
            });
        }
    }
    let (Some(primary), Some(facts)) = (view.primary(), view.primary_facts()) else {
        return found;
    };
    let reason = match partner(view) {
        None => Some(format!("{} is not one of the pair", primary.name())),
        Some(_) if is_closed(view, facts) => None,
        // Known in a moment.
        Some(partner) if partner.facts().is_none() || view.errant(partner).is_none() => {
            (partner.reachability != Reachability::Reachable)
                .then(|| obstacle(view, partner))
                .flatten()
                .filter(|_| partner.facts().is_some())
        }
        Some(partner) => Some(
            obstacle(view, partner)
                .unwrap_or_else(|| format!("it does not replicate from {} yet", partner.name())),
        ),
    };
    found.extend(reason.map(|reason| Misfit::RingOpen { reason }));
    found
}
