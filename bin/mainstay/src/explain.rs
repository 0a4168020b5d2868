//! `mainstay explain-route`: where a statement would go and why, as `EXPLAIN ROUTE` of the admin
//! interface tells it. Nothing is run.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use mainstay_dashboard::views::{ExplainRequest, RouteStepView};
use mainstay_proxy::Proxy;
use mainstay_session::explain::Asked;

use crate::api::Api;
use crate::args::ClusterArgs;
use crate::output::{emit, table};

/// `mainstay explain-route`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The statement.
    #[arg(value_name = "SQL")]
    pub(crate) sql: String,
    /// Whose statement it would be [default: the first user].
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// The schema of the session [default: that of the user].
    #[arg(long)]
    pub(crate) schema: Option<String>,
    /// Print a JSON array.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

pub(crate) fn run(args: &ExplainArgs) -> Result<ExitCode> {
    let request = ExplainRequest {
        sql: args.sql.clone(),
        user: args.user.clone(),
        schema: args.schema.clone(),
    };
    let api = Api::find(&args.cluster)?;
    let steps: Vec<RouteStepView> = api.post("/api/v1/explain", &request)?;
    if args.json {
        emit(&format!("{}\n", serde_json::to_string_pretty(&steps)?));
    } else {
        let row = |one: &RouteStepView| vec![one.step.clone(), one.found.clone()];
        emit(&table(&steps.iter().map(row).collect::<Vec<_>>()));
    }
    Ok(ExitCode::SUCCESS)
}

/// What a proxy finds out about a statement.
pub(crate) fn explained(proxy: &Proxy, request: ExplainRequest) -> Vec<(String, String)> {
    let policy = proxy.policy();
    let first = policy.users.keys().next().cloned();
    let user = request.user.or(first).unwrap_or_default();
    let own = policy.users.get(&user).and_then(|user| user.schema.clone());
    proxy.explain_route(&Asked {
        user,
        schema: request.schema.or(own),
        client: "127.0.0.1".to_owned(),
        sql: request.sql,
    })
}
