//! A plan as it would be run now.

use mainstay_failover::{Effect, OnFailure, Plan, Purpose, Step};
use serde::{Deserialize, Serialize};

use super::ConditionView;

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanView {
    /// Its name for `mainstay apply`; the same as long as nothing it relies on changes.
    #[serde(default)]
    pub id: String,
    /// Why.
    pub purpose: String,
    /// The reign in which it ends.
    pub epoch: u64,
    /// True when the last steps depend on what earlier ones find, and are shown as expected.
    pub continues: bool,
    /// Its steps, in order.
    pub steps: Vec<PlanStepView>,
    /// What the servers were asked about it; what does not hold forbids it.
    #[serde(default)]
    pub checks: Vec<ConditionView>,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanStepView {
    /// Its number, from 1.
    pub number: usize,
    /// Steps of one group run at the same time.
    pub group: u32,
    /// The server it runs on, if it runs on one.
    pub server: Option<String>,
    /// What must hold before.
    pub precondition: String,
    /// What it does and why.
    pub sentence: String,
    /// Its SQL, secrets left out.
    pub sql: Vec<String>,
    /// How long it may take.
    pub limit_ms: u64,
    /// What follows when it fails.
    pub on_failure: String,
    /// What takes it back, while that is still allowed.
    #[serde(default)]
    pub undo: Option<String>,
    /// The SQL of that.
    #[serde(default)]
    pub undo_sql: Vec<String>,
}

impl From<&Plan> for PlanView {
    fn from(plan: &Plan) -> Self {
        let steps = plan.steps.iter().enumerate();
        Self {
            id: String::new(),
            purpose: purpose(&plan.purpose),
            epoch: plan.epoch.0,
            continues: plan.continues,
            steps: steps.map(|(index, step)| view(index + 1, step)).collect(),
            checks: Vec::new(),
        }
    }
}

/// Why a plan exists, as a phrase.
pub fn purpose(purpose: &Purpose) -> String {
    purpose.to_string()
}

fn view(number: usize, step: &Step) -> PlanStepView {
    PlanStepView {
        number,
        group: step.group,
        server: step.place.as_ref().map(|place| place.name.to_string()),
        precondition: step.precondition.clone(),
        sentence: step.sentence.clone(),
        sql: step.sql.clone(),
        limit_ms: u64::try_from(step.limit.as_millis()).unwrap_or(u64::MAX),
        on_failure: match step.on_failure {
            OnFailure::Undo => "undo what was done",
            OnFailure::Continue => "go on without it",
            OnFailure::Replan => "look again and make a new plan",
        }
        .to_owned(),
        undo: step.undo.as_ref().map(Effect::sentence),
        undo_sql: step.undo_sql(),
    }
}
