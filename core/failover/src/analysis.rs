//! All that is not as it should be, found in the picture. Cannot fail, decides nothing.

use mainstay_gtid::Difference;
use mainstay_topology::{Applier, Errant, Facts, Outcome, Promotion, Receiver, Server};

use crate::elect::elect;
use crate::finding::{Finding, Misfit, Problem};
use crate::pause;
use crate::plan::establish::missing;
use crate::plan::failover::{ballot, expected, unconfigured};
use crate::plan::first::same_identities;
use crate::plan::rejoin::{Need, can_be_rewound, need};
use crate::ring;
use crate::shape::{able, acknowledges, declared, is_right_behind, late, source_of, unfitness};
use crate::verdict::{Verdict, blocked_writes, judge};
use crate::view::{View, may_acknowledge};

/// Everything found, servers in the order of their names, the cluster last.
pub(crate) fn findings(view: View<'_>, verdict: &Verdict) -> Vec<Finding> {
    let mut found = Vec::new();
    let primary = view.record().primary.as_ref();
    for server in view.topology.servers.values() {
        if server.wish.is_off() {
            // Whoever takes a server out knows what is wrong with it; two writers are never fine.
            let writes = view.facts(server).is_some_and(may_acknowledge);
            let problem = Problem::MayAcknowledge;
            found.extend(writes.then(|| Finding::of_server(server.name(), problem)));
            continue;
        }
        found.extend(unreachable(server));
        if primary == Some(server.name()) {
            of_primary(view, server, verdict, &mut found);
        } else if let Some(facts) = view.facts(server) {
            of_other(view, server, facts, &mut found);
        }
    }
    let strangers = unconfigured(view);
    found.extend(
        strangers
            .iter()
            .map(|name| Finding::of_server(name, Problem::NotConfigured)),
    );
    found.extend(same_identities(view));
    let of_pair = ring::misfits(view).into_iter();
    found.extend(of_pair.map(|misfit| Finding::of_cluster(Problem::Shape(misfit))));
    found.extend(acknowledgers(view));
    found.extend(defenceless(view, verdict));
    found.extend(pause::findings(view));
    found
}

/// Why the primary's death would not be followed by a failover, as things stand: a replica that
/// cannot be asked forbids one however long it has been away.
fn defenceless(view: View<'_>, verdict: &Verdict) -> Option<Finding> {
    let settled = view.primary_facts().is_some() && *verdict == Verdict::Well;
    if !settled || !view.is_lossless() || view.record().joined.is_empty() {
        return None;
    }
    let seen = |server: &Server| {
        server
            .looked_at()
            .is_some_and(|begun| begun >= view.settled)
    };
    let ballot = ballot(view, &expected(view)).filter(|_| view.topology.others().all(seen))?;
    let reason = elect(&ballot).err()?;
    Some(Finding::of_cluster(Problem::CannotFailOver { reason }))
}

/// Why a server does not answer the manager.
fn unreachable(server: &Server) -> Option<Finding> {
    let (_, outcome) = server.last.as_ref()?;
    let problem = match outcome {
        Outcome::Answered(_) => return None,
        Outcome::Refused | Outcome::Lost => Problem::Gone,
        Outcome::Silent | Outcome::NoConnection => Problem::Silent,
        Outcome::TooManyConnections => Problem::TooManyConnections,
        Outcome::AccessDenied { code } => Problem::AccessDenied { code: *code },
        Outcome::Failed { code, message } => Problem::AnswersWithError {
            code: *code,
            message: message.clone(),
        },
    };
    Some(Finding::of_server(server.name(), problem))
}

