//! How long the proxies had no writer because of a failover or a switchover, from its journal.

use mainstay_failover::Purpose;
use mainstay_store::{JournalStep, Operation, StepOutcome};

/// The phase in which a primary is that does not answer.
const SUSPECTED: &str = "Suspecting";
/// How the sentences of the steps begin that take the writer from the proxies, and give them one.
const TAKEN: [&str; 2] = [
    "Tell the proxies that there is no writer",
    "Tell the proxies to hold new writes",
];
const GIVEN: &str = "Tell the proxies to write to";

/// From the first suspicion that led to a failover, or from when the proxies were told to hold
/// writes, to when they had the next writer; in milliseconds.
pub(super) fn writes_held_ms(operation: &Operation) -> Option<f64> {
    let suspected = match operation.purpose {
        Purpose::Failover { .. } => operation
            .phases
            .iter()
            .find(|change| change.phase.eq_ignore_ascii_case(SUSPECTED))
            .map(|change| change.at_us),
        Purpose::Switchover { .. } => None,
        Purpose::Establish { .. }
        | Purpose::Rejoin { .. }
        | Purpose::Rewind { .. }
        | Purpose::Reseed { .. }
        | Purpose::Change { .. } => return None,
    };
    let mut steps = operation.steps.iter();
    let taken = steps.find(|step| TAKEN.iter().any(|words| step.sentence.starts_with(words)));
    let taken = taken.map(|step| step.started_us);
    let from = suspected.into_iter().chain(taken).min()?;
    let given = |step: &&JournalStep| {
        step.sentence.starts_with(GIVEN) && step.outcome == Some(StepOutcome::Done)
    };
    let until = operation.steps.iter().rfind(given)?.ended_us?;
    Some(super::milliseconds(until, from))
}

#[cfg(test)]
mod tests {
    use mainstay_failover::Effect;
    use mainstay_store::PhaseChange;
    use mainstay_topology::{Address, Routes, ServerName, Target};

    use super::*;

    fn told(writer: Option<&str>, hold_writes: bool, at_us: u64) -> JournalStep {
        let writer = writer.map(|name| Target {
            name: ServerName::new(name),
            address: Address {
                host: "127.0.0.1".to_owned(),
                port: 3301,
            },
        });
        let routes = Routes {
            writer,
            hold_writes,
            ..Routes::default()
        };
        JournalStep {
            index: 0,
            server: None,
            sentence: Effect::Publish { routes }.sentence(),
            sql: String::new(),
            started_us: at_us,
            ended_us: Some(at_us + 1_000),
            outcome: Some(StepOutcome::Done),
            said: None,
        }
    }

    fn operation(purpose: Purpose, steps: Vec<JournalStep>) -> Operation {
        Operation {
            id: 1,
            purpose,
            epoch: 2,
            plan: String::new(),
            began_us: 10_000,
            finished_us: Some(900_000),
            failure: None,
            certificate: None,
            phases: vec![PhaseChange {
                at_us: 5_000,
                phase: SUSPECTED.to_owned(),
                reason: String::new(),
            }],
            steps,
        }
    }

    #[test]
    fn a_failover_counts_from_the_first_suspicion_and_a_switchover_from_the_hold() {
        let from = ServerName::new("db1");
        let to = ServerName::new("db2");
        let failover = Purpose::Failover { from: from.clone() };
        let steps = vec![told(None, false, 11_000), told(Some("db2"), false, 104_000)];
        assert_eq!(writes_held_ms(&operation(failover, steps)), Some(100.0));
        let moved = Purpose::Switchover { from, to };
        let steps = vec![
            told(Some("db1"), true, 50_000),
            told(Some("db2"), false, 79_000),
        ];
        assert_eq!(writes_held_ms(&operation(moved.clone(), steps)), Some(30.0));
        let steps = vec![told(Some("db1"), true, 50_000)];
        assert_eq!(writes_held_ms(&operation(moved, steps)), None);
    }
}
