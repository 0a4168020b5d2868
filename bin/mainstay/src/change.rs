//! Changes of single servers: their commands, and their routes in the API.

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::routing::post;
use axum::{Json, Router};
use clap::{Args, Subcommand};
use mainstay_dashboard::ApiError;
use mainstay_dashboard::views::{ApplyRequest, ChangeRequest, OperationView, PlanView};
use mainstay_failover::Request;

use crate::api::Api;
use crate::args::{ClusterArgs, duration};
use crate::control::{Control, api_error};
use crate::output::emit;
use crate::{plan, switchover, view};

/// The commands, also after `mainstay plan`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ChangeCommand {
    /// Stop or start the replication of a replica.
    #[command(after_help = "Example:\n  mainstay replica stop db3\n  mainstay replica start db3")]
    Replica {
        /// What to do.
        #[command(subcommand)]
        action: ReplicaAction,
    },
    /// Let a replica replicate from another server, and keep it there.
    #[command(
        visible_alias = "repoint",
        after_help = "Example:\n  mainstay plan move db3 --under db2"
    )]
    Move {
        /// The replica.
        server: String,
        /// Its new source: the primary, or another replica.
        #[arg(long, value_name = "SOURCE")]
        under: String,
        #[command(flatten)]
        shown: ShownArgs,
    },
    /// Let all clean replicas replicate from one server.
    #[command(after_help = "Example:\n  mainstay plan regroup && mainstay regroup")]
    Regroup {
        /// Their source [default: the primary].
        #[arg(long, value_name = "SOURCE")]
        under: Option<String>,
        #[command(flatten)]
        shown: ShownArgs,
    },
    /// Take a server into maintenance, or back into service.
    #[command(
        after_help = "Example:\n  mainstay maintenance on db3 --for 2h --reason 'a new disk'\n  \
                      mainstay maintenance off db3"
    )]
    Maintenance {
        /// What to do.
        #[command(subcommand)]
        action: MaintenanceAction,
    },
    /// Take a replica out of the cluster for good.
    #[command(after_help = "Example:\n  mainstay plan decommission db3")]
    Decommission {
        /// The replica.
        server: String,
        #[command(flatten)]
        shown: ShownArgs,
    },
}

/// What can be done with the replication of a replica.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ReplicaAction {
    /// Start it.
    Start {
        /// The replica.
        server: String,
        #[command(flatten)]
        shown: ShownArgs,
    },
    /// Stop it; it stays stopped until it is started.
    Stop {
        /// The replica.
        server: String,
        #[command(flatten)]
        shown: ShownArgs,
    },
}

/// What can be done with a maintenance.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum MaintenanceAction {
    /// No reads, never promoted, left alone.
    On {
        /// The server.
        server: String,
        /// What for.
        #[arg(long, default_value = "")]
        reason: String,
        /// Ends by itself after this long.
        #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
        lasting: Option<Duration>,
        /// Who wants it.
        #[arg(long, value_name = "NAME", env = "USER", default_value = "somebody")]
        by: String,
        #[command(flatten)]
        shown: ShownArgs,
    },
    /// Back into service.
    Off {
        /// The server.
        server: String,
        #[command(flatten)]
        shown: ShownArgs,
    },
}

