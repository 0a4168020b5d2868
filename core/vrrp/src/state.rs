//! The states of a virtual router: one table, from which the diagram in the docs is made.

use std::fmt;
use std::fmt::Write as _;

/// What a router is at (RFC 9568 §6.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It does not run.
    #[default]
    Init,
    /// Something is missing without which it may not serve.
    Fault,
    /// It watches the Active router.
    Backup,
    /// It holds the addresses.
    Active,
}

impl State {
    /// All states, in the order of their life.
    pub const ALL: [Self; 4] = [Self::Init, Self::Fault, Self::Backup, Self::Active];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Init => "Init",
            Self::Fault => "Fault",
            Self::Backup => "Backup",
            Self::Active => "Active",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What moves a router from state to state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// It may serve.
    Start,
    /// It may serve, and owns the addresses.
    StartOwner,
    /// Something is missing.
    Missing,
    /// Nobody was Active for long enough.
    Silence,
    /// A better router is Active.
    Better,
    /// It did not run for so long that others have taken its place.
    Paused,
    /// It was told to take the addresses.
    Claimed,
    /// Its group has become Active.
    GroupActive,
    /// Its group has become Backup.
    GroupBackup,
    /// It is to stop.
    Stop,
}

/// The transitions: from, trigger, to, and why. What is not listed changes nothing.
pub const TRANSITIONS: [(State, Trigger, State, &str); 16] = [
    (State::Init, Trigger::Start, State::Backup, "it starts"),
    (
        State::Init,
        Trigger::StartOwner,
        State::Active,
        "it owns the addresses",
    ),
    (
        State::Init,
        Trigger::Missing,
        State::Fault,
        "something is missing",
    ),
    (
        State::Fault,
        Trigger::Start,
        State::Backup,
        "what was missing is there",
    ),
    (
        State::Fault,
        Trigger::StartOwner,
        State::Active,
        "the owner is well again",
    ),
    (State::Fault, Trigger::Stop, State::Init, "it was stopped"),
    (
        State::Backup,
        Trigger::Silence,
        State::Active,
        "no Active router is heard",
    ),
    (
        State::Backup,
        Trigger::Claimed,
        State::Active,
        "it was told to take the addresses",
    ),
    (
        State::Backup,
        Trigger::GroupActive,
        State::Active,
        "its group has become Active",
    ),
    (
        State::Backup,
        Trigger::Missing,
        State::Fault,
        "something is missing",
    ),
    (State::Backup, Trigger::Stop, State::Init, "it was stopped"),
    (
        State::Active,
        Trigger::Better,
        State::Backup,
        "a better router is Active",
    ),
    (
        State::Active,
        Trigger::Paused,
        State::Backup,
        "it had not run for too long",
    ),
    (
        State::Active,
        Trigger::GroupBackup,
        State::Backup,
        "its group has become Backup",
    ),
    (
        State::Active,
        Trigger::Missing,
        State::Fault,
        "something is missing",
    ),
    (State::Active, Trigger::Stop, State::Init, "it was stopped"),
];

/// Where a trigger leads, and why; `None` when it changes nothing.
pub fn next(state: State, trigger: Trigger) -> Option<(State, &'static str)> {
    TRANSITIONS
        .iter()
        .find(|(from, on, _, _)| *from == state && *on == trigger)
        .map(|(_, _, to, why)| (*to, *why))
}

/// The table as a Mermaid state diagram.
pub fn mermaid() -> String {
    let mut text = String::from("stateDiagram-v2\n    [*] --> Init\n");
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
    fn no_transition_is_written_twice_and_every_state_can_be_left() {
        for (index, (from, trigger, _, _)) in TRANSITIONS.iter().enumerate() {
            let twice = TRANSITIONS[..index]
                .iter()
                .any(|(other, on, _, _)| (other, on) == (from, trigger));
            assert!(!twice, "{from} and {trigger:?} stand twice");
        }
        for state in State::ALL {
            let leaves = |(from, _, to, _): &(State, _, State, _)| *from == state && *to != state;
            assert!(TRANSITIONS.iter().any(leaves), "{state} is a trap");
        }
    }

    #[test]
    fn every_state_but_init_can_be_stopped_and_can_miss_something() {
        for state in [State::Fault, State::Backup, State::Active] {
            let stopped = next(state, Trigger::Stop).map(|(to, _)| to);
            assert_eq!(stopped, Some(State::Init));
        }
        for state in [State::Init, State::Backup, State::Active] {
            let missing = next(state, Trigger::Missing).map(|(to, _)| to);
            assert_eq!(missing, Some(State::Fault));
        }
    }
}
