//! The roles of addresses in the API.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use mainstay_dashboard::ApiError;
use mainstay_dashboard::views::{RoleMove, RoleView};

use super::AddressRoles;

/// The routes; none where the manager moves no addresses.
pub(crate) fn routes(roles: Option<Arc<AddressRoles>>) -> Router {
    let Some(roles) = roles else {
        return Router::new();
    };
    Router::new()
        .route("/api/v1/roles", get(all))
        .route("/api/v1/roles/{name}/move", post(move_it))
        .with_state(roles)
}

async fn all(State(roles): State<Arc<AddressRoles>>) -> Json<Vec<RoleView>> {
    Json(roles.views())
}

async fn move_it(
    State(roles): State<Arc<AddressRoles>>,
    Path(name): Path<String>,
    body: Result<Json<RoleMove>, JsonRejection>,
) -> Result<Json<Vec<RoleView>>, ApiError> {
    let Json(request) = body.map_err(|rejection| {
        let expected = r#"expected a JSON object such as {"to": "db2"}"#;
        ApiError::BadRequest(format!("{expected}: {}", rejection.body_text()))
    })?;
    roles
        .prefer(&name, &request.to)
        .map_err(ApiError::BadRequest)?;
    Ok(Json(roles.views()))
}