/// Which cluster, and how it is shown.
#[derive(Debug, Clone, Args)]
pub(crate) struct ShownArgs {
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `mainstay apply`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ApplyArgs {
    /// The plan, as it was named by `mainstay plan`.
    #[arg(value_name = "PLAN-ID")]
    pub(crate) plan: String,
    #[command(flatten)]
    pub(crate) shown: ShownArgs,
}

/// Does it.
pub(crate) fn run(command: &ChangeCommand) -> Result<ExitCode> {
    let (request, shown) = asked(command);
    let done = Api::find(&shown.cluster)?.post("/api/v1/change", &request)?;
    switchover::finish(&done, shown.json)
}

/// Shows what would be done.
pub(crate) fn show(command: &ChangeCommand) -> Result<ExitCode> {
    let (request, shown) = asked(command);
    let plan: PlanView = Api::find(&shown.cluster)?.post("/api/v1/plan/change", &request)?;
    if shown.json {
        emit(&format!("{}\n", serde_json::to_string_pretty(&plan)?));
    } else {
        emit(&plan::text_of(&plan));
    }
    Ok(ExitCode::SUCCESS)
}

/// `mainstay apply`.
pub(crate) fn apply(args: &ApplyArgs) -> Result<ExitCode> {
    let request = ApplyRequest {
        plan: args.plan.clone(),
    };
    let done = Api::find(&args.shown.cluster)?.post("/api/v1/apply", &request)?;
    switchover::finish(&done, args.shown.json)
}

fn asked(command: &ChangeCommand) -> (ChangeRequest, &ShownArgs) {
    let of = |change: &str, server: &str| ChangeRequest {
        change: change.to_owned(),
        server: Some(server.to_owned()),
        ..ChangeRequest::default()
    };
    match command {
        ChangeCommand::Replica {
            action: ReplicaAction::Start { server, shown },
        } => (of("start", server), shown),
        ChangeCommand::Replica {
            action: ReplicaAction::Stop { server, shown },
        } => (of("stop", server), shown),
        ChangeCommand::Move {
            server,
            under,
            shown,
        } => {
            let under = Some(under.clone());
            let request = ChangeRequest {
                under,
                ..of("move", server)
            };
            (request, shown)
        }
        ChangeCommand::Regroup { under, shown } => {
            let request = ChangeRequest {
                server: under.clone(),
                ..of("regroup", "")
            };
            (request, shown)
        }
        ChangeCommand::Maintenance {
            action:
                MaintenanceAction::On {
                    server,
                    reason,
                    lasting,
                    by,
                    shown,
                },
        } => {
            let request = ChangeRequest {
                reason: reason.clone(),
                by: by.clone(),
                until_ms: lasting.map(|lasting| now_ms() + milliseconds(lasting)),
                ..of("maintenance on", server)
            };
            (request, shown)
        }
        ChangeCommand::Maintenance {
            action: MaintenanceAction::Off { server, shown },
        } => (of("maintenance off", server), shown),
        ChangeCommand::Decommission { server, shown } => (of("decommission", server), shown),
    }
}

/// Since 1970 (UTC).
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, milliseconds)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The routes.
pub(crate) fn routes(control: Control) -> Router {
    Router::new()
        .route("/api/v1/change", post(change_it))
        .route("/api/v1/plan/change", post(plan_it))
        .route("/api/v1/apply", post(apply_it))
        .with_state(control)
}

async fn change_it(
    State(control): State<Control>,
    body: Result<Json<ChangeRequest>, JsonRejection>,
) -> Result<Json<OperationView>, ApiError> {
    let request = request(&control, body)?;
    let done = control.request(request).await?;
    Ok(Json(view::operation(&done)))
}

async fn plan_it(
    State(control): State<Control>,
    body: Result<Json<ChangeRequest>, JsonRejection>,
) -> Result<Json<PlanView>, ApiError> {
    let request = request(&control, body)?;
    let manager = control.managed()?;
    let planned = manager.plan(request, manager.terms()).await;
    Ok(Json(view::plan(&planned.map_err(api_error)?)))
}

async fn apply_it(
    State(control): State<Control>,
    body: Result<Json<ApplyRequest>, JsonRejection>,
) -> Result<Json<OperationView>, ApiError> {
    let Json(request) = body.map_err(|rejection| {
        let expected = r#"expected a JSON object such as {"plan": "1f3c09aa"}"#;
        ApiError::BadRequest(format!("{expected}: {}", rejection.body_text()))
    })?;
    let done = control.managed()?.apply(request.plan).await;
    Ok(Json(view::operation(&done.map_err(api_error)?)))
}

fn request(
    control: &Control,
    body: Result<Json<ChangeRequest>, JsonRejection>,
) -> Result<Request, ApiError> {
    let Json(request) = body.map_err(|rejection| {
        let expected = r#"expected a JSON object such as {"change": "stop", "server": "db2"}"#;
        ApiError::BadRequest(format!("{expected}: {}", rejection.body_text()))
    })?;
    control.server(request.server.clone())?;
    control.server(request.under.clone())?;
    let topology = control.topology();
    let primary = topology.record.primary.as_ref();
    request.request(primary).map_err(ApiError::BadRequest)
}
