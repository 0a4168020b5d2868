//! `mainstay why`: each decision of the manager with every condition it depends on.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use mainstay_dashboard::views::{AnswerView, ConditionView};

use crate::api::{Api, escape};
use crate::args::ClusterArgs;
use crate::output::{emit, table};

/// `mainstay why`.
#[derive(Debug, Clone, Args)]
pub(crate) struct WhyArgs {
    /// Only what concerns this server.
    #[arg(value_name = "SERVER")]
    pub(crate) server: Option<String>,
    /// Print a JSON array.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

pub(crate) fn run(args: &WhyArgs) -> Result<ExitCode> {
    let path = match &args.server {
        None => "/api/v1/why".to_owned(),
        Some(server) => format!("/api/v1/why?server={}", escape(server)),
    };
    let answers: Vec<AnswerView> = Api::find(&args.cluster)?.get(&path)?;
    if args.json {
        emit(&format!("{}\n", serde_json::to_string_pretty(&answers)?));
    } else {
        emit(&text_of(&answers));
    }
    Ok(ExitCode::SUCCESS)
}

fn text_of(answers: &[AnswerView]) -> String {
    let paragraphs: Vec<String> = answers.iter().map(paragraph).collect();
    paragraphs.join("\n")
}

fn paragraph(answer: &AnswerView) -> String {
    let rows: Vec<Vec<String>> = answer.conditions.iter().map(row).collect();
    format!("{} {}\n{}", answer.question, answer.answer, table(&rows))
}

/// A sign for each condition; a terminal without these letters is not known of servers today.
pub(crate) fn row(one: &ConditionView) -> Vec<String> {
    let sign = match one.holds {
        Some(true) => "✓",
        Some(false) => "✗",
        None => "·",
    };
    vec![format!("  {sign} {}", one.condition), one.value.clone()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_stand_below_their_question() {
        let condition = |what: &str, holds| ConditionView {
            condition: what.to_owned(),
            holds,
            value: "seen".to_owned(),
        };
        let answers = [AnswerView {
            question: "Is db1, the primary, dead?".to_owned(),
            answer: "no: it answers".to_owned(),
            conditions: vec![
                condition("it does not answer", Some(false)),
                condition("long", Some(true)),
                condition("phase", None),
            ],
        }];
        let text = "Is db1, the primary, dead? no: it answers\n  ✗ it does not answer  seen\n  \
                    ✓ long                seen\n  · phase               seen\n";
        assert_eq!(text_of(&answers), text);
    }
}
