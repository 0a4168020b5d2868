//! What decisions and plans are made from: the picture, the rules, and from when on it counts.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_clock::Timestamp;
use mainstay_topology::{
    Applier, Dialect, Errant, Facts, Family, Link, Reachability, Receiver, Record, Server,
    ServerName, Target, Topology,
};

use crate::bugs::{Bug, Bugs};
use crate::effect::Place;
use crate::machine::Hooks;
use crate::pause::{Pause, Unacknowledged};
use crate::policy::{Durability, Policy};
use crate::shape;

/// The first version of `MySQL` whose data `CLONE` replaces (manual, "The Clone Plugin").
const CLONE_SINCE: (u16, u16, u16) = (8, 0, 17);

/// A picture under rules. All decisions are functions of it.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) topology: &'a Topology,
    pub(crate) policy: &'a Policy,
    pub(crate) hooks: &'a BTreeMap<ServerName, Hooks>,
    pub(crate) bugs: Bugs,
    pub(crate) now: Timestamp,
    /// When the world was last changed by an operation: what was seen before does not count.
    pub(crate) settled: Timestamp,
    /// The primary was confirmed dead and has not been seen alive since.
    pub(crate) condemned: bool,
    /// Servers that were elected and did not apply in time what they hold.
    pub(crate) slow: &'a BTreeSet<ServerName>,
    /// Servers that cannot be rewound, and why.
    pub(crate) stubborn: &'a BTreeMap<ServerName, String>,
    /// Since when commits on the primary wait and nothing is written.
    pub(crate) stalled: Option<Timestamp>,
    /// A record of a new reign whose storing failed: it may be stored or not.
    pub(crate) doubtful: Option<&'a Record>,
    /// What is stored is surely the record in force.
    pub(crate) stored: bool,
    /// The recorded primary serves, as the proxies know.
    pub(crate) established: bool,
    /// An operator wants no automatic operation to begin.
    pub(crate) paused: Option<&'a Pause>,
    /// The last automatic failover, if nobody has acknowledged it.
    pub(crate) unacknowledged: Option<Unacknowledged>,
}

