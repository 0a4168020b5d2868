//! Virtual routers that stay together (a sync group): all Active on one host, or none. A router
//! without others is a group of one.
//!
//! All routers of a group have the verdicts of each; what one lacks, all lack.

use mainstay_clock::Timestamp;

use crate::event::{Action, Event};
use crate::router::Router;
use crate::state::{State, Trigger};

/// An action, and the name of the router that wants it.
pub type Named = (String, Action);

/// Routers that stay together.
#[derive(Debug, Clone, Default)]
pub struct Group {
    routers: Vec<(String, Router)>,
}

impl Group {
    /// A group of these routers, each with a name of its own.
    pub fn new(routers: Vec<(String, Router)>) -> Self {
        Self { routers }
    }

    /// Its routers.
    pub fn routers(&self) -> impl Iterator<Item = (&str, &Router)> {
        self.routers
            .iter()
            .map(|(name, router)| (name.as_str(), router))
    }

    /// When [`Event::Timer`] is due for some router.
    pub fn deadline(&self) -> Option<Timestamp> {
        let all = self
            .routers
            .iter()
            .filter_map(|(_, router)| router.deadline());
        all.min()
    }

    /// Takes an event for one router. Verdicts and claims are for all of the group.
    pub fn handle(&mut self, now: Timestamp, name: &str, event: &Event) -> Vec<Named> {
        let for_all = matches!(event, Event::Track { .. } | Event::Claim);
        let mut out = Vec::new();
        for (own, router) in &mut self.routers {
            if for_all || own == name {
                let actions = router.handle(now, event.clone());
                out.extend(actions.into_iter().map(|action| (own.clone(), action)));
            }
        }
        self.stay_together(now, &mut out);
        out
    }

    /// Lets the deadlines that have passed act.
    pub fn timer(&mut self, now: Timestamp) -> Vec<Named> {
        let mut out = Vec::new();
        for (name, router) in &mut self.routers {
            if router.deadline().is_some_and(|at| now >= at) {
                let actions = router.handle(now, Event::Timer);
                out.extend(actions.into_iter().map(|action| (name.clone(), action)));
            }
        }
        self.stay_together(now, &mut out);
        out
    }

    fn stay_together(&mut self, now: Timestamp, out: &mut Vec<Named>) {
        if self.routers.len() < 2 {
            return;
        }
        let missing = self.routers.iter().find_map(|(name, router)| {
            let fault = router.own_fault()?;
            Some((
                name.clone(),
                format!("`{name}` of its group cannot serve: {fault}"),
            ))
        });
        for (name, router) in &mut self.routers {
            let fault = missing.as_ref().filter(|(whose, _)| whose != name);
            let fault = fault.map(|(_, sentence)| sentence.clone());
            let actions = router.set_group_fault(now, fault);
            out.extend(actions.into_iter().map(|action| (name.clone(), action)));
        }
        // The first change leads; what follows it is no change that others would follow.
        let lead = out.iter().find_map(|(_, action)| {
            let Action::Changed { from, to, .. } = action else {
                return None;
            };
            match (from, to) {
                (_, State::Active) => Some(Trigger::GroupActive),
                (State::Active, State::Backup) => Some(Trigger::GroupBackup),
                (_, State::Init | State::Fault | State::Backup) => None,
            }
        });
        let Some(trigger) = lead else { return };
        for (name, router) in &mut self.routers {
            let actions = router.follow(now, trigger);
            out.extend(actions.into_iter().map(|action| (name.clone(), action)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::packet::RouterId;
    use crate::policy::Policy;
    use crate::track::Verdict;

    fn group() -> Group {
        let router = |number: u8| {
            let id = RouterId::new(number).expect("not zero");
            Router::new(Policy::new(id, vec![IpAddr::from([10, 0, number, 100])]))
        };
        let mut group = Group::new(vec![
            ("a".to_owned(), router(1)),
            ("b".to_owned(), router(2)),
        ]);
        for (name, number) in [("a", 1), ("b", 2)] {
            let link = Event::Link(Some(IpAddr::from([10, 0, number, 1])));
            group.handle(Timestamp::ZERO, name, &link);
            group.handle(Timestamp::ZERO, name, &Event::Start);
        }
        group
    }

    fn states(group: &Group) -> Vec<State> {
        group.routers().map(|(_, router)| router.state()).collect()
    }

    #[test]
    fn all_become_active_with_the_first_and_all_lose_what_one_lacks() {
        let mut group = group();
        assert_eq!(states(&group), [State::Backup, State::Backup]);
        let due = group.deadline().expect("both wait");
        group.timer(due);
        assert_eq!(states(&group), [State::Active, State::Active]);

        let actions = group.handle(due, "b", &Event::Link(None));
        assert_eq!(states(&group), [State::Fault, State::Fault]);
        let dropped = actions.iter().filter(|(_, action)| *action == Action::Drop);
        assert_eq!(dropped.count(), 2);
        let (_, first) = group.routers().next().expect("two");
        assert!(
            first.reason().starts_with("`b` of its group cannot serve"),
            "{}",
            first.reason()
        );

        group.handle(due, "b", &Event::Link(Some(IpAddr::from([10, 0, 2, 1]))));
        assert_eq!(states(&group), [State::Backup, State::Backup]);
        group.handle(due, "a", &Event::Claim);
        assert_eq!(states(&group), [State::Active, State::Active]);
    }

    #[test]
    fn a_verdict_on_one_is_one_on_all() {
        let mut group = group();
        let verdict = Verdict {
            ok: false,
            weight: -30,
        };
        let name = "link".to_owned();
        group.handle(Timestamp::ZERO, "a", &Event::Track { name, verdict });
        assert!(group.routers().all(|(_, router)| router.priority() == 70));
    }
}
