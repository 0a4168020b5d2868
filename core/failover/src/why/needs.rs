//! What does a server other than the primary need, and why is it not done?

use mainstay_topology::{Applier, Reachability, Receiver, Server};

use super::{Answer, Condition};
use crate::plan::rejoin::{Need, need};
use crate::view::View;

pub(super) fn answer(view: View<'_>, server: &Server) -> Answer {
    let need = need(view, server);
    let answers = server.reachability == Reachability::Reachable;
    let policy = view.policy;
    let answer = match &need {
        Need::None if !answers => "not known: it does not answer".to_owned(),
        Need::None => "nothing".to_owned(),
        Need::Comparison => "a look at the primary, to be compared with".to_owned(),
        Need::Fence => "to be fenced: it may acknowledge writes".to_owned(),
        Need::Attach if policy.auto_rejoin => "to be attached to the primary".to_owned(),
        Need::Attach => "to be attached, which auto_rejoin does not allow".to_owned(),
        Need::Reseed { .. } if policy.auto_reseed && view.can_be_reseeded(server) => {
            "new data, from a donor".to_owned()
        }
        Need::Reseed { .. } if view.can_be_reseeded(server) => {
            "new data, which auto_reseed does not allow".to_owned()
        }
        Need::Reseed { .. } => "new data, for which there is no means on its host".to_owned(),
        Need::Human => "a human: only you can tell which data are right".to_owned(),
    };
    let mut conditions = vec![Condition::new(
        "it answers",
        Some(answers),
        if answers { "yes" } else { "no" },
    )];
    conditions.extend(link(view, server));
    if let Some((_, errant)) = &server.errant {
        let text = errant.foreign.to_string().replace('\n', "");
        let clean = errant.foreign.is_empty();
        let value = if clean { "nothing".to_owned() } else { text };
        let what = "it has nothing that the primary lacks";
        conditions.push(Condition::new(what, Some(clean), value));
    }
    let recorded = view.record().joined.contains(server.name());
    let value = if recorded { "yes" } else { "no" };
    let what = "it is recorded as a replica of this reign";
    conditions.push(Condition::new(what, Some(recorded), value));
    Answer {
        question: format!("What does {} need?", server.name()),
        answer,
        conditions,
    }
}

fn link(view: View<'_>, server: &Server) -> Vec<Condition> {
    let Some(link) = server.link() else {
        let value = "it replicates from nobody";
        return vec![Condition::new(
            "it replicates from the primary",
            Some(false),
            value,
        )];
    };
    let from_primary = view.link_to_primary(server).is_some();
    let receiver = match link.receiver {
        Receiver::Running => "runs".to_owned(),
        Receiver::Connecting => format!("is connecting (error {})", link.receiver_error),
        Receiver::Stopped => format!("is stopped (error {})", link.receiver_error),
    };
    let applier = match link.applier {
        Applier::Running => "runs".to_owned(),
        Applier::Stopped => "is stopped".to_owned(),
        Applier::Failed(code) => format!("has failed with error {code}"),
    };
    vec![
        Condition::new(
            "it replicates from the primary",
            Some(from_primary),
            format!("from {}", link.source),
        ),
        Condition::new(
            "its receiver runs",
            Some(link.receiver == Receiver::Running),
            receiver,
        ),
        Condition::new(
            "its applier runs",
            Some(link.applier == Applier::Running),
            applier,
        ),
    ]
}
