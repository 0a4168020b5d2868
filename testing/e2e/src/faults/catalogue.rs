//! All faults, in the order in which a cluster goes through them.

use super::{Fault, by_hand, crashes, lines, managers, outages, stalls, switchovers};

/// A statement whose connection ended: nobody knows whether it ran (docs/decisions/0009).
pub(super) const UNKNOWN: u16 = 2013;
/// Nobody listens.
pub(super) const REFUSED: u16 = 2003;
/// A statement waited for a primary for longer than the proxy holds it.
pub(super) const NO_PRIMARY: u16 = 1159;
/// A server, or the proxy, says that it ends.
pub(super) const ENDING: u16 = 1053;

/// Every fault.
pub fn catalogue() -> Vec<Fault> {
    let groups: [&[Fault]; 7] = [
        &crashes::FAULTS,
        &stalls::FAULTS,
        &lines::FAULTS,
        &switchovers::FAULTS,
        &managers::FAULTS,
        &by_hand::FAULTS,
        &outages::FAULTS,
    ];
    groups.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_in_the_documentation_under_its_number() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/faults.md");
        let text = std::fs::read_to_string(path).expect("it can be read");
        for fault in catalogue() {
            let (number, name) = (format!("| {} |", fault.number), format!("`{}`", fault.name));
            let found = text
                .lines()
                .any(|line| line.starts_with(&number) && line.contains(&name));
            assert!(
                found,
                "{} {} is not in docs/faults.md",
                fault.number, fault.name
            );
        }
    }
}
