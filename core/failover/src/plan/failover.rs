//! Failover: hold writes, stop the receivers, let the machine elect, then establish the elected.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_clock::Timestamp;
use mainstay_gtid::GtidSet;
use mainstay_topology::{Applier, Facts, Outcome, Receiver, Record, Server, ServerName};

use super::establish::{Reign, is_reachable, prepare, serve};
use super::{Draft, drop_address, publish};
use crate::bugs::Bug;
use crate::effect::Effect;
use crate::elect::{Ballot, Elected, Survivor};
use crate::ring::is_outside;
use crate::shape::{belongs_to, is_aside, stands_in, unfitness};
use crate::step::{Certificate, OnFailure, Plan, Purpose};
use crate::view::View;

/// What the steps of the first half have answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Revoked {
    /// Servers whose receiver was stopped, and what they held then.
    pub(crate) held: BTreeMap<ServerName, GtidSet>,
    /// The primary's process was ended.
    pub(crate) ended: bool,
}

/// The steps up to the election.
pub(crate) fn plan(view: View<'_>) -> Option<Plan> {
    let primary = view.primary()?;
    let mut draft = Draft::new(view);
    draft.next(publish(None, false), OnFailure::Continue);
    draft.then();
    if !view.bugs.has(Bug::GrantBeforeRevoke) {
        let receives = |server: &&Server| {
            let of_primary = view.link_to_primary(server).is_some();
            server.link().is_some() && (of_primary || !is_aside(view, server))
        };
        for server in view.reachable_others().filter(receives) {
            let server = server.name().clone();
            draft.push(Effect::StopReceiver { server }, OnFailure::Continue);
        }
        if view.hooks(primary.name()).address {
            // Its host may be dead as well; then nobody has the address.
            draft.push(drop_address(view, primary), OnFailure::Continue);
        }
        if view.hooks(primary.name()).end_process {
            let server = primary.name().clone();
            draft.push(Effect::EndProcess { server }, OnFailure::Continue);
        }
    }
    let purpose = Purpose::Failover {
        from: primary.name().clone(),
    };
    let mut plan = draft.finish(purpose, view.next_epoch());
    plan.continues = true;
    Some(plan)
}

/// What an election would be made from if every step succeeded and nothing more was received.
pub(crate) fn expected(view: View<'_>) -> Revoked {
    let held = view
        .reachable_others()
        .filter(|server| server.link().is_some())
        .filter_map(|server| Some((server.name().clone(), server.facts()?.held().clone())))
        .collect();
    let ended = view
        .primary()
        .is_some_and(|primary| view.hooks(primary.name()).end_process);
    Revoked { held, ended }
}

/// The ballot from what the steps have answered and what is known of servers without a link.
pub(crate) fn ballot(view: View<'_>, revoked: &Revoked) -> Option<Ballot> {
    let primary = view.primary()?;
    let mut survivors = Vec::new();
    let mut absent = Vec::new();
    let mut forgetful = Vec::new();
    let mut stopped = 0;
    let mut others = unconfigured(view).len();
    for server in view.topology.others() {
        if is_aside(view, server) {
            continue;
        }
        others += 1;
        let joined = view.record().joined.contains(server.name());
        match held_by(view, revoked, server) {
            Some(held) => {
                stopped += 1;
                // What it says it holds is not what it has.
                let rewinding = server.facts().is_some_and(|facts| facts.rewinding);
                if joined && (server.forgot.is_some() || rewinding) {
                    forgetful.push(server.name().clone());
                }
                // A server that was never recorded, and yet receives, may have acknowledged.
                if (joined || view.link_to_primary(server).is_some()) && !rewinding {
                    survivors.push(survivor(view, server, held, joined));
                }
            }
            // Attached by hand, it may have acknowledged as well as one that is recorded.
            None if joined || receives_from_primary(view, server) => {
                absent.push(server.name().clone());
                stopped += usize::from(view.bugs.has(Bug::IgnoreAbsent));
            }
            // Never attached in this reign, and no process there: it cannot acknowledge.
            None if matches!(server.last, Some((_, Outcome::Refused))) => stopped += 1,
            None => {}
        }
    }
    let unconfigured = unconfigured(view);
    absent.extend(unconfigured.iter().cloned());
    let refused = matches!(primary.last, Some((_, Outcome::Refused)));
    Some(Ballot {
        primary: primary.name().clone(),
        others,
        acknowledgements: view.proven() as usize,
        stopped,
        ended: revoked.ended || (!view.is_lossless() && refused),
        unprotected: view.is_lossless() && view.proven() == 0,
        survivors,
        absent,
        forgetful,
        baseline: view.record().baseline.clone(),
        bugs: view.bugs,
    })
}

/// Whether a server was last seen to receive from the primary.
fn receives_from_primary(view: View<'_>, server: &Server) -> bool {
    let link = view.link_to_primary(server);
    link.is_some_and(|link| link.receiver != Receiver::Stopped)
}

/// Recorded replicas that the configuration does not name: they may acknowledge all the same.
pub(crate) fn unconfigured(view: View<'_>) -> Vec<ServerName> {
    let joined = view.record().joined.iter();
    joined
        .filter(|name| view.topology.server(name).is_none())
        .cloned()
        .collect()
}

/// What a server holds, if it surely receives nothing more.
fn held_by(view: View<'_>, revoked: &Revoked, server: &Server) -> Option<GtidSet> {
    let facts = server.facts();
    if view.bugs.has(Bug::GrantBeforeRevoke) {
        return server.answered().map(|facts| facts.held().clone());
    }
    if view.bugs.has(Bug::ElectByApplied) && revoked.held.contains_key(server.name()) {
        return facts.map(|facts| facts.executed.clone());
    }
    let stopped = revoked.held.get(server.name()).cloned();
    stopped.or_else(|| {
        let idle = view.facts(server).filter(|facts| facts.link.is_none())?;
        Some(idle.executed.clone())
    })
}