fn of_primary(view: View<'_>, server: &Server, verdict: &Verdict, found: &mut Vec<Finding>) {
    let problem = match verdict {
        Verdict::Unknown | Verdict::Alive => None,
        Verdict::Doubtful { evidence } => Some(Problem::PrimaryDoubtful {
            evidence: evidence.clone(),
        }),
        Verdict::Dead { evidence } => Some(Problem::PrimaryDead {
            evidence: evidence.clone(),
        }),
        Verdict::Well => {
            let blocked = server
                .answered()
                .and_then(|facts| blocked_writes(server, facts, view.settled))
                .map(|evidence| Problem::WritesBlocked { evidence });
            let missing = missing(view).map(|missing| Problem::NotServing { missing });
            let lost =
                lost_data(view).map(|transactions| Problem::PrimaryLostData { transactions });
            found.extend(
                [blocked, missing, lost]
                    .into_iter()
                    .flatten()
                    .map(|problem| Finding::of_server(server.name(), problem)),
            );
            None
        }
    };
    found.extend(problem.map(|problem| Finding::of_server(server.name(), problem)));
}

/// What the primary should hold and does not: what its reign began with, or, while it does not
/// serve, what it has written itself and a replica was once seen to hold. A server that serves may
/// have commits on replicas that are not its own yet; one that was restarted may not.
pub(crate) fn lost_data(view: View<'_>) -> Option<String> {
    let primary = view.primary()?;
    let facts = view.primary_facts()?;
    let begun = primary.looked_at()?;
    let doubtful = view.doubtful.and_then(|record| record.baseline.as_ref());
    let begun_with = [view.record().baseline.as_ref(), doubtful];
    let of_baseline = begun_with
        .into_iter()
        .flatten()
        .map(|baseline| baseline.missing_from(facts.held()));
    let idle = facts.read_only && facts.semi_sync.waiting == 0;
    let of_replicas = view
        .topology
        .others()
        .filter(|server| idle && view.record().joined.contains(server.name()))
        .filter_map(|server| {
            // While it is idle a later look says the same, and none may leave a gap.
            let look = server.snapshot_at(begun).or_else(|| server.before.clone());
            Some((server.facts()?, look.or_else(|| server.snapshot())?))
        })
        .map(|(replica, look)| lost_by_primary(&Errant::between(&look.held, facts), replica));
    of_baseline
        .chain(of_replicas)
        .find(|lost| !lost.is_empty())
        .map(|lost| lost.to_string().replace('\n', ""))
}

/// Of what a replica of this reign has more than the primary, what the primary must have had: what
/// it wrote itself, and what reached the replica from a source. An empty machine in the primary's
/// place has another identity, and wrote nothing.
pub(crate) fn lost_by_primary(errant: &Errant, replica: &Facts) -> Difference {
    if errant.of_primary.is_empty() {
        errant.received_by(replica)
    } else {
        errant.of_primary.clone()
    }
}

fn of_other(view: View<'_>, server: &Server, facts: &Facts, found: &mut Vec<Finding>) {
    if view.record().primary.is_none() {
        return;
    }
    let name = server.name();
    if may_acknowledge(facts) {
        found.push(Finding::of_server(name, Problem::MayAcknowledge));
    }
    found.extend(
        of_shape(view, server, facts)
            .map(|misfit| Finding::of_server(name, Problem::Shape(misfit))),
    );
    found.extend(of_link(view, server, facts).map(|problem| Finding::of_link(name, problem)));
    if server.forgot.is_some() && view.record().joined.contains(name) {
        found.push(Finding::of_server(name, Problem::Restarted));
    }
    if !matches!(judge(view), Verdict::Well | Verdict::Unknown) {
        return;
    }
    let errant = |errant: &Difference| {
        let problem = Problem::Errant {
            transactions: errant.to_string().replace('\n', ""),
            remedy: remedy(view, server, errant),
        };
        Finding::of_server(name, problem)
    };
    match need(view, server) {
        Need::Reseed {
            errant: Some(transactions),
        } => found.push(errant(&transactions)),
        // Known until it is looked at afresh.
        Need::Comparison => {
            let known = server.errant.as_ref().map(|(_, errant)| errant);
            let known = known.filter(|known| !known.is_clean() && known.of_primary.is_empty());
            found.extend(known.map(|known| errant(&known.foreign)));
        }
        Need::Human => {
            let lost = view
                .errant(server)
                .map(|errant| lost_by_primary(errant, facts))
                .filter(|lost| !lost.is_empty());
            if let (Some(lost), Some(primary)) = (lost, view.primary()) {
                let transactions = lost.to_string().replace('\n', "");
                let problem = Problem::PrimaryLostData { transactions };
                found.push(Finding::of_server(primary.name(), problem));
            }
        }
        Need::Rewind => found.push(Finding::of_server(name, Problem::Rewinding)),
        Need::Reseed { errant: None } | Need::None | Need::Fence | Need::Attach | Need::Leave => {}
    }
}

