//! Who comes when: weights as an order of turns, or as ranges of a hash.

/// More turns than this make the rules of a kernel long, and nobody tells the difference.
const TURNS_MAX: u32 = 256;

/// Weights without what divides them all, and made smaller where they are large. One that is not 0
/// stays at least 1.
pub(crate) fn reduced(weights: &[u32]) -> Vec<u32> {
    let divisor = weights.iter().copied().fold(0, gcd).max(1);
    let sum = |weights: &[u32]| weights.iter().map(|&weight| u64::from(weight)).sum::<u64>();
    let small: Vec<u32> = weights.iter().map(|weight| weight / divisor).collect();
    let total = sum(&small);
    if total <= u64::from(TURNS_MAX) {
        return small;
    }
    let scaled = |&weight: &u32| {
        let share = u64::from(weight) * u64::from(TURNS_MAX) / total;
        // A share of the sum is no larger than `TURNS_MAX`.
        (share as u32).max(weight.min(1))
    };
    small.iter().map(scaled).collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The order of turns in which each comes as often as its weight says, and as evenly as can be: the
/// one furthest behind its share is next.
pub(crate) fn turns(weights: &[u32]) -> Vec<usize> {
    let weights = reduced(weights);
    let total: i64 = weights.iter().map(|&weight| i64::from(weight)).sum();
    let mut credit = vec![0_i64; weights.len()];
    (0..total)
        .filter_map(|_| {
            for (credit, &weight) in credit.iter_mut().zip(&weights) {
                *credit += i64::from(weight);
            }
            // The first of several that are equally far behind.
            let next = (0..credit.len()).rev().max_by_key(|&at| credit[at])?;
            credit[next] -= total;
            Some(next)
        })
        .collect()
}

/// The first and the last number of each, of all numbers below the sum of the weights.
pub(crate) fn ranges(weights: &[u32]) -> (u32, Vec<(usize, u32, u32)>) {
    let mut from = 0;
    let mut ranges = Vec::new();
    for (at, weight) in reduced(weights).into_iter().enumerate() {
        if weight > 0 {
            ranges.push((at, from, from + weight - 1));
            from += weight;
        }
    }
    (from, ranges)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn turns_are_spread_and_not_in_runs() {
        assert_eq!(turns(&[1, 1, 1]), [0, 1, 2]);
        assert_eq!(turns(&[4, 2]), [0, 1, 0]);
        assert_eq!(turns(&[5, 1, 1]), [0, 0, 1, 0, 2, 0, 0]);
        assert_eq!(turns(&[0, 3]), [1]);
        assert!(turns(&[]).is_empty() && turns(&[0]).is_empty());
    }

    #[test]
    fn ranges_cover_all_numbers_once() {
        assert_eq!(ranges(&[4, 0, 2]), (3, vec![(0, 0, 1), (2, 2, 2)]));
        assert_eq!(ranges(&[0]), (0, vec![]));
    }

    proptest! {
        #[test]
        fn everybody_with_a_weight_has_a_turn(weights in prop::collection::vec(0_u32.., 0..40)) {
            let turns = turns(&weights);
            for (at, weight) in weights.iter().enumerate() {
                prop_assert_eq!(turns.contains(&at), *weight > 0);
            }
            let sum: u32 = reduced(&weights).iter().sum();
            prop_assert!(sum <= TURNS_MAX + 40);
        }
    }
}
