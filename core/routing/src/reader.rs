//! Which of the readers takes a read.

use std::cmp::Ordering;

/// How a reader is chosen among those that may be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Choice {
    /// The one with the fewest statements in flight for its weight.
    #[default]
    LeastOutstanding,
    /// The one that will answer first, by its measured times and what is in flight on it.
    Latency,
    /// In turn, each as often as its weight says.
    Weight,
}

/// What is known of one reader that may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader {
    /// Its share; one of weight 0 is used only when there is no other.
    pub weight: u32,
    /// Statements in flight on it, and sessions that wait for it.
    pub in_flight: u32,
    /// The smoothed time of its answers in µs; 0 before the first.
    pub latency_us: u32,
    /// It is in the zone of the proxy.
    pub near: bool,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            weight: 1,
            in_flight: 0,
            latency_us: 0,
            near: true,
        }
    }
}

/// Picks a reader; equals take turns by `turn`, which the caller counts up. Readers in the zone of
/// the proxy come first, then those elsewhere. `None` when there is none.
pub fn pick_reader(readers: &[Reader], choice: Choice, turn: u64) -> Option<usize> {
    let ranks = [(true, true), (false, true), (true, false), (false, false)];
    let (near, weighty) = ranks.into_iter().find(|&(near, weighty)| {
        let mut all = readers.iter();
        all.any(|one| one.near == near && (one.weight > 0) == weighty)
    })?;
    let of_rank = |one: &Reader| one.near == near && (one.weight > 0) == weighty;
    if choice == Choice::Weight {
        return in_turn(readers, of_rank, turn);
    }
    let mut best: Option<usize> = None;
    let count = readers.len();
    let start = usize::try_from(turn % count as u64).unwrap_or_default();
    for index in (0..count).map(|offset| (start + offset) % count) {
        let one = &readers[index];
        let better = |other: usize| compare(one, &readers[other], choice) == Ordering::Less;
        if of_rank(one) && best.is_none_or(better) {
            best = Some(index);
        }
    }
    best
}

/// The cost of one more statement on each, per unit of weight.
fn compare(one: &Reader, other: &Reader, choice: Choice) -> Ordering {
    let cost = |reader: &Reader| {
        let queue = u128::from(reader.in_flight) + 1;
        match choice {
            Choice::Latency => queue * u128::from(reader.latency_us.max(1)),
            Choice::LeastOutstanding | Choice::Weight => queue,
        }
    };
    let weight = |reader: &Reader| u128::from(reader.weight.max(1));
    (cost(one) * weight(other)).cmp(&(cost(other) * weight(one)))
}

fn in_turn(readers: &[Reader], of_rank: impl Fn(&Reader) -> bool, turn: u64) -> Option<usize> {
    let weight = |one: &Reader| u64::from(one.weight.max(1));
    let ranked = || readers.iter().enumerate().filter(|(_, one)| of_rank(one));
    let total: u64 = ranked().map(|(_, one)| weight(one)).sum();
    let mut left = turn.checked_rem(total)?;
    for (index, one) in ranked() {
        match left.checked_sub(weight(one)) {
            Some(rest) => left = rest,
            None => return Some(index),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(weight: u32, in_flight: u32, latency_us: u32) -> Reader {
        Reader {
            weight,
            in_flight,
            latency_us,
            near: true,
        }
    }

    fn picks(readers: &[Reader], choice: Choice) -> Vec<usize> {
        let pick = |turn| pick_reader(readers, choice, turn).expect("one");
        (0..4).map(pick).collect()
    }

    #[test]
    fn the_reader_with_the_fewest_statements_for_its_weight_is_picked() {
        let readers = [reader(1, 1, 0), reader(4, 2, 0), reader(1, 0, 0)];
        assert_eq!(picks(&readers, Choice::LeastOutstanding), [1; 4]);
    }

    #[test]
    fn equal_readers_take_turns() {
        let readers = [reader(1, 0, 0); 2];
        assert_eq!(picks(&readers, Choice::LeastOutstanding), [0, 1, 0, 1]);
    }

    #[test]
    fn by_weight_each_gets_its_share() {
        let readers = [reader(3, 9, 0), reader(1, 0, 0)];
        assert_eq!(picks(&readers, Choice::Weight), [0, 0, 0, 1]);
    }

    #[test]
    fn by_latency_a_slow_reader_waits_for_the_queue_of_a_fast_one() {
        let (fast, slow) = (reader(1, 3, 100), reader(1, 0, 500));
        assert_eq!(picks(&[fast, slow], Choice::Latency), [0; 4]);
        let (fast, slow) = (reader(1, 9, 100), reader(1, 0, 500));
        assert_eq!(picks(&[fast, slow], Choice::Latency), [1; 4]);
    }

    #[test]
    fn a_reader_elsewhere_or_without_weight_serves_only_when_there_is_no_other() {
        let far = Reader {
            near: false,
            ..Reader::default()
        };
        let (busy, none) = (reader(1, 50, 0), reader(0, 0, 0));
        assert_eq!(picks(&[far, none, busy], Choice::LeastOutstanding), [2; 4]);
        assert_eq!(picks(&[far, none], Choice::LeastOutstanding), [0; 4]);
        assert_eq!(picks(&[none], Choice::Weight), [0; 4]);
        assert_eq!(pick_reader(&[], Choice::Weight, 7), None);
    }
}
