//! What the running manager would do now.

use std::path::Path;

use mainstay_dashboard::views::{PlanView, StatusView};

use super::line::Line;
use crate::api::Api;

const CLUSTER: &str = "the cluster";

pub(super) fn tried(api: &Api, config: &Path) -> Vec<Line> {
    let status: StatusView = match api.get("/api/v1/status") {
        Ok(status) => status,
        Err(error) => {
            let remedy = format!("mainstay serve --config {}", config.display());
            return vec![Line::error(CLUSTER, format!("{error:#}"), remedy)];
        }
    };
    let mut lines = vec![state(&status)];
    for finding in &status.findings {
        let sentence = finding.sentence.as_str();
        lines.push(Line::warning(
            CLUSTER,
            sentence,
            "mainstay why, docs/runbooks",
        ));
    }
    let subject = status.primary.as_deref().unwrap_or("the primary");
    let what = format!("{subject} died");
    lines.push(plan(api, "/api/v1/plan/failover", &what));
    lines.push(plan(
        api,
        "/api/v1/plan/switchover",
        "a switchover was asked for",
    ));
    for role in &status.roles {
        for host in role.hosts.iter().filter(|host| host.state.is_none()) {
            let what = format!(
                "the host of {} does not answer: it cannot be told of the address `{}`",
                host.server, role.name
            );
            let remedy = "start mainstay there, and open the way to its [api]";
            lines.push(Line::error(CLUSTER, what, remedy));
        }
    }
    lines
}

fn state(status: &StatusView) -> Line {
    let what = format!("the manager is {}: {}", status.phase, status.reason);
    if status.phase == "halted" {
        return Line::error(CLUSTER, what, "docs/runbooks/halted.md");
    }
    Line::ok(CLUSTER, format!("{what}; {}", status.durability))
}

/// If that happened now.
fn plan(api: &Api, path: &str, event: &str) -> Line {
    match api.get::<PlanView>(path) {
        Ok(plan) => {
            let steps = plan.steps.len();
            let what = format!("if {event} now: {}, {steps} steps", plan.purpose);
            Line::ok(CLUSTER, what)
        }
        Err(error) => {
            let what = format!("if {event} now: {error:#}");
            Line::error(CLUSTER, what, "mainstay why; docs/runbooks/halted.md")
        }
    }
}
