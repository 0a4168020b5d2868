//! Floating addresses that the manager moves.

use serde::{Deserialize, Serialize};

/// One of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleView {
    /// The name of the address.
    pub name: String,
    /// `writer` or `reader`.
    pub role: String,
    /// The server on whose host it is to be.
    pub server: Option<String>,
    /// What each host says of it.
    pub hosts: Vec<RoleHostView>,
}

/// A host that can carry it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleHostView {
    /// Its server.
    pub server: String,
    /// The state of the address there; nothing when the host does not answer.
    pub state: Option<String>,
}

/// The body of `POST /api/v1/roles/NAME/move`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleMove {
    /// The server whose host is to carry it.
    pub to: String,
}
