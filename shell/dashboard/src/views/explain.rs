//! Where a statement would go.

use serde::{Deserialize, Serialize};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExplainRequest {
    /// The statement.
    pub sql: String,
    /// Whose it would be; the first user's where nobody is named.
    #[serde(default)]
    pub user: Option<String>,
    /// The schema of the session; the user's own where none is named.
    #[serde(default)]
    pub schema: Option<String>,
}

/// One step of the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteStepView {
    /// As in "hostgroup".
    pub step: String,
    /// What was found.
    pub found: String,
}
