//! The sets against whole histories, as strict mode lets them grow, and the text form.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{Gtid, MariadbSet, Position};

fn set(text: &str) -> MariadbSet {
    text.parse().expect("the test's own text")
}

fn position(text: &str) -> Position {
    text.parse().expect("the test's own text")
}

fn missing(from: &str, other: &str) -> Vec<String> {
    set(from)
        .subtract(&set(other))
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// What servers wrote one after another to a domain: who, and by how much the number grew.
type Writes = Vec<(u32, u64)>;

fn writes(servers: std::ops::Range<u32>) -> impl Strategy<Value = Writes> {
    prop::collection::vec((servers, 1..4u64), 0..12)
}

fn history(domain: u32, writes: impl Iterator<Item = (u32, u64)>) -> BTreeSet<Gtid> {
    let mut sequence = 0;
    let next = |(server, grows)| {
        sequence += grows;
        Gtid {
            domain,
            server,
            sequence,
        }
    };
    writes.map(next).collect()
}

/// Two histories that share a beginning and then go on at different servers, in two domains.
fn forked() -> impl Strategy<Value = [BTreeSet<Gtid>; 2]> {
    let domain = || (writes(1..4), writes(1..3), writes(3..5));
    (domain(), domain()).prop_map(|domains| {
        let mut both = [BTreeSet::new(), BTreeSet::new()];
        for (id, (shared, one, other)) in [(0, domains.0), (7, domains.1)] {
            both[0].extend(history(id, shared.iter().chain(&one).copied()));
            both[1].extend(history(id, shared.iter().chain(&other).copied()));
        }
        both
    })
}

/// Sets of up to two lines, whether or not strict mode could have made them.
fn any_set() -> impl Strategy<Value = MariadbSet> {
    let gtid = (0..3u32, 1..4u32, 0..20u64).prop_map(|(domain, server, sequence)| Gtid {
        domain,
        server,
        sequence,
    });
    let line = prop::collection::vec(gtid, 0..10)
        .prop_map(|gtids| MariadbSet::from_iter(gtids).of_one_history());
    (line.clone(), line).prop_map(|(one, other)| one.union(&other))
}

fn line(history: &BTreeSet<Gtid>) -> MariadbSet {
    history
        .iter()
        .copied()
        .collect::<MariadbSet>()
        .of_one_history()
}

fn named(set: &MariadbSet) -> Vec<Gtid> {
    set.iter().collect()
}

proptest! {
    #[test]
    fn the_newest_numbers_stand_for_whole_histories([a, b] in forked()) {
        let (left, right) = (line(&a), line(&b));
        let lost: BTreeSet<_> = a.difference(&b).copied().collect();
        let ranges = left.subtract(&right);

        prop_assert_eq!(right.contains(&left), lost.is_empty());
        prop_assert_eq!(ranges.is_empty(), lost.is_empty());
        prop_assert_eq!(named(&left.union(&right)), named(&a.union(&b).copied().collect()));
        prop_assert!(left.count() >= a.len() as u64);
        for gtid in &lost {
            prop_assert!(ranges.iter().any(|r| r.first() <= *gtid && *gtid <= r.last()));
        }
        for range in ranges {
            prop_assert!(lost.contains(&range.last()));
            let shared = a.intersection(&b).filter(|gtid| gtid.domain == range.last().domain);
            let shared = shared.map(|gtid| gtid.sequence).max().unwrap_or_default();
            prop_assert!(range.first().sequence > shared);
        }
    }

    #[test]
    fn the_algebra_keeps_its_laws(a in any_set(), b in any_set(), c in any_set()) {
        prop_assert_eq!(a.union(&b), b.union(&a));
        prop_assert_eq!(a.union(&b).union(&c), a.union(&b.union(&c)));
        prop_assert_eq!(a.union(&a), a.clone());
        prop_assert_eq!(named(&a.intersect(&b).union(&a)), named(&a));
        prop_assert_eq!(b.contains(&a), a.subtract(&b).is_empty());
        prop_assert!(a.contains(&a.intersect(&b)) && a.union(&b).contains(&b));
        for range in a.subtract(&b) {
            prop_assert!(1 <= range.first().sequence && range.first() <= range.last());
        }
        let reverse = b.received_order(&a).map(Ordering::reverse);
        prop_assert_eq!(a.received_order(&b), reverse);
    }

    #[test]
    fn parsing_what_was_printed_gives_the_same_set(a in any_set()) {
        prop_assert_eq!(a.to_string().parse::<MariadbSet>(), Ok(a.clone()));
        prop_assert_eq!(a.position().to_string().parse::<Position>(), Ok(a.position()));
    }

    #[test]
    fn garbage_is_an_error_or_a_set_and_never_a_panic(
        text in prop_oneof![any::<String>(), "[0-9,\\- \n]{0,60}"],
    ) {
        if let Ok(set) = text.parse::<MariadbSet>() {
            prop_assert_eq!(set.to_string().parse(), Ok(set.clone()));
            set.subtract(&MariadbSet::default()).iter().for_each(|range| { range.count(); });
        }
    }
}

#[test]
fn the_extra_transactions_of_an_old_primary_are_errant_from_the_last_shared_one_on() {
    assert_eq!(missing("0-1-125", "0-1-122,0-2-130"), ["0-1-123..125"]);
    assert_eq!(missing("0-1-122,0-2-130", "0-1-125"), ["0-2-123..130"]);
    assert_eq!(missing("0-1-123", "0-1-122"), ["0-1-123"]);
    assert!(missing("0-1-122", "0-1-122,0-2-130").is_empty());
}

#[test]
fn a_server_that_the_other_never_heard_of_is_errant_past_the_last_shared_number() {
    assert_eq!(missing("0-1-95,0-9-98", "0-1-100"), ["0-9-96..98"]);
    assert_eq!(missing("0-9-40", "0-1-100"), ["0-9-1..40"]);
    assert!(missing("0-9-40,0-1-95", "0-1-100").is_empty(), "one line");
}

#[test]
fn domains_are_compared_each_for_itself() {
    assert_eq!(missing("0-1-5,3-1-9", "0-1-7,3-1-4"), ["3-1-5..9"]);
    assert!(!set("0-1-100").contains(&set("1-1-1")));
}

#[test]
fn received_positions_extend_what_the_binlog_state_shows() {
    let received = set("0-1-122,0-2-125").union(&set("0-2-130,1-1-4"));
    assert_eq!(received, set("0-1-122,0-2-130,1-1-4"));
    assert_eq!(received.position().to_string(), "0-2-130,1-1-4");
}

#[test]
fn parts_that_may_lie_on_two_lines_are_printed_apart() {
    let held = set("0-1-100,0-2-101").union(&set("0-1-105"));
    assert_eq!(held.to_string(), "0-1-105;0-2-101");
    assert_eq!(held.to_string().parse(), Ok(held));
}

#[test]
fn the_replica_with_the_higher_number_in_a_domain_has_received_more() {
    let order = |a: &str, b: &str| position(a).received_order(&position(b));
    assert_eq!(order("0-2-123", "0-1-122"), Some(Ordering::Greater));
    assert_eq!(order("0-1-122", "0-1-122,1-1-1"), Some(Ordering::Less));
    assert_eq!(
        order("0-1-122,1-1-3", "0-1-122,1-1-3"),
        Some(Ordering::Equal)
    );
    assert_eq!(
        order("0-1-9,1-1-1", "0-1-8,1-1-2"),
        None,
        "each ahead in one domain"
    );
    assert_eq!(
        order("0-1-123", "0-2-123"),
        None,
        "one number given out twice"
    );
    assert_eq!(order("", ""), Some(Ordering::Equal));
}

#[test]
fn entries_that_are_no_gtid_are_quoted_in_the_error() {
    for text in [
        "0-1",
        "0-1-2-3",
        "0-1-",
        "a-1-2",
        "0-+1-2",
        "4294967296-1-1",
        "0-1--2",
        "0-1-2 3",
    ] {
        let error = format!("{}", text.parse::<MariadbSet>().expect_err(text));
        assert!(
            error.contains(&format!("\"{text}\"")) && error.contains("0-1-122"),
            "{error}"
        );
    }
}

#[test]
fn empty_entries_spaces_and_number_zero_say_nothing() {
    assert!(set("").is_empty());
    assert_eq!(set(" 0-1-5 ,,\n0-2-0, "), set("0-1-5"));
}

#[test]
fn a_million_entries_are_read_and_counted_without_overflow() {
    let entries = (1..=1_000_000)
        .rev()
        .map(|n| format!("{n}-1-{},", u64::MAX));
    let set = set(&entries.collect::<String>());
    assert_eq!(set.iter().count(), 1_000_000);
    assert_eq!(set.count(), u64::MAX);
    assert_eq!(set.subtract(&MariadbSet::default())[0].count(), u64::MAX);
}
