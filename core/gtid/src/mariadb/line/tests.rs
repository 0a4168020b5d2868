//! Sets against the truth: a tree of transactions, and servers that know only part of their own
//! history by name.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::mariadb::{Gtid, MariadbSet};

/// A server: what it truly holds, and what it says.
#[derive(Debug, Clone)]
struct Server {
    truth: BTreeSet<Gtid>,
    says: MariadbSet,
    /// Whether it names every server of its history.
    names_all: bool,
}

/// Where a line leaves an earlier one, and what is written on it: who of three, and by how much
/// the number grows. No server writes on two lines.
type Branch = (usize, usize, Vec<(u32, u64)>);

/// Which line a server is on, how far, and after how much of it the server was given its data.
type Place = (usize, usize, usize);

fn lines(branches: &[Branch]) -> Vec<Vec<Gtid>> {
    let mut lines: Vec<Vec<Gtid>> = vec![Vec::new()];
    for (number, (parent, at, writes)) in (0..).zip(branches) {
        let parent = &lines[parent % lines.len()];
        let mut line = parent[..at % (parent.len() + 1)].to_vec();
        for (server, grows) in writes {
            let before = line.last().map_or(0, |gtid| gtid.sequence);
            line.push(Gtid {
                domain: 0,
                server: 10 * number + server,
                sequence: before + grows,
            });
        }
        lines.push(line);
    }
    lines
}

/// A server that was given the data up to a transaction says that one, and what came after.
fn server(lines: &[Vec<Gtid>], (line, length, given): Place) -> Server {
    let line = &lines[line % lines.len()];
    let line = &line[..length % (line.len() + 1)];
    let given = given % (line.len() + 1);
    let named = &line[given.saturating_sub(1)..];
    Server {
        truth: line.iter().copied().collect(),
        says: named
            .iter()
            .copied()
            .collect::<MariadbSet>()
            .of_one_history(),
        names_all: given <= 1,
    }
}

/// Executed on one line and received on one that may be another.
fn replica(lines: &[Vec<Gtid>], (executed, received): (Place, Place)) -> Server {
    let (executed, received) = (server(lines, executed), server(lines, received));
    Server {
        truth: executed.truth.union(&received.truth).copied().collect(),
        says: executed.says.union(&received.says),
        names_all: executed.names_all && received.names_all,
    }
}

fn three_servers() -> impl Strategy<Value = [Server; 3]> {
    let writes = prop::collection::vec((0..3u32, 1..3u64), 1..8);
    let branches = prop::collection::vec((0..8usize, 0..64usize, writes), 1..5);
    let place = || (0..8usize, 0..64usize, prop_oneof![Just(0), 0..64usize]);
    let held = || prop_oneof![place().prop_map(|one| (one, one)), (place(), place())];
    (branches, [held(), held(), held()]).prop_map(|(branches, held)| {
        let lines = lines(&branches);
        held.map(|places| replica(&lines, places))
    })
}

/// One set is never taken to hold another that it does not hold.
fn is_sound(own: &MariadbSet, truth: &BTreeSet<Gtid>, other: &Server) -> bool {
    (!own.contains(&other.says) || other.truth.is_subset(truth))
        && (!other.says.contains(own) || truth.is_subset(&other.truth))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_tail_that_a_server_lacks_is_never_taken_for_held([a, b, _c] in three_servers()) {
        prop_assert!(is_sound(&a.says, &a.truth, &b));
        if a.names_all {
            prop_assert_eq!(a.says.contains(&b.says), b.truth.is_subset(&a.truth));
        }
        let ranges = b.says.subtract(&a.says);
        prop_assert_eq!(ranges.is_empty(), a.says.contains(&b.says));
        if !ranges.is_empty() {
            for lost in b.truth.difference(&a.truth) {
                let numbers = |range: &crate::mariadb::GtidRange| {
                    range.first().sequence..=range.last().sequence
                };
                prop_assert!(ranges.iter().any(|range| numbers(range).contains(&lost.sequence)));
            }
        }
    }

    #[test]
    fn what_is_learned_was_true_and_is_never_less([a, b, c] in three_servers()) {
        let mut learned = a.says.clone();
        learned.learn_from(&b.says);
        prop_assert!(learned.iter().all(|gtid| a.truth.contains(&gtid)));
        prop_assert!(is_sound(&learned, &a.truth, &b));
        prop_assert!(is_sound(&learned, &a.truth, &c));
        prop_assert!(!a.says.contains(&c.says) || learned.contains(&c.says));
        prop_assert!(!c.says.contains(&a.says) || c.says.contains(&learned));
        prop_assert!(learned.contains(&a.says) && a.says.contains(&learned));
    }

    #[test]
    fn what_sets_are_put_together_from_is_never_forgotten([a, b, c] in three_servers()) {
        let both: BTreeSet<_> = a.truth.union(&b.truth).copied().collect();
        prop_assert!(is_sound(&a.says.union(&b.says), &both, &c));
        let shared = a.says.intersect(&b.says);
        let truth: BTreeSet<_> = a.truth.intersection(&b.truth).copied().collect();
        prop_assert!(shared.iter().all(|gtid| truth.contains(&gtid)));
        if c.says.contains(&shared) {
            prop_assert!(shared.iter().all(|gtid| c.truth.contains(&gtid)));
        }
    }
}

