//! `GET /api/v1/servers`: the state of each server, as `runtime_mysql_servers` has it.

use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::control::Control;
use crate::figures::states;

/// The route.
pub(crate) fn routes(control: Control) -> Router {
    let show = move || {
        let control = control.clone();
        async move { Json(view(&control)) }
    };
    Router::new().route("/api/v1/servers", get(show))
}

fn view(control: &Control) -> Value {
    let states = states(control).into_iter();
    let rows = states.map(|state| {
        json!({
            "name": state.name.as_str(),
            "address": state.address.to_string(),
            "hostgroup": state.hostgroup,
            "status": state.status,
            "comment": state.comment,
        })
    });
    rows.collect()
}
