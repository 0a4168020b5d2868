//! What else than packets decides about a router: verdicts on things that it must have (a fault
//! without them) or had better have (a weight). How a verdict is reached is left to others.

use std::collections::BTreeMap;

use crate::packet::OWNER;

/// Verdict on one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it is well.
    pub ok: bool,
    /// 0: without it the router may not be Active or Backup. Above 0: added to the priority while
    /// it is well; below 0: while it is not.
    pub weight: i16,
}

/// All verdicts on one router, or on all of a group.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tracks(BTreeMap<String, Option<Verdict>>);

impl Tracks {
    /// Awaits a verdict on each of these: what is not known is no reason to take an address.
    /// Verdicts already there are kept, others forgotten.
    pub(crate) fn expect(&mut self, names: &[String]) {
        let known = std::mem::take(&mut self.0);
        let entry = |name: &String| (name.clone(), known.get(name).copied().flatten());
        self.0 = names.iter().map(entry).collect();
    }

    /// Takes a verdict; false when nothing changed.
    pub(crate) fn set(&mut self, name: &str, verdict: Verdict) -> bool {
        self.0.insert(name.to_owned(), Some(verdict)) != Some(Some(verdict))
    }

    /// The first thing without which the router may not serve.
    pub(crate) fn fault(&self) -> Option<String> {
        self.0.iter().find_map(|(name, verdict)| match verdict {
            None => Some(format!("`{name}` has not been looked at yet")),
            Some(Verdict {
                ok: false,
                weight: 0,
            }) => Some(format!("`{name}` fails")),
            Some(_) => None,
        })
    }

    /// The priority after all weights: 1 to 254. That of an owner is never changed.
    pub(crate) fn weigh(&self, base: u8) -> u8 {
        if base == OWNER {
            return base;
        }
        let verdicts = self.0.values().flatten();
        let weights = verdicts.filter(|verdict| (verdict.weight > 0) == verdict.ok);
        let sum: i32 = weights.map(|verdict| i32::from(verdict.weight)).sum();
        let clamped = (i32::from(base) + sum).clamp(1, i32::from(OWNER) - 1);
        u8::try_from(clamped).expect("it was clamped to 1..=254")
    }

    /// Names and verdicts, for people.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, Option<Verdict>)> {
        self.0
            .iter()
            .map(|(name, verdict)| (name.as_str(), *verdict))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tracks(verdicts: &[(&str, bool, i16)]) -> Tracks {
        let mut tracks = Tracks::default();
        for (name, ok, weight) in verdicts {
            let (ok, weight) = (*ok, *weight);
            tracks.set(name, Verdict { ok, weight });
        }
        tracks
    }

    #[test]
    fn weights_are_added_as_keepalived_adds_them() {
        assert_eq!(tracks(&[("a", true, 20), ("b", false, 5)]).weigh(100), 120);
        assert_eq!(tracks(&[("a", true, -20), ("b", false, -5)]).weigh(100), 95);
        assert_eq!(tracks(&[("a", false, -253)]).weigh(100), 1);
        assert_eq!(tracks(&[("a", true, 253)]).weigh(100), 254);
        assert_eq!(tracks(&[("a", false, -20)]).weigh(255), 255);
    }

    #[test]
    fn without_weight_a_failure_is_a_fault_and_so_is_what_is_not_known() {
        assert_eq!(
            tracks(&[("a", false, 0)]).fault().as_deref(),
            Some("`a` fails")
        );
        assert_eq!(tracks(&[("a", true, 0), ("b", false, -9)]).fault(), None);
        let mut awaited = Tracks::default();
        awaited.expect(&["mysql".to_owned()]);
        assert!(awaited.fault().is_some());
        awaited.set(
            "mysql",
            Verdict {
                ok: true,
                weight: 0,
            },
        );
        assert_eq!(awaited.fault(), None);
        awaited.expect(&["mysql".to_owned()]);
        assert_eq!(
            awaited.fault(),
            None,
            "a reload forgets nothing that it still needs"
        );
    }
}
