//! The shape of the cluster: whom each server follows now, whether it acknowledges, and whether it
//! could ever be promoted.
//!
//! Who could never be promoted does not acknowledge either, unless the operator wants that or
//! nobody else can: what it alone held would forbid a failover. So it is not in the record, and no
//! proof counts with it.
//! - A *cascade* follows its own source while that serves. While it does not, or is the primary,
//!   it is a replica of the primary like any other.
//! - One that stays behind on purpose, filters, keeps no binary log or has other sources follows
//!   the primary without acknowledging.

use std::time::Duration;

use mainstay_topology::{Applier, Facts, Logging, Reachability, Receiver, Server, ServerName};

use crate::effect::Manner;
use crate::view::View;

/// A source that has been away serves again only after it has answered for so many `hang_after`.
const SETTLING: u32 = 5;

/// Why a server is never promoted, because of how it is set up.
pub(crate) fn unfitness(view: View<'_>, server: &Server) -> Option<String> {
    if let Some(reason) = server.wish.why_off() {
        return Some(reason);
    }
    let setup = &server.facts()?.setup;
    let part = &server.member.part;
    if !setup.delay.is_zero() {
        return Some(format!(
            "stays {} s behind on purpose",
            setup.delay.as_secs()
        ));
    }
    match setup.logging {
        Logging::Nothing => return Some("has no binary log".to_owned()),
        // Its source is the only one that could need what it did not log.
        Logging::Own if view.topology.servers.len() > 2 || view.policy.pair.is_some() => {
            return Some("does not log what it replicates".to_owned());
        }
        Logging::Own | Logging::All => {}
    }
    if !setup.filters.is_empty() && !part.promote_filtered {
        let filters = setup.filters.join(", ");
        return Some(format!("leaves something out ({filters})"));
    }
    if part.has_other_sources() || !setup.other_channels.is_empty() {
        return Some("has other sources than this cluster".to_owned());
    }
    None
}

/// The server that another follows now, as configured and as things are.
pub(crate) fn source_of<'a>(view: View<'a>, server: &Server) -> Option<&'a Server> {
    let primary = view.primary()?;
    let own = declared(view, server).filter(|own| own.name() != primary.name());
    Some(
        own.filter(|own| serves(view, own, server))
            .unwrap_or(primary),
    )
}

/// The source that is configured for a server; none where sources go round in a ring.
pub(crate) fn declared<'a>(view: View<'a>, server: &Server) -> Option<&'a Server> {
    let own = |server: &Server| view.topology.server(server.member.part.source.as_ref()?);
    let first = own(server)?;
    let mut at = first;
    for _ in 0..view.topology.servers.len() {
        match own(at) {
            Some(next) => at = next,
            None => return Some(first),
        }
    }
    None
}

/// Whether a server would be a replica of this primary, as configured.
pub(crate) fn belongs_to(server: &Server, primary: &ServerName) -> bool {
    let source = server.member.part.source.as_ref();
    source.is_none_or(|source| source == primary)
}

/// Whether a configured source serves its replica. One that is followed is left only when it is
/// surely lost; one that is not followed is taken back only when it has settled.
fn serves(view: View<'_>, source: &Server, replica: &Server) -> bool {
    let patience = view.policy.hang_after;
    let link = replica.link();
    let follows = link.filter(|link| link.source == source.member.address);
    if let Some(link) = follows {
        let heard = replica.heard_at.unwrap_or(replica.since);
        let unheard = view.now.since(heard);
        let lost = match source.reachability {
            Reachability::Gone | Reachability::Silent => {
                view.now.since(source.since) >= patience && unheard >= view.policy.silent_after
            }
            Reachability::Reachable | Reachability::Closed | Reachability::Unknown => {
                link.receiver == Receiver::Connecting && unheard >= patience * SETTLING
            }
        };
        // One that was stopped was stopped by somebody.
        return !(lost && link.receiver != Receiver::Stopped);
    }
    let Some(facts) = source.answered() else {
        return false;
    };
    let at_primary = view.is_attached(replica) || is_in_line(replica, view.primary());
    let settled = view.now.since(source.since) >= patience * SETTLING;
    // MariaDB's sources refuse who is ahead of them.
    let ahead = replica
        .facts()
        .is_some_and(|replica| !facts.executed.contains(&replica.executed));
    is_in_place(view, source) && !ahead && (settled || !at_primary)
}

