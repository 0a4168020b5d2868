//! The immutable picture of a cluster that analysis and plans are made from.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_gtid::GtidSet;

use crate::errant::Errant;
use crate::facts::{Facts, Link};
use crate::marks::Marks;
use crate::observation::{Outcome, WriteOutcome};
use crate::part::Part;
use crate::server::{Address, Epoch, ServerName};
use crate::wish::Wish;

/// Part of the cluster, as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: ServerName,
    /// Where it listens.
    pub address: Address,
    /// May it be promoted, and how gladly.
    pub promotion: Promotion,
    /// How it takes part.
    pub part: Part,
}

/// How gladly a server is promoted. Data comes first: a preferred server never wins over one that
/// holds more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promotion {
    /// Before others.
    Prefer,
    /// Like others.
    #[default]
    Neutral,
    /// After others.
    PreferNot,
    /// Never.
    Never,
}

/// The durable truth about a cluster: whose reign it is. Stored before a step in its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The current reign.
    pub epoch: Epoch,
    /// Its primary; `None` before the first.
    pub primary: Option<ServerName>,
    /// Servers that were attached to that primary during this reign, and so may hold its
    /// transactions. Only they can be elected, and only they count in the proof of no loss.
    pub joined: BTreeSet<ServerName>,
    /// Everything the primary held when its reign began. Its replicas may not have caught up when
    /// it dies: whoever is elected next must hold this too. `None` when nothing is known.
    pub baseline: Option<GtidSet>,
    /// Without GTIDs: the state of the data in which the reign began, as a place in each log in
    /// which it is known. Whoever stands there is placed in the new primary's log by it.
    pub began_at: Option<GtidSet>,
    /// Acknowledgements that the proof of no loss may count on: no commit of this reign that the
    /// baseline lacks was acknowledged by fewer. 0 when nothing is known.
    pub acknowledgements: u32,
}

/// Can the server be reached. One of four separate states: see also role, admission and intent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reachability {
    /// It answers.
    Reachable,
    /// Nothing listens there, or an open connection was reset.
    Gone,
    /// Something holds the port and does not answer, or nothing comes back at all.
    Silent,
    /// It is alive but does not let us in (too many connections, bad password, other errors).
    Closed,
    /// Not looked at yet.
    #[default]
    Unknown,
}

/// A server's part in the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The recorded primary of the current epoch.
    Primary,
    /// Attached to the recorded primary, directly or through another replica.
    Replica,
    /// Neither: waits to be attached.
    Detached,
    /// Not known yet.
    Unknown,
}

/// One server in the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its configuration, under the operator's wishes.
    pub member: Member,
    /// What an operator wants with it.
    pub wish: Wish,
    /// Whether it can be reached.
    pub reachability: Reachability,
    /// Since when the reachability is what it is.
    pub since: Timestamp,
    /// What the last probe saw, and when that probe was begun.
    pub last: Option<(Timestamp, Outcome)>,
    /// The last facts it gave, and when the probe that brought them was begun. Kept when it
    /// becomes unreachable.
    pub facts: Option<(Timestamp, Facts)>,
    /// When the probe that brought the facts had ended.
    pub facts_ended: Timestamp,
    /// What it held at the look before, for comparisons with a primary that is always
    /// looked at a moment before this server.
    pub before: Option<Snapshot>,
    /// When this server, as a replica, was last seen to hear from its source.
    pub heard_at: Option<Timestamp>,
    /// What it had executed and the primary had not, when the primary was looked at after it; with
    /// the beginning of the look at this server.
    pub errant: Option<(Timestamp, Errant)>,
    /// Since when it may have forgotten what it had received and acknowledged, because its process
    /// was gone or it holds less than before. `None` when it holds what the primary has executed.
    pub forgot: Option<Timestamp>,
    /// How far it is behind the primary at least, by the transactions that it lacked at the last
    /// look.
    pub behind: Duration,
    /// The last write probe, and when.
    pub write: Option<(Timestamp, WriteOutcome)>,
}

/// What a server held at one look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// When the look was begun.
    pub begun: Timestamp,
    /// When it had ended.
    pub ended: Timestamp,
    /// The transactions.
    pub executed: GtidSet,
    /// With those received and not applied.
    pub held: GtidSet,
}

/// The picture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Topology {
    /// When it was last changed.
    pub at: Timestamp,
    /// The durable record it is seen under.
    pub record: Record,
    /// All configured servers.
    pub servers: BTreeMap<ServerName, Server>,
    /// What the primary had, and when.
    pub marks: Marks,
}

impl Server {
    /// A server that was not looked at yet.
    pub fn new(member: Member) -> Self {
        Self {
            member,
            wish: Wish::default(),
            reachability: Reachability::Unknown,
            since: Timestamp::ZERO,
            last: None,
            facts: None,
            facts_ended: Timestamp::ZERO,
            before: None,
            heard_at: None,
            errant: None,
            forgot: None,
            behind: Duration::ZERO,
            write: None,
        }
    }

