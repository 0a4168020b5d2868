//! Switchover: move the primary while it is well, so that clients see a pause of milliseconds.
//!
//! Everything slow happens while the old primary still serves; the gate is closed only for the
//! last transactions. Before the new reign is recorded every failure is undone; afterwards there
//! is only forward.

use mainstay_gtid::Family::Mysql;
use mainstay_gtid::GtidSet;
use mainstay_topology::{Applier, Errant, Promotion, Receiver, Record, Server, ServerName};

use super::establish::{attach, attach_as, missing, open_writes};
use super::{Draft, drop_address, publish, take_address};
use crate::bugs::Bug;
use crate::effect::Effect;
use crate::ring::is_outside;
use crate::shape::{acknowledges, belongs_to, is_in_place, stands_in, unfitness};
use crate::step::{OnFailure, Plan, Purpose};
use crate::verdict::{Verdict, judge};
use crate::view::{View, target};

/// The plan, or why the primary cannot be moved now.
pub(crate) fn plan(view: View<'_>, to: Option<&ServerName>) -> Result<Plan, String> {
    let (primary, executed) = serving(view)?;
    let next = match to {
        Some(name) => {
            let server = view.topology.server(name);
            server.ok_or_else(|| format!("{name} is not a server of this cluster"))?
        }
        None => choose(view)?,
    };
    ready(view, next)?;
    let replicas: Vec<&Server> = replicas(view);
    enough(view, replicas.len())?;
    let chained = chained(view, &replicas, next);
    let cascade = cascade_of(view, next);
    let mut draft = Draft::new(view);
    let catch_up = Effect::AwaitApplied {
        server: next.name().clone(),
        transactions: executed.clone(),
    };
    draft.next(catch_up, OnFailure::Undo);
    chain(&mut draft, &chained, primary, next, executed);
    if !cascade.is_empty() {
        draft.then();
    }
    for server in &cascade {
        // Where it is it stays, and acknowledges from now on: nobody counts on it yet.
        draft.push_undoable(attach(server, next), attach_as(server, next, false));
    }
    let chained: Vec<&Server> = chained.into_iter().chain(cascade).collect();
    draft.then();
    draft.push_undoable(
        publish(Some(target(primary)), true),
        publish(Some(target(primary)), false),
    );
    let server = primary.name().clone();
    let drain = Effect::Drain {
        server: server.clone(),
    };
    if !view.bugs.has(Bug::SkipDrain) {
        draft.next(drain, OnFailure::Undo);
    }
    if view.hooks(primary.name()).address {
        draft.then();
        draft.push_undoable(drop_address(view, primary), take_address(view, primary));
    }
    draft.then();
    let demote = Effect::Demote {
        server: server.clone(),
    };
    draft.push_undoable(demote, Effect::OpenWrites { server });
    // The machine puts in what the demoted primary had executed, here and in the record.
    let last = Effect::AwaitApplied {
        server: next.name().clone(),
        transactions: executed.clone(),
    };
    if !view.bugs.has(Bug::SkipCatchUp) {
        draft.next(last, OnFailure::Undo);
    }
    let joined = chained.iter().map(|server| server.name().clone()).collect();
    let record = Record {
        epoch: view.next_epoch(),
        primary: Some(next.name().clone()),
        joined,
        baseline: Some(executed.clone()),
        began_at: None,
        acknowledgements: view.promised(next.facts()),
    };
    forward(&mut draft, view, &chained, next, &record);
    let purpose = Purpose::Switchover {
        from: primary.name().clone(),
        to: next.name().clone(),
    };
    Ok(draft.finish(purpose, view.next_epoch()))
}

