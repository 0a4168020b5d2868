//! Establish: make the recorded primary serve. The second half of every change of role, and what a
//! manager does first after its own start.
//!
//! Order, and why:
//! - what was received is applied before writes open: nothing acknowledged may be missing;
//! - replicas attach before commits wait for them: MySQL hears a first acknowledgement a second
//!   late otherwise;
//! - commits wait for acknowledgements before writes open: no commit slips through alone.

use mainstay_gtid::GtidSet;
use mainstay_topology::{Errant, Facts, Reachability, Receiver, Record, Server};

use super::rejoin::{Need, baseline, need};
use super::{Draft, publish, take_address};
use crate::bugs::Bug;
use crate::effect::{Effect, Start};
use crate::ring;
use crate::shape::manner;
use crate::step::{OnFailure, Plan, Purpose};
use crate::view::{View, may_acknowledge, target};

/// What establishing needs to know besides the picture.
pub(crate) struct Reign<'a> {
    /// The primary.
    pub(crate) primary: &'a Server,
    /// Servers to attach to it, in order of preference.
    pub(crate) attach: Vec<&'a Server>,
    /// Replicas that are attached already.
    pub(crate) attached: Vec<&'a Server>,
    /// What it must have applied before it serves.
    pub(crate) must_hold: Option<&'a GtidSet>,
    /// It has just been elected: it may have received more than is known.
    pub(crate) elected: bool,
}

/// Joined servers that can acknowledge for the primary, or could once they are attached.
fn fit(view: View<'_>) -> impl Iterator<Item = &Server> {
    view.reachable_others()
        .filter(move |server| view.record().joined.contains(server.name()))
        .filter(move |server| view.facts(server).is_some())
        .filter(move |server| view.errant(server).is_some_and(Errant::is_clean))
        .filter(move |server| match need(view, server) {
            Need::None | Need::Comparison | Need::Fence | Need::Attach | Need::Leave => true,
            Need::Rewind | Need::Reseed { .. } | Need::Human => false,
        })
}

/// Whether the primary stays read-only because nobody could acknowledge a commit: commits that wait
/// would leave transactions nobody else has, and no copy of its data could be taken meanwhile.
pub(crate) fn is_alone(view: View<'_>) -> bool {
    let closed = view.primary_facts().is_some_and(|facts| facts.read_only);
    closed && view.is_lossless() && fit(view).next().is_none()
}

/// The plan for the recorded primary, with what is still missing; `None` while it is alone.
pub(crate) fn plan(view: View<'_>) -> Option<Plan> {
    let primary = view.primary()?;
    if is_alone(view) && view.doubtful.is_none() {
        return None;
    }
    let (attached, attach): (Vec<&Server>, Vec<&Server>) =
        fit(view).partition(|server| view.is_attached(server));
    let mut record = Record {
        baseline: baseline(view, &attach),
        acknowledgements: view.proven(),
        ..view.record().clone()
    };
    if view.doubtful.is_some() {
        // Whatever was stored, this record is newer.
        record.epoch = view.next_epoch();
    }
    let epoch = record.epoch;
    let mut draft = Draft::new(view);
    if view.must_store(&record) {
        draft.next(Effect::Record { record }, OnFailure::Replan);
    }
    let reign = Reign {
        primary,
        attach,
        attached,
        must_hold: view.record().baseline.as_ref(),
        elected: false,
    };
    steps(&mut draft, view, &reign);
    let purpose = Purpose::Establish {
        primary: primary.name().clone(),
    };
    Some(draft.finish(purpose, epoch))
}

