//! Is the primary dead? A pure judgement, from the primary and its replicas as witnesses.
//!
//! Invariants:
//! - no witness, no death: what only this manager cannot see may be well;
//! - a witness that still hears the primary outweighs everything else;
//! - load is not death: a server that answers with an error is alive.

use mainstay_clock::Timestamp;
use mainstay_topology::{Facts, Outcome, Reachability, Receiver, Server, WriteOutcome};

use crate::bugs::Bug;
use crate::view::View;

/// The judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Not looked at since the world was last changed.
    Unknown,
    /// It answers.
    Well,
    /// It is alive, and does not let the manager in.
    Alive,
    /// It does not answer, and that is not enough.
    Doubtful {
        /// What is seen, and what is missing.
        evidence: String,
    },
    /// It is dead.
    Dead {
        /// The evidence.
        evidence: String,
    },
}

/// Judges the recorded primary.
pub(crate) fn judge(view: View<'_>) -> Verdict {
    let Some(primary) = view.primary() else {
        return Verdict::Unknown;
    };
    if primary.looked_at().is_none_or(|begun| begun < view.settled) {
        return Verdict::Unknown;
    }
    match primary.reachability {
        Reachability::Unknown => Verdict::Unknown,
        Reachability::Reachable => Verdict::Well,
        Reachability::Closed if view.bugs.has(Bug::ClosedIsGone) => Verdict::Dead {
            evidence: "it lets nobody in".to_owned(),
        },
        Reachability::Closed => Verdict::Alive,
        Reachability::Gone | Reachability::Silent => hear_witnesses(view, primary),
    }
}

/// What a witness says.
pub(crate) enum Testimony {
    /// Its last word is older than the primary's silence.
    Pending,
    /// It is connected, and has heard the primary within `silent_after`.
    Hears,
    /// It is connected, and has not heard it for that long.
    HearsNothing,
    /// It is not connected.
    Disconnected,
}

fn hear_witnesses(view: View<'_>, primary: &Server) -> Verdict {
    let witnesses: Vec<&Server> = view
        .reachable_others()
        .filter(|server| {
            let link = view.link_to_primary(server);
            let stopped = !view.bugs.has(Bug::StoppedWitness);
            link.is_some_and(|link| !(stopped && link.receiver == Receiver::Stopped))
        })
        .collect();
    let seen = describe(primary);
    if witnesses.is_empty() {
        let evidence = format!("{seen}; it was confirmed before, and its replicas are stopped");
        return if view.condemned {
            Verdict::Dead { evidence }
        } else {
            Verdict::Doubtful {
                evidence: format!("{seen}; no replica can testify"),
            }
        };
    }
    let patient = silent_for(view, primary) >= view.policy.hang_after;
    let refused = matches!(primary.last, Some((_, Outcome::Refused)));
    for witness in &witnesses {
        let name = witness.name();
        let missing = match testimony(view, primary, witness) {
            Testimony::Pending => format!("{name} is being asked"),
            Testimony::Hears => format!("{name} still hears it"),
            Testimony::HearsNothing if !patient => format!("{name} is still connected to it"),
            Testimony::Disconnected if !patient && !refused => {
                format!("{name} is not connected; waiting a little longer")
            }
            Testimony::HearsNothing | Testimony::Disconnected => continue,
        };
        return Verdict::Doubtful {
            evidence: format!("{seen}; {missing}"),
        };
    }
    let names: Vec<&str> = witnesses
        .iter()
        .map(|server| server.name().as_str())
        .collect();
    Verdict::Dead {
        evidence: format!(
            "{seen}; heard by none of its replicas: {}",
            names.join(", ")
        ),
    }
}

pub(crate) fn testimony(view: View<'_>, primary: &Server, witness: &Server) -> Testimony {
    let since = primary.since.max(view.settled);
    let (Some((begun, _)), Some(link)) = (&witness.facts, witness.link()) else {
        return Testimony::Pending;
    };
    if *begun < since {
        return Testimony::Pending;
    }
    match link.receiver {
        Receiver::Stopped | Receiver::Connecting => Testimony::Disconnected,
        Receiver::Running => {
            let heard = witness.heard_at.unwrap_or(*begun);
            if begun.passed(heard, view.policy.silent_after) {
                Testimony::HearsNothing
            } else {
                Testimony::Hears
            }
        }
    }
}

/// How long the primary has not answered.
pub(crate) fn silent_for(view: View<'_>, primary: &Server) -> std::time::Duration {
    let never = primary.facts.is_none();
    let answered = if never {
        primary.since
    } else {
        primary.facts_ended
    };
    view.now.since(answered)
}

pub(crate) fn describe(primary: &Server) -> &'static str {
    match primary.last.as_ref().map(|(_, outcome)| outcome) {
        Some(Outcome::Refused) => "connections are refused",
        Some(Outcome::Lost) => "the connection was lost",
        Some(Outcome::Silent) => "it accepts connections and does not answer",
        Some(Outcome::NoConnection) => "no connection to its host",
        Some(
            Outcome::Answered(_)
            | Outcome::TooManyConnections
            | Outcome::AccessDenied { .. }
            | Outcome::Failed { .. },
        )
        | None => "it is alive",
    }
}

/// Why writes on a primary that answers do not end, if they do not.
pub(crate) fn blocked_writes(primary: &Server, facts: &Facts, since: Timestamp) -> Option<String> {
    let (at, outcome) = primary.write.as_ref()?;
    let WriteOutcome::Blocked { since: waited } = outcome else {
        return None;
    };
    if *at < since {
        return None;
    }
    let semi_sync = facts.semi_sync;
    let cause = if semi_sync.waiting > 0 && semi_sync.clients == 0 {
        "commits wait for acknowledgements, and no replica is attached"
    } else if semi_sync.waiting > 0 {
        "commits wait for acknowledgements that do not come"
    } else {
        "the server is stalled; look at its disk"
    };
    Some(format!("no answer for {} ms: {cause}", waited.as_millis()))
}
