//! The sets against a naive model, and the text form against the manual's grammar.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{MysqlSet, Origin, Tag, Uuid};
use crate::GtidError;

const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const B: &str = "4c9e3dfc-9d25-11e9-8d2e-0242ac1cfd7e";
const TAGS: [&str; 3] = ["", "blue", "_red"];

type Model = BTreeSet<(Origin, u64)>;
/// Which server, which tag, from where, how many more.
type Run = (usize, usize, u64, u64);

fn set(text: &str) -> MysqlSet {
    text.parse().expect("the test's own text")
}

fn rejected(text: &str) -> String {
    text.parse::<MysqlSet>().expect_err(text).to_string()
}

fn text_of(runs: &[Run]) -> String {
    let one = |&(server, tag, first, more): &Run| match TAGS[tag] {
        "" => format!("{}:{first}-{}", [A, B][server], first + more),
        tag => format!("{}:{tag}:{first}-{}", [A, B][server], first + more),
    };
    runs.iter().map(one).collect::<Vec<_>>().join(",")
}

fn model_of(runs: &[Run]) -> Model {
    let one = |&(server, tag, first, more): &Run| {
        let uuid = Uuid::parse([A, B][server]).expect("a UUID");
        (first..=first + more).map(move |n| {
            (
                Origin {
                    uuid,
                    tag: Tag::parse(TAGS[tag]),
                },
                n,
            )
        })
    };
    runs.iter().flat_map(one).collect()
}

fn listed(set: &MysqlSet) -> Model {
    let expand = |(origin, list): (&Origin, &[super::Interval])| {
        let origin = *origin;
        let numbers = list
            .iter()
            .flat_map(|i| i.first()..=i.last())
            .collect::<Vec<_>>();
        numbers.into_iter().map(move |n| (origin, n))
    };
    set.iter().flat_map(expand).collect()
}

fn runs() -> impl Strategy<Value = Vec<Run>> {
    prop::collection::vec((0..2usize, 0..3usize, 1..40u64, 0..6u64), 0..12)
}

proptest! {
    #[test]
    fn sets_do_what_the_naive_model_does(a in runs(), b in runs()) {
        let (left, right) = (set(&text_of(&a)), set(&text_of(&b)));
        let (a, b) = (model_of(&a), model_of(&b));
        prop_assert_eq!(listed(&left), a.clone());
        prop_assert_eq!(listed(&left.union(&right)), &a | &b);
        prop_assert_eq!(listed(&left.subtract(&right)), &a - &b);
        prop_assert_eq!(listed(&left.intersect(&right)), &a & &b);
        prop_assert_eq!(left.contains(&right), a.is_superset(&b));
        prop_assert_eq!(left.count(), a.len() as u64);
        prop_assert_eq!(left.is_empty(), a.is_empty());
    }

    #[test]
    fn the_algebra_keeps_its_laws(a in runs(), b in runs(), c in runs()) {
        let [a, b, c] = [a, b, c].map(|runs| set(&text_of(&runs)));
        prop_assert_eq!(a.union(&b), b.union(&a));
        prop_assert_eq!(a.union(&b).union(&c), a.union(&b.union(&c)));
        prop_assert_eq!(a.union(&a), a.clone());
        prop_assert_eq!(a.subtract(&b).union(&a.intersect(&b)), a.clone());
        prop_assert_eq!(b.contains(&a), a.subtract(&b).is_empty());
        prop_assert!(a.union(&b).contains(&a));
        prop_assert!(a.subtract(&b).intersect(&b).is_empty());
    }

    #[test]
    fn parsing_what_was_printed_gives_the_same_set(a in runs()) {
        let set = set(&text_of(&a));
        prop_assert_eq!(set.to_string().parse::<MysqlSet>(), Ok(set));
    }

    #[test]
    fn garbage_is_an_error_or_a_set_and_never_a_panic(
        text in prop_oneof![any::<String>(), "[0-9a-f:,\\- _\n]{0,80}"],
        tail in "[0-9a-z:,\\- ]{0,40}",
    ) {
        for text in [text.clone(), format!("{A}{text}"), format!("{A}:1{tail}")] {
            if let Ok(set) = text.parse::<MysqlSet>() {
                prop_assert_eq!(set.to_string().parse(), Ok(set));
            }
        }
    }
}

