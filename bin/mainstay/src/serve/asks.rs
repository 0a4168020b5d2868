//! What the API asks of the loop of `mainstay serve`: its settings against the file.

use axum::routing::{get, post};
use axum::{Json, Router};
use mainstay_dashboard::ApiError;
use tokio::sync::{mpsc, oneshot};

use crate::config::ConfigView;

/// Who asks waits for the answer: few do at a time.
const WAITING_MAX: usize = 8;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// What the file says otherwise.
    Diff,
    /// To put the file in force.
    Apply,
}

/// A question, and where its answer goes.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) what: What,
    pub(super) answer: oneshot::Sender<Result<ConfigView, String>>,
}

/// Who can ask.
pub(super) type Asker = mpsc::Sender<Ask>;

pub(super) fn channel() -> (Asker, mpsc::Receiver<Ask>) {
    mpsc::channel(WAITING_MAX)
}

/// The routes.
pub(super) fn routes(asker: &Asker) -> Router {
    let (diff, apply) = (asker.clone(), asker.clone());
    Router::new()
        .route(
            "/api/v1/config/diff",
            get(move || ask(diff.clone(), What::Diff)),
        )
        .route(
            "/api/v1/config/apply",
            post(move || ask(apply.clone(), What::Apply)),
        )
}

async fn ask(asker: Asker, what: What) -> Result<Json<ConfigView>, ApiError> {
    let (answer, answered) = oneshot::channel();
    let gone = || ApiError::Internal("the process is ending".to_owned());
    let sent = asker.send(Ask { what, answer }).await;
    sent.map_err(|_| gone())?;
    let view = answered.await.map_err(|_| gone())?;
    view.map(Json).map_err(ApiError::BadRequest)
}
