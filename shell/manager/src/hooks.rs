//! Runs hooks: those of an operation's beginning as steps of it, all others beside the loop, which
//! waits for none of them. What they said is journaled with their operation.

use std::sync::Arc;
use std::time::Duration;

use mainstay_failover::hook::{Call, Moment};
use mainstay_failover::{Effect, Manager, OperationId, Output, Phase, Purpose, Step, StepResult};
use mainstay_store::{Entry, Store};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::control::HookControl;

/// Hooks after an operation stand behind all of its steps.
const AFTER_STEPS: usize = 10_000;

/// What the environment of a hook says.
pub(crate) fn variables(
    call: &Call,
    result: Option<&Result<(), String>>,
) -> Vec<(&'static str, String)> {
    let mut said = vec![
        ("MAINSTAY_EVENT", call.hook.when.name().to_owned()),
        ("MAINSTAY_EPOCH", call.epoch.to_string()),
    ];
    if let Some((id, purpose)) = &call.operation {
        said.push(("MAINSTAY_OPERATION", id.0.to_string()));
        said.push(("MAINSTAY_PURPOSE", purpose.to_string()));
    }
    let primaries = [
        ("MAINSTAY_OLD_PRIMARY", &call.old_primary),
        ("MAINSTAY_NEW_PRIMARY", &call.new_primary),
    ];
    for (name, server) in primaries {
        let server = server.as_ref().map(ToString::to_string);
        said.push((name, server.unwrap_or_default()));
    }
    match result {
        Some(Ok(())) => said.push(("MAINSTAY_RESULT", "done".to_owned())),
        Some(Err(reason)) => {
            said.push(("MAINSTAY_RESULT", "failed".to_owned()));
            said.push(("MAINSTAY_REASON", reason.clone()));
        }
        None => {}
    }
    said
}

/// A hook as a step.
pub(crate) async fn run(
    hooks: Option<&Arc<dyn HookControl>>,
    call: &Call,
) -> Result<Output, String> {
    let hooks = hooks.ok_or("nobody runs hooks here")?;
    hooks
        .run(call, variables(call, None))
        .await
        .map(Output::Said)
}

/// The hooks of a phase, or after an operation; nobody waits for them.
pub(crate) struct Aside {
    pub(crate) hooks: Arc<dyn HookControl>,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) call: Call,
    pub(crate) result: Option<Result<(), String>>,
}

impl Aside {
    pub(crate) async fn run(self) {
        let began = self.clock.wall_us(self.clock.now());
        let said = variables(&self.call, self.result.as_ref());
        let limit = self.call.hook.limit;
        let run = timeout(
            limit + Duration::from_secs(1),
            self.hooks.run(&self.call, said),
        )
        .await;
        let result = match run {
            Ok(Ok(output)) => StepResult::Done(Output::Said(output)),
            Ok(Err(reason)) => StepResult::Failed(reason),
            Err(_) => StepResult::TimedOut,
        };
        let sentence = self.call.sentence();
        match &result {
            StepResult::Done(_) => tracing::info!(%sentence, "hook"),
            StepResult::Failed(reason) => tracing::warn!(%sentence, %reason, "a hook failed"),
            StepResult::TimedOut => tracing::warn!(%sentence, "a hook ran out of time"),
        }
        let ended = self.clock.wall_us(self.clock.now());
        if let Some((operation, _)) = self.call.operation.clone() {
            self.keep(operation, (began, ended), result).await;
        }
    }

    /// Not by the journal of the loop: what a step waits for is never held up by a hook.
    async fn keep(self, operation: OperationId, (began, ended): (u64, u64), result: StepResult) {
        let step = AFTER_STEPS + self.call.number;
        let entries = [
            Entry::Started {
                operation: operation.0,
                step,
                at_us: began,
                what: Box::new(as_step(self.call)),
            },
            Entry::Ended {
                operation: operation.0,
                step,
                at_us: ended,
                result,
            },
        ];
        let store = self.store;
        let kept = spawn_blocking(move || store.append(&entries)).await;
        if let Ok(Err(error)) = kept {
            tracing::warn!(%error, "what a hook said is not in the journal");
        }
    }
}

fn as_step(call: Call) -> Step {
    let (sentence, limit) = (call.sentence(), call.hook.limit);
    let call = Box::new(call);
    Step {
        effect: Effect::RunHook { call },
        place: None,
        group: 0,
        precondition: "the operation has ended".to_owned(),
        sentence,
        sql: Vec::new(),
        limit,
        on_failure: mainstay_failover::OnFailure::Continue,
        undo: None,
    }
}

/// The calls after an operation.
pub(crate) fn after(machine: &Manager, operation: OperationId, purpose: &Purpose) -> Vec<Call> {
    let old = match purpose {
        Purpose::Failover { from } | Purpose::Switchover { from, .. } => Some(from.clone()),
        Purpose::Establish { .. }
        | Purpose::Rejoin { .. }
        | Purpose::Rewind { .. }
        | Purpose::Reseed { .. }
        | Purpose::Change { .. } => machine.record().primary.clone(),
    };
    calls(machine, Moment::after(purpose), |call| {
        call.operation = Some((operation, purpose.clone()));
        call.old_primary.clone_from(&old);
        call.new_primary.clone_from(&machine.record().primary);
    })
}

/// The calls when a phase is entered.
pub(crate) fn on(machine: &Manager, phase: &str) -> Vec<Call> {
    let phase = Phase::ALL.into_iter().find(|one| one.name() == phase);
    let moment = phase.and_then(Moment::on);
    moment.map_or_else(Vec::new, |moment| calls(machine, moment, |_| ()))
}

fn calls(machine: &Manager, when: Moment, fill: impl Fn(&mut Call)) -> Vec<Call> {
    let hooks = machine.policy().hooks.iter().enumerate();
    let due = hooks.filter(|(_, hook)| hook.when == when);
    let record = machine.record();
    due.map(|(number, hook)| {
        let mut call = Call {
            number,
            hook: hook.clone(),
            operation: None,
            epoch: record.epoch,
            old_primary: record.primary.clone(),
            new_primary: None,
        };
        fill(&mut call);
        call
    })
    .collect()
}