#[test]
fn the_text_is_the_one_that_the_server_prints() {
    let printed = format!("{A}:1-5:7,\n{B}:1-3:blue:1-5:9:red:2");
    assert_eq!(set(&printed).to_string(), printed);
    assert_eq!(set("").to_string(), "");
}

#[test]
fn any_order_case_and_spacing_gives_the_canonical_text() {
    let untidy = format!(
        " {B}: 3 :1 - 2 ,,\n{}:7:RED:1:9:8,{A}:1-6 , ",
        A.to_uppercase()
    );
    assert_eq!(
        set(&untidy).to_string(),
        format!("{A}:1-7:red:1:8-9,\n{B}:1-3")
    );
}

#[test]
fn a_tag_is_an_origin_of_its_own() {
    let tagged = set(&format!("{A}:blue:1-3"));
    assert_eq!(tagged.to_string(), format!("{A}:blue:1-3"));
    assert!(!set(&format!("{A}:1-3")).contains(&tagged));
}

#[test]
fn what_breaks_the_grammar_is_named_with_what_was_expected() {
    let uuid_only = A;
    let cases = [
        ("nonsense:1", "a UUID with dashes"),
        ("3e11fa4771ca11e19e33c80aa9429562:1", "a UUID with dashes"),
        (uuid_only, "transaction numbers"),
        (&format!("{A}:"), "transaction numbers"),
        (&format!("{A}:0"), "transaction numbers"),
        (&format!("{A}:5-3"), "transaction numbers"),
        (&format!("{A}:1-2-3"), "transaction numbers"),
        (&format!("{A}:1-9223372036854775807"), "transaction numbers"),
        (&format!("{A}:+1"), "transaction numbers"),
        (&format!("{A}:blue"), "transaction numbers"),
        (&format!("{A}:blue:red:1"), "transaction numbers"),
        (&format!("{A}:{}:1", "t".repeat(33)), "a tag"),
    ];
    for (text, expected) in cases {
        let error = rejected(text);
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn an_error_quotes_only_the_beginning_of_a_long_text() {
    assert!(rejected(&"é".repeat(1_000_000)).len() < 400);
}

#[test]
fn the_highest_number_survives_every_operation() {
    let all = set(&format!("{A}:1-9223372036854775806"));
    let top = set(&format!("{A}:9223372036854775806"));
    assert_eq!(
        all.subtract(&top).to_string(),
        format!("{A}:1-9223372036854775805")
    );
    assert_eq!(all.subtract(&top).union(&top), all);
    assert!(top.subtract(&all).is_empty());
    let three = set(&format!(
        "{A}:1-9223372036854775806:x:1-9223372036854775806:y:1-9"
    ));
    assert_eq!(three.count(), u64::MAX);
}

#[test]
fn a_million_intervals_in_the_worst_order_are_read_in_one_sort() {
    let numbers = (1..=1_000_000u64).rev().map(|n| format!(":{}", 2 * n));
    let set = set(&std::iter::once(A.to_owned())
        .chain(numbers)
        .collect::<String>());
    assert_eq!(set.count(), 1_000_000);
    assert_eq!(set.union(&set).subtract(&set), MysqlSet::default());
}

#[test]
fn received_sets_are_ordered_only_if_one_holds_the_other() {
    let [short, long] = ["1-5", "1-9"].map(|numbers| set(&format!("{A}:{numbers}")));
    let errant = set(&format!("{A}:1-5,{B}:1"));
    assert_eq!(long.received_order(&short), Some(Ordering::Greater));
    assert_eq!(short.received_order(&long), Some(Ordering::Less));
    assert_eq!(short.received_order(&short), Some(Ordering::Equal));
    assert_eq!(errant.received_order(&long), None);
}

#[test]
fn an_error_is_a_value_that_can_be_compared() {
    let error = "x".parse::<MysqlSet>();
    assert!(matches!(error, Err(GtidError::Syntax { text, .. }) if text == "x"));
}
