//! What must hold after every fault, whatever it was.
//!
//! - nothing that was acknowledged is missing, on any server;
//! - one server after the other acknowledged, and not more of them than the manager knows of;
//! - all servers hold the same rows;
//! - the primary moved as often as the fault allows, and clients saw no errors but those it allows;
//! - the cluster is whole again (that is waited for before this).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use mainstay_drill::{Account, Rows};

use crate::Family;

/// What came of one fault.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The fault.
    pub name: &'static str,
    /// Its number in the catalogue.
    pub number: u32,
    /// The family of the servers.
    pub family: Family,
    /// Nothing, or what is wrong.
    pub wrong: Vec<String>,
    /// The longest time that one writer waited from one OK to the next.
    pub gap_ms: f64,
    /// What clients saw, by code.
    pub errors: BTreeMap<u16, u64>,
    /// Writes that were answered with OK.
    pub acknowledged: usize,
    /// Those of them that some server does not hold.
    pub lost: usize,
    /// How often the primary moved.
    pub moves: u64,
    /// How often the manager asked a person to do something, who did.
    pub by_hand: u64,
    /// From the fault until the cluster was whole, in seconds.
    pub whole_after_s: f64,
}

/// What is compared with what was seen.
pub(super) struct Allowed<'a> {
    pub(super) moves: &'a RangeInclusive<u64>,
    pub(super) errors: &'a [u16],
}

impl Outcome {
    /// Judges what clients saw by what the servers hold.
    pub(super) fn judge(
        &mut self,
        allowed: &Allowed<'_>,
        account: &Account,
        held: &BTreeMap<String, Rows>,
    ) {
        let acknowledged = account.acknowledged();
        let missing: BTreeSet<u64> = held
            .values()
            .flat_map(|rows| acknowledged.iter().filter(|id| !rows.contains_key(id)))
            .copied()
            .collect();
        self.gap_ms = account.write_gap_ms();
        self.errors.clone_from(&account.errors);
        self.acknowledged = acknowledged.len();
        self.lost = missing.len();
        if !missing.is_empty() {
            let missing: Vec<_> = missing.into_iter().collect();
            self.blame(format!("acknowledged and missing: {}", some(&missing)));
        }
        self.compare_rows(held);
        let everywhere = held.values().flatten().map(|(id, server)| (*id, *server));
        let reigns = account.reigns(&everywhere.collect());
        if reigns.len() as u64 > self.moves + 1 {
            self.blame(format!(
                "two writers: acknowledged by, in this order, {reigns:?}"
            ));
        }
        if !allowed.moves.contains(&self.moves) {
            self.blame(format!(
                "the primary moved {} times, expected {:?}",
                self.moves, allowed.moves
            ));
        }
        let mut strange = account.errors.clone();
        strange.retain(|code, _| !allowed.errors.contains(code));
        if !strange.is_empty() {
            self.blame(format!("clients saw {strange:?}"));
        }
        if acknowledged.is_empty() {
            self.blame("no write was acknowledged".to_owned());
        }
    }

    fn compare_rows(&mut self, held: &BTreeMap<String, Rows>) {
        let Some((first, rows)) = held.iter().next() else {
            return;
        };
        for (server, others) in held {
            if others != rows {
                let only = |one: &Rows, other: &Rows| {
                    let ids = one.keys().filter(|id| !other.contains_key(id));
                    some(&ids.copied().collect::<Vec<_>>())
                };
                self.blame(format!(
                    "rows differ: only {first} has {}, only {server} has {}",
                    only(rows, others),
                    only(others, rows)
                ));
            }
        }
    }

    pub(super) fn blame(&mut self, what: String) {
        self.wrong.push(what);
    }
}

fn some(ids: &[u64]) -> String {
    match ids {
        [] => "none".to_owned(),
        [first, .., last] if ids.len() > 8 => format!("{} from {first} to {last}", ids.len()),
        _ => format!("{ids:?}"),
    }
}