fn survivor(view: View<'_>, server: &Server, held: GtidSet, joined: bool) -> Survivor {
    let applier = server.link().map(|link| link.applier);
    let unapplied = server
        .facts()
        .map(|facts| held.missing_from(&facts.executed));
    Survivor {
        name: server.name().clone(),
        slow: view.slow.contains(server.name()),
        unapplied: unapplied.map_or(0, |missing| missing.count()),
        held,
        joined,
        errant: server
            .errant
            .as_ref()
            .map(|(_, errant)| match server.facts() {
                // What a replica of this reign received, the primary had: an empty machine in its
                // place has another identity.
                Some(facts) if joined => errant.written_by(facts),
                Some(_) | None => errant.foreign.clone(),
            }),
        promotion: server.member.promotion,
        unfit: unfitness(view, server),
        depth: u8::from(server.member.part.source.is_some() || is_outside(view, server)),
        applies: applier.is_none_or(|applier| applier == Applier::Running),
    }
}

/// The plan's second half: from the elected server's relay log to the last replica.
pub(crate) fn continuation(
    draft: &mut Draft<'_>,
    view: View<'_>,
    revoked: &Revoked,
    (ballot, won): (&Ballot, &Elected),
) {
    let Some(primary) = view.topology.server(&won.to) else {
        return;
    };
    let follows = |one: &&Survivor| one.name != won.to && won.held.contains(&one.held);
    let mut followers: Vec<&Survivor> = ballot.survivors.iter().filter(follows).collect();
    // The first ones are waited for: those whose applier is in order.
    followers.sort_by_key(|one| (one.slow, !one.applies, one.unapplied));
    let followers = followers.into_iter();
    let mut attach: Vec<&Server> = followers
        .filter_map(|one| view.topology.server(&one.name))
        .chain(cascade_of(view, revoked, won))
        .filter(|server| is_reachable(server))
        .collect();
    if attach.is_empty() {
        attach.extend(stand_ins(view, revoked, won));
    }
    let joined: BTreeSet<ServerName> = attach.iter().map(|server| server.name().clone()).collect();
    let reign = Reign {
        primary,
        attach,
        attached: Vec::new(),
        must_hold: Some(&won.held),
        elected: true,
    };
    prepare(draft, view, &reign);
    if ballot.acknowledgements == 0 && view.hooks(&ballot.primary).disk {
        // Before the record: had it been applied only in part, the next try does the rest. What it
        // has acknowledged may be nowhere else; without it the failover goes on as it would have.
        let effect = Effect::ApplyTail {
            server: won.to.clone(),
            from: ballot.primary.clone(),
        };
        draft.next(effect, OnFailure::Continue);
    }
    let record = Record {
        epoch: view.next_epoch(),
        primary: Some(won.to.clone()),
        joined,
        baseline: Some(won.held.clone()),
        began_at: None,
        acknowledgements: view.promised(primary.facts()),
    };
    if view.bugs.has(Bug::OpenBeforeRecord) {
        serve(draft, view, &reign);
        return draft.next(Effect::Record { record }, OnFailure::Replan);
    }
    draft.next(Effect::Record { record }, OnFailure::Replan);
    serve(draft, view, &reign);
}

/// Replicas of the elected server itself: they hold what it has sent them, and acknowledge from now
/// on.
fn cascade_of<'a>(
    view: View<'a>,
    revoked: &'a Revoked,
    won: &'a Elected,
) -> impl Iterator<Item = &'a Server> {
    let own = |server: &&Server| server.member.part.source.as_ref() == Some(&won.to);
    silent(view, revoked, won).filter(own)
}

/// Who acknowledges where nobody else is left: without anybody, no write would end.
fn stand_ins<'a>(
    view: View<'a>,
    revoked: &'a Revoked,
    won: &'a Elected,
) -> impl Iterator<Item = &'a Server> {
    silent(view, revoked, won).filter(|server| is_reachable(server) && belongs_to(server, &won.to))
}

/// Servers that did not acknowledge, hold nothing that the elected one lacks, and may acknowledge.
fn silent<'a>(
    view: View<'a>,
    revoked: &'a Revoked,
    won: &'a Elected,
) -> impl Iterator<Item = &'a Server> {
    view.topology.others().filter(move |server| {
        // One that was stopped has said what it holds; one that receives from the old primary and
        // was not stopped may hold more than when it was looked at.
        let seen = || {
            let receives = receives_from_primary(view, server);
            server.facts().map(Facts::held).filter(|_| !receives)
        };
        let held = revoked.held.get(server.name()).or_else(seen);
        *server.name() != won.to
            && is_aside(view, server)
            && stands_in(view, server)
            && held.is_some_and(|held| won.held.contains(held))
    })
}

/// The proof that the operation ends with.
pub(crate) fn certificate(view: View<'_>, ballot: &Ballot, won: &Elected) -> Certificate {
    let survivors = ballot.survivors.iter();
    Certificate {
        epoch: view.next_epoch(),
        from: ballot.primary.clone(),
        to: won.to.clone(),
        survivors: survivors
            .map(|one| (one.name.clone(), one.held.clone()))
            .collect(),
        absent: ballot.absent.clone(),
        acknowledgements: ballot.acknowledgements as u32,
        lossless: won.lossless,
        reason: won.reason.clone(),
    }
}

/// Whether the primary has answered a probe that was begun at `moment` or later.
pub(crate) fn is_back(view: View<'_>, moment: Timestamp) -> bool {
    view.primary()
        .is_some_and(|primary| primary.answered_since(moment).is_some())
}
