//! What does a server other than the primary need, and why is it not done?

use mainstay_topology::{Applier, Reachability, Receiver, Server};

use super::{Answer, Condition};
use crate::plan::rejoin::{Need, can_be_rewound, need};
use crate::shape::{acknowledges, declared, source_of, unfitness};
use crate::view::View;

pub(super) fn answer(view: View<'_>, server: &Server) -> Answer {
    let need = need(view, server);
    let answers = server.reachability == Reachability::Reachable;
    let policy = view.policy;
    let off = server.wish.why_off();
    let answer = match &need {
        _ if off.is_some() && need != Need::Fence => {
            format!("it is left alone: it {}", off.unwrap_or_default())
        }
        Need::None if !answers => "not known: it does not answer".to_owned(),
        Need::None => "nothing".to_owned(),
        Need::Comparison => "a look at the primary, to be compared with".to_owned(),
        Need::Fence => "to be fenced: it may acknowledge writes".to_owned(),
        Need::Attach if policy.auto_rejoin => {
            let source = source_of(view, server)
                .filter(|own| Some(own.name()) != view.record().primary.as_ref());
            let source = source.map_or("the primary", |own| own.name().as_str());
            format!("to be attached to {source}")
        }
        Need::Attach => "to be attached, which auto_rejoin does not allow".to_owned(),
        Need::Leave => "to acknowledge no more, once others do without it".to_owned(),
        Need::Rewind => "the end of its rewinding, which was cut off".to_owned(),
        Need::Reseed {
            errant: Some(errant),
        } if can_be_rewound(view, server, errant) => {
            "what only it has to be saved and undone".to_owned()
        }
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
    if let Some(reason) = view.stubborn.get(server.name()) {
        let what = "what only it has can be undone";
        conditions.push(Condition::new(what, Some(false), reason.clone()));
    }
    let aside = !acknowledges(view, server);
    if aside {
        let what = "it acknowledges commits of the primary";
        let value = format!("no: {}", reason_aside(view, server));
        conditions.push(Condition::new(what, None, value));
    }
    let recorded = view.record().joined.contains(server.name());
    let value = if recorded { "yes" } else { "no" };
    let what = "it is recorded as a replica of this reign";
    let needed = (!aside).then_some(recorded);
    conditions.push(Condition::new(what, needed, value));
    Answer {
        question: format!("What does {} need?", server.name()),
        answer,
        conditions,
    }
}

/// Why a server does not acknowledge.
pub(super) fn reason_aside(view: View<'_>, server: &Server) -> String {
    let own = declared(view, server);
    let own = own.filter(|own| Some(own.name()) != view.record().primary.as_ref());
    match (own, unfitness(view, server)) {
        (_, Some(reason)) => format!("it {reason}"),
        (Some(own), None) => format!("it follows {}, as configured", own.name()),
        (None, None) => "it is configured not to".to_owned(),
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
    let own = source_of(view, server);
    let from_own = own.is_some_and(|own| own.member.address == link.source);
    let what = match own.filter(|own| Some(own.name()) != view.record().primary.as_ref()) {
        Some(own) => format!("it replicates from {}, its configured source", own.name()),
        None => "it replicates from the primary".to_owned(),
    };
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
        Condition::new(what, Some(from_own), format!("from {}", link.source)),
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
