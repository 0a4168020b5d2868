//! The phases of the manager: one table, from which the diagram in the docs is made.

use std::fmt;
use std::fmt::Write as _;

/// What the manager is at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The primary is well, as far as is known.
    #[default]
    Watching,
    /// Something is wrong with the primary; it is looked at more often.
    Suspecting,
    /// The primary is dead, and it is decided what to do.
    Confirmed,
    /// A plan runs.
    Executing,
    /// A plan has ended; what was seen before does not count until all has been seen again.
    Cooling,
    /// A human is needed, or the cluster must change.
    Halted,
}

impl Phase {
    /// All phases, in the order of their life.
    pub const ALL: [Self; 6] = [
        Self::Watching,
        Self::Suspecting,
        Self::Confirmed,
        Self::Executing,
        Self::Cooling,
        Self::Halted,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Watching => "Watching",
            Self::Suspecting => "Suspecting",
            Self::Confirmed => "Confirmed",
            Self::Executing => "Executing",
            Self::Cooling => "Cooling",
            Self::Halted => "Halted",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What moves the manager from phase to phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// The primary does not answer.
    Unwell,
    /// The primary answers, or is alive.
    Well,
    /// The primary is confirmed dead.
    Dead,
    /// An operation begins.
    Begin,
    /// An operation ends.
    End,
    /// What is needed cannot be done.
    Stuck,
    /// All servers have been seen again, or the wait for it is over.
    Settled,
}

/// The transitions: from, trigger, to, and why. What is not listed changes nothing.
pub const TRANSITIONS: [(Phase, Trigger, Phase, &str); 15] = [
    (
        Phase::Watching,
        Trigger::Unwell,
        Phase::Suspecting,
        "the primary does not answer",
    ),
    (
        Phase::Watching,
        Trigger::Dead,
        Phase::Confirmed,
        "the primary is dead",
    ),
    (
        Phase::Watching,
        Trigger::Begin,
        Phase::Executing,
        "a plan was made",
    ),
    (
        Phase::Watching,
        Trigger::Stuck,
        Phase::Halted,
        "a human is needed",
    ),
    (
        Phase::Suspecting,
        Trigger::Well,
        Phase::Watching,
        "the primary is alive",
    ),
    (
        Phase::Suspecting,
        Trigger::Dead,
        Phase::Confirmed,
        "the primary is dead",
    ),
    (
        Phase::Suspecting,
        Trigger::Begin,
        Phase::Executing,
        "an operator asked",
    ),
    (
        Phase::Suspecting,
        Trigger::Stuck,
        Phase::Halted,
        "a human is needed",
    ),
    (
        Phase::Confirmed,
        Trigger::Begin,
        Phase::Executing,
        "a failover is safe",
    ),
    (
        Phase::Confirmed,
        Trigger::Stuck,
        Phase::Halted,
        "no failover",
    ),
    (
        Phase::Executing,
        Trigger::End,
        Phase::Cooling,
        "the operation has ended",
    ),
    (
        Phase::Cooling,
        Trigger::Settled,
        Phase::Watching,
        "all servers were seen again",
    ),
    (
        Phase::Halted,
        Trigger::Well,
        Phase::Watching,
        "the cause is gone",
    ),
    (
        Phase::Halted,
        Trigger::Unwell,
        Phase::Suspecting,
        "the primary does not answer",
    ),
    (
        Phase::Halted,
        Trigger::Begin,
        Phase::Executing,
        "a plan became possible",
    ),
];

/// Where a trigger leads, and why; `None` when it changes nothing.
pub fn next(phase: Phase, trigger: Trigger) -> Option<(Phase, &'static str)> {
    TRANSITIONS
        .iter()
        .find(|(from, on, _, _)| *from == phase && *on == trigger)
        .map(|(_, _, to, why)| (*to, *why))
}

/// The table as a Mermaid state diagram.
pub fn mermaid() -> String {
    let mut text = String::from("stateDiagram-v2\n    [*] --> Watching\n");
    for (from, _, to, why) in &TRANSITIONS {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "    {from} --> {to}: {why}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_transition_is_written_twice_and_every_phase_can_be_left() {
        for (index, (from, trigger, _, _)) in TRANSITIONS.iter().enumerate() {
            let twice = TRANSITIONS[..index]
                .iter()
                .any(|(other, on, _, _)| (other, on) == (from, trigger));
            assert!(!twice, "{from} and {trigger:?} stand twice");
        }
        for phase in Phase::ALL {
            assert!(
                TRANSITIONS
                    .iter()
                    .any(|(from, _, to, _)| *from == phase && *to != phase)
            );
        }
    }

    #[test]
    fn the_diagram_names_every_transition() {
        let diagram = mermaid();
        assert_eq!(diagram.lines().count(), TRANSITIONS.len() + 2);
        assert!(
            diagram.contains("Suspecting --> Confirmed: the primary is dead"),
            "{diagram}"
        );
    }
}