fn set(text: &str) -> MariadbSet {
    text.parse().expect("the test's own text")
}

#[test]
fn a_reseeded_server_that_has_caught_up_holds_what_it_cannot_name() {
    assert!(set("0-3-37611").contains(&set("0-1-1753,0-3-37611")));
    assert!(set("0-3-38000").contains(&set("0-1-1753,0-3-37611")));
    assert!(!set("0-3-37610").contains(&set("0-1-1753,0-3-37611")));
    assert!(set("0-1-1753,0-3-37611").contains(&set("0-3-37611")));
}

#[test]
fn a_number_below_ones_own_of_a_server_not_named_may_be_errant() {
    assert!(!set("0-3-37611").contains(&set("0-1-1753")));
    assert!(!set("0-3-37611").contains(&set("0-2-40,0-1-1753")));
}

#[test]
fn a_third_server_tells_what_a_reseeded_one_holds_of_earlier_reigns() {
    let (baseline, primary) = (set("0-1-1753,0-3-37611"), set("0-1-40050,0-3-37611"));
    let mut reseeded = set("0-1-40000");
    assert!(!reseeded.contains(&baseline), "it may have forked before");
    reseeded.learn_from(&primary);
    assert_eq!(reseeded, set("0-1-40000,0-3-37611"));
    assert!(reseeded.contains(&baseline));
}

#[test]
fn one_that_shares_nothing_teaches_nothing() {
    let mut reseeded = set("0-1-40000");
    reseeded.learn_from(&set("0-2-50000,0-3-37611"));
    assert_eq!(reseeded, set("0-1-40000"));
}

#[test]
fn an_errant_transaction_is_not_hidden_by_what_was_received_after_it() {
    let held = set("0-1-100,0-2-101").union(&set("0-1-105"));
    let primary = set("0-1-110");
    assert!(!primary.contains(&held));
    assert_eq!(primary.union(&held).subtract(&primary).len(), 1);
    assert!(!set("0-1-110,0-3-90").contains(&held));
}

#[test]
fn a_replica_that_applies_a_new_primary_has_one_line_again_when_told() {
    let mut held = set("0-3-37611").union(&set("0-1-37620"));
    assert_eq!(held.to_string(), "0-1-37620;0-3-37611");
    held.learn_from(&set("0-1-37625,0-3-37611"));
    assert_eq!(held, set("0-1-37620,0-3-37611"));
}

#[test]
fn a_reseeded_server_that_writes_itself_has_written_after_what_it_was_given() {
    let given_and_written = set("0-1-100").union(&set("0-2-150"));
    assert!(!set("0-2-170").contains(&given_and_written));
    assert!(set("0-2-170").contains(&given_and_written.executed_by(2)));
}

#[test]
fn an_errant_transaction_below_what_is_applied_stays_apart() {
    let errant = set("0-2-101").union(&set("0-1-150"));
    assert!(!set("0-1-170").contains(&errant.executed_by(2)));
}
