//! Switchovers at a time: `mainstay switchover --at`, `mainstay schedule`, and their routes.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, anyhow};
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::routing::{get, post};
use axum::{Json, Router};
use clap::{Args, Subcommand};
use mainstay_dashboard::ApiError;
use mainstay_dashboard::views::{CancelRequest, ScheduleView};
use mainstay_store::Schedule;

use crate::api::Api;
use crate::args::{SwitchoverArgs, duration};
use crate::change::{ShownArgs, now_ms};
use crate::control::{Control, api_error};
use crate::moment;
use crate::output::{emit, table};

/// When a switchover is to be made.
#[derive(Debug, Clone, Args)]
pub(crate) struct WhenArgs {
    /// Not now but at this time, as in 2026-11-20T18:00:00Z, or 18:00Z for the next such moment.
    #[arg(long, value_name = "TIME", value_parser = moment::parse, conflicts_with = "wait")]
    at: Option<u64>,
    /// Not now but after this long.
    #[arg(long = "in", value_name = "DURATION", value_parser = duration)]
    wait: Option<Duration>,
    /// Try it for this long from then on, while something is in its way.
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration)]
    window: Duration,
    /// Who wants it.
    #[arg(long, value_name = "NAME", env = "USER", default_value = "somebody")]
    by: String,
}

/// `mainstay schedule`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ScheduleCommand {
    /// Show the switchovers that wait, and those of late.
    List {
        #[command(flatten)]
        shown: ShownArgs,
    },
    /// Take one back.
    Cancel {
        /// Its number.
        id: u64,
        /// Who wants it.
        #[arg(long, value_name = "NAME", env = "USER", default_value = "somebody")]
        by: String,
        #[command(flatten)]
        shown: ShownArgs,
    },
}

impl WhenArgs {
    /// The moment, when it is not now.
    fn at_ms(&self) -> Option<u64> {
        let wait = self.wait.map(|wait| now_ms() + milliseconds(wait));
        self.at.or(wait)
    }
}

/// `mainstay switchover --at`, if it is that.
pub(crate) fn later(args: &SwitchoverArgs) -> Option<Result<ExitCode>> {
    let at_ms = args.when.at_ms()?;
    let wanted = ScheduleView {
        at_ms,
        window_ms: milliseconds(args.when.window),
        to: args.to.clone(),
        end_transactions: args.allowed.end_transactions,
        allow_newer: args.allowed.allow_newer,
        by: args.when.by.clone(),
        ..ScheduleView::default()
    };
    let kept = || -> Result<ExitCode> {
        let api = Api::find(&args.cluster)?;
        let all: Vec<ScheduleView> = api.post("/api/v1/schedule", &wanted)?;
        show(&all, args.json)
    };
    Some(kept())
}

/// `mainstay schedule`.
pub(crate) fn run(command: &ScheduleCommand) -> Result<ExitCode> {
    match command {
        ScheduleCommand::List { shown } => {
            let all: Vec<ScheduleView> = Api::find(&shown.cluster)?.get("/api/v1/schedule")?;
            show(&all, shown.json)
        }
        ScheduleCommand::Cancel { id, by, shown } => {
            let request = CancelRequest {
                id: *id,
                by: by.clone(),
            };
            let api = Api::find(&shown.cluster)?;
            let all: Vec<ScheduleView> = api.post("/api/v1/schedule/cancel", &request)?;
            show(&all, shown.json)
        }
    }
}

fn show(all: &[ScheduleView], json: bool) -> Result<ExitCode> {
    if json {
        emit(&format!("{}\n", serde_json::to_string_pretty(all)?));
        return Ok(ExitCode::SUCCESS);
    }
    if all.is_empty() {
        emit("no switchover is to be made at a time\n");
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = vec![
        ["id", "at", "to", "by", "state"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(all.iter().map(|one| {
        vec![
            one.id.to_string(),
            moment::text(one.at_ms),
            one.to.clone().unwrap_or_else(|| "best".to_owned()),
            one.by.clone(),
            one.outcome.clone().unwrap_or_else(|| "waits".to_owned()),
        ]
    }));
    emit(&table(&rows));
    Ok(ExitCode::SUCCESS)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The routes.
pub(crate) fn routes(control: Control) -> Router {
    Router::new()
        .route("/api/v1/schedule", get(list).post(add))
        .route("/api/v1/schedule/cancel", post(cancel))
        .with_state(control)
}

async fn list(State(control): State<Control>) -> Result<Json<Vec<ScheduleView>>, ApiError> {
    let all = control.managed()?.schedules().await.map_err(api_error)?;
    Ok(Json(all.into_iter().map(view).collect()))
}

async fn add(
    State(control): State<Control>,
    body: Result<Json<ScheduleView>, JsonRejection>,
) -> Result<Json<Vec<ScheduleView>>, ApiError> {
    let Json(wanted) = body.map_err(|rejection| {
        let expected = r#"expected a JSON object such as {"at_ms": 1795162051893, "window_ms": 1}"#;
        ApiError::BadRequest(format!("{expected}: {}", rejection.body_text()))
    })?;
    control.server(wanted.to.clone())?;
    if wanted.at_ms <= now_ms() {
        let sentence = "the time is over; `mainstay switchover` makes it now";
        return Err(ApiError::BadRequest(sentence.to_owned()));
    }
    let schedule = Schedule {
        id: 0,
        at_ms: wanted.at_ms,
        window_ms: wanted.window_ms,
        to: wanted.to,
        end_transactions: wanted.end_transactions,
        allow_newer: wanted.allow_newer,
        by: wanted.by,
        outcome: None,
    };
    let kept = control.managed()?.schedule(schedule).await;
    kept.map_err(api_error)?;
    list(State(control)).await
}

async fn cancel(
    State(control): State<Control>,
    body: Result<Json<CancelRequest>, JsonRejection>,
) -> Result<Json<Vec<ScheduleView>>, ApiError> {
    let Json(CancelRequest { id, by }) = body.map_err(|rejection| {
        let expected = r#"expected a JSON object such as {"id": 1}"#;
        ApiError::BadRequest(format!("{expected}: {}", rejection.body_text()))
    })?;
    let outcome = format!("cancelled by {by}");
    let ended = control.managed()?.end_schedule(id, outcome).await;
    if !ended.map_err(api_error)? {
        let reason = anyhow!("no switchover of the number {id} waits for its time");
        return Err(ApiError::NotFound(reason.to_string()));
    }
    list(State(control)).await
}

fn view(schedule: Schedule) -> ScheduleView {
    ScheduleView {
        id: schedule.id,
        at_ms: schedule.at_ms,
        window_ms: schedule.window_ms,
        to: schedule.to,
        end_transactions: schedule.end_transactions,
        allow_newer: schedule.allow_newer,
        by: schedule.by,
        outcome: schedule.outcome,
    }
}
