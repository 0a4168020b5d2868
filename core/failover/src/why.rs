//! Why, and why not: each decision with every condition it depends on, and the value of each now.
//!
//! Nothing is decided here: the conditions are those of [`crate::verdict`], [`crate::elect`] and
//! the needs of servers, asked one by one instead of up to the first that fails.

mod death;
mod election;
mod needs;

use mainstay_topology::ServerName;

use crate::decide::{Decision, decide};
use crate::machine::Manager;
use crate::pause;
use crate::verdict::judge;
use crate::view::View;

/// One question about the cluster, and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// As in "Is db1, the primary, dead?".
    pub question: String,
    /// As in "no: it answers".
    pub answer: String,
    /// What the answer depends on.
    pub conditions: Vec<Condition>,
}

/// What must hold for a yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// As in "it does not answer".
    pub what: String,
    /// What is seen.
    pub value: String,
    /// Whether it holds; `None` when it is not known, or says nothing.
    pub holds: Option<bool>,
}

impl Condition {
    pub(crate) fn new(
        what: impl Into<String>,
        holds: Option<bool>,
        value: impl Into<String>,
    ) -> Self {
        Self {
            what: what.into(),
            value: value.into(),
            holds,
        }
    }

    /// From a check that gives its reason when it fails.
    pub(crate) fn of(what: &str, checked: Result<String, String>) -> Self {
        let holds = Some(checked.is_ok());
        Self::new(what, holds, checked.unwrap_or_else(|reason| reason))
    }
}

impl Manager {
    /// All questions, or those about one server.
    pub fn why(&self, about: Option<&ServerName>) -> Vec<Answer> {
        let view = self.view();
        let asked = |name: &ServerName| about.is_none_or(|about| about == name);
        let mut answers = vec![self.doing(view)];
        if let Some(primary) = view.primary()
            && asked(primary.name())
        {
            answers.push(death::answer(view, primary));
            answers.extend(election::allowed(view));
        }
        for server in view.topology.others().filter(|one| asked(one.name())) {
            answers.extend(election::promoted(view, server));
            answers.push(needs::answer(view, server));
        }
        answers
    }

    fn doing(&self, view: View<'_>) -> Answer {
        let answer = match (self.operation(), decide(view, &judge(view))) {
            (Some(operation), _) => {
                format!("it runs operation {}", operation.id.0)
            }
            (None, Decision::Rest) => "nothing: nothing is needed that it may do".to_owned(),
            (None, Decision::Suspect(evidence)) => format!("it looks closer: {evidence}"),
            (None, Decision::Stuck(reason)) => format!("it cannot go on: {reason}"),
            (None, Decision::Begin(plans)) => {
                let sentences = plans.iter().filter_map(|plan| plan.steps.first());
                let first: Vec<_> = sentences.map(|step| step.sentence.as_str()).collect();
                format!(
                    "it begins, unless it has just failed at it: {}",
                    first.join(" ")
                )
            }
        };
        let mut conditions = vec![Condition::new("phase", None, self.phase().to_string())];
        for finding in pause::findings(view) {
            let what = "nothing holds automatic operations back";
            conditions.push(Condition::new(
                what,
                Some(false),
                finding.problem.to_string(),
            ));
        }
        Answer {
            question: "What is the manager doing?".to_owned(),
            answer,
            conditions,
        }
    }
}