/// How a server is set up or takes part otherwise than it should.
fn of_shape(view: View<'_>, server: &Server, facts: &Facts) -> impl Iterator<Item = Misfit> {
    let part = &server.member.part;
    let expected = part.delay.is_some() || part.has_other_sources() || part.acknowledges.is_some();
    let unfit = unfitness(view, server)
        .filter(|_| !expected && server.member.promotion != Promotion::Never)
        .map(|reason| Misfit::Unfit { reason });
    let unwanted = facts.semi_sync.replica_enabled
        && view.link_to_primary(server).is_some()
        && view.is_lossless()
        && !acknowledges(view, server);
    let delayed = !is_right_behind(server);
    let delayed = delayed.then_some(Misfit::Delay {
        seconds: facts.setup.delay.as_secs(),
    });
    let own = declared(view, server).filter(|own| {
        let primary = view.record().primary.as_ref();
        let followed = source_of(view, server).map(Server::name);
        Some(own.name()) != primary && followed != Some(own.name())
    });
    let away = own.map(|own| Misfit::SourceAway {
        source: own.name().clone(),
    });
    let unwanted = unwanted.then_some(Misfit::Acknowledges);
    [unfit, unwanted, delayed, away].into_iter().flatten()
}

/// Whether enough servers may acknowledge that could be promoted: from the others nobody could take
/// over what they alone hold.
fn acknowledgers(view: View<'_>) -> Option<Finding> {
    let wanted = view.acknowledgements();
    let able: Vec<_> = able(view).map(|server| server.name().clone()).collect();
    let primary = view.primary().is_some();
    let short = primary && able.len() < wanted as usize;
    let too_few = Misfit::TooFew { wanted, able };
    (short && view.topology.servers.len() > 1).then(|| Finding::of_cluster(Problem::Shape(too_few)))
}

fn remedy(view: View<'_>, server: &Server, errant: &Difference) -> String {
    if can_be_rewound(view, server, errant) {
        return "they are saved to a file, then undone".to_owned();
    }
    let remedy = if view.policy.auto_reseed && view.can_be_reseeded(server) {
        "they are saved to a file, then its data are replaced"
    } else if view.can_be_reseeded(server) {
        "save them and reseed the server, or allow auto_reseed"
    } else {
        "save them and reseed the server"
    };
    match view.stubborn.get(server.name()) {
        Some(reason) => format!("they cannot be undone ({reason}); {remedy}"),
        None => remedy.to_owned(),
    }
}

fn of_link(view: View<'_>, server: &Server, facts: &Facts) -> Option<Problem> {
    let Some(link) = &facts.link else {
        return Some(Problem::Detached);
    };
    if let Applier::Failed(code) = link.applier {
        return Some(Problem::ApplierFailed { code });
    }
    let own = source_of(view, server)?;
    if own.member.address != link.source {
        let primary = view.record().primary.as_ref() == Some(own.name());
        return Some(Problem::WrongSource {
            source: link.source.clone(),
            own: (!primary).then(|| own.name().clone()),
        });
    }
    if link.receiver == Receiver::Stopped && matches!(link.receiver_error, 13_114 | 1236) {
        return Some(Problem::NeededLogsPurged {
            code: link.receiver_error,
        });
    }
    if link.receiver == Receiver::Stopped || link.applier == Applier::Stopped {
        return Some(Problem::Stopped);
    }
    if acknowledges(view, server) && !view.record().joined.contains(server.name()) {
        return Some(Problem::NotRecorded);
    }
    let lag = late(server).filter(|lag| *lag > view.policy.reader_lag_max)?;
    Some(Problem::Lagging {
        lag_ms: u64::try_from(lag.as_millis()).unwrap_or(u64::MAX),
    })
}
