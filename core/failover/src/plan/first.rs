//! The first start: no reign has begun; whose data are the cluster's?

use mainstay_topology::{Errant, Facts, Record, Server};

use super::Draft;
use super::establish::{Reign, prepare, serve};
use crate::effect::Effect;
use crate::finding::{Finding, Problem};
use crate::shape::{belongs_to, unfitness};
use crate::step::{OnFailure, Plan, Purpose};
use crate::view::View;

/// The plan of the first reign, or why it cannot begin yet.
pub(crate) fn plan(view: View<'_>) -> Result<Plan, String> {
    let mut seen = Vec::new();
    let mut missing = Vec::new();
    for server in view.topology.servers.values() {
        match view.facts(server) {
            Some(facts) => seen.push((server, facts)),
            None => missing.push(server.name().as_str()),
        }
    }
    if !missing.is_empty() {
        return Err(format!(
            "before the first start every server must answer; waiting for {}",
            missing.join(", ")
        ));
    }
    if let Some(same) = same_identities(view).first() {
        return Err(same.to_string());
    }
    let (primary, facts) = whose_data(view, &seen)?;
    if facts.positions.is_some() && facts.link.is_some() {
        let name = primary.name();
        return Err(format!(
            "{name} would be the primary and has a source; without GTIDs nobody can tell what is \
             in its own log: make one server writable and without a source first"
        ));
    }
    Ok(begin(view, primary))
}

/// Servers that cannot replicate from each other, because they claim to be one.
pub(crate) fn same_identities(view: View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let answered: Vec<(&Server, &Facts)> = view
        .topology
        .servers
        .values()
        .filter_map(|server| Some((server, server.answered()?)))
        .collect();
    for (index, (server, facts)) in answered.iter().enumerate() {
        for (other, theirs) in &answered[..index] {
            let uuid = facts.server_uuid.as_ref();
            let shared = if facts.server_id == theirs.server_id {
                format!("server_id {}", facts.server_id)
            } else if let Some(uuid) = uuid.filter(|_| theirs.server_uuid.as_ref() == uuid) {
                format!("server_uuid {uuid}")
            } else {
                continue;
            };
            let problem = Problem::SameIdentity {
                other: other.name().clone(),
                shared,
            };
            findings.push(Finding::of_server(server.name(), problem));
        }
    }
    findings
}

/// Whether a server shares its identity with another.
pub(crate) fn has_twin(view: View<'_>, server: &Server) -> bool {
    let Some(own) = server.answered() else {
        return false;
    };
    view.topology.servers.values().any(|other| {
        other.name() != server.name()
            && other.answered().is_some_and(|theirs| {
                own.server_id == theirs.server_id
                    || (own.server_uuid.is_some() && own.server_uuid == theirs.server_uuid)
            })
    })
}

type Seen<'a> = (&'a Server, &'a Facts);

/// The server that lacks nothing which another has; of several the one that could be promoted, then
/// the one that is writable, then by promotion and name.
fn whose_data<'a>(view: View<'_>, seen: &[Seen<'a>]) -> Result<Seen<'a>, String> {
    let has_all = |(_, facts): &&Seen<'a>| {
        let clean = |(_, other): &Seen<'a>| Errant::between(&other.executed, facts).is_clean();
        seen.iter().all(clean)
    };
    let all = seen.iter().filter(|(_, facts)| !facts.rewinding);
    let mut complete: Vec<&Seen<'a>> = all.filter(has_all).collect();
    complete.sort_by_key(|(server, facts)| {
        let replicates = facts.link.is_some();
        (
            unfitness(view, server).is_some() || server.member.part.source.is_some(),
            facts.read_only,
            replicates,
            server.member.promotion,
            server.name().clone(),
        )
    });
    if let Some(first) = complete.first() {
        return Ok(**first);
    }
    let writable: Vec<&str> = seen
        .iter()
        .filter(|(_, facts)| !facts.read_only)
        .map(|(server, _)| server.name().as_str())
        .collect();
    Err(format!(
        "no server has all the data, so none can be chosen (writable: {}); \
         keep the data of one and empty the others",
        writable.join(", ")
    ))
}

fn begin(view: View<'_>, primary: &Server) -> Plan {
    let able = |server: &Server| unfitness(view, server).is_none();
    let others = view.topology.servers.values();
    let others = others.filter(|server| server.name() != primary.name());
    let enough = others.filter(|server| able(server) && belongs_to(server, primary.name()));
    let enough = enough.count() >= view.acknowledgements() as usize;
    let joins = |server: &Server| {
        let wanted = server.member.part.acknowledges;
        wanted.unwrap_or(able(server) || !enough)
    };
    let replicas = || {
        let all = view.topology.servers.values();
        all.filter(|server| {
            server.name() != primary.name()
                && belongs_to(server, primary.name())
                && joins(server)
                && !server.facts().is_some_and(|facts| facts.rewinding)
        })
    };
    let record = Record {
        epoch: view.next_epoch(),
        primary: Some(primary.name().clone()),
        joined: replicas().map(|server| server.name().clone()).collect(),
        baseline: primary.facts().map(|facts| facts.executed.clone()),
        began_at: primary.facts().and_then(Facts::own_log),
        acknowledgements: view.promised(primary.facts()),
    };
    let reign = Reign {
        primary,
        attach: replicas().collect(),
        attached: Vec::new(),
        must_hold: None,
        elected: false,
    };
    let mut draft = Draft::new(view);
    prepare(&mut draft, view, &reign);
    draft.next(Effect::Record { record }, OnFailure::Replan);
    serve(&mut draft, view, &reign);
    let purpose = Purpose::Establish {
        primary: primary.name().clone(),
    };
    draft.finish(purpose, view.next_epoch())
}
