//! From the picture to what is done next: the one table of remedies, in order of urgency.

use mainstay_topology::{Applier, Server};

use crate::analysis::lost_data;
use crate::elect::elect;
use crate::pause::holds_failover;
use crate::plan::rejoin::{Need, need};
use crate::plan::{count, establish, failover, first, rejoin, release};
use crate::ring;
use crate::step::{Plan, Purpose};
use crate::verdict::Verdict;
use crate::view::View;

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Nothing.
    Rest,
    /// Look closer at the primary.
    Suspect(String),
    /// Something is needed that cannot be done.
    Stuck(String),
    /// Run one of these plans, the first that is not held back after a failure.
    Begin(Vec<Plan>),
}

/// Decides. The primary comes before everything else.
pub(crate) fn decide(view: View<'_>, verdict: &Verdict) -> Decision {
    if view.record().primary.is_none() {
        if let Some(pause) = view.paused {
            return Decision::Stuck(format!("there is no primary yet, and {pause}"));
        }
        return match first::plan(view) {
            Ok(plan) => Decision::Begin(vec![plan]),
            Err(reason) => Decision::Stuck(reason),
        };
    }
    match verdict {
        Verdict::Unknown | Verdict::Alive => Decision::Rest,
        Verdict::Doubtful { evidence } => Decision::Suspect(evidence.clone()),
        Verdict::Dead { evidence } => fail_over(view, evidence),
        Verdict::Well => keep(view),
    }
}

fn fail_over(view: View<'_>, evidence: &str) -> Decision {
    if let Some(reason) = holds_failover(view) {
        return Decision::Stuck(format!("the primary is dead ({evidence}) and {reason}"));
    }
    match failover_plan(view) {
        Ok(plan) => Decision::Begin(vec![plan]),
        Err(reason) => Decision::Stuck(format!("no failover: {reason}")),
    }
}

/// The first half of a failover, if by what is known now the election would succeed: replicas are
/// not disturbed for nothing.
pub(crate) fn failover_plan(view: View<'_>) -> Result<Plan, String> {
    let no_primary = || "there is no primary yet".to_owned();
    let ballot = failover::ballot(view, &failover::expected(view)).ok_or_else(no_primary)?;
    elect(&ballot)?;
    failover::plan(view).ok_or_else(no_primary)
}

/// What a cluster with a living primary needs.
fn keep(view: View<'_>) -> Decision {
    if let Some(lost) = lost_data(view) {
        return replace_forgetful(view, &lost);
    }
    let others: Vec<(&Server, Need)> = view
        .topology
        .others()
        .map(|server| (server, need(view, server)))
        .collect();
    let mut plans: Vec<Plan> = others
        .iter()
        .filter(|(_, need)| *need == Need::Fence)
        .map(|(server, _)| rejoin::fence(view, server))
        .collect();
    let paused = view.paused.is_some();
    if establish::missing(view).is_some() {
        // What an operation has left half done is finished in a pause too.
        plans.extend(establish::plan(view).filter(|_| !paused || !view.established));
    } else if establish::has_source(view) {
        plans.extend(establish::forget(view).filter(|_| !paused));
    } else {
        let release = release::plan(view).filter(|_| !paused);
        plans.extend(release.or_else(|| count::plan(view)));
    }
    if plans.is_empty() && !paused {
        let repaired = others
            .into_iter()
            .filter(|(server, _)| !first::has_twin(view, server))
            .filter_map(|(server, need)| repair(view, server, need));
        plans.extend(repaired);
        plans.extend(ring::plan(view));
        // Copies come last: they take long, and need a donor that is spared or has a replica.
        plans.sort_by_key(|plan| matches!(plan.purpose, Purpose::Reseed { .. }));
    }
    if plans.is_empty() {
        Decision::Rest
    } else {
        Decision::Begin(plans)
    }
}

/// A primary that has lost data must not serve: whoever still has them takes its place.
fn replace_forgetful(view: View<'_>, lost: &str) -> Decision {
    let plan = match (view.policy.auto_failover, view.paused) {
        (false, _) => Err("auto_failover is off".to_owned()),
        (true, Some(pause)) => Err(pause.to_string()),
        (true, None) => failover_plan(view),
    };
    match plan {
        Ok(plan) => Decision::Begin(vec![plan]),
        Err(reason) => Decision::Stuck(format!(
            "the primary lacks transactions that it had ({lost}), and is not replaced: {reason}"
        )),
    }
}

/// The remedy for one server, where the policy allows it.
fn repair(view: View<'_>, server: &Server, need: Need) -> Option<Plan> {
    if server.wish.is_off() {
        return None;
    }
    let joined = view.record().joined.contains(server.name());
    let reseed = view.policy.auto_reseed && view.can_be_reseeded(server);
    // A replica of this reign keeps acknowledging until others can do it alone.
    let spared = !joined || spared(view, server);
    match need {
        Need::None | Need::Comparison | Need::Fence => None,
        Need::Attach => {
            if view.policy.auto_rejoin {
                rejoin::rejoin(view, server)
            } else {
                None
            }
        }
        Need::Leave => {
            if view.policy.auto_rejoin && spared {
                rejoin::leave(view, server)
            } else {
                None
            }
        }
        Need::Human => {
            let failed = server
                .link()
                .is_some_and(|link| matches!(link.applier, Applier::Failed(_)));
            if failed && joined && spared {
                rejoin::leave(view, server)
            } else {
                None
            }
        }
        Need::Rewind => rejoin::rewind(view, server, None),
        Need::Reseed { errant } => {
            if establish::receives(server) {
                return if spared {
                    rejoin::detach(view, server)
                } else {
                    None
                };
            }
            let rewind = errant.as_ref();
            let rewind = rewind.filter(|errant| rejoin::can_be_rewound(view, server, errant));
            if let Some(errant) = rewind {
                rejoin::rewind(view, server, Some(errant.clone()))
            } else if reseed {
                rejoin::reseed(view, server, errant)
            } else if joined && spared {
                rejoin::leave(view, server)
            } else {
                None
            }
        }
    }
}

/// Whether enough replicas acknowledge without this one.
fn spared(view: View<'_>, server: &Server) -> bool {
    let others = view.topology.others().filter(|other| {
        other.name() != server.name() && view.facts(other).is_some() && view.is_attached(other)
    });
    others.count() >= view.acknowledgements() as usize
}
