//! What a worker keeps to ask the rules: their counters, and what is left under the limits of
//! users, hostgroups and rules.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_routing::hostgroups::{READERS, WRITERS};
use mainstay_routing::rules::Workspace;
use mainstay_routing::{Bucket, Limits, Rules};

use crate::policy::{Policy, User};
use crate::queries::{GateStats, QueryStats};
use crate::ruling::Ruled;

/// Whose limit it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Holder {
    User(Arc<str>),
    Hostgroup(u32),
    Rule(u32),
}

/// Whose limits a statement is under.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Under<'a> {
    pub(crate) user: &'a Arc<str>,
    pub(crate) hostgroup: Option<u32>,
    pub(crate) rule: Option<u32>,
}

/// The buckets of one holder.
#[derive(Debug, Clone, Copy)]
struct Buckets {
    queries: Bucket,
    bytes: Bucket,
}

/// What a worker keeps.
// Each flag is one independent fact.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug)]
pub(crate) struct Rulebook {
    pub(crate) workspace: Workspace,
    /// Some user has something to be looked up with each statement.
    pub(crate) asks_users: bool,
    /// Some limit is set.
    pub(crate) limits: bool,
    /// One of them is of the hostgroups of the built-in split.
    pub(crate) limits_split: bool,
    /// Some limit is one of connections at the same time.
    pub(crate) places: bool,
    pub(crate) gate: GateStats,
    buckets: BTreeMap<Holder, Buckets>,
}

impl User {
    fn limits(&self) -> Limits {
        Limits {
            connections_max: self.connections_max,
            queries_per_second: self.queries_per_second,
            bytes_per_second: self.bytes_per_second,
        }
    }
}

fn is_limited(limits: &Limits) -> bool {
    limits.queries_per_second.is_some() || limits.bytes_per_second.is_some()
}

impl Rulebook {
    pub(crate) fn new(policy: &Policy, seed: u64) -> Self {
        let mut book = Self {
            workspace: Workspace::new(&policy.rules, seed),
            asks_users: false,
            limits: false,
            limits_split: false,
            places: false,
            gate: GateStats::default(),
            buckets: BTreeMap::new(),
        };
        book.look(policy);
        book
    }

    /// New settings: counters of rules begin anew when the rules are others.
    pub(crate) fn adopt(&mut self, before: &Policy, policy: &Policy, seed: u64) {
        if !Arc::ptr_eq(&before.rules, &policy.rules) {
            self.workspace = Workspace::new(&policy.rules, seed);
        }
        self.buckets.clear();
        self.look(policy);
    }

    fn look(&mut self, policy: &Policy) {
        let users = policy.users.values().map(User::limits);
        let groups = policy.hostgroups.iter().map(|group| group.limits);
        let shared: Vec<Limits> = groups.chain(policy.rules.limits()).collect();
        let has_places = |limits: &Limits| limits.connections_max.is_some();
        self.places = shared.iter().any(has_places);
        self.limits = self.places || users.chain(shared).any(|limits| is_limited(&limits));
        self.limits_split = [WRITERS, READERS].into_iter().any(|id| {
            let group = policy.hostgroups.get(id).map(|group| &group.limits);
            group.is_some_and(|limits| is_limited(limits) || has_places(limits))
        });
        let mut users = policy.users.values();
        self.asks_users = users.any(|user| user.default_hostgroup.is_some() || user.schema_locked);
    }

    /// The hits of the rules, and what was refused.
    pub(crate) fn report(&mut self, rules: &Rules, stats: &mut QueryStats, reset: bool) {
        stats.rule_hits = rules
            .ids()
            .zip(self.workspace.hits().iter().copied())
            .collect();
        stats.gate = self.gate;
        if reset {
            self.workspace.reset();
            self.gate = GateStats::default();
        }
    }

    /// How long a statement has to wait for its turn.
    pub(crate) fn wait(&mut self, policy: &Policy, under: Under<'_>, now: Timestamp) -> Wait {
        let mut longest = Wait::default();
        for (holder, limits) in limits_of(policy, under) {
            let buckets = self.buckets(holder, &limits, now);
            if let Some(rate) = limits.queries_per_second {
                longest.at_least(
                    buckets.queries.wait(rate, now),
                    "max_queries_per_second",
                    rate,
                );
            }
            if let Some(rate) = limits.bytes_per_second {
                longest.at_least(buckets.bytes.wait(rate, now), "max_bytes_per_second", rate);
            }
        }
        longest
    }

    /// Takes one statement, or some bytes, out of what is left.
    pub(crate) fn spend(
        &mut self,
        policy: &Policy,
        under: Under<'_>,
        (queries, bytes): (u64, u64),
        now: Timestamp,
    ) {
        for (holder, limits) in limits_of(policy, under) {
            let buckets = self.buckets(holder, &limits, now);
            if let Some(rate) = limits.queries_per_second {
                buckets.queries.take(queries, rate, now);
            }
            if let Some(rate) = limits.bytes_per_second {
                buckets.bytes.take(bytes, rate, now);
            }
        }
    }

    fn buckets(&mut self, holder: Holder, limits: &Limits, now: Timestamp) -> &mut Buckets {
        self.buckets.entry(holder).or_insert_with(|| Buckets {
            queries: Bucket::full(limits.queries_per_second.unwrap_or(0), now),
            bytes: Bucket::full(limits.bytes_per_second.unwrap_or(0), now),
        })
    }
}

/// The longest wait that a limit asks for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wait {
    pub(crate) time: Duration,
    /// What it is called, and how much of it there is in a second.
    pub(crate) limit: (&'static str, u64),
}

impl Wait {
    fn at_least(&mut self, time: Duration, name: &'static str, rate: u64) {
        if time > self.time {
            *self = Self {
                time,
                limit: (name, rate),
            };
        }
    }
}

fn limits_of(policy: &Policy, under: Under<'_>) -> Vec<(Holder, Limits)> {
    let mut found = Vec::new();
    let known = policy.users.get(&**under.user).map(User::limits);
    if let Some(limits) = known.filter(is_limited) {
        found.push((Holder::User(Arc::clone(under.user)), limits));
    }
    let group = under.hostgroup.and_then(|id| policy.hostgroups.get(id));
    if let Some(group) = group.filter(|group| is_limited(&group.limits)) {
        found.push((Holder::Hostgroup(group.id), group.limits));
    }
    let rule = under
        .rule
        .and_then(|id| Some((id, policy.rules.limits_of(id)?)));
    if let Some((id, limits)) = rule.filter(|(_, limits)| is_limited(limits)) {
        found.push((Holder::Rule(id), limits.shared(policy.workers)));
    }
    found
}

/// The places that a statement needs, with how many there are.
pub(crate) fn places(policy: &Policy, ruled: &Ruled) -> Vec<(Holder, usize)> {
    let group = ruled.counted_for.and_then(|id| policy.hostgroups.get(id));
    let group = group.and_then(|group| {
        let most = group.limits.connections_max?;
        Some((Holder::Hostgroup(group.id), most))
    });
    let rule = ruled.limited_by.and_then(|id| {
        let most = policy.rules.limits_of(id)?.connections_max?;
        Some((Holder::Rule(id), most))
    });
    group.into_iter().chain(rule).collect()
}
