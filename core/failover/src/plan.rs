//! Plans, made by pure functions: one file for each purpose, over one builder of steps.

use std::time::Duration;

use mainstay_topology::{Epoch, Routes, Server, ServerName, Target};

use crate::bugs::Bug;
use crate::dialect;
use crate::effect::{Effect, Place};
use crate::policy::Policy;
use crate::step::{OnFailure, Plan, Purpose, Step};
use crate::view::View;
use crate::words;

pub(crate) mod change;
pub(crate) mod count;
pub(crate) mod establish;
pub(crate) mod failover;
pub(crate) mod first;
pub(crate) mod rejoin;
pub(crate) mod release;
pub(crate) mod switchover;

/// Steps in the making: groups run in order, the steps of a group at the same time.
pub(crate) struct Draft<'a> {
    view: View<'a>,
    pub(crate) steps: Vec<Step>,
    group: u32,
}

impl<'a> Draft<'a> {
    /// Starts with the group after those of an operation that is under way.
    pub(crate) fn after(view: View<'a>, group: u32) -> Self {
        Self {
            view,
            steps: Vec::new(),
            group,
        }
    }

    pub(crate) fn new(view: View<'a>) -> Self {
        Self::after(view, 0)
    }

    /// What follows runs after what was added so far.
    pub(crate) fn then(&mut self) {
        self.group += 1;
    }

    pub(crate) fn push(&mut self, effect: Effect, on_failure: OnFailure) {
        self.steps
            .push(step(self.view, effect, self.group, on_failure));
    }

    /// Adds a step that can be taken back.
    pub(crate) fn push_undoable(&mut self, effect: Effect, undo: Effect) {
        self.push(effect, OnFailure::Undo);
        if let Some(step) = self.steps.last_mut() {
            step.undo = Some(undo);
        }
    }

    /// A group of one step.
    pub(crate) fn next(&mut self, effect: Effect, on_failure: OnFailure) {
        self.then();
        self.push(effect, on_failure);
    }

    pub(crate) fn finish(self, purpose: Purpose, epoch: Epoch) -> Plan {
        Plan {
            purpose,
            epoch,
            steps: self.steps,
            continues: false,
        }
    }
}

/// One step with its words, its statements and its limit.
pub(crate) fn step(view: View<'_>, effect: Effect, group: u32, on_failure: OnFailure) -> Step {
    let place = place_of(&effect).and_then(|name| view.place(name));
    Step {
        precondition: words::precondition(&effect),
        sentence: words::sentence(&effect),
        sql: place
            .as_ref()
            .map(|place| view.bugs.spoil(statements(view, &effect, place)))
            .unwrap_or_default(),
        limit: limit(&effect, view.policy),
        place,
        group,
        on_failure,
        undo: None,
        effect,
    }
}

/// What a step sends. Writes are opened on the connection on which commits were told to wait: a
/// server that was started again since the step before, or whose demotion is undone, waits for
/// nobody.
fn statements(view: View<'_>, effect: &Effect, place: &Place) -> Vec<String> {
    let opened = dialect::sql(effect, place);
    match effect {
        Effect::OpenWrites { server }
            if view.is_lossless() && !view.bugs.has(Bug::OpenBeforeWaiting) =>
        {
            let enabled = Effect::EnableSemiSync {
                server: server.clone(),
                acknowledgements: view.acknowledgements(),
                afresh: false,
            };
            let mut statements = dialect::sql(&enabled, place);
            statements.extend(opened);
            statements
        }
        _ => opened,
    }
}

/// The server on which an effect runs.
pub(crate) fn place_of(effect: &Effect) -> Option<&ServerName> {
    match effect {
        Effect::StopReceiver { server }
        | Effect::EndProcess { server }
        | Effect::Fence { server }
        | Effect::Demote { server }
        | Effect::ApplyReceived { server }
        | Effect::AwaitApplied { server, .. }
        | Effect::Attach { server, .. }
        | Effect::AwaitAttached { server, .. }
        | Effect::AwaitClients { server, .. }
        | Effect::EnableSemiSync { server, .. }
        | Effect::OpenWrites { server }
        | Effect::DropAddress { server, .. }
        | Effect::TakeAddress { server, .. }
        | Effect::ReleaseProved { server, .. }
        | Effect::StopReplication { server }
        | Effect::AwaitIdle { server }
        | Effect::Restart { server }
        | Effect::CloseRing { server, .. }
        | Effect::ForgetSource { server }
        | Effect::SaveErrant { server, .. }
        | Effect::ApplyTail { server, .. }
        | Effect::Rewind { server, .. }
        | Effect::Reseed { server, .. } => Some(server),
        Effect::Publish { .. }
        | Effect::Drain { .. }
        | Effect::Record { .. }
        | Effect::RunHook { .. }
        | Effect::Wish { .. } => None,
    }
}

/// How long a step may take. Those that stand between a failure and the first write are short.
fn limit(effect: &Effect, policy: &Policy) -> Duration {
    let seconds = Duration::from_secs;
    match effect {
        Effect::Publish { .. } | Effect::DropAddress { .. } | Effect::TakeAddress { .. } => {
            seconds(1)
        }
        Effect::Demote { .. } | Effect::AwaitClients { .. } => seconds(3),
        Effect::StopReceiver { .. }
        | Effect::EndProcess { .. }
        | Effect::Fence { .. }
        | Effect::Record { .. }
        | Effect::AwaitAttached { .. }
        | Effect::EnableSemiSync { .. }
        | Effect::OpenWrites { .. }
        | Effect::ReleaseProved { .. }
        | Effect::Wish { .. }
        | Effect::ForgetSource { .. } => seconds(5),
        Effect::Attach { .. } | Effect::CloseRing { .. } => seconds(10),
        // MySQL's applier waits a minute for the rest of a transaction that was cut off.
        Effect::StopReplication { .. } => seconds(75),
        Effect::AwaitIdle { .. } => seconds(30),
        Effect::Restart { .. } => seconds(300),
        Effect::RunHook { call } => call.hook.limit,
        Effect::Drain { .. } => policy.drain_limit,
        Effect::ApplyReceived { .. } | Effect::ApplyTail { .. } => policy.apply_limit,
        Effect::AwaitApplied { .. } => policy.catch_up_limit,
        Effect::SaveErrant { .. } => seconds(600),
        Effect::Rewind { .. } => seconds(3600),
        Effect::Reseed { .. } => seconds(4 * 3600),
    }
}

/// The machine puts in the epoch of the moment.
pub(crate) fn drop_address(view: View<'_>, server: &Server) -> Effect {
    Effect::DropAddress {
        server: server.name().clone(),
        epoch: view.record().epoch,
    }
}

/// The machine puts in the epoch of the moment.
pub(crate) fn take_address(view: View<'_>, server: &Server) -> Effect {
    Effect::TakeAddress {
        server: server.name().clone(),
        epoch: view.record().epoch,
    }
}

/// Routes of a plan. Readers, epoch and version are filled in when the step is run.
pub(crate) fn publish(writer: Option<Target>, hold_writes: bool) -> Effect {
    Effect::Publish {
        routes: Routes {
            writer,
            hold_writes,
            ..Routes::default()
        },
    }
}
