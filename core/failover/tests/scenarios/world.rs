//! A small cluster to play with: what servers say, and what effects do to them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mainstay_failover::{Effect, Output, StepResult};
use mainstay_gtid::mariadb::{Gtid, MariadbSet};
use mainstay_gtid::{Difference, Family as SetFamily, GtidSet};
use mainstay_topology::dialect::version;
use mainstay_topology::{
    Address, Applier, Facts, Family, Link, Observation, Outcome, Receiver, SemiSync, ServerName,
    Setup,
};

/// How a server meets the manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Manner {
    Answers,
    Refuses,
    Silent,
    NoConnection,
    TooManyConnections,
    AccessDenied,
}

#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) facts: Facts,
    pub(crate) manner: Manner,
    /// Replicas hear it, although the manager may not.
    pub(crate) heard: bool,
    /// It receives what its source has.
    pub(crate) receives: bool,
    /// It applies what it has received.
    pub(crate) applies: bool,
    /// Replicas of it that nobody has configured.
    pub(crate) strangers: u32,
    /// What it is to have executed when its rewinding has ended.
    pub(crate) left_over: Option<GtidSet>,
}

pub(crate) struct World {
    pub(crate) family: Family,
    pub(crate) servers: BTreeMap<ServerName, Server>,
    pub(crate) addresses: BTreeMap<ServerName, Address>,
}

/// Letters stand for MySQL's UUIDs: `A:1-9`.
pub(crate) fn set(family: Family, text: &str) -> Result<GtidSet, String> {
    let family = match family {
        Family::Mysql => SetFamily::Mysql,
        Family::Mariadb => SetFamily::Mariadb,
    };
    let text = if text == "-" { "" } else { text };
    let mut long = String::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let comma = if long.is_empty() { "" } else { "," };
        let letter = part.chars().next().filter(char::is_ascii_uppercase);
        match letter {
            Some(letter) => long.push_str(&format!("{comma}{}{}", uuid(letter), &part[1..])),
            None => long.push_str(&format!("{comma}{part}")),
        }
    }
    GtidSet::parse(family, &long).map_err(|error| error.to_string())
}

pub(crate) fn uuid(letter: char) -> String {
    let one = letter.to_ascii_lowercase().to_string();
    [8, 4, 4, 4, 12].map(|length| one.repeat(length)).join("-")
}

/// The letters again.
pub(crate) fn short(text: &str) -> String {
    ('A'..='F').fold(text.replace('\n', ""), |text, letter| {
        text.replace(&uuid(letter), &letter.to_string())
    })
}

fn union(one: &GtidSet, other: &GtidSet) -> GtidSet {
    one.union(other).expect("one family")
}

impl World {
    pub(crate) fn new(family: Family) -> Self {
        Self {
            family,
            servers: BTreeMap::new(),
            addresses: BTreeMap::new(),
        }
    }

    /// Adds a writable server without a source.
    pub(crate) fn add(&mut self, name: &ServerName, executed: GtidSet) {
        let id = self.servers.len() as u32 + 1;
        let letter = char::from(b'A' + self.servers.len() as u8);
        let greeting = match self.family {
            Family::Mysql => "9.7.4",
            Family::Mariadb => "10.11.19-MariaDB",
        };
        let facts = Facts {
            version: version(greeting).expect("a version"),
            server_id: id,
            server_uuid: (self.family == Family::Mysql).then(|| uuid(letter)),
            read_only: false,
            executed,
            rewinding: false,
            semi_sync: SemiSync::default(),
            link: None,
            setup: Setup::default(),
            positions: None,
        };
        let address = Address {
            host: name.as_str().to_owned(),
            port: 3306,
        };
        self.addresses.insert(name.clone(), address);
        let server = Server {
            facts,
            manner: Manner::Answers,
            heard: true,
            receives: true,
            applies: true,
            strangers: 0,
            left_over: None,
        };
        self.servers.insert(name.clone(), server);
    }

    pub(crate) fn link(&mut self, name: &ServerName, source: &ServerName) {
        let source = self.addresses[source].clone();
        if let Some(server) = self.servers.get_mut(name) {
            server.facts.read_only = true;
            server.facts.semi_sync.replica_enabled = true;
            server.facts.semi_sync.source_enabled = false;
            server.facts.semi_sync.acknowledgements = 0;
            let received = server.facts.executed.clone();
            server.facts.link = Some(Link {
                source,
                receiver: Receiver::Connecting,
                receiver_error: 0,
                applier: Applier::Running,
                received,
                heard: 0,
                lag: Some(Duration::ZERO),
            });
        }
        self.flow();
    }

