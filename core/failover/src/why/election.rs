//! May a failover happen, and who would be promoted?

use mainstay_topology::{Promotion, Server};

use super::needs::reason_aside;
use super::{Answer, Condition};
use crate::elect::{
    Ballot, Survivor, candidate, complete, elect, holds_all, protected, revoked, unfitness,
};
use crate::plan::failover::{ballot, expected};
use crate::shape::is_aside;
use crate::view::View;

/// What the election would be made from, if every server did what it would be asked now.
fn assumed(view: View<'_>) -> Option<Ballot> {
    ballot(view, &expected(view))
}

pub(super) fn allowed(view: View<'_>) -> Option<Answer> {
    let ballot = assumed(view)?;
    let answer = match elect(&ballot) {
        Ok(won) if view.policy.auto_failover => format!("yes, to {}", won.to),
        Ok(won) => format!("only by `mainstay failover`, to {}", won.to),
        Err(reason) => format!("no: {reason}"),
    };
    let automatic = view.policy.auto_failover;
    let fine = |checked: Result<(), String>, text: &str| checked.map(|()| text.to_owned());
    let conditions = vec![
        Condition::new(
            "auto_failover is on",
            Some(automatic),
            automatic.to_string(),
        ),
        Condition::of(
            "no commit was acknowledged by the primary alone",
            fine(
                protected(&ballot),
                "every commit waited for its acknowledgements",
            ),
        ),
        Condition::of(
            "the old primary can acknowledge nothing more",
            revoked(&ballot).map(|()| revocation(&ballot)),
        ),
        Condition::of(
            "every acknowledged transaction is on a server that can be asked",
            fine(
                complete(&ballot),
                "all servers that may hold one would be asked",
            ),
        ),
        Condition::of(
            "somebody holds everything, and may be promoted",
            candidate(&ballot).map(|one| one.name.to_string()),
        ),
    ];
    Some(Answer {
        question: format!("If {} died now, would it be replaced?", ballot.primary),
        answer,
        conditions,
    })
}

fn revocation(ballot: &Ballot) -> String {
    if ballot.ended {
        return "its process would be ended".to_owned();
    }
    format!(
        "{} of {} other servers would receive nothing more from it, and a commit needs {} of them",
        ballot.stopped, ballot.others, ballot.acknowledgements
    )
}

pub(super) fn promoted(view: View<'_>, server: &Server) -> Option<Answer> {
    let name = server.name();
    let question = format!("Would {name} be promoted?");
    let ballot = assumed(view)?;
    let Some(one) = ballot.survivors.iter().find(|one| one.name == *name) else {
        let (what, value) = if is_aside(view, server) {
            ("it takes part in elections", reason_aside(view, server))
        } else {
            let never = "it cannot be asked what it holds, or never was a replica of this reign";
            ("it can be asked", never.to_owned())
        };
        return Some(Answer {
            question,
            answer: format!("no: {value}"),
            conditions: vec![Condition::new(what, Some(false), value)],
        });
    };
    let answer = match (elect(&ballot), unfitness(one)) {
        (Ok(won), _) if won.to == *name => "yes".to_owned(),
        (_, Some(reason)) => format!("no: {reason}"),
        (_, None) if !holds_all(&ballot, one) => "no: others hold more".to_owned(),
        (Ok(won), None) => format!("only if {} were not there", won.to),
        (Err(reason), None) => format!("no: nobody would be: {reason}"),
    };
    Some(Answer {
        question,
        answer,
        conditions: conditions(&ballot, one),
    })
}

fn conditions(ballot: &Ballot, one: &Survivor) -> Vec<Condition> {
    let lacks: Vec<String> = ballot
        .survivors
        .iter()
        .filter_map(|other| {
            let missing = other.held.missing_from(&one.held);
            let said = format!(
                "{} of {}",
                missing.to_string().replace('\n', ""),
                other.name
            );
            (!missing.is_empty()).then_some(said)
        })
        .collect();
    let all = holds_all(ballot, one);
    let lacking = match (lacks.as_slice(), all) {
        ([], true) => "it lacks nothing".to_owned(),
        ([], false) => "it lacks what the reign began with".to_owned(),
        (lacks, true) => format!("it lacks only errant transactions: {}", lacks.join("; ")),
        (lacks, false) => format!("it lacks {}", lacks.join("; ")),
    };
    let errant = one.errant.as_ref().filter(|errant| !errant.is_empty());
    let promotion = match one.promotion {
        Promotion::Prefer => "prefer",
        Promotion::Neutral => "neutral",
        Promotion::PreferNot => "prefer-not",
        Promotion::Never => "never",
    };
    let yes_no = |yes: bool| if yes { "yes" } else { "no" };
    vec![
        Condition::new("it holds everything that others hold", Some(all), lacking),
        Condition::new(
            "it has no transactions of its own",
            Some(errant.is_none()),
            errant.map_or("none".to_owned(), |errant| {
                errant.to_string().replace('\n', "")
            }),
        ),
        Condition::new(
            "it is recorded as a replica of this reign",
            Some(one.joined),
            yes_no(one.joined),
        ),
        Condition::new(
            "its promotion rule allows it",
            Some(one.promotion != Promotion::Never),
            promotion,
        ),
        Condition::new(
            "it is set up so that it can be promoted",
            Some(one.unfit.is_none()),
            one.unfit
                .as_ref()
                .map_or("yes".to_owned(), |why| format!("it {why}")),
        ),
        Condition::new("its applier runs", Some(one.applies), yes_no(one.applies)),
        Condition::new(
            "it has applied what it received before, in time",
            Some(!one.slow),
            format!("{} transactions to apply now", one.unapplied),
        ),
    ]
}
