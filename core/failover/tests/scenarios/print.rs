//! What the machine does, as lines that people read.

use mainstay_failover::why::Answer;
use mainstay_failover::{Action, Certificate, Effect, Plan, Purpose, StepResult};
use mainstay_topology::{Routes, Target};

use crate::world::short;

pub(crate) fn purpose(purpose: &Purpose) -> String {
    match purpose {
        Purpose::Failover { from } => format!("failover from {from}"),
        Purpose::Switchover { from, to } => format!("switchover from {from} to {to}"),
        Purpose::Establish { primary } => format!("establish {primary}"),
        Purpose::Rejoin { server } => format!("rejoin {server}"),
        Purpose::Rewind { server } => format!("rewind {server}"),
        Purpose::Reseed { server } => format!("reseed {server}"),
        Purpose::Change { .. } => purpose.to_string(),
    }
}

pub(crate) fn plan(plan: &Plan) -> Vec<String> {
    let continues = if plan.continues {
        ", as expected now"
    } else {
        ""
    };
    let mut lines = vec![format!(
        "plan: {}, to epoch {}{continues}",
        purpose(&plan.purpose),
        plan.epoch
    )];
    let steps = plan.steps.iter();
    lines.extend(steps.map(|step| format!("    {}. {}", step.group, short(&step.sentence))));
    lines
}

pub(crate) fn routes(routes: &Routes) -> String {
    let names = |targets: &[Target]| {
        let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
        if names.is_empty() {
            "nobody".to_owned()
        } else {
            names.join(", ")
        }
    };
    let writer = routes.writer.as_ref();
    format!(
        "epoch {}, writer {}{}, readers {}",
        routes.epoch,
        writer.map_or("nobody", |target| target.name.as_str()),
        if routes.hold_writes { " held" } else { "" },
        names(&routes.readers)
    )
}

pub(crate) fn action(action: &Action) -> Vec<String> {
    match action {
        Action::Probe(_) => Vec::new(),
        Action::Begin { operation, plan } => {
            vec![format!("begin {}: {}", operation.0, purpose(&plan.purpose))]
        }
        Action::Run { step, what, .. } => {
            let shown = match &what.effect {
                Effect::Publish { routes: shown } => format!(" [{}]", routes(shown)),
                _ => String::new(),
            };
            vec![format!("    {step}. {}{shown}", short(&what.sentence))]
        }
        Action::Finish {
            operation,
            outcome,
            certificate,
            ..
        } => {
            let outcome = match outcome {
                Ok(()) => "done".to_owned(),
                Err(reason) => format!("FAILED: {}", short(reason)),
            };
            let mut lines = vec![format!("end {}: {outcome}", operation.0)];
            lines.extend(certificate.iter().flat_map(|one| proof(one)));
            lines
        }
        Action::Publish(shown) => vec![format!("publish {}", routes(shown))],
        Action::Refuse(reason) => vec![format!("refuse: {}", short(reason))],
        Action::Enter { phase, reason } => vec![format!("{phase}: {}", short(reason))],
    }
}

fn proof(one: &Certificate) -> Vec<String> {
    let lossless = if one.lossless {
        "nothing lost"
    } else {
        "MAY HAVE LOST"
    };
    let held = one.survivors.iter();
    let held: Vec<String> = held
        .map(|(name, held)| format!("{name} held {}", short(&held.to_string())))
        .collect();
    vec![
        format!(
            "    certificate: {} to {}, epoch {}: {lossless}",
            one.from, one.to, one.epoch
        ),
        format!("    {}; {}", held.join("; "), one.reason),
    ]
}

pub(crate) fn failure(result: &StepResult) -> Option<String> {
    match result {
        StepResult::Done(_) => None,
        StepResult::Failed(reason) => Some(reason.clone()),
        StepResult::TimedOut => Some("out of time".to_owned()),
    }
}

/// A question with its answer, and a line for each condition.
pub(crate) fn answer(answer: &Answer) -> Vec<String> {
    let first = format!("{} {}", answer.question, answer.answer);
    let conditions = answer.conditions.iter().map(|one| {
        let sign = match one.holds {
            Some(true) => "yes",
            Some(false) => "no",
            None => "-",
        };
        format!("    {sign}: {}: {}", one.what, one.value)
    });
    let lines = std::iter::once(first).chain(conditions);
    lines.map(|line| crate::world::short(&line)).collect()
}