/// Applies what the primary has received and fences everybody else: what must come before a new
/// reign is recorded.
pub(crate) fn prepare(draft: &mut Draft<'_>, view: View<'_>, reign: &Reign<'_>) {
    let name = reign.primary.name().clone();
    draft.then();
    let unapplied = reign.primary.facts().is_some_and(|facts| {
        let link = facts.link.as_ref();
        link.is_some_and(|link| reign.elected || !facts.executed.contains(&link.received))
    });
    if unapplied && !view.bugs.has(Bug::DiscardRelayLogs) {
        let server = name.clone();
        draft.push(Effect::ApplyReceived { server }, OnFailure::Replan);
    }
    let fences = fences(view, reign);
    // Without an election nothing has proved yet that the others cannot acknowledge.
    let unfenced = if reign.elected {
        OnFailure::Continue
    } else {
        OnFailure::Replan
    };
    for effect in fences {
        draft.push(effect, unfenced);
    }
    let executed = reign.primary.facts().map(|facts| &facts.executed);
    let must = reign.must_hold.filter(|must| {
        let has = executed.is_some_and(|executed| executed.contains(must));
        reign.elected || !has
    });
    if let Some(transactions) = must.filter(|_| !view.bugs.has(Bug::DiscardRelayLogs)) {
        // Had it been restarted meanwhile, its relay log might be empty and quickly applied.
        let effect = Effect::AwaitApplied {
            server: name,
            transactions: transactions.clone(),
        };
        draft.next(effect, OnFailure::Replan);
    }
}

/// What cuts off every other server that could acknowledge.
fn fences(view: View<'_>, reign: &Reign<'_>) -> Vec<Effect> {
    let others = view.topology.servers.values();
    others
        .filter(|server| server.name() != reign.primary.name())
        .filter(|server| server.answered().is_some_and(may_acknowledge))
        .map(|server| Effect::Fence {
            server: server.name().clone(),
        })
        .collect()
}

/// All steps for a primary that is recorded.
fn steps(draft: &mut Draft<'_>, view: View<'_>, reign: &Reign<'_>) {
    prepare(draft, view, reign);
    let facts = reign.primary.answered();
    if view.promised(facts) < view.acknowledgements() {
        // It acknowledges alone right now: that is more urgent than a quick first commit.
        draft.next(enable(view, reign.primary), OnFailure::Replan);
    }
    serve(draft, view, reign);
}

/// Attaches replicas and opens writes.
pub(crate) fn serve(draft: &mut Draft<'_>, view: View<'_>, reign: &Reign<'_>) {
    let name = reign.primary.name();
    let source = target(reign.primary);
    let open = reign.primary.facts().is_some_and(|facts| !facts.read_only);
    let acknowledged = !(reign.attached.is_empty() && reign.attach.is_empty());
    if view.is_lossless() && !open && !acknowledged {
        let hold = publish(Some(source), true);
        return draft.next(hold, OnFailure::Continue);
    }
    let wanted = view.acknowledgements() as usize;
    let missing = wanted.saturating_sub(reign.attached.len());
    let (first, rest) = reign.attach.split_at(missing.min(reign.attach.len()));
    apply_first(draft, view, (first, reign.primary));
    draft.then();
    for server in first {
        draft.push(attach(server, reign.primary), OnFailure::Continue);
    }
    draft.then();
    for server in first {
        let effect = Effect::AwaitAttached {
            server: server.name().clone(),
            source: source.clone(),
        };
        draft.push(effect, OnFailure::Continue);
    }
    let clients = wanted.min(reign.attached.len() + first.len());
    if clients > 0 {
        let effect = Effect::AwaitClients {
            server: name.clone(),
            clients: clients as u32,
        };
        draft.next(effect, OnFailure::Continue);
    }
    open_writes(draft, view, reign.primary);
    apply_first(draft, view, (rest, reign.primary));
    draft.then();
    for server in rest {
        draft.push(attach(server, reign.primary), OnFailure::Continue);
    }
    let has_source = reign.primary.link().is_some();
    if has_source {
        let server = name.clone();
        draft.push(Effect::ForgetSource { server }, OnFailure::Continue);
    }
}

/// Without GTIDs a replica is placed in another log only from a place that both logs are known to
/// share: from the end of what it has received, as a rule.
fn apply_first(draft: &mut Draft<'_>, view: View<'_>, (servers, source): (&[&Server], &Server)) {
    if !view.has_positions() {
        return;
    }
    draft.then();
    let elsewhere = |server: &&&Server| {
        let link = server.link();
        link.is_some_and(|link| link.source != source.member.address)
    };
    for server in servers.iter().filter(elsewhere) {
        let server = server.name().clone();
        draft.push(Effect::ApplyReceived { server }, OnFailure::Continue);
    }
}

