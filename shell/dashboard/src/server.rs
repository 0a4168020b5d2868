//! The routes, and the listener that serves them.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::access::{self, Access};
use crate::error::{ApiError, ServeError};
use crate::source::Source;
use crate::views::{
    AnswerView, ExplainRequest, OperationView, PlanView, QueriesView, RouteStepView, SessionsView,
    StatusView, SwitchoverRequest,
};

/// Operations shown when no limit is asked for.
const OPERATIONS_DEFAULT: usize = 20;

/// Operations shown at most.
const OPERATIONS_MAX: usize = 1_000;

type Shared = Arc<dyn Source>;

/// The routes of the API. `extra` are routes of the caller's own, behind the same credentials.
pub fn router(source: Arc<dyn Source>, access: Option<Access>, extra: Router) -> Router {
    let guarded = Router::new()
        .route("/api/v1/status", get(status))
        .route("/metrics", get(metrics))
        .route("/api/v1/plan/failover", get(plan_failover))
        .route("/api/v1/plan/switchover", get(plan_switchover))
        .route("/api/v1/why", get(why))
        .route("/api/v1/switchover", post(switchover))
        .route("/api/v1/failover", post(failover))
        .route("/api/v1/queries", get(queries))
        .route("/api/v1/queries/reset", post(queries_reset))
        .route("/api/v1/sessions", get(sessions))
        .route("/api/v1/explain", post(explain))
        .route("/api/v1/operations", get(operations))
        .route("/api/v1/operations/{id}", get(operation))
        .with_state(source)
        .merge(extra);
    guarded_router(guarded, access)
}

/// These routes behind the credentials, and `/healthz` before them: for a process that has nothing
/// else to show.
pub fn guarded_router(routes: Router, access: Option<Access>) -> Router {
    let guarded = routes.fallback(unknown);
    let guarded = match access {
        Some(access) => guarded.layer(middleware::from_fn_with_state(access, access::require)),
        None => guarded,
    };
    let guarded = guarded.layer(middleware::from_fn(access::same_origin));
    Router::new().route("/healthz", get(healthz)).merge(guarded)
}

async fn healthz() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

async fn unknown() -> ApiError {
    ApiError::NotFound("the API has no such address; see /api/v1/status".to_owned())
}

async fn status(State(source): State<Shared>) -> Json<StatusView> {
    Json(source.status())
}

async fn metrics(State(source): State<Shared>) -> impl IntoResponse {
    let (content_type, text) = source.metrics();
    ([(CONTENT_TYPE, content_type)], text)
}

async fn plan_failover(State(source): State<Shared>) -> Result<Json<PlanView>, ApiError> {
    source.plan_failover().await.map(Json)
}

async fn plan_switchover(
    State(source): State<Shared>,
    Query(request): Query<SwitchoverRequest>,
) -> Result<Json<PlanView>, ApiError> {
    source.plan_switchover(request).await.map(Json)
}

#[derive(Deserialize)]
struct About {
    server: Option<String>,
}

async fn why(
    State(source): State<Shared>,
    Query(about): Query<About>,
) -> Result<Json<Vec<AnswerView>>, ApiError> {
    source.why(about.server).await.map(Json)
}

async fn switchover(
    State(source): State<Shared>,
    body: Result<Json<SwitchoverRequest>, axum::extract::rejection::JsonRejection>,
) -> Result<Json<OperationView>, ApiError> {
    let Json(request) = body.map_err(|rejection| {
        let expected = r#"expected a JSON object such as {"to": "db2"}"#;
        ApiError::BadRequest(format!("{expected}: {}", rejection.body_text()))
    })?;
    source.switchover(request).await.map(Json)
}

async fn failover(State(source): State<Shared>) -> Result<Json<OperationView>, ApiError> {
    source.failover().await.map(Json)
}

async fn queries(State(source): State<Shared>) -> Result<Json<QueriesView>, ApiError> {
    source.queries(false).await.map(Json)
}

/// Answers what was counted until now, as ProxySQL's tables named `_reset` do.
async fn queries_reset(State(source): State<Shared>) -> Result<Json<QueriesView>, ApiError> {
    source.queries(true).await.map(Json)
}

async fn explain(
    State(source): State<Shared>,
    body: Result<Json<ExplainRequest>, axum::extract::rejection::JsonRejection>,
) -> Result<Json<Vec<RouteStepView>>, ApiError> {
    let Json(request) = body.map_err(|rejection| {
        let expected = r#"expected a JSON object such as {"sql": "SELECT 1"}"#;
        ApiError::BadRequest(format!("{expected}: {}", rejection.body_text()))
    })?;
    source.explain(request).await.map(Json)
}

async fn sessions(State(source): State<Shared>) -> Result<Json<SessionsView>, ApiError> {
    source.sessions().await.map(Json)
}

#[derive(Deserialize)]
struct Newest {
    limit: Option<String>,
}

async fn operations(
    State(source): State<Shared>,
    Query(newest): Query<Newest>,
) -> Result<Json<Vec<OperationView>>, ApiError> {
    let limit = match newest.limit {
        None => OPERATIONS_DEFAULT,
        Some(text) => match text.parse() {
            Ok(limit) if (1..=OPERATIONS_MAX).contains(&limit) => limit,
            Ok(_) | Err(_) => {
                let sentence = format!("`limit` is a number from 1 to {OPERATIONS_MAX}");
                return Err(ApiError::BadRequest(sentence));
            }
        },
    };
    source.operations(limit).await.map(Json)
}

async fn operation(
    State(source): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<OperationView>, ApiError> {
    let Ok(id) = id.parse() else {
        let sentence = format!("an operation is named by its number, not by `{id}`");
        return Err(ApiError::BadRequest(sentence));
    };
    source.operation(id).await.map(Json)
}

/// A listener that is bound and not served yet, so that a port in use is known before anything
/// else is started.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
}

impl Server {
    /// Takes the port; port 0 takes any free one.
    pub async fn bind(address: SocketAddr) -> Result<Self, ServeError> {
        match TcpListener::bind(address).await {
            Ok(listener) => Ok(Self { listener }),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                Err(ServeError::InUse { address })
            }
            Err(reason) => Err(ServeError::Bind { address, reason }),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Serves until `stop` resolves; requests under way are answered first.
    pub async fn serve(
        self,
        router: Router,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        axum::serve(self.listener, router)
            .with_graceful_shutdown(stop)
            .await
    }
}
