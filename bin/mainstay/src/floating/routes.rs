//! The floating addresses in the API: what they are, and the manager's word on where they belong.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use mainstay_dashboard::ApiError;
use mainstay_dashboard::views::{VipRequest, VipView};
use mainstay_telemetry::exposition::{CONTENT_TYPE as TEXT, Exposition};
use mainstay_vip::VipError;
use tokio::task::spawn_blocking;

use super::{Floating, MoveError, metrics};
use crate::balancing::{self, Balance};

/// The routes.
pub(crate) fn routes(floating: Floating) -> Router {
    Router::new()
        .route("/api/v1/vip", get(all))
        .route("/api/v1/vip/{name}/take", post(take))
        .route("/api/v1/vip/{name}/drop", post(drop_it))
        .with_state(floating)
}

/// `/metrics` of a host that has no cluster to take care of.
pub(crate) fn numbers(floating: Floating, balance: Balance) -> Router {
    let text = async move || {
        let mut out = Exposition::default();
        metrics(&mut out, &floating.views());
        balancing::metrics(&mut out, &balance.views());
        ([(CONTENT_TYPE, TEXT)], out.into_text()).into_response()
    };
    Router::new().route("/metrics", get(text))
}

async fn all(State(floating): State<Floating>) -> Json<Vec<VipView>> {
    Json(floating.views())
}

type Body = Result<Json<VipRequest>, JsonRejection>;

async fn take(
    State(floating): State<Floating>,
    Path(name): Path<String>,
    body: Body,
) -> Result<Json<VipView>, ApiError> {
    moved(floating, name, true, body).await
}

async fn drop_it(
    State(floating): State<Floating>,
    Path(name): Path<String>,
    body: Body,
) -> Result<Json<VipView>, ApiError> {
    moved(floating, name, false, body).await
}

async fn moved(
    floating: Floating,
    name: String,
    here: bool,
    body: Body,
) -> Result<Json<VipView>, ApiError> {
    let Json(request) = body.map_err(|rejection| {
        let expected = r#"expected a JSON object such as {"epoch": 7}"#;
        ApiError::BadRequest(format!("{expected}: {}", rejection.body_text()))
    })?;
    let answer = spawn_blocking(move || {
        floating.wanted(&name, here, request.epoch)?;
        let found = floating.views().into_iter().find(|vip| vip.name == name);
        found.ok_or(MoveError::Vip(VipError::Stopped))
    });
    let answer = answer
        .await
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    answer.map(Json).map_err(|error| match error {
        MoveError::Vip(VipError::Unknown { .. }) => ApiError::NotFound(error.to_string()),
        MoveError::Vip(_) => ApiError::Internal(error.to_string()),
        MoveError::NotManaged(_) | MoveError::Old { .. } | MoveError::Missing { .. } => {
            ApiError::Refused(error.to_string())
        }
    })
}
