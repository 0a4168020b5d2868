//! How many server connections the statements of a hostgroup, or of a rule, use at this moment,
//! counted over all workers of a proxy. A place is taken by value: whatever becomes of a statement,
//! it is left with the statement's end.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::rulebook::Holder;

/// Shared by the workers of one proxy.
#[derive(Debug, Default)]
pub struct Places {
    taken: Mutex<BTreeMap<Holder, usize>>,
    /// Places that were left since the start.
    left: AtomicU64,
}

/// One place that is taken.
#[derive(Debug)]
pub(crate) struct Place {
    among: Arc<Places>,
    holder: Holder,
}

impl Places {
    /// Takes one place of each holder; all or none. The error is a holder that has none.
    pub(crate) fn enter(
        self: &Arc<Self>,
        wanted: &[(Holder, usize)],
    ) -> Result<Vec<Place>, Holder> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |(holder, most): &&(Holder, usize)| {
            taken.get(holder).is_some_and(|count| count >= most)
        };
        if let Some((full, _)) = wanted.iter().find(is_full) {
            return Err(full.clone());
        }
        let place = |(holder, _): &(Holder, usize)| {
            *taken.entry(holder.clone()).or_default() += 1;
            Place {
                among: Arc::clone(self),
                holder: holder.clone(),
            }
        };
        Ok(wanted.iter().map(place).collect())
    }

    pub(crate) fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let taken = self.among.taken.lock();
        let mut taken = taken.unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.holder) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.holder);
            }
        }
        self.among.left.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_left_with_its_value_and_all_are_taken_or_none() {
        let places = Arc::new(Places::default());
        let (one, other) = ((Holder::Hostgroup(1), 1), (Holder::Rule(1), 2));
        let both = [one.clone(), other.clone()];
        let first = places.enter(&both).expect("two free places");
        assert_eq!(places.enter(&both).expect_err("one is taken"), one.0);
        let second = places.enter(&both[1..]).expect("none was taken");
        assert!(places.enter(&[other]).is_err());
        drop(first);
        assert!(places.enter(&both).is_ok());
        drop(second);
        assert_eq!(places.left(), 5);
        assert!(places.taken.lock().expect("no panic").is_empty());
    }
}