/// Whether a server is to acknowledge the primary's commits.
pub(crate) fn acknowledges(view: View<'_>, server: &Server) -> bool {
    let primary = view.record().primary.as_ref();
    let direct = source_of(view, server).is_some_and(|source| Some(source.name()) == primary);
    direct && (is_able(view, server) || (stands_in(view, server) && !is_spared(view)))
}

/// Whether a server acknowledges for the primary, and could be promoted.
fn is_able(view: View<'_>, server: &Server) -> bool {
    let primary = view.record().primary.as_ref();
    let own = primary.is_some_and(|primary| belongs_to(server, primary));
    let wanted = server.member.part.acknowledges;
    own && wanted.unwrap_or_else(|| unfitness(view, server).is_none())
}

/// Whether a server may acknowledge while there are not enough others: a copy that needs a human,
/// or that moves away later, is better than none.
pub(crate) fn stands_in(view: View<'_>, server: &Server) -> bool {
    let wanted = server.member.part.acknowledges;
    wanted.unwrap_or_else(|| !has_other_sources(server) || unfitness(view, server).is_none())
}

/// Servers that acknowledge for the primary and could be promoted.
pub(crate) fn able(view: View<'_>) -> impl Iterator<Item = &Server> {
    let others = view.topology.others();
    others.filter(move |server| is_able(view, server) && unfitness(view, server).is_none())
}

/// Whether the primary has acknowledgements enough without those who only stand in.
fn is_spared(view: View<'_>) -> bool {
    let away = |server: &&Server| match server.reachability {
        Reachability::Gone | Reachability::Silent => {
            view.now.since(server.since) >= view.policy.hang_after
        }
        Reachability::Reachable | Reachability::Closed | Reachability::Unknown => false,
    };
    let able = view
        .topology
        .others()
        .filter(|server| is_able(view, server));
    able.filter(|server| !away(server)).count() >= view.acknowledgements() as usize
}

/// Whether a server surely does not acknowledge, and need not be counted or stopped: it is not
/// recorded, not meant to, and was seen not to.
pub(crate) fn is_aside(view: View<'_>, server: &Server) -> bool {
    let seen = |facts: &Facts| {
        !(facts.semi_sync.replica_enabled && view.link_to_primary(server).is_some())
    };
    !view.record().joined.contains(server.name())
        && !acknowledges(view, server)
        && server.facts().is_some_and(seen)
}

/// Whether a server follows whom it should, in the manner that it should.
pub(crate) fn is_in_place(view: View<'_>, server: &Server) -> bool {
    if acknowledges(view, server) {
        return view.is_attached(server);
    }
    let silent = server.facts().is_some_and(|facts| {
        !facts.semi_sync.replica_enabled || !view.is_lossless() || is_left_alone(server)
    });
    silent && is_in_line(server, source_of(view, server)) && is_right_behind(server)
}

/// Whether a server receives from another and applies.
fn is_in_line(server: &Server, source: Option<&Server>) -> bool {
    let address = source.map(|source| &source.member.address);
    server.link().is_some_and(|link| {
        Some(&link.source) == address
            && link.receiver != Receiver::Stopped
            && link.applier == Applier::Running
    })
}

/// Whether it stays as far behind as it is configured to.
pub(crate) fn is_right_behind(server: &Server) -> bool {
    let seen = server.facts().map(|facts| facts.setup.delay);
    server
        .member
        .part
        .delay
        .is_none_or(|delay| seen == Some(delay))
}

/// How a server is attached.
pub(crate) fn manner(server: &Server, acknowledges: bool) -> Manner {
    let seen = server.facts().map(|facts| facts.setup.delay);
    let seen = seen.filter(|delay| !delay.is_zero());
    Manner {
        // Its other sources may count on its acknowledgements.
        acknowledges: (acknowledges || !is_left_alone(server)).then_some(acknowledges),
        delay: server.member.part.delay.or(seen),
    }
}

/// Whether its semi-synchronous side stays as it is.
fn is_left_alone(server: &Server) -> bool {
    has_other_sources(server) && server.member.part.acknowledges.is_none()
}

fn has_other_sources(server: &Server) -> bool {
    let seen = server.facts();
    let seen = seen.is_some_and(|facts| !facts.setup.other_channels.is_empty());
    seen || server.member.part.has_other_sources()
}

/// How far a server is behind what it should be behind.
pub(crate) fn late(server: &Server) -> Option<Duration> {
    let delay = server
        .facts()
        .map_or(Duration::ZERO, |facts| facts.setup.delay);
    server.lag().map(|lag| lag.saturating_sub(delay))
}
