//! What an operator may want with one server.

use mainstay_failover::{Change, Request};
use mainstay_topology::{Maintenance, ServerName};
use serde::{Deserialize, Serialize};

/// The body of `POST /api/v1/change` and `POST /api/v1/plan/change`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeRequest {
    /// `stop`, `start`, `move`, `regroup`, `maintenance on`, `maintenance off`, `decommission` or
    /// `restart`.
    pub change: String,
    /// The server; of `regroup` the source, or the primary if it is left out.
    #[serde(default)]
    pub server: Option<String>,
    /// The new source, of `move`.
    #[serde(default)]
    pub under: Option<String>,
    /// What a maintenance is for.
    #[serde(default)]
    pub reason: String,
    /// Who wants it.
    #[serde(default)]
    pub by: String,
    /// When a maintenance ends by itself, in milliseconds since 1970 (UTC).
    #[serde(default)]
    pub until_ms: Option<u64>,
}

impl ChangeRequest {
    /// The request, or what is missing in it.
    pub fn request(self, primary: Option<&ServerName>) -> Result<Request, String> {
        let change = match self.change.as_str() {
            "stop" => Change::Stop,
            "start" => Change::Start,
            "move" => Change::Move {
                under: ServerName::new(&self.under.ok_or("`under` is missing: the new source")?),
            },
            "regroup" => Change::Regroup,
            "maintenance on" => Change::Maintain(Maintenance {
                reason: self.reason,
                by: self.by,
                until_ms: self.until_ms,
            }),
            "maintenance off" => Change::Serve,
            "decommission" => Change::Decommission,
            "restart" => Change::Restart,
            other => {
                let known = Change::NAMES.join(", ");
                return Err(format!("there is no change `{other}`; there are: {known}"));
            }
        };
        let server = match (self.server, &change) {
            (Some(server), _) => ServerName::new(&server),
            (None, Change::Regroup) => primary.cloned().ok_or("there is no primary yet")?,
            (None, _) => return Err("`server` is missing".to_owned()),
        };
        Ok(Request::Change { server, change })
    }
}

/// The body of `POST /api/v1/apply`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplyRequest {
    /// The plan's name, as it was printed.
    pub plan: String,
}