impl<'a> View<'a> {
    pub(crate) fn record(self) -> &'a Record {
        &self.topology.record
    }

    /// Whether a record must be stored before anything relies on it: it says something new, or
    /// another manager might read another one.
    pub(crate) fn must_store(self, record: &Record) -> bool {
        !self.stored || record != self.record()
    }

    pub(crate) fn primary(self) -> Option<&'a Server> {
        self.topology.primary()
    }

    /// What a server says, if it was asked since the world was last changed.
    pub(crate) fn facts(self, server: &'a Server) -> Option<&'a Facts> {
        server.answered_since(self.settled)
    }

    /// What the recorded primary says, if it was asked since the world was last changed.
    pub(crate) fn primary_facts(self) -> Option<&'a Facts> {
        self.primary().and_then(|primary| self.facts(primary))
    }

    /// Acknowledgements that a commit waits for; 0 for asynchronous replication. MariaDB and
    /// MySQL 5.6 wait for one, whatever is asked for, so no proof may count on more.
    pub(crate) fn acknowledgements(self) -> u32 {
        match (self.policy.durability, self.dialect()) {
            (Durability::Async, _) => 0,
            (Durability::Lossless { .. }, Dialect::Mariadb | Dialect::Mysql56) => 1,
            (
                Durability::Lossless { acknowledgements },
                Dialect::Mysql57 | Dialect::Mysql80 | Dialect::Mysql8026 | Dialect::Mysql,
            ) => acknowledgements.max(1),
        }
    }

    /// Acknowledgements that a proof may count on: what is wanted, what this reign has surely had,
    /// and what the primary was last seen to wait for.
    pub(crate) fn proven(self) -> u32 {
        let promised = self
            .primary()
            .map_or(0, |primary| self.promised(primary.facts()));
        promised.min(self.record().acknowledgements)
    }

    /// Acknowledgements that a primary's commits wait for from now on: what is wanted, unless it
    /// accepts writes already and waits for fewer.
    pub(crate) fn promised(self, primary: Option<&Facts>) -> u32 {
        let open = primary.filter(|facts| !facts.read_only);
        let wanted = self.acknowledgements();
        open.map_or(wanted, |facts| facts.semi_sync.acknowledgements.min(wanted))
    }

    pub(crate) fn is_lossless(self) -> bool {
        self.acknowledgements() > 0
    }

    /// How servers of the cluster are spoken to, once any has answered. MariaDB's is the stricter
    /// reading.
    fn dialect(self) -> Dialect {
        let known = self.topology.servers.values().find_map(Server::facts);
        known.map_or(Dialect::Mariadb, |facts| facts.version.dialect())
    }

    pub(crate) fn hooks(self, server: &ServerName) -> Hooks {
        self.hooks.get(server).copied().unwrap_or_default()
    }

    /// Whether there is a means to replace the server's data: its host has one, or the server has
    /// `CLONE` (`MySQL` 8.0.17). What only it has, any server tells itself.
    pub(crate) fn can_be_reseeded(self, server: &Server) -> bool {
        let clones = |facts: &Facts| {
            let version = &facts.version;
            let numbers = (version.major, version.minor, version.patch);
            version.family == Family::Mysql && numbers >= CLONE_SINCE
        };
        self.hooks(server.name()).reseed || server.facts().is_some_and(clones)
    }

    pub(crate) fn place(self, name: &ServerName) -> Option<Place> {
        let server = self.topology.server(name)?;
        Some(Place {
            name: name.clone(),
            address: server.member.address.clone(),
            dialect: server
                .facts()
                .map_or_else(|| self.dialect(), |facts| facts.version.dialect()),
            channel: server.member.part.channel.clone(),
            semi_sync: server
                .facts()
                .map(|facts| facts.semi_sync.words)
                .unwrap_or_default(),
            positions: server
                .facts()
                .is_some_and(|facts| facts.positions.is_some()),
        })
    }

    /// Whether the cluster replicates by places in logs, without GTIDs.
    pub(crate) fn has_positions(self) -> bool {
        let mut known = self.topology.servers.values().filter_map(Server::facts);
        known.any(|facts| facts.positions.is_some())
    }

    /// The link of a server whose configured source is the recorded primary.
    pub(crate) fn link_to_primary(self, server: &'a Server) -> Option<&'a Link> {
        let address = &self.primary()?.member.address;
        server.link().filter(|link| link.source == *address)
    }

    /// Whether a server replicates from the recorded primary as those do who acknowledge.
    pub(crate) fn is_attached(self, server: &'a Server) -> bool {
        let runs = self.link_to_primary(server).is_some_and(|link| {
            link.receiver != Receiver::Stopped && link.applier == Applier::Running
        });
        let acknowledges = server
            .facts()
            .is_some_and(|facts| facts.semi_sync.replica_enabled || !self.is_lossless());
        let recorded = self.record().joined.contains(server.name());
        runs && acknowledges && recorded && shape::is_right_behind(server)
    }

    /// What a server has more than the primary, when the primary was looked at after it; `None`
    /// while that is not known.
    pub(crate) fn errant(self, server: &'a Server) -> Option<&'a Errant> {
        self.facts(server)?;
        self.primary_facts()?;
        let (begun, errant) = server.errant.as_ref()?;
        (*begun >= self.settled).then_some(errant)
    }

    /// Reachable servers other than the recorded primary.
    pub(crate) fn reachable_others(self) -> impl Iterator<Item = &'a Server> {
        self.topology
            .others()
            .filter(|server| server.reachability == Reachability::Reachable)
    }

    /// The reign after this one, and after one that may be stored.
    pub(crate) fn next_epoch(self) -> mainstay_topology::Epoch {
        let doubtful = self.doubtful.map(|record| record.epoch).unwrap_or_default();
        let newest = self.record().epoch.max(doubtful);
        if self.bugs.has(Bug::RepeatEpoch) && newest.0 > 0 {
            return newest;
        }
        newest.next()
    }
}

/// A server as the source of others and as a route.
pub(crate) fn target(server: &Server) -> Target {
    Target {
        name: server.name().clone(),
        address: server.member.address.clone(),
    }
}

/// Whether a server that is not the primary could acknowledge a write, or hang on its own.
pub(crate) fn may_acknowledge(facts: &Facts) -> bool {
    !facts.read_only || facts.semi_sync.source_enabled
}
