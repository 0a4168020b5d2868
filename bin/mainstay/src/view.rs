//! From the manager's and the proxy's values to what the API shows.

mod held;

use std::net::SocketAddr;

use mainstay_dashboard::views::{
    ConditionView, FindingView, MomentKind, MomentView, OperationOutcome, OperationView, PlanView,
    ProxyView, RunningView, StatusParts, StatusView,
};
use mainstay_failover::Durability;
use mainstay_manager::{Planned, Snapshot};
use mainstay_proxy::ProxyStats;
use mainstay_store::{JournalStep, Operation, PhaseChange, StepOutcome};
use mainstay_topology::Routes;

/// The cluster, without its proxy.
pub(crate) fn status(cluster: &str, snapshot: &Snapshot) -> StatusView {
    let none = Routes::default();
    let durability = match snapshot.durability {
        Durability::Lossless {
            acknowledgements: 1,
        } => "lossless: a commit waits for 1 replica".to_owned(),
        Durability::Lossless { acknowledgements } => {
            format!("lossless: a commit waits for {acknowledgements} replicas")
        }
        Durability::Async => "async: a failover may lose acknowledged commits".to_owned(),
    };
    let mut view = StatusView::new(&StatusParts {
        cluster,
        durability: &durability,
        phase: &snapshot.phase.name().to_lowercase(),
        reason: &snapshot.reason,
        topology: &snapshot.topology,
        routes: snapshot.routes.as_ref().unwrap_or(&none),
    });
    view.paused = snapshot.paused.as_ref().map(ToString::to_string);
    view.operation = snapshot.operation.as_ref().map(|running| RunningView {
        id: running.id.0,
        purpose: mainstay_dashboard::views::purpose(&running.purpose),
        steps: running.steps.clone(),
    });
    view.findings = snapshot
        .findings
        .iter()
        .map(|finding| FindingView {
            subject: finding.subject.to_string(),
            sentence: finding.to_string(),
        })
        .collect();
    view
}

/// The proxy's counters.
pub(crate) fn proxy(listen: SocketAddr, stats: &ProxyStats) -> ProxyView {
    let sessions = &stats.sessions;
    let connections = sessions
        .servers
        .values()
        .map(|server| server.idle + server.used);
    ProxyView {
        listen: listen.to_string(),
        io: stats.io.to_string(),
        sessions: sessions.sessions as u64,
        held: sessions.held as u64,
        server_connections: connections.sum::<usize>() as u64,
        statements: sessions.statements_writer + sessions.statements_reader,
    }
}

/// A plan, with what the servers said about it.
pub(crate) fn plan(planned: &Planned) -> PlanView {
    PlanView {
        id: planned.id.clone(),
        checks: planned.checks.iter().map(ConditionView::from).collect(),
        ..PlanView::from(&planned.plan)
    }
}

/// One operation of the journal.
pub(crate) fn operation(operation: &Operation) -> OperationView {
    let outcome = match (&operation.finished_us, &operation.failure) {
        (None, _) => OperationOutcome::Running,
        (Some(_), None) => OperationOutcome::Done,
        (Some(_), Some(_)) => OperationOutcome::Failed,
    };
    let from = operation.began_us;
    let mut timeline: Vec<_> = operation
        .phases
        .iter()
        .map(|change| phase_moment(change, from))
        .collect();
    timeline.extend(operation.steps.iter().map(|step| step_moment(step, from)));
    timeline.sort_by(|a, b| a.from_ms.total_cmp(&b.from_ms));
    OperationView {
        id: operation.id,
        purpose: mainstay_dashboard::views::purpose(&operation.purpose),
        epoch: operation.epoch,
        outcome,
        failure: operation.failure.clone(),
        began_at_ms: operation.began_us / 1_000,
        took_ms: operation
            .finished_us
            .map(|finished| milliseconds(finished, from)),
        writes_held_ms: held::writes_held_ms(operation),
        certificate: operation.certificate.clone(),
        timeline,
    }
}

fn phase_moment(change: &PhaseChange, from: u64) -> MomentView {
    MomentView {
        kind: MomentKind::Phase,
        at_ms: change.at_us / 1_000,
        from_ms: milliseconds(change.at_us, from),
        until_ms: None,
        server: None,
        text: format!("{}: {}", change.phase, change.reason),
        outcome: None,
        said: None,
    }
}

fn step_moment(step: &JournalStep, from: u64) -> MomentView {
    MomentView {
        kind: MomentKind::Step,
        at_ms: step.started_us / 1_000,
        from_ms: milliseconds(step.started_us, from),
        until_ms: step.ended_us.map(|ended| milliseconds(ended, from)),
        server: step.server.clone(),
        text: step.sentence.clone(),
        outcome: step.outcome.as_ref().map(|outcome| match outcome {
            StepOutcome::Done => "done".to_owned(),
            StepOutcome::Failed(reason) => reason.clone(),
            StepOutcome::TimedOut => "timed out".to_owned(),
        }),
        said: step.said.clone(),
    }
}

/// Negative when `at` is before `from`.
#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds of an operation fit a double"
)]
fn milliseconds(at_us: u64, from_us: u64) -> f64 {
    if at_us >= from_us {
        (at_us - from_us) as f64 / 1_000.0
    } else {
        -((from_us - at_us) as f64 / 1_000.0)
    }
}