/// Other replicas move behind the next primary while the old one still serves: their
/// acknowledgements flow at once when writes open there. A change of source drops what was received
/// and not applied, and they may be the only ones to hold it: so it is applied first.
fn chain(
    draft: &mut Draft<'_>,
    chained: &[&Server],
    primary: &Server,
    next: &Server,
    executed: &GtidSet,
) {
    if chained.is_empty() {
        return;
    }
    // The machine puts in what they hold, and what the primary has executed meanwhile.
    let level = Effect::AwaitApplied {
        server: next.name().clone(),
        transactions: executed.clone(),
    };
    draft.then();
    for server in chained {
        let stop = Effect::StopReceiver {
            server: server.name().clone(),
        };
        draft.push_undoable(stop, attach(server, primary));
    }
    draft.then();
    for server in chained {
        let server = server.name().clone();
        draft.push(Effect::ApplyReceived { server }, OnFailure::Undo);
    }
    draft.next(level.clone(), OnFailure::Undo);
    draft.then();
    for server in chained {
        draft.push(attach(server, next), OnFailure::Undo);
    }
    draft.then();
    for server in chained {
        let effect = Effect::AwaitAttached {
            server: server.name().clone(),
            source: target(next),
        };
        draft.push(effect, OnFailure::Undo);
    }
    draft.next(level, OnFailure::Undo);
}

/// From the record of the new reign on.
fn forward(
    draft: &mut Draft<'_>,
    view: View<'_>,
    chained: &[&Server],
    next: &Server,
    record: &Record,
) {
    draft.next(
        Effect::Record {
            record: record.clone(),
        },
        OnFailure::Replan,
    );
    let clients = (view.acknowledgements() as usize).min(chained.len());
    if clients > 0 {
        let effect = Effect::AwaitClients {
            server: next.name().clone(),
            clients: clients as u32,
        };
        draft.next(effect, OnFailure::Continue);
    }
    open_writes(draft, view, next);
    // All that follow are replicas now: nobody writes but the new primary.
    let late: Vec<&Server> = view
        .topology
        .servers
        .values()
        .filter(|server| view.facts(server).is_some() && server.name() != next.name())
        .filter(|server| !record.joined.contains(server.name()))
        .filter(|server| {
            let joined =
                view.record().joined.contains(server.name()) && belongs_to(server, next.name());
            let clean = view.errant(server).is_some_and(Errant::is_clean);
            Some(server.name()) == view.record().primary.as_ref() || (joined && clean)
        })
        .collect();
    if !late.is_empty() {
        let mut joined = record.joined.clone();
        joined.extend(late.iter().map(|server| server.name().clone()));
        let record = Record {
            joined,
            ..record.clone()
        };
        draft.next(Effect::Record { record }, OnFailure::Replan);
    }
    if view.has_positions() {
        // Each goes on from the end of the old primary's log. The machine puts in where that is.
        draft.then();
        for server in late.iter().filter(|server| server.link().is_some()) {
            let transactions = record
                .baseline
                .clone()
                .unwrap_or_else(|| GtidSet::empty(Mysql));
            let server = server.name().clone();
            let effect = Effect::AwaitApplied {
                server,
                transactions,
            };
            draft.push(effect, OnFailure::Continue);
        }
    }
    draft.then();
    for server in late {
        draft.push(attach(server, next), OnFailure::Continue);
    }
    for server in silent(view, next) {
        draft.push(attach_as(server, next, false), OnFailure::Continue);
    }
    let server = next.name().clone();
    draft.push(Effect::ForgetSource { server }, OnFailure::Continue);
}

fn serving(view: View<'_>) -> Result<(&Server, &GtidSet), String> {
    let primary = view.primary().ok_or("there is no primary yet")?;
    let name = primary.name();
    if judge(view) != Verdict::Well {
        return Err(format!(
            "{name} does not answer; a switchover needs it alive"
        ));
    }
    let facts = view
        .primary_facts()
        .ok_or_else(|| format!("{name} was not looked at since the last operation; try again"))?;
    match missing(view) {
        Some(missing) => Err(format!("{name} does not serve as primary: {missing}")),
        None => Ok((primary, &facts.executed)),
    }
}

fn choose(view: View<'_>) -> Result<&Server, String> {
    let mut fit: Vec<&Server> = view
        .topology
        .others()
        .filter(|server| ready(view, server).is_ok())
        .collect();
    fit.sort_by_key(|server| {
        let cascaded = server.member.part.source.is_some();
        (cascaded, server.member.promotion, server.name().clone())
    });
    fit.first().copied().ok_or_else(|| {
        let reasons: Vec<String> = view
            .topology
            .others()
            .filter_map(|server| ready(view, server).err())
            .collect();
        format!("no server can become the primary: {}", reasons.join("; "))
    })
}

