//! Sorted disjoint intervals of transaction numbers and the algebra on them, each one sweep.

/// The highest number that a server accepts: 2^63 - 2. The manual's "GTID Format and Storage" names
/// 2^63 - 1, which servers refuse with error 1772.
const NUMBER_MAX: u64 = i64::MAX as u64 - 1;

/// Consecutive transactions of one origin, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    first: u64,
    last: u64,
}

impl Interval {
    /// The interval, or `None` unless 1 <= `first` <= `last` <= 2^63 - 2.
    pub fn new(first: u64, last: u64) -> Option<Self> {
        (1 <= first && first <= last && last <= NUMBER_MAX).then_some(Self { first, last })
    }

    /// The lowest number.
    pub fn first(self) -> u64 {
        self.first
    }

    /// The highest number.
    pub fn last(self) -> u64 {
        self.last
    }

    /// How many transactions it spans; never 0.
    pub fn count(self) -> u64 {
        self.last - self.first + 1
    }
}

/// Sorts, and merges what overlaps or touches.
pub(super) fn normalise(mut list: Vec<Interval>) -> Vec<Interval> {
    // Servers print sorted lists, for which this sort is one pass.
    list.sort();
    list.dedup_by(|next, kept| {
        let joined = next.first <= kept.last + 1;
        if joined {
            kept.last = kept.last.max(next.last);
        }
        joined
    });
    list
}

pub(super) fn union(a: &[Interval], b: &[Interval]) -> Vec<Interval> {
    normalise([a, b].concat())
}

pub(super) fn contains(outer: &[Interval], inner: &[Interval]) -> bool {
    let mut outer = outer.iter().peekable();
    inner.iter().all(|wanted| {
        while outer.next_if(|own| own.last < wanted.first).is_some() {}
        outer
            .peek()
            .is_some_and(|own| own.first <= wanted.first && wanted.last <= own.last)
    })
}

pub(super) fn intersect(a: &[Interval], b: &[Interval]) -> Vec<Interval> {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut both = Vec::new();
    while let (Some(left), Some(right)) = (a.peek(), b.peek()) {
        both.extend(Interval::new(
            left.first.max(right.first),
            left.last.min(right.last),
        ));
        // The one that ends first cannot meet anything further on.
        if left.last < right.last {
            a.next();
        } else {
            b.next();
        }
    }
    both
}

pub(super) fn subtract(a: &[Interval], b: &[Interval]) -> Vec<Interval> {
    let mut cuts = b.iter().peekable();
    let mut rest = Vec::new();
    for own in a {
        let mut first = own.first;
        while cuts.next_if(|cut| cut.last < first).is_some() {}
        while let Some(cut) = cuts.peek().filter(|cut| cut.first <= own.last) {
            rest.extend(Interval::new(first, cut.first - 1));
            first = cut.last + 1;
            // A cut that reaches past this interval may also cut the next one.
            if cut.last > own.last {
                break;
            }
            cuts.next();
        }
        rest.extend(Interval::new(first, own.last));
    }
    rest
}
