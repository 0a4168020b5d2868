//! Query rules with the meaning that they have in ProxySQL: what an operator wrote, and the set
//! that
//! it is compiled to. Reading them from a file is left to `settings`, acting on them to `session`.
//!
//! Rules are asked in the order of their numbers. A rule matches when all its conditions hold, the
//! flag among them; then its actions are taken over, those of later rules replacing those of
//! earlier
//! ones, until a rule says `apply`. A rule with `flagOUT` changes the flag that the rules behind it
//! are asked with. When no rule said `apply`, the fast routes are looked at, by user, schema and
//! flag.

mod cover;
mod fast;
mod patterns;
mod replacement;
mod ruling;

use std::net::IpAddr;
use std::sync::Arc;

use mainstay_sql::Digest;
use regex_automata::PatternID;

pub use cover::{Cause, NeverMatches, never_match};
pub use fast::FastRoute;
pub use ruling::{Query, Ruling, Workspace};

use crate::bucket::Limits;
use fast::FastRoutes;
use patterns::Patterns;
use replacement::Replacement;

/// The number of a hostgroup.
pub type HostgroupId = u32;

/// A flag that chains rules: 0 at the beginning.
pub type Flag = u32;

/// What a rule asks of a statement; what is `None` is not asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    /// `username`.
    pub username: Option<String>,
    /// `schemaname`: the default schema of the session.
    pub schemaname: Option<String>,
    /// `flagIN`.
    pub flag_in: Flag,
    /// `client_addr`; what stands behind a `%` does not matter.
    pub client_addr: Option<String>,
    /// `proxy_addr`: where the client has connected to.
    pub proxy_addr: Option<IpAddr>,
    /// `proxy_port`.
    pub proxy_port: Option<u16>,
    /// `digest`.
    pub digest: Option<Digest>,
    /// `match_digest`: a regular expression over the text without values.
    pub match_digest: Option<String>,
    /// `match_pattern`: a regular expression over the text itself, as rewritten so far.
    pub match_pattern: Option<String>,
    /// `negate_match_pattern`: the two expressions must not match.
    pub negate_match_pattern: bool,
    /// `re_modifiers` has `CASELESS`, as it has by default.
    pub caseless: bool,
}

/// What a rule decides; what is `None` is left as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actions {
    /// `destination_hostgroup`.
    pub destination_hostgroup: Option<HostgroupId>,
    /// `cache_ttl`, in milliseconds.
    pub cache_ttl_ms: Option<u64>,
    /// `cache_empty_result`.
    pub cache_empty_result: Option<bool>,
    /// `cache_timeout`, in milliseconds.
    pub cache_timeout_ms: Option<u64>,
    /// `reconnect`.
    pub reconnect: Option<bool>,
    /// `timeout`, in milliseconds; 0 for none.
    pub timeout_ms: Option<u64>,
    /// `retries`.
    pub retries: Option<u32>,
    /// `delay`, in milliseconds.
    pub delay_ms: Option<u64>,
    /// `next_query_flagIN`.
    pub next_query_flag_in: Option<Flag>,
    /// `mirror_flagOUT`.
    pub mirror_flag_out: Option<Flag>,
    /// `mirror_hostgroup`.
    pub mirror_hostgroup: Option<HostgroupId>,
    /// `error_msg`: the answer, instead of running it.
    pub error_msg: Option<Arc<str>>,
    /// `OK_msg`: the answer, instead of running it.
    pub ok_msg: Option<Arc<str>>,
    /// `sticky_conn`.
    pub sticky_conn: Option<bool>,
    /// `multiplex`.
    pub multiplex: Option<Multiplex>,
    /// `gtid_from_hostgroup`.
    pub gtid_from_hostgroup: Option<HostgroupId>,
    /// `log`.
    pub log: Option<bool>,
}

/// Whether the session may give its connection back after the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Multiplex {
    /// 0: it keeps it, for good.
    Off,
    /// 1: it may again.
    On,
    /// 2: user variables in this statement do not tie it.
    IgnoreVariables,
}