    /// Its name.
    pub fn name(&self) -> &ServerName {
        &self.member.name
    }

    /// What it said last, however old; see [`Server::answered`].
    pub fn facts(&self) -> Option<&Facts> {
        self.facts.as_ref().map(|(_, facts)| facts)
    }

    /// What it says, if the last probe was answered.
    pub fn answered(&self) -> Option<&Facts> {
        match self.reachability {
            Reachability::Reachable => self.facts(),
            Reachability::Gone
            | Reachability::Silent
            | Reachability::Closed
            | Reachability::Unknown => None,
        }
    }

    /// What it says, if the last probe was answered and was not begun before `moment`: nothing that
    /// was changed up to then can be missing from it.
    pub fn answered_since(&self, moment: Timestamp) -> Option<&Facts> {
        let begun = self.facts.as_ref().map(|(begun, _)| *begun)?;
        self.answered().filter(|_| begun >= moment)
    }

    /// What it held at the last look, if there was one.
    pub fn snapshot(&self) -> Option<Snapshot> {
        self.facts.as_ref().map(|(begun, facts)| Snapshot {
            begun: *begun,
            ended: self.facts_ended,
            executed: facts.executed.clone(),
            held: facts.held().clone(),
        })
    }

    /// The newest of the last two looks that had ended at `moment`.
    pub fn snapshot_at(&self, moment: Timestamp) -> Option<Snapshot> {
        let looks = [self.snapshot(), self.before.clone()];
        looks
            .into_iter()
            .flatten()
            .find(|look| look.ended <= moment)
    }

    /// Its link, as last seen.
    pub fn link(&self) -> Option<&Link> {
        self.facts().and_then(|facts| facts.link.as_ref())
    }

    /// How far it is behind: as it estimates that itself, in whole seconds, or what its
    /// transactions prove where that is more. `None` when it does not know.
    pub fn lag(&self) -> Option<Duration> {
        let estimated = self.link().and_then(|link| link.lag);
        estimated.map(|lag| lag.max(self.behind))
    }

    /// When the last probe of it was begun.
    pub fn looked_at(&self) -> Option<Timestamp> {
        self.last.as_ref().map(|(begun, _)| *begun)
    }
}

impl Topology {
    /// The picture before anything was seen.
    pub fn new(members: &[Member], record: Record) -> Self {
        let server = |member: &Member| (member.name.clone(), Server::new(member.clone()));
        Self {
            at: Timestamp::ZERO,
            record,
            servers: members.iter().map(server).collect(),
            marks: Marks::default(),
        }
    }

    /// One configured server.
    pub fn server(&self, name: &ServerName) -> Option<&Server> {
        self.servers.get(name)
    }

    /// The recorded primary.
    pub fn primary(&self) -> Option<&Server> {
        self.server(self.record.primary.as_ref()?)
    }

    /// All configured servers but the recorded primary.
    pub fn others(&self) -> impl Iterator<Item = &Server> {
        let primary = self.record.primary.as_ref();
        self.servers
            .values()
            .filter(move |server| Some(server.name()) != primary)
    }

    /// Since when commits on the primary have been waiting while nothing was written, and what it
    /// had written; from the same for the look before.
    pub fn stall(&self, before: Option<(Timestamp, GtidSet)>) -> Option<(Timestamp, GtidSet)> {
        let primary = self.primary()?;
        let waiting = primary.answered()?.semi_sync.waiting > 0;
        let (begun, facts) = primary.facts.as_ref().filter(|_| waiting)?;
        match before {
            Some((since, written)) if written == facts.executed => Some((since, written)),
            Some(_) | None => Some((*begun, facts.executed.clone())),
        }
    }

    /// The server that listens at an address.
    pub fn at_address(&self, address: &Address) -> Option<&Server> {
        self.servers
            .values()
            .find(|server| server.member.address == *address)
    }

    /// A server's part in the cluster, from the record and its link.
    pub fn role(&self, name: &ServerName) -> Role {
        let Some(server) = self.server(name) else {
            return Role::Unknown;
        };
        if self.record.primary.as_ref() == Some(name) {
            return Role::Primary;
        }
        if server.facts.is_none() {
            return Role::Unknown;
        }
        if self.follows_primary(server) {
            Role::Replica
        } else {
            Role::Detached
        }
    }

    /// Whether the chain of sources of a server ends at the primary.
    pub fn follows_primary(&self, server: &Server) -> bool {
        let mut at = server;
        for _ in 0..self.servers.len() {
            let source = at.link().and_then(|link| self.at_address(&link.source));
            match source {
                Some(source) if self.record.primary.as_ref() == Some(source.name()) => return true,
                Some(source) => at = source,
                None => return false,
            }
        }
        false
    }
}
