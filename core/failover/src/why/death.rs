//! Is the primary dead?

use std::time::Duration;

use mainstay_topology::{Reachability, Receiver, Server};

use super::{Answer, Condition};
use crate::verdict::{Testimony, Verdict, describe, judge, silent_for, testimony};
use crate::view::View;

pub(super) fn answer(view: View<'_>, primary: &Server) -> Answer {
    let answer = match judge(view) {
        Verdict::Unknown => "not known: it was not looked at since the last operation".to_owned(),
        Verdict::Well => "no: it answers".to_owned(),
        Verdict::Alive => "no: it is alive, and does not let the manager in".to_owned(),
        Verdict::Doubtful { evidence } => format!("not confirmed: {evidence}"),
        Verdict::Dead { evidence } => format!("yes: {evidence}"),
    };
    let mut conditions = vec![silence(primary), patience(view, primary)];
    conditions.extend(
        view.topology
            .others()
            .map(|one| witness(view, primary, one)),
    );
    Answer {
        question: format!("Is {}, the primary, dead?", primary.name()),
        answer,
        conditions,
    }
}

fn silence(primary: &Server) -> Condition {
    let holds = match primary.reachability {
        Reachability::Gone | Reachability::Silent => Some(true),
        Reachability::Reachable | Reachability::Closed => Some(false),
        Reachability::Unknown => None,
    };
    let value = match primary.reachability {
        Reachability::Reachable => "it answers",
        Reachability::Unknown => "it was not looked at yet",
        Reachability::Gone | Reachability::Silent | Reachability::Closed => describe(primary),
    };
    Condition::new("it does not answer", holds, value)
}

fn patience(view: View<'_>, primary: &Server) -> Condition {
    let answers = primary.reachability == Reachability::Reachable;
    let silent = if answers {
        Duration::ZERO
    } else {
        silent_for(view, primary)
    };
    let limit = view.policy.hang_after;
    let value = format!(
        "{} ms; a server whose process has ended is not waited for",
        silent.as_millis()
    );
    Condition::new(
        format!("it is silent for {} ms (hang_after)", limit.as_millis()),
        Some(silent >= limit),
        value,
    )
}

fn witness(view: View<'_>, primary: &Server, server: &Server) -> Condition {
    let name = server.name();
    let what = format!("{name}, a replica of it, hears nothing of it either");
    let receives = view
        .link_to_primary(server)
        .is_some_and(|link| link.receiver != Receiver::Stopped);
    if !receives || server.reachability != Reachability::Reachable {
        let value = "it is no witness: it does not receive from the primary, or cannot be asked";
        return Condition::new(what, None, value);
    }
    let age = |at| view.now.since(at).as_millis();
    let heard = server.heard_at.map(|at| format!("{} ms ago", age(at)));
    let heard = heard.unwrap_or_else(|| "never since it was first asked".to_owned());
    let limit = view.policy.silent_after.as_millis();
    let (holds, value) = match testimony(view, primary, server) {
        Testimony::Pending => (None, "it is being asked".to_owned()),
        Testimony::Hears => (Some(false), format!("it heard the primary {heard}")),
        Testimony::HearsNothing => (
            Some(true),
            format!("it heard the primary {heard}, more than {limit} ms"),
        ),
        Testimony::Disconnected => (
            Some(true),
            "its connection to the primary is lost".to_owned(),
        ),
    };
    Condition::new(what, holds, value)
}