    /// MariaDB's source knows only its own binary log.
    fn refuse_if_ahead(&mut self, name: &ServerName, source: &ServerName) {
        let known = self.servers[source].facts.executed.clone();
        let facts = &mut self.servers.get_mut(name).expect("a server").facts;
        let ahead = match (&facts.executed, &known) {
            (GtidSet::Mariadb(own), GtidSet::Mariadb(known)) => {
                // Domains that it does not know at all are none of its business.
                let of = |set: &MariadbSet| set.iter().map(|gtid| gtid.domain).collect();
                let (own_domains, shared): (BTreeSet<u32>, BTreeSet<u32>) = (of(own), of(known));
                let other = own_domains.difference(&shared).copied().collect();
                !known.contains(&own.without(&other))
            }
            (_, GtidSet::Mysql(_)) | (GtidSet::Mysql(_), _) => false,
        };
        if let Some(link) = facts.link.as_mut().filter(|_| ahead) {
            (link.receiver, link.receiver_error) = (Receiver::Stopped, 1236);
        }
    }

    fn source(&self, server: &Server) -> Option<&Server> {
        let link = server.facts.link.as_ref()?;
        let (name, _) = self.addresses.iter().find(|(_, at)| **at == link.source)?;
        self.servers.get(name)
    }

    /// Lets everything that can be heard be heard.
    pub(crate) fn flow(&mut self) {
        for name in self.servers.keys().cloned().collect::<Vec<_>>() {
            let server = &self.servers[&name];
            let source = self.source(server).cloned();
            let Some(server) = self.servers.get_mut(&name) else {
                continue;
            };
            let (receives, applies) = (server.receives, server.applies);
            let Some(link) = &mut server.facts.link else {
                continue;
            };
            let gone = source
                .as_ref()
                .is_none_or(|source| source.manner == Manner::Refuses);
            let heard = source.as_ref().filter(|source| source.heard);
            if link.receiver == Receiver::Running && gone {
                link.receiver = Receiver::Connecting;
            }
            if let Some(source) = heard.filter(|_| link.receiver != Receiver::Stopped) {
                link.receiver = Receiver::Running;
                link.heard += 1;
                if receives {
                    link.received = union(&link.received, &source.facts.executed);
                }
            }
            let delayed = !server.facts.setup.delay.is_zero();
            if applies && !delayed && link.applier == Applier::Running {
                server.facts.executed = union(&server.facts.executed, &link.received);
            }
            link.received = union(&link.received, &server.facts.executed);
        }
        self.count_clients();
    }

    fn count_clients(&mut self) {
        let mut clients = BTreeMap::new();
        for server in self.servers.values() {
            let lives = server.manner != Manner::Refuses;
            let acks = lives && server.facts.semi_sync.replica_enabled;
            let runs = |link: &&Link| link.receiver == Receiver::Running && acks;
            if let Some(link) = server.facts.link.as_ref().filter(runs) {
                *clients.entry(link.source.clone()).or_insert(0) += 1;
            }
        }
        for (name, server) in &mut self.servers {
            let count = clients.get(&self.addresses[name]);
            server.facts.semi_sync.clients = count.copied().unwrap_or(0) + server.strangers;
        }
    }

    /// What a probe sees, and how long it takes in milliseconds.
    pub(crate) fn look(&mut self, name: &ServerName) -> (u64, Outcome) {
        self.flow();
        let server = &self.servers[name];
        match server.manner {
            Manner::Answers => (1, Outcome::Answered(Box::new(server.facts.clone()))),
            Manner::Refuses => (1, Outcome::Refused),
            Manner::Silent => (500, Outcome::Silent),
            Manner::NoConnection => (500, Outcome::NoConnection),
            Manner::TooManyConnections => (1, Outcome::TooManyConnections),
            Manner::AccessDenied => (1, Outcome::AccessDenied { code: 1045 }),
        }
    }

    /// Does what an effect says.
    pub(crate) fn apply(&mut self, effect: &Effect) -> StepResult {
        self.flow();
        let result = self.act(effect);
        self.flow();
        result
    }

