//! Asking the rules about one statement.

use std::net::SocketAddr;

use mainstay_sql::Digest;
use regex_automata::{PatternID, PatternSet};

use crate::bucket::Limits;

use super::{Actions, Compiled, Conditions, Flag, Gate, Rules};

/// What the rules are asked about.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// The user of the session.
    pub user: &'a str,
    /// Its default schema; empty without one.
    pub schema: &'a [u8],
    /// Where the client is.
    pub client: &'a str,
    /// Where the client has connected to.
    pub proxy: Option<SocketAddr>,
    /// The text.
    pub sql: &'a [u8],
    /// The hash of the text without values.
    pub digest: Digest,
    /// The text without values.
    pub digest_text: &'a [u8],
    /// The flag to begin with: 0, or what an earlier statement's rule left for this one.
    pub flag: Flag,
    /// It is the execution of a prepared statement: its text is not rewritten any more.
    pub executes: bool,
}

/// What the rules decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ruling {
    /// The actions of all rules that matched.
    pub actions: Actions,
    /// The text that runs instead.
    pub rewritten: Option<Vec<u8>>,
    /// The flag at the end.
    pub flag: Flag,
    /// The rule that matched last.
    pub rule: Option<u32>,
    /// A rule said `apply`.
    pub applied: bool,
    /// The last rule with limits that matched.
    pub limited_by: Option<u32>,
}

/// What one worker needs to ask rules again and again: room, counters, and chance.
#[derive(Debug)]
pub struct Workspace {
    digests: PatternSet,
    texts: PatternSet,
    hits: Vec<u64>,
    chance: u64,
}

impl Workspace {
    /// For these rules. `seed` turns the choice among weighted flags.
    pub fn new(rules: &Rules, seed: u64) -> Self {
        Self {
            digests: rules.digests.set(),
            texts: rules.texts.set(),
            hits: vec![0; rules.all.len()],
            chance: seed | 1,
        }
    }

    /// How often each rule matched, in the order of [`Rules::ids`].
    pub fn hits(&self) -> &[u64] {
        &self.hits
    }

    /// Counts from zero.
    pub fn reset(&mut self) {
        self.hits.fill(0);
    }

    /// A number below `limit`, by xorshift.
    fn draw(&mut self, limit: u64) -> u64 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        self.chance % limit
    }
}

/// Expressions are matched when the first rule asks, and then for all rules at once.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    digests: bool,
    texts: bool,
}

impl Known {
    /// True when an expression of the rule is known not to match.
    fn shuts(self, gate: &Gate, workspace: &Workspace) -> bool {
        let fails = |known: bool, id: Option<PatternID>, found: &PatternSet| {
            known && id.is_some_and(|id| !found.contains(id))
        };
        fails(self.digests, gate.match_digest, &workspace.digests)
            || fails(self.texts, gate.match_pattern, &workspace.texts)
    }
}

impl Rules {
    /// Asks the rules about a statement, and counts those that match. `workspace` was made for
    /// these rules.
    pub fn ask(&self, query: &Query<'_>, workspace: &mut Workspace) -> Ruling {
        let mut ruling = Ruling {
            flag: query.flag,
            ..Ruling::default()
        };
        let mut known = Known::default();
        for (index, gate) in self.gates.iter().enumerate() {
            if gate.flag_in != ruling.flag || known.shuts(gate, workspace) {
                continue;
            }
            let one = &self.all[index];
            let matches = one.rule.conditions.holds(query)
                && self.texts_hold(one, query, &ruling, (workspace, &mut known));
            if !matches {
                continue;
            }
            workspace.hits[index] += 1;
            ruling.rule = Some(one.rule.rule_id);
            if one.weights > 0 {
                let mut drawn = workspace.draw(one.weights);
                for flag in &one.rule.flag_outs {
                    let weight = u64::from(flag.weight);
                    if drawn < weight {
                        ruling.flag = flag.flag;
                        break;
                    }
                    drawn -= weight;
                }
            }
            ruling.flag = one.rule.flag_out.unwrap_or(ruling.flag);
            ruling.actions.take_over(&one.rule.actions);
            if one.rule.limits != Limits::default() {
                ruling.limited_by = Some(one.rule.rule_id);
            }
            if let Some(replacement) = one.replacement.as_ref().filter(|_| !query.executes) {
                let text = ruling.rewritten.as_deref().unwrap_or(query.sql);
                if let Some(rewritten) = replacement.apply(text) {
                    ruling.rewritten = Some(rewritten);
                    known.texts = false;
                }
            }
            if one.rule.apply {
                ruling.applied = true;
                return ruling;
            }
        }
        let fast = self
            .fast
            .find(query.user.as_bytes(), query.schema, ruling.flag);
        if fast.is_some() {
            ruling.actions.destination_hostgroup = fast;
        }
        ruling
    }

    /// Whether the expressions of a rule match as it wants.
    fn texts_hold(
        &self,
        one: &Compiled,
        query: &Query<'_>,
        ruling: &Ruling,
        (workspace, known): (&mut Workspace, &mut Known),
    ) -> bool {
        let wanted = !one.rule.conditions.negate_match_pattern;
        if let Some(place) = one.match_digest {
            if !std::mem::replace(&mut known.digests, true) {
                self.digests
                    .matches(query.digest_text, &mut workspace.digests);
            }
            if contains(&workspace.digests, place) != wanted {
                return false;
            }
        }
        let Some(place) = one.match_pattern else {
            return true;
        };
        if !std::mem::replace(&mut known.texts, true) {
            let text = ruling.rewritten.as_deref().unwrap_or(query.sql);
            self.texts.matches(text, &mut workspace.texts);
        }
        contains(&workspace.texts, place) == wanted
    }
}

fn contains(set: &PatternSet, place: usize) -> bool {
    PatternID::new(place).is_ok_and(|id| set.contains(id))
}

impl Conditions {
    /// Everything but the flag and the expressions.
    fn holds(&self, query: &Query<'_>) -> bool {
        let user = |name: &String| name == query.user;
        let schema = |name: &String| name.as_bytes() == query.schema;
        self.username.as_ref().is_none_or(user)
            && self.schemaname.as_ref().is_none_or(schema)
            && self.digest.is_none_or(|digest| digest == query.digest)
            && self
                .client_addr
                .as_ref()
                .is_none_or(|pattern| is_at(pattern, query.client))
            && self
                .proxy_addr
                .is_none_or(|address| query.proxy.is_none_or(|proxy| proxy.ip() == address))
            && self
                .proxy_port
                .is_none_or(|port| query.proxy.is_some_and(|proxy| proxy.port() == port))
    }
}

/// Whether a client is where the pattern says; `10.0.%` is all that begins with `10.0.`.
fn is_at(pattern: &str, client: &str) -> bool {
    match pattern.split_once('%') {
        Some((prefix, _)) => client.starts_with(prefix),
        None => client == pattern,
    }
}