impl Actions {
    fn take_over(&mut self, other: &Self) {
        fn set<T: Clone>(mine: &mut Option<T>, theirs: Option<&T>) {
            if theirs.is_some() {
                *mine = theirs.cloned();
            }
        }
        set(
            &mut self.destination_hostgroup,
            other.destination_hostgroup.as_ref(),
        );
        set(&mut self.cache_ttl_ms, other.cache_ttl_ms.as_ref());
        set(
            &mut self.cache_empty_result,
            other.cache_empty_result.as_ref(),
        );
        set(&mut self.cache_timeout_ms, other.cache_timeout_ms.as_ref());
        set(&mut self.reconnect, other.reconnect.as_ref());
        set(&mut self.timeout_ms, other.timeout_ms.as_ref());
        set(&mut self.retries, other.retries.as_ref());
        set(&mut self.delay_ms, other.delay_ms.as_ref());
        set(
            &mut self.next_query_flag_in,
            other.next_query_flag_in.as_ref(),
        );
        set(&mut self.mirror_flag_out, other.mirror_flag_out.as_ref());
        set(&mut self.mirror_hostgroup, other.mirror_hostgroup.as_ref());
        set(&mut self.error_msg, other.error_msg.as_ref());
        set(&mut self.ok_msg, other.ok_msg.as_ref());
        set(&mut self.sticky_conn, other.sticky_conn.as_ref());
        set(&mut self.multiplex, other.multiplex.as_ref());
        set(
            &mut self.gtid_from_hostgroup,
            other.gtid_from_hostgroup.as_ref(),
        );
        set(&mut self.log, other.log.as_ref());
    }
}

/// One rule as it was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// `rule_id`: its place.
    pub rule_id: u32,
    /// What it asks.
    pub conditions: Conditions,
    /// `flagOUT`.
    pub flag_out: Option<Flag>,
    /// `flagOUTs` of `attributes`: flags, of which one is drawn by its weight.
    pub flag_outs: Vec<WeightedFlag>,
    /// `replace_pattern`: the text that takes the place of what `match_pattern` matched; `\1` is
    /// the first group.
    pub replace_pattern: Option<String>,
    /// `re_modifiers` has `GLOBAL`: every match is replaced, not only the first.
    pub global: bool,
    /// What it decides.
    pub actions: Actions,
    /// What the statements may use that it matched last of all rules with limits.
    pub limits: Limits,
    /// `apply`: no later rule is asked.
    pub apply: bool,
}

/// A flag with its weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeightedFlag {
    /// The flag.
    pub flag: Flag,
    /// How often it is drawn, in proportion to the others.
    pub weight: u32,
}

/// What is wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rule {rule_id}: {key}: {reason}")]
pub struct RuleError {
    /// The number of the rule.
    pub rule_id: u32,
    /// The column.
    pub key: &'static str,
    /// What is wrong, and what to do.
    pub reason: String,
}

/// One rule as it is asked.
#[derive(Debug)]
struct Compiled {
    rule: Rule,
    /// Its place among the expressions of all rules.
    match_digest: Option<usize>,
    match_pattern: Option<usize>,
    replacement: Option<Replacement>,
    /// The sum of the weights of its flags.
    weights: u64,
}

/// What most rules fail by, close together: of many rules only few are looked at whole.
#[derive(Debug, Clone, Copy)]
struct Gate {
    flag_in: Flag,
    /// The expressions that must match.
    match_digest: Option<PatternID>,
    match_pattern: Option<PatternID>,
}

/// All active rules, ready to be asked.
#[derive(Debug, Default)]
pub struct Rules {
    all: Vec<Compiled>,
    gates: Vec<Gate>,
    digests: Patterns,
    texts: Patterns,
    fast: FastRoutes,
    needs_digest: bool,
}