    fn act(&mut self, effect: &Effect) -> StepResult {
        let done = StepResult::Done(Output::Done);
        match effect {
            Effect::Publish { .. }
            | Effect::RunHook { .. }
            | Effect::Wish { .. }
            | Effect::AwaitIdle { .. }
            | Effect::Restart { .. }
            | Effect::Drain { .. }
            | Effect::Record { .. }
            | Effect::DropAddress { .. }
            | Effect::TakeAddress { .. }
            | Effect::SaveErrant { .. } => done,
            Effect::EndProcess { server } => self.end_process(server),
            Effect::Attach {
                server,
                source,
                manner,
                ..
            } => self.on(server, |world, name| {
                let facts = &world.servers[name].facts;
                let before = facts.semi_sync.replica_enabled;
                world.link(name, &source.name);
                let facts = &mut world.servers.get_mut(name).expect("a server").facts;
                facts.semi_sync.replica_enabled = manner.acknowledges.unwrap_or(before);
                facts.setup.delay = manner.delay.unwrap_or(facts.setup.delay);
                world.refuse_if_ahead(name, &source.name);
                Output::Done
            }),
            Effect::AwaitAttached { server, source } => {
                let wanted = self.servers[&source.name].facts.executed.clone();
                self.wait(server, |facts| {
                    let link = facts.link.as_ref();
                    let runs = link.is_some_and(|link| link.receiver == Receiver::Running);
                    runs && facts.held().contains(&wanted)
                })
            }
            Effect::AwaitApplied {
                server,
                transactions,
            } => self.wait(server, |facts| facts.executed.contains(transactions)),
            Effect::AwaitClients { server, clients } => {
                self.wait(server, |facts| facts.semi_sync.clients >= *clients)
            }
            Effect::ApplyReceived { server } => {
                if let Some(server) = self.servers.get_mut(server) {
                    server.applies = true;
                }
                self.flow();
                self.wait(server, |facts| facts.executed.contains(facts.held()))
            }
            Effect::ApplyTail { server, from } => self.take_tail(server, from),
            Effect::Rewind {
                server,
                transactions,
            } => self.rewind(server, transactions.as_ref()),
            Effect::Reseed { server, donor } => self.reseed(server, &donor.name),
            Effect::StopReceiver { server }
            | Effect::Fence { server }
            | Effect::Demote { server }
            | Effect::EnableSemiSync { server, .. }
            | Effect::OpenWrites { server }
            | Effect::ReleaseProved { server, .. }
            | Effect::StopReplication { server }
            | Effect::CloseRing { server, .. }
            | Effect::ForgetSource { server } => {
                self.on(server, |world, name| world.set_up(effect, name))
            }
        }
    }

    fn end_process(&mut self, server: &ServerName) -> StepResult {
        let server = self.servers.get_mut(server).expect("a server");
        (server.manner, server.heard) = (Manner::Refuses, false);
        StepResult::Done(Output::Done)
    }

    fn reseed(&mut self, server: &ServerName, donor: &ServerName) -> StepResult {
        let executed = self.servers[donor].facts.executed.clone();
        self.on(server, |world, name| {
            let server = world.servers.get_mut(name).expect("a server");
            server.facts.executed = executed;
            server.facts.link = None;
            Output::Done
        })
    }

    fn take_tail(&mut self, server: &ServerName, from: &ServerName) -> StepResult {
        let tail = self.servers[from].facts.executed.clone();
        self.on(server, |world, name| {
            let server = world.servers.get_mut(name).expect("a server");
            server.facts.executed = union(&server.facts.executed, &tail);
            Output::Said(format!("the disk of {from} was read to its end"))
        })
    }

    fn rewind(&mut self, server: &ServerName, without: Option<&Difference>) -> StepResult {
        let rest = self.rest(server, without);
        self.on(server, |world, name| {
            let server = world.servers.get_mut(name).expect("a server");
            server.facts.executed = rest;
            server.facts.rewinding = false;
            server.left_over = None;
            Output::Done
        })
    }

