//! What is counted by hostgroup and server, by user, and plainly: made when somebody asks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mainstay_routing::hostgroups::{Members, READERS, WRITERS};
use mainstay_topology::{Address, ServerName};

use crate::core::Core;
use crate::counts::{Counts, GroupStats};
use crate::session::Phase;
use crate::statements::Text;
use crate::upstream::Upstream;

/// Different prepared statements that are told apart: counting must not keep a worker for long.
const TEXTS_MAX: usize = 50_000;

/// What is counted besides [`crate::Stats`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Where servers are.
    pub addresses: BTreeMap<ServerName, Address>,
    /// What statements of each hostgroup have asked of each server.
    pub groups: BTreeMap<(u32, ServerName), GroupStats>,
    /// Clients of each user that are logged in now.
    pub users: BTreeMap<Arc<str>, usize>,
    /// Sessions that are carrying out a command now.
    pub busy: usize,
    /// Server connections open now, also those being opened.
    pub server_connections: usize,
    /// Statements prepared by clients now, and on server connections.
    pub prepared: PreparedStats,
    /// Copies for mirrors that are under way now.
    pub mirrors: usize,
    /// Counters without a label.
    pub counts: Counts,
}

/// Prepared statements.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PreparedStats {
    /// By clients.
    pub clients: usize,
    /// On server connections.
    pub servers: usize,
    /// What tells the different ones of clients apart.
    pub client_texts: BTreeSet<u64>,
    /// The same of server connections.
    pub server_texts: BTreeSet<u64>,
}

impl Tally {
    /// Adds that of another worker.
    pub fn add(&mut self, other: Self) {
        let Self {
            addresses,
            groups,
            users,
            busy,
            server_connections,
            prepared,
            mirrors,
            counts,
        } = other;
        self.addresses.extend(addresses);
        for (key, group) in groups {
            self.groups.entry(key).or_default().add(&group);
        }
        for (user, clients) in users {
            *self.users.entry(user).or_default() += clients;
        }
        self.busy += busy;
        self.server_connections += server_connections;
        self.prepared.clients += prepared.clients;
        self.prepared.servers += prepared.servers;
        self.prepared.client_texts.extend(prepared.client_texts);
        self.prepared.server_texts.extend(prepared.server_texts);
        self.mirrors += mirrors;
        self.counts.add(&counts);
    }
}

impl Core {
    /// What is counted by hostgroup, by user, and without a label.
    pub(crate) fn tally(&self) -> Tally {
        let mut tally = Tally {
            counts: self.counts,
            mirrors: self.copies.len(),
            server_connections: self.servers.len(),
            ..Tally::default()
        };
        for upstream in &self.upstreams {
            let name = &upstream.target.name;
            tally
                .addresses
                .insert(name.clone(), upstream.target.address.clone());
            for hostgroup in self.hostgroups_of(upstream) {
                let key = (hostgroup, name.clone());
                tally.groups.entry(key).or_default().member = true;
            }
            for (hostgroup, group) in &upstream.groups {
                let key = (*hostgroup, name.clone());
                tally.groups.entry(key).or_default().add(group);
            }
        }
        for (_, server) in self.servers.iter() {
            let prepared = &mut tally.prepared;
            prepared.servers += server.statements.count();
            if prepared.server_texts.len() < TEXTS_MAX {
                let texts = server.statements.texts();
                prepared.server_texts.extend(texts.map(Text::mark));
            }
            let Some(session) = server.session().and_then(|id| self.clients.get(id)) else {
                continue;
            };
            let asked = session.running().and_then(|one| one.ruled.hostgroup);
            let name = self.upstreams[server.upstream].target.name.clone();
            let key = (self.hostgroup_of(asked, server.upstream), name);
            tally.groups.entry(key).or_default().used += 1;
        }
        for (id, session) in self.clients.iter() {
            if self.copies.has(id) || matches!(session.phase, Phase::Login(_)) {
                continue;
            }
            tally.busy += usize::from(session.running().is_some());
            let prepared = &mut tally.prepared;
            prepared.clients += session.statements.count();
            if prepared.client_texts.len() < TEXTS_MAX {
                let statements = session.statements.iter();
                let texts = statements.map(|(_, one)| one.text.mark());
                prepared.client_texts.extend(texts);
            }
            let user = Arc::clone(&session.key.user);
            *tally.users.entry(user).or_default() += 1;
        }
        tally
    }

    /// The hostgroups that a server is in.
    fn hostgroups_of(&self, upstream: &Upstream) -> Vec<u32> {
        if !upstream.listed {
            return Vec::new();
        }
        let is_writer =
            self.writer.map(|index| &self.upstreams[index].target) == Some(&upstream.target);
        let mut found = vec![if is_writer { WRITERS } else { READERS }];
        for group in self.policy.hostgroups.iter() {
            if let Members::Servers(names) = &group.members
                && names.contains(&upstream.target.name)
            {
                found.push(group.id);
            }
        }
        found
    }
}
