//! `mainstay switchover` and `mainstay failover`: move the primary, and tell what was done.

use std::process::ExitCode;

use anyhow::{Result, bail};
use mainstay_dashboard::views::{MomentView, OperationOutcome, OperationView, SwitchoverRequest};
use serde_json::json;

use crate::api::Api;
use crate::args::{FailoverArgs, SwitchoverArgs};
use crate::output::{emit, table};
use crate::schedule;

pub(crate) fn run(args: &SwitchoverArgs) -> Result<ExitCode> {
    if let Some(kept) = schedule::later(args) {
        return kept;
    }
    let request = SwitchoverRequest {
        to: args.to.clone(),
        end_transactions: args.allowed.end_transactions,
        allow_newer: args.allowed.allow_newer,
    };
    finish(
        &Api::find(&args.cluster)?.post("/api/v1/switchover", &request)?,
        args.json,
    )
}

/// `mainstay failover`.
pub(crate) fn failover(args: &FailoverArgs) -> Result<ExitCode> {
    finish(
        &Api::find(&args.cluster)?.post("/api/v1/failover", &json!({}))?,
        args.json,
    )
}

pub(crate) fn finish(operation: &OperationView, json: bool) -> Result<ExitCode> {
    if json {
        emit(&format!("{}\n", serde_json::to_string_pretty(operation)?));
    } else {
        emit(&text_of(operation));
    }
    if operation.outcome == OperationOutcome::Done {
        return Ok(ExitCode::SUCCESS);
    }
    bail!(
        "{} failed: {}",
        operation.purpose,
        operation.failure.as_deref().unwrap_or("no reason")
    )
}

/// One operation, step by step, with its end.
pub(crate) fn text_of(operation: &OperationView) -> String {
    let mut text = format!(
        "operation {}: {}, epoch {}\n",
        operation.id, operation.purpose, operation.epoch
    );
    let rows: Vec<_> = operation.timeline.iter().map(row_of).collect();
    text.push_str(&table(&rows));
    let took = operation
        .took_ms
        .map_or_else(String::new, |took| format!(" after {took:.0} ms"));
    match (operation.outcome, &operation.failure) {
        (OperationOutcome::Running, _) => text.push_str("  under way\n"),
        (_, Some(reason)) => text.push_str(&format!("  failed{took}: {reason}\n")),
        (_, None) => text.push_str(&format!("  done{took}\n")),
    }
    if let Some(held) = operation.writes_held_ms {
        text.push_str(&format!("  no writer for the proxies: {held:.0} ms\n"));
    }
    if let Some(certificate) = &operation.certificate {
        text.push_str(&format!(
            "  certificate: {}\n",
            certificate.replace('\n', "\n  ")
        ));
    }
    text
}

/// What a program has printed, in one line.
fn one_line(text: &str) -> String {
    text.lines().collect::<Vec<_>>().join(" | ")
}

/// When it began, how long it took, what it was.
fn row_of(moment: &MomentView) -> Vec<String> {
    let took = moment
        .until_ms
        .map(|until| format!("{:.1} ms", until - moment.from_ms));
    let mut text = match moment.outcome.as_deref() {
        None | Some("done") => moment.text.clone(),
        Some(outcome) => format!("{} ({})", moment.text, one_line(outcome)),
    };
    if let Some(said) = &moment.said {
        text.push_str(&format!(" It said: {}", one_line(said)));
    }
    vec![
        format!("  {:>+9.1} ms", moment.from_ms),
        took.unwrap_or_default(),
        text,
    ]
}