impl Rules {
    /// Compiles rules and fast routes. The expressions of all rules become two automata, so that a
    /// statement is read once however many rules there are.
    pub fn compile(mut rules: Vec<Rule>, fast: Vec<FastRoute>) -> Result<Self, Vec<RuleError>> {
        rules.sort_by_key(|rule| rule.rule_id);
        let mut errors = Vec::new();
        let (mut digests, mut texts) = (Vec::new(), Vec::new());
        let mut compiled = Vec::with_capacity(rules.len());
        for rule in rules {
            match Compiled::new(rule, &mut digests, &mut texts) {
                Ok(one) => compiled.push(one),
                Err(error) => errors.push(error),
            }
        }
        for pair in compiled.windows(2) {
            let [one, next] = pair else { continue };
            if one.rule.rule_id == next.rule.rule_id {
                errors.push(RuleError {
                    rule_id: one.rule.rule_id,
                    key: "rule_id",
                    reason: "two rules have this number".to_owned(),
                });
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let whole = |reason| {
            vec![RuleError {
                rule_id: 0,
                key: "match_pattern",
                reason,
            }]
        };
        let asks =
            |one: &Compiled| one.match_digest.is_some() || one.rule.conditions.digest.is_some();
        Ok(Self {
            needs_digest: compiled.iter().any(asks),
            gates: compiled.iter().map(Gate::of).collect(),
            all: compiled,
            digests: Patterns::compile(&digests).map_err(whole)?,
            texts: Patterns::compile(&texts).map_err(whole)?,
            fast: FastRoutes::new(fast),
        })
    }

    /// True when there is nothing to ask.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty() && self.fast.is_empty()
    }

    /// True when some rule looks at the text without values.
    pub fn needs_digest(&self) -> bool {
        self.needs_digest
    }

    /// The limits of all rules.
    pub fn limits(&self) -> impl Iterator<Item = Limits> {
        self.all.iter().map(|one| one.rule.limits)
    }

    /// The limits of one rule.
    pub fn limits_of(&self, rule_id: u32) -> Option<Limits> {
        let found = self
            .all
            .binary_search_by_key(&rule_id, |one| one.rule.rule_id);
        found.ok().map(|place| self.all[place].rule.limits)
    }

    /// True when some rule asks for what an earlier write did (`gtid_from_hostgroup`).
    pub fn asks_for_writes(&self) -> bool {
        let mut actions = self.all.iter().map(|one| &one.rule.actions);
        actions.any(|actions| actions.gtid_from_hostgroup.is_some())
    }

    /// The numbers of the rules, in the order of the counters of a [`Workspace`].
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        self.all.iter().map(|one| one.rule.rule_id)
    }

    /// The hostgroups that rules and fast routes send statements to, or take them from.
    pub fn hostgroups(&self) -> impl Iterator<Item = HostgroupId> {
        let of_rules = self.all.iter().flat_map(|one| {
            let actions = &one.rule.actions;
            [actions.destination_hostgroup, actions.mirror_hostgroup]
        });
        of_rules.flatten().chain(self.fast.hostgroups())
    }
}

impl Gate {
    fn of(one: &Compiled) -> Self {
        let wanted = !one.rule.conditions.negate_match_pattern;
        let id = |place: Option<usize>| PatternID::new(place.filter(|_| wanted)?).ok();
        Self {
            flag_in: one.rule.conditions.flag_in,
            match_digest: id(one.match_digest),
            match_pattern: id(one.match_pattern),
        }
    }
}

impl Compiled {
    fn new(
        rule: Rule,
        digests: &mut Vec<String>,
        texts: &mut Vec<String>,
    ) -> Result<Self, RuleError> {
        let wrong = |key, reason| RuleError {
            rule_id: rule.rule_id,
            key,
            reason,
        };
        let conditions = &rule.conditions;
        let place = |pattern: Option<&String>, all: &mut Vec<String>| {
            let pattern = pattern?;
            let modified = patterns::modified(pattern, conditions.caseless);
            all.push(modified);
            Some(all.len() - 1)
        };
        let checks = [
            ("match_digest", &conditions.match_digest),
            ("match_pattern", &conditions.match_pattern),
        ];
        for (key, pattern) in checks {
            if let Some(pattern) = pattern {
                patterns::check(pattern).map_err(|reason| wrong(key, reason))?;
            }
        }
        let match_digest = place(conditions.match_digest.as_ref(), digests);
        let match_pattern = place(conditions.match_pattern.as_ref(), texts);
        let replacement = match (&rule.replace_pattern, &conditions.match_pattern) {
            (None, _) => None,
            (Some(_), None) => {
                let reason = "needs a match_pattern: what that matches is replaced".to_owned();
                return Err(wrong("replace_pattern", reason));
            }
            (Some(_), Some(_)) if conditions.negate_match_pattern => {
                let reason = "has nothing to replace when negate_match_pattern is on".to_owned();
                return Err(wrong("replace_pattern", reason));
            }
            (Some(with), Some(pattern)) => {
                let modified = patterns::modified(pattern, conditions.caseless);
                let made = Replacement::compile(&modified, with, rule.global);
                Some(made.map_err(|reason| wrong("replace_pattern", reason))?)
            }
        };
        let weights = rule.flag_outs.iter().map(|one| u64::from(one.weight));
        Ok(Self {
            match_digest,
            match_pattern,
            replacement,
            weights: weights.sum(),
            rule,
        })
    }
}
