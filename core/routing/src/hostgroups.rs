//! Hostgroups: named sets of servers. 0, the writer, and 1, the readers, are always there; who is
//! in them is the manager's word. Others list servers of the cluster.

use mainstay_sql::HostgroupWish;
use mainstay_topology::ServerName;

use crate::bucket::Limits;
use crate::rules::HostgroupId;

/// The hostgroup of the writer.
pub const WRITERS: HostgroupId = 0;
/// The hostgroup of the readers.
pub const READERS: HostgroupId = 1;

/// Who is in a hostgroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Members {
    /// The writer, whoever that is.
    Writer,
    /// The readers, whoever they are.
    Readers,
    /// These, as far as the manager lets them be read from or written to.
    Servers(Vec<ServerName>),
}

/// What happens to a statement while its hostgroup has nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenEmpty {
    /// The writer runs it.
    Writer,
    /// It is held until there is somebody.
    Wait,
    /// It gets an error.
    Error,
}

/// One hostgroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hostgroup {
    /// Its number, as rules name it.
    pub id: HostgroupId,
    /// Its name, as comments may name it.
    pub name: String,
    /// Who is in it.
    pub members: Members,
    /// What happens while that is nobody.
    pub when_empty: WhenEmpty,
    /// What it may be given.
    pub limits: Limits,
}

/// All hostgroups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hostgroups(Vec<Hostgroup>);

impl Default for Hostgroups {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Hostgroups {
    /// These, and the two that are always there; a group with the number 0 or 1 changes the name,
    /// the policy and the limits of the one that is there.
    pub fn new(groups: Vec<Hostgroup>) -> Self {
        let built_in = |id, name: &str, members, when_empty| Hostgroup {
            id,
            name: name.to_owned(),
            members,
            when_empty,
            limits: Limits::default(),
        };
        let mut all = vec![
            built_in(WRITERS, "writers", Members::Writer, WhenEmpty::Wait),
            built_in(READERS, "readers", Members::Readers, WhenEmpty::Writer),
        ];
        for group in groups {
            match all.iter_mut().find(|known| known.id == group.id) {
                Some(known) => {
                    let members = known.members.clone();
                    *known = Hostgroup { members, ..group };
                }
                None => all.push(group),
            }
        }
        Self(all)
    }

    /// The same, with one of `workers` shares of each rate.
    #[must_use]
    pub fn shared(&self, workers: usize) -> Self {
        let mut groups = self.0.clone();
        for Hostgroup { limits, .. } in &mut groups {
            *limits = limits.shared(workers);
        }
        Self(groups)
    }

    /// By its number.
    pub fn get(&self, id: HostgroupId) -> Option<&Hostgroup> {
        self.0.iter().find(|group| group.id == id)
    }

    /// As a client names it.
    pub fn named(&self, wish: HostgroupWish<'_>) -> Option<HostgroupId> {
        let is = |group: &&Hostgroup| match wish {
            HostgroupWish::Id(id) => group.id == id,
            HostgroupWish::Name(name) => group.name == name,
        };
        self.0.iter().find(is).map(|group| group.id)
    }

    /// In the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Hostgroup> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_built_in_ones_are_always_there_and_may_be_renamed() {
        let groups = Hostgroups::new(vec![Hostgroup {
            id: READERS,
            name: "replicas".to_owned(),
            members: Members::Servers(Vec::new()),
            when_empty: WhenEmpty::Wait,
            limits: Limits::default(),
        }]);
        let readers = groups.get(READERS).expect("the readers");
        assert_eq!(
            (&readers.members, readers.when_empty),
            (&Members::Readers, WhenEmpty::Wait)
        );
        assert_eq!(groups.named(HostgroupWish::Name("replicas")), Some(1));
        assert_eq!(groups.named(HostgroupWish::Name("writers")), Some(0));
        assert_eq!(groups.named(HostgroupWish::Id(7)), None);
    }
}
