//! Why, and why not: questions, answers, and the conditions they depend on.

use mainstay_failover::why::{Answer, Condition};
use serde::{Deserialize, Serialize};

/// One question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerView {
    /// As in "Is db1, the primary, dead?".
    pub question: String,
    /// As in "no: it answers".
    pub answer: String,
    /// What the answer depends on.
    pub conditions: Vec<ConditionView>,
}

/// What must hold for a yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionView {
    /// As in "it does not answer".
    pub condition: String,
    /// Whether it holds; null when it is not known, or says nothing.
    pub holds: Option<bool>,
    /// What is seen.
    pub value: String,
}

impl From<&Answer> for AnswerView {
    fn from(answer: &Answer) -> Self {
        Self {
            question: answer.question.clone(),
            answer: answer.answer.clone(),
            conditions: answer.conditions.iter().map(ConditionView::from).collect(),
        }
    }
}

impl From<&Condition> for ConditionView {
    fn from(one: &Condition) -> Self {
        Self {
            condition: one.what.clone(),
            holds: one.holds,
            value: one.value.clone(),
        }
    }
}
