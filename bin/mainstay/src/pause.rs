//! What holds automatic operations back: `mainstay pause`, `resume` and `acknowledge`, and their
//! routes in the API.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::routing::post;
use axum::{Json, Router};
use clap::{Args, Subcommand};
use mainstay_dashboard::ApiError;
use mainstay_failover::pause::Pause;
use serde::{Deserialize, Serialize};

use crate::api::Api;
use crate::args::{ClusterArgs, duration};
use crate::change::now_ms;
use crate::control::{Control, api_error};
use crate::output::emit;

/// The commands.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum PauseCommand {
    /// Let no automatic operation begin: no failover, no rejoin, no repair.
    #[command(after_help = "Example:\n  mainstay pause --for 2h --reason \"new switches\"")]
    Pause(PauseArgs),
    /// Let automatic operations begin again.
    #[command(after_help = "Example:\n  mainstay resume")]
    Resume {
        #[command(flatten)]
        cluster: ClusterArgs,
    },
    /// Say that the last failover was seen: it holds no other one back (`failover_pause`).
    #[command(after_help = "Example:\n  mainstay acknowledge")]
    Acknowledge {
        #[command(flatten)]
        cluster: ClusterArgs,
    },
}

/// `mainstay pause`.
#[derive(Debug, Clone, Args)]
pub(crate) struct PauseArgs {
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Ends by itself after this long.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    lasting: Option<Duration>,
    /// What for.
    #[arg(long, default_value = "")]
    reason: String,
    /// Who wants it.
    #[arg(long, value_name = "NAME", env = "USER", default_value = "somebody")]
    by: String,
}

/// The body of `POST /api/v1/pause`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PauseRequest {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    by: String,
    /// Milliseconds since 1970 (UTC).
    #[serde(default)]
    until_ms: Option<u64>,
}

/// What was done, in one sentence.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct DoneView {
    done: String,
}

const RESUMED: &str = "automatic operations begin again";
const ACKNOWLEDGED: &str = "what failed over so far is acknowledged and holds nothing back";

pub(crate) fn run(command: &PauseCommand) -> Result<ExitCode> {
    let nothing = serde_json::json!({});
    let done: DoneView = match command {
        PauseCommand::Pause(args) => {
            let millis = |lasting: Duration| u64::try_from(lasting.as_millis()).unwrap_or(u64::MAX);
            let request = PauseRequest {
                reason: args.reason.clone(),
                by: args.by.clone(),
                until_ms: args
                    .lasting
                    .map(|lasting| now_ms().saturating_add(millis(lasting))),
            };
            Api::find(&args.cluster)?.post("/api/v1/pause", &request)?
        }
        PauseCommand::Resume { cluster } => Api::find(cluster)?.post("/api/v1/resume", &nothing)?,
        PauseCommand::Acknowledge { cluster } => {
            Api::find(cluster)?.post("/api/v1/acknowledge", &nothing)?
        }
    };
    emit(&format!("{}.\n", done.done));
    Ok(ExitCode::SUCCESS)
}

/// The routes.
pub(crate) fn routes(control: Control) -> Router {
    Router::new()
        .route("/api/v1/pause", post(pause))
        .route("/api/v1/resume", post(resume))
        .route("/api/v1/acknowledge", post(acknowledge))
        .with_state(control)
}

async fn pause(
    State(control): State<Control>,
    body: Result<Json<PauseRequest>, JsonRejection>,
) -> Result<Json<DoneView>, ApiError> {
    let Json(request) = body.map_err(|rejection| {
        let expected = r#"expected a JSON object such as {"reason": "new switches", "by": "jo"}"#;
        ApiError::BadRequest(format!("{expected}: {}", rejection.body_text()))
    })?;
    let by = Some(request.by).filter(|by| !by.is_empty());
    let pause = Pause {
        reason: request.reason,
        by: by.unwrap_or_else(|| "somebody".to_owned()),
        until_ms: request.until_ms,
    };
    let done = pause.to_string();
    let asked = control.managed()?.pause(Some(pause)).await;
    asked.map_err(api_error)?;
    Ok(Json(DoneView { done }))
}

async fn resume(State(control): State<Control>) -> Result<Json<DoneView>, ApiError> {
    let asked = control.managed()?.pause(None).await;
    asked.map_err(api_error)?;
    let done = RESUMED.to_owned();
    Ok(Json(DoneView { done }))
}

async fn acknowledge(State(control): State<Control>) -> Result<Json<DoneView>, ApiError> {
    let asked = control.managed()?.acknowledge().await;
    asked.map_err(api_error)?;
    let done = ACKNOWLEDGED.to_owned();
    Ok(Json(DoneView { done }))
}
