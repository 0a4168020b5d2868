//! What refuses a change, in words for people.

use mainstay_topology::{Receiver, Server, ServerName, Wish};

use super::Making;
use crate::shape::{source_of, unfitness};
use crate::verdict::{Verdict, judge};

impl<'a> Making<'a> {
    pub(super) fn is_wished(&self, server: &Server, what: impl FnOnce(&Wish) -> bool) -> bool {
        self.wishes.get(server.name()).is_some_and(what)
    }

    pub(super) fn is_primary(&self, server: &Server) -> bool {
        self.view.record().primary.as_ref() == Some(server.name())
    }

    pub(super) fn is_joined(&self, server: &Server) -> bool {
        self.view.record().joined.contains(server.name())
    }

    pub(super) fn not_primary(&self, server: &Server, what: &str) -> Result<(), String> {
        if self.is_primary(server) {
            return Err(format!(
                "{} is the primary and cannot {what}: move the primary first, by `mainstay \
                 switchover`",
                server.name()
            ));
        }
        match (judge(self.view), self.view.primary_facts()) {
            (Verdict::Well, Some(_)) => Ok(()),
            (
                Verdict::Well
                | Verdict::Unknown
                | Verdict::Alive
                | Verdict::Doubtful { .. }
                | Verdict::Dead { .. },
                _,
            ) => Err("the primary is not well; look at `mainstay status`".to_owned()),
        }
    }

    /// Commits keep the acknowledgements that they need without this server.
    pub(super) fn spare(&self, server: &Server, what: &str) -> Result<(), String> {
        self.not_primary(server, what)?;
        let left = self.acknowledging(|one| one != server.name());
        self.enough(left, &format!("{} cannot {what}", server.name()))
    }

    pub(super) fn acknowledging(&self, counts: impl Fn(&ServerName) -> bool) -> usize {
        let others = self.view.topology.others().filter(|other| {
            let receiver = other.link().map(|link| link.receiver);
            counts(other.name())
                && self.view.facts(other).is_some()
                && self.view.is_attached(other)
                && receiver == Some(Receiver::Running)
        });
        others.count()
    }

    pub(super) fn enough(&self, left: usize, what: &str) -> Result<(), String> {
        let wanted = self.view.acknowledgements() as usize;
        if left >= wanted {
            return Ok(());
        }
        Err(format!(
            "{what}: commits need {wanted} acknowledgement(s), and only {left} replica(s) would \
             be left to give them; bring another replica first"
        ))
    }

    /// Whom it follows now, or whom it would follow.
    pub(super) fn present_source(&self, server: &Server) -> Result<&'a Server, String> {
        let known = server.link().map(|link| &link.source);
        let known = known.and_then(|address| self.view.topology.at_address(address));
        known
            .filter(|known| self.view.facts(known).is_some() && known.name() != server.name())
            .or_else(|| source_of(self.view, server))
            .ok_or_else(|| "there is no primary yet".to_owned())
    }

    pub(super) fn fit_as_source(&self, source: &Server, server: &Server) -> Result<(), String> {
        let name = source.name();
        if self.view.facts(source).is_none() {
            return Err(format!("{name} does not answer"));
        }
        if let Some(reason) = unfitness(self.view, source) {
            return Err(format!("{name} {reason}: it is no source for others"));
        }
        let attached = self.view.is_attached(source);
        if !attached {
            return Err(format!("{name} is not attached as a replica itself"));
        }
        let circle = source.link().map(|link| &link.source) == Some(&server.member.address);
        if circle {
            return Err(format!("{name} replicates from {}", server.name()));
        }
        Ok(())
    }
}