/// Whether a server can take over from a primary that is well.
fn ready(view: View<'_>, server: &Server) -> Result<(), String> {
    let name = server.name();
    let refuse = |why: &str| Err(format!("{name} {why}"));
    if view.record().primary.as_ref() == Some(name) {
        return refuse("is the primary already");
    }
    if server.member.promotion == Promotion::Never {
        return refuse("is configured never to be promoted");
    }
    if view.facts(server).is_none() {
        return refuse("does not answer");
    }
    if let Some(reason) = unfitness(view, server) {
        return refuse(&reason);
    }
    if is_outside(view, server) {
        return refuse("is not one of the pair of primaries");
    }
    let Some(link) = view.link_to_primary(server) else {
        return refuse("does not replicate from the primary");
    };
    if link.receiver != Receiver::Running || link.applier != Applier::Running {
        return refuse("has stopped replicating");
    }
    if !view.is_attached(server) {
        return refuse("is not attached as a replica of this reign");
    }
    match view.errant(server) {
        Some(errant) if errant.is_clean() => {}
        Some(errant) => return refuse(&format!("has transactions the primary lacks: {errant}")),
        None => return refuse("must be compared with the primary first; try again"),
    }
    match link.lag {
        Some(lag) if lag <= view.policy.reader_lag_max => Ok(()),
        Some(lag) => refuse(&format!("is {} s behind", lag.as_secs())),
        None => refuse("does not know how far it is behind"),
    }
}

/// Replicas whose acknowledgements the primary can collect now.
fn replicas(view: View<'_>) -> Vec<&Server> {
    view.topology
        .others()
        .filter(|server| view.facts(server).is_some() && view.is_attached(server))
        .filter(|server| {
            let link = server.link();
            link.is_some_and(|link| link.receiver == Receiver::Running)
        })
        .collect()
}

fn enough(view: View<'_>, attached: usize) -> Result<(), String> {
    let wanted = view.acknowledgements() as usize;
    if attached >= wanted {
        return Ok(());
    }
    Err(format!(
        "commits need {wanted} acknowledgement(s), and {attached} replica(s) are attached"
    ))
}

/// Replicas that may move early: the old primary keeps as many as its commits need.
fn chained<'a>(view: View<'a>, replicas: &[&'a Server], next: &Server) -> Vec<&'a Server> {
    // Where a replica stands that is stopped in the middle is known in no other log than this.
    let spare = if view.has_positions() {
        0
    } else {
        let needed = view.acknowledgements().max(1) as usize;
        replicas.len().saturating_sub(needed)
    };
    let clean = |server: &&Server| {
        server.name() != next.name()
            && view.errant(server).is_some_and(Errant::is_clean)
            && belongs_to(server, next.name())
    };
    replicas.iter().copied().filter(clean).take(spare).collect()
}

/// Replicas of the next primary itself: they acknowledge from then on.
fn cascade_of<'a>(view: View<'a>, next: &Server) -> Vec<&'a Server> {
    let own = |server: &&Server| {
        let source = server.link().map(|link| &link.source);
        server.member.part.source.as_ref() == Some(next.name())
            && source == Some(&next.member.address)
            && view.facts(server).is_some()
            && is_in_place(view, server)
            && stands_in(view, server)
            && view.errant(server).is_some_and(Errant::is_clean)
    };
    view.topology.others().filter(own).collect()
}

/// Servers that follow the present primary without acknowledging: they follow the next one so.
fn silent<'a>(view: View<'a>, next: &Server) -> Vec<&'a Server> {
    let own = |server: &&Server| {
        server.name() != next.name()
            && view.facts(server).is_some()
            && view.link_to_primary(server).is_some()
            && belongs_to(server, next.name())
            && !acknowledges(view, server)
            && is_in_place(view, server)
    };
    view.topology.others().filter(own).collect()
}
