//! `mainstay plan`: what would be done, and the SQL it would be done with.

use std::process::ExitCode;

use anyhow::Result;
use mainstay_dashboard::views::{PlanStepView, PlanView};

use crate::api::{Api, escape};
use crate::args::{AllowedArgs, PlanArgs, PlanWhat};
use crate::change;
use crate::output::{emit, table};
use crate::why::row;

pub(crate) fn run(args: &PlanArgs) -> Result<ExitCode> {
    if let PlanWhat::Change(command) = &args.what {
        return change::show(command);
    }
    let (cluster, path, json) = match &args.what {
        PlanWhat::Change(_) => unreachable!("shown above"),
        PlanWhat::Failover { cluster, json } => {
            (cluster, "/api/v1/plan/failover".to_owned(), *json)
        }
        PlanWhat::Switchover {
            cluster,
            to,
            allowed,
            json,
        } => (cluster, switchover(to.as_deref(), *allowed), *json),
    };
    let plan: PlanView = Api::find(cluster)?.get(&path)?;
    if json {
        emit(&format!("{}\n", serde_json::to_string_pretty(&plan)?));
    } else {
        emit(&text_of(&plan));
    }
    Ok(ExitCode::SUCCESS)
}

fn switchover(to: Option<&str>, allowed: AllowedArgs) -> String {
    let AllowedArgs {
        end_transactions,
        allow_newer,
    } = allowed;
    let to = to.map_or_else(String::new, |to| format!("&to={}", escape(to)));
    format!(
        "/api/v1/plan/switchover?end_transactions={end_transactions}&allow_newer={allow_newer}{to}"
    )
}

pub(crate) fn text_of(plan: &PlanView) -> String {
    let mut text = format!(
        "Plan {}: {}, ending in epoch {}\n",
        plan.id, plan.purpose, plan.epoch
    );
    let mut group = None;
    for step in &plan.steps {
        let together = group == Some(step.group);
        group = Some(step.group);
        text.push_str(&text_of_step(step, together));
    }
    if plan.continues {
        text.push_str(
            "\nThe election is made from what the replicas are found to hold then; \
             the steps after it are those expected from what is known now.\n",
        );
    }
    if !plan.checks.is_empty() {
        let rows: Vec<Vec<String>> = plan.checks.iter().map(row).collect();
        text.push_str(&format!("\nIt depends on:\n{}", table(&rows)));
    }
    text.push_str(&format!(
        "\nNothing has been touched. To do this and nothing else: mainstay apply {}\n",
        plan.id
    ));
    text
}

fn text_of_step(step: &PlanStepView, together: bool) -> String {
    let mut text = format!("\n{:>3}. {}", step.number, step.sentence);
    if together {
        text.push_str(" (at the same time)");
    }
    text.push('\n');
    for sql in &step.sql {
        text.push_str(&format!("       sql   {sql}\n"));
    }
    if !step.precondition.is_empty() {
        text.push_str(&format!("       when  {}\n", step.precondition));
    }
    let limit = std::time::Duration::from_millis(step.limit_ms);
    text.push_str(&format!(
        "       limit {limit:?}; on failure: {}\n",
        step.on_failure
    ));
    if let Some(undo) = &step.undo {
        text.push_str(&format!("       undo  {undo}\n"));
        for sql in &step.undo_sql {
            text.push_str(&format!("             {sql}\n"));
        }
    }
    text
}
