//! What the API answers when it cannot do what was asked, and why it cannot be served.

use std::net::SocketAddr;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An answer other than success; each carries the sentence that the person reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The question makes no sense: an unknown server, a bad number.
    #[error("{0}")]
    BadRequest(String),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// The cluster's state does not allow it now.
    #[error("{0}")]
    Refused(String),
    /// Mainstay itself failed.
    #[error("{0}")]
    Internal(String),
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Refused(_) => StatusCode::CONFLICT,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(json!({ "error": self.to_string() }))).into_response()
    }
}

/// Why the API cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The port is taken.
    #[error(
        "the API cannot listen on {address}: the port is in use; stop what listens there, or \
         choose another with `listen` in `[api]`"
    )]
    InUse {
        /// Where.
        address: SocketAddr,
    },
    /// Another reason.
    #[error("the API cannot listen on {address}: {reason}")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        reason: std::io::Error,
    },
}