/// Commits wait from now on, writes open, the proxies are told.
pub(crate) fn open_writes(draft: &mut Draft<'_>, view: View<'_>, primary: &Server) {
    if view.bugs.has(Bug::PublishBeforeOpen) {
        draft.next(publish(Some(target(primary)), false), OnFailure::Continue);
    }
    let server = primary.name().clone();
    if view.bugs.has(Bug::OpenBeforeWaiting) {
        let server = server.clone();
        draft.next(Effect::OpenWrites { server }, OnFailure::Replan);
    }
    if view.is_lossless() {
        draft.next(enable(view, primary), OnFailure::Replan);
    }
    draft.next(Effect::OpenWrites { server }, OnFailure::Replan);
    draft.next(publish(Some(target(primary)), false), OnFailure::Continue);
    if view.hooks(primary.name()).address {
        // Last: the address is never where nobody can write.
        draft.push(take_address(view, primary), OnFailure::Continue);
    }
}

/// Attaches a server of the reign: it acknowledges.
pub(crate) fn attach(server: &Server, source: &Server) -> Effect {
    attach_as(server, source, true)
}

pub(crate) fn attach_as(server: &Server, source: &Server, acknowledges: bool) -> Effect {
    let start = source.facts().and_then(|facts| {
        let positions = facts.positions.as_ref()?;
        let uuid = facts.server_uuid.clone()?;
        // The machine puts in the state in which the reign began.
        let equal = facts.own_log()?;
        Some(Start {
            uuid,
            base: positions.base.clone(),
            equal,
        })
    });
    Effect::Attach {
        server: server.name().clone(),
        source: target(source),
        manner: manner(server, acknowledges),
        start,
    }
}

fn enable(view: View<'_>, primary: &Server) -> Effect {
    Effect::EnableSemiSync {
        server: primary.name().clone(),
        acknowledgements: view.acknowledgements(),
        afresh: primary
            .facts()
            .is_some_and(|facts| facts.semi_sync.given_up),
    }
}

/// What the recorded primary lacks to serve, in words; `None` when nothing.
pub(crate) fn missing(view: View<'_>) -> Option<String> {
    let facts = view.primary_facts()?;
    let mut missing = Vec::new();
    if facts.read_only {
        let reason = if is_alone(view) {
            "it stays read-only until a replica can acknowledge its commits"
        } else {
            "it is read-only"
        };
        missing.push(reason.to_owned());
    }
    missing.extend(weakness(view, facts));
    if view.doubtful.is_some() {
        missing.push("its epoch may have been superseded".to_owned());
    }
    (!missing.is_empty()).then(|| missing.join(", "))
}

/// How its commits wait otherwise than they should.
fn weakness(view: View<'_>, facts: &Facts) -> Option<String> {
    let (wanted, waits) = (view.acknowledgements(), facts.semi_sync);
    if wanted == 0 || (waits.source_enabled && waits.acknowledgements == wanted) {
        return None;
    }
    Some(match (waits.source_enabled, waits.acknowledgements) {
        (false, _) => "its commits wait for no replica".to_owned(),
        (true, 0) if waits.given_up => "its commits have given up waiting for replicas".to_owned(),
        (true, 0) => "its commits may be acknowledged without a replica \
            (its timeout, wait point or wait without replicas was changed)"
            .to_owned(),
        (true, count) => {
            format!("its commits wait for {count} acknowledgement(s), not for {wanted}")
        }
    })
}

/// Whether the primary serves, and still has a source from the time before.
pub(crate) fn has_source(view: View<'_>) -> bool {
    let link = view.primary_facts().and_then(|facts| facts.link.as_ref());
    link.is_some() && !ring::keeps_link(view)
}

/// The plan that lets a serving primary forget its former source.
pub(crate) fn forget(view: View<'_>) -> Option<Plan> {
    let primary = view.primary()?.name().clone();
    let mut draft = Draft::new(view);
    let server = primary.clone();
    draft.next(Effect::ForgetSource { server }, OnFailure::Replan);
    Some(draft.finish(Purpose::Establish { primary }, view.record().epoch))
}

/// Whether a server can be told anything now.
pub(crate) fn is_reachable(server: &Server) -> bool {
    server.reachability == Reachability::Reachable
}

/// Whether a server could be receiving from anybody.
pub(crate) fn receives(server: &Server) -> bool {
    server
        .link()
        .is_some_and(|link| link.receiver != Receiver::Stopped)
}
