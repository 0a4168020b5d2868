//! Hooks: programs of the operator's that run before and after operations, and when the primary is
//! suspected. Which ones there are is a rule of the policy; who runs them is not known here.
//!
//! Invariants:
//! - hooks before an operation are in its first group: no server was changed when they run, they
//!   run at the same time, and all of them have ended after the longest of their limits;
//! - a failover holds writes while they run;
//! - a hook can stop an operation only there, and never a failover that a person has asked for;
//! - no operation waits for any other hook.

use std::fmt;
use std::time::Duration;

use mainstay_topology::{Epoch, ServerName};

use crate::effect::Effect;
use crate::phase::Phase;
use crate::plan::step;
use crate::step::{OnFailure, OperationId, Plan, Purpose};
use crate::view::View;

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// Before the first step of a failover.
    BeforeFailover,
    /// Before the first step of a switchover.
    BeforeSwitchover,
    /// Before the data of a server are replaced.
    BeforeReseed,
    /// Before what only a server has is undone on it.
    BeforeRewind,
    /// When a failover has ended, well or not.
    AfterFailover,
    /// When a switchover has ended.
    AfterSwitchover,
    /// When the recorded primary was made to serve.
    AfterEstablish,
    /// When a server has come back with its own data, or was cut off.
    AfterRejoin,
    /// When what only a server has was undone on it.
    AfterRewind,
    /// When the data of a server were replaced.
    AfterReseed,
    /// When an operator's change of one server has ended.
    AfterChange,
    /// When the primary is suspected.
    OnSuspicion,
    /// When a human is needed.
    OnHalt,
}

impl Moment {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::BeforeFailover,
        Self::BeforeSwitchover,
        Self::BeforeReseed,
        Self::BeforeRewind,
        Self::AfterFailover,
        Self::AfterSwitchover,
        Self::AfterEstablish,
        Self::AfterRejoin,
        Self::AfterRewind,
        Self::AfterReseed,
        Self::AfterChange,
        Self::OnSuspicion,
        Self::OnHalt,
    ];

    /// Its name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::BeforeFailover => "before-failover",
            Self::BeforeSwitchover => "before-switchover",
            Self::BeforeReseed => "before-reseed",
            Self::BeforeRewind => "before-rewind",
            Self::AfterFailover => "after-failover",
            Self::AfterSwitchover => "after-switchover",
            Self::AfterEstablish => "after-establish",
            Self::AfterRejoin => "after-rejoin",
            Self::AfterRewind => "after-rewind",
            Self::AfterReseed => "after-reseed",
            Self::AfterChange => "after-change",
            Self::OnSuspicion => "on-suspicion",
            Self::OnHalt => "on-halt",
        }
    }

    /// Whether a hook may stop what is about to happen: nothing was changed yet.
    pub fn may_stop(self) -> bool {
        match self {
            Self::BeforeFailover
            | Self::BeforeSwitchover
            | Self::BeforeReseed
            | Self::BeforeRewind => true,
            Self::AfterFailover
            | Self::AfterSwitchover
            | Self::AfterEstablish
            | Self::AfterRejoin
            | Self::AfterRewind
            | Self::AfterReseed
            | Self::AfterChange
            | Self::OnSuspicion
            | Self::OnHalt => false,
        }
    }

    /// Before an operation. What makes a primary serve, or cuts a server off, waits for nobody.
    fn before(purpose: &Purpose) -> Option<Self> {
        match purpose {
            Purpose::Failover { .. } => Some(Self::BeforeFailover),
            Purpose::Switchover { .. } => Some(Self::BeforeSwitchover),
            Purpose::Reseed { .. } => Some(Self::BeforeReseed),
            Purpose::Rewind { .. } => Some(Self::BeforeRewind),
            Purpose::Establish { .. } | Purpose::Rejoin { .. } | Purpose::Change { .. } => None,
        }
    }

    /// After an operation.
    pub fn after(purpose: &Purpose) -> Self {
        match purpose {
            Purpose::Failover { .. } => Self::AfterFailover,
            Purpose::Switchover { .. } => Self::AfterSwitchover,
            Purpose::Establish { .. } => Self::AfterEstablish,
            Purpose::Rejoin { .. } => Self::AfterRejoin,
            Purpose::Rewind { .. } => Self::AfterRewind,
            Purpose::Reseed { .. } => Self::AfterReseed,
            Purpose::Change { .. } => Self::AfterChange,
        }
    }

    /// When the manager enters a phase.
    pub fn on(phase: Phase) -> Option<Self> {
        match phase {
            Phase::Suspecting => Some(Self::OnSuspicion),
            Phase::Halted => Some(Self::OnHalt),
            Phase::Watching | Phase::Confirmed | Phase::Executing | Phase::Cooling => None,
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// When it runs.
    pub when: Moment,
    /// The program, as people name it.
    pub program: String,
    /// It is ended after this long.
    pub limit: Duration,
    /// Its failure stops what was about to happen.
    pub stops: bool,
}

/// One run of a hook: which one, and what it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its place among the hooks of the policy.
    pub number: usize,
    /// The hook.
    pub hook: Hook,
    /// The operation, of one.
    pub operation: Option<(OperationId, Purpose)>,
    /// The reign: before an operation the one in which it is to end.
    pub epoch: Epoch,
    /// The primary before, or the present one.
    pub old_primary: Option<ServerName>,
    /// The primary afterwards, where that is known.
    pub new_primary: Option<ServerName>,
}

impl Call {
    /// What it does, in one sentence.
    pub fn sentence(&self) -> String {
        format!("Run {} ({}).", self.hook.program, self.hook.when)
    }
}

/// Puts the hooks of an operation before the first step that changes a server.
pub(crate) fn prepend(view: View<'_>, id: OperationId, requested: bool, plan: &mut Plan) {
    let Some(moment) = Moment::before(&plan.purpose) else {
        return;
    };
    let failover = matches!(plan.purpose, Purpose::Failover { .. });
    let new_primary = match &plan.purpose {
        Purpose::Switchover { to, .. } => Some(to.clone()),
        Purpose::Failover { .. } => None,
        Purpose::Establish { .. }
        | Purpose::Rejoin { .. }
        | Purpose::Rewind { .. }
        | Purpose::Reseed { .. }
        | Purpose::Change { .. } => view.record().primary.clone(),
    };
    let mut steps = Vec::new();
    for (number, hook) in view.policy.hooks.iter().enumerate() {
        if hook.when != moment {
            continue;
        }
        // Whoever orders a failover by hand has decided already.
        let may_stop = hook.stops && !(failover && requested);
        let on_failure = if may_stop {
            OnFailure::Replan
        } else {
            OnFailure::Continue
        };
        let call = Box::new(Call {
            number,
            hook: hook.clone(),
            operation: Some((id, plan.purpose.clone())),
            epoch: plan.epoch,
            old_primary: view.record().primary.clone(),
            new_primary: new_primary.clone(),
        });
        steps.push(step(view, Effect::RunHook { call }, 0, on_failure));
    }
    if steps.is_empty() {
        return;
    }
    if failover && let Some(first) = plan.steps.first() {
        // Writes are held meanwhile: a dead primary may wake up.
        for step in &mut steps {
            step.group = first.group;
        }
        plan.steps.splice(1..1, steps);
        return;
    }
    for step in &mut plan.steps {
        step.group += 1;
    }
    plan.steps.splice(0..0, steps);
}
