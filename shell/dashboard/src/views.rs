//! What the API answers, as JSON. The command line reads the same types back.
//!
//! Times named `_ms` are milliseconds; those named `at_ms` since 1970 (UTC).

mod balanced;
mod change;
mod explain;
mod operation;
mod plan;
mod queries;
mod role;
mod schedule;
mod sessions;
mod status;
mod vip;
mod why;

pub use balanced::{AddressesView, RealServerView, VirtualServerView};
pub use change::{ApplyRequest, ChangeRequest};
pub use explain::{ExplainRequest, RouteStepView};
pub use operation::{MomentKind, MomentView, OperationOutcome, OperationView};
pub use plan::{PlanStepView, PlanView, purpose};
pub use queries::{CommandView, ErrorView, GateView, QueriesView, QueryView, RuleView};
pub use role::{RoleHostView, RoleMove, RoleView};
pub use schedule::{CancelRequest, ScheduleView};
pub use sessions::{FreeView, SessionView, SessionsView};
pub use status::{
    FactsView, FindingView, ProxyView, RunningView, ServerView, StatusParts, StatusView,
};
pub use vip::{VipProblemView, VipRequest, VipTrackView, VipView};
pub use why::{AnswerView, ConditionView};

use serde::{Deserialize, Serialize};

/// The body of `POST /api/v1/switchover`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwitchoverRequest {
    /// The next primary; the manager chooses when it is left out.
    pub to: Option<String>,
    /// End transactions that are open for longer than a switchover waits.
    #[serde(default)]
    pub end_transactions: bool,
    /// The next primary may be newer than a server that is to replicate from it.
    #[serde(default)]
    pub allow_newer: bool,
}