    /// What is left of a server's set without these transactions.
    fn rest(&self, server: &ServerName, without: Option<&Difference>) -> GtidSet {
        let server = &self.servers[server];
        let had = server.left_over.as_ref();
        match (had.unwrap_or(&server.facts.executed), without) {
            (GtidSet::Mysql(own), Some(Difference::Mysql(errant))) => {
                GtidSet::Mysql(own.subtract(errant))
            }
            (GtidSet::Mariadb(own), Some(Difference::Mariadb(errant))) => {
                let left = own.iter().filter_map(|gtid| {
                    let mut ranges = errant.iter().map(|range| (range.first(), range.last()));
                    let same =
                        |first: Gtid| (first.domain, first.server) == (gtid.domain, gtid.server);
                    let cut = ranges.find(|(first, _)| same(*first));
                    let sequence = cut.map_or(gtid.sequence, |(first, _)| first.sequence - 1);
                    (sequence > 0).then_some(Gtid { sequence, ..gtid })
                });
                GtidSet::Mariadb(left.collect())
            }
            (own, _) => own.clone(),
        }
    }

    /// A rewinding is cut off when its rows are undone and its GTIDs are gone.
    pub(crate) fn lose_gtids(&mut self, name: &ServerName) {
        let errant = {
            let others = self.servers.iter().filter(|(other, _)| *other != name);
            let all = others.map(|(_, other)| other.facts.executed.clone());
            let all = all.reduce(|all, more| union(&all, &more)).expect("others");
            self.servers[name].facts.executed.missing_from(&all)
        };
        let rest = self.rest(name, Some(&errant));
        let server = self.servers.get_mut(name).expect("a server");
        server.facts.executed = GtidSet::empty(rest.family());
        server.facts.rewinding = true;
        server.left_over = Some(rest);
    }

    fn set_up(&mut self, effect: &Effect, name: &ServerName) -> Output {
        let facts = &mut self.servers.get_mut(name).expect("a server").facts;
        match effect {
            Effect::StopReceiver { .. } => {
                if let Some(link) = &mut facts.link {
                    link.receiver = Receiver::Stopped;
                }
                return Output::Held(facts.held().clone());
            }
            Effect::Demote { .. } => {
                facts.read_only = true;
                return Output::Held(facts.executed.clone());
            }
            Effect::Fence { .. } => {
                facts.read_only = true;
                facts.semi_sync.source_enabled = false;
                facts.semi_sync.acknowledgements = 0;
            }
            Effect::EnableSemiSync {
                acknowledgements, ..
            } => {
                facts.semi_sync.source_enabled = true;
                facts.semi_sync.given_up = false;
                facts.semi_sync.acknowledgements = *acknowledgements;
            }
            Effect::OpenWrites { .. } => facts.read_only = false,
            Effect::ReleaseProved { .. } => facts.semi_sync.waiting = 0,
            Effect::StopReplication { .. } => {
                if let Some(link) = &mut facts.link {
                    (link.receiver, link.applier) = (Receiver::Stopped, Applier::Stopped);
                }
            }
            Effect::CloseRing { source, .. } => {
                facts.semi_sync.replica_enabled = false;
                facts.link = Some(Link {
                    source: source.address.clone(),
                    receiver: Receiver::Connecting,
                    receiver_error: 0,
                    applier: Applier::Running,
                    received: facts.executed.clone(),
                    heard: 0,
                    lag: None,
                });
            }
            Effect::ForgetSource { .. } => facts.link = None,
            other => unreachable!("{other:?} is not one of these"),
        }
        Output::Done
    }

    fn on(
        &mut self,
        name: &ServerName,
        act: impl FnOnce(&mut Self, &ServerName) -> Output,
    ) -> StepResult {
        if self.servers[name].manner == Manner::Answers {
            StepResult::Done(act(self, name))
        } else {
            StepResult::Failed("the server does not answer".to_owned())
        }
    }

    fn wait(&self, name: &ServerName, holds: impl Fn(&Facts) -> bool) -> StepResult {
        let server = &self.servers[name];
        if server.manner == Manner::Answers && holds(&server.facts) {
            StepResult::Done(Output::Done)
        } else {
            StepResult::TimedOut
        }
    }
}

pub(crate) fn observation(
    server: &ServerName,
    begun: mainstay_clock::Timestamp,
    ended: mainstay_clock::Timestamp,
    outcome: Outcome,
) -> Observation {
    Observation {
        server: server.clone(),
        begun,
        ended,
        outcome,
    }
}
