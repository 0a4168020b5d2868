//! Rules that can never match, since an earlier one that ends the asking matches whatever they
//! would, or since no flag leads to them.
//!
//! Whether one expression matches whatever another does is decided, not guessed: both automata walk
//! side by side over all texts. Where that takes too many states the answer is no.

use std::collections::{BTreeSet, VecDeque};

use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;
use regex_automata::{Input, MatchKind};

use super::{Conditions, Rule, patterns};

/// Pairs of states that are walked through at most.
const PAIRS_MAX: usize = 4_000;

/// Room for the states of one automaton.
const CACHE_BYTES: usize = 4 << 20;

/// A rule that can never match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NeverMatches {
    /// The rule.
    pub rule_id: u32,
    /// Why.
    pub cause: Cause,
}

/// Why a rule can never match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// This one comes first, matches whatever the rule would, and ends the asking.
    Covered {
        /// Its number.
        by: u32,
    },
    /// No rule sets the flag that it asks for.
    Flag,
}

/// The rules that can never match, in their order.
pub fn never_match(rules: &[Rule]) -> Vec<NeverMatches> {
    let mut rules: Vec<&Rule> = rules.iter().collect();
    rules.sort_by_key(|rule| rule.rule_id);
    let mut found = Vec::new();
    for (place, later) in rules.iter().enumerate() {
        let covering = rules[..place].iter().find(|earlier| covers(earlier, later));
        let cause = match covering {
            Some(earlier) => Cause::Covered {
                by: earlier.rule_id,
            },
            None if !is_reached(&rules, later.conditions.flag_in) => Cause::Flag,
            None => continue,
        };
        let rule_id = later.rule_id;
        found.push(NeverMatches { rule_id, cause });
    }
    found
}

fn is_reached(rules: &[&Rule], flag: u32) -> bool {
    let sets = |rule: &&Rule| {
        let weighted = rule.flag_outs.iter().any(|out| out.flag == flag);
        let actions = &rule.actions;
        let next = [actions.next_query_flag_in, actions.mirror_flag_out];
        rule.flag_out == Some(flag) || weighted || next.contains(&Some(flag))
    };
    flag == 0 || rules.iter().any(sets)
}

/// Whether the earlier rule matches whatever the later one does, and nothing is asked behind it.
fn covers(earlier: &Rule, later: &Rule) -> bool {
    fn same<T: PartialEq>(earlier: Option<&T>, later: Option<&T>) -> bool {
        earlier.is_none() || earlier == later
    }
    let (one, other) = (&earlier.conditions, &later.conditions);
    let fields = same(one.username.as_ref(), other.username.as_ref())
        && same(one.schemaname.as_ref(), other.schemaname.as_ref())
        && same(one.client_addr.as_ref(), other.client_addr.as_ref())
        && same(one.proxy_addr.as_ref(), other.proxy_addr.as_ref())
        && same(one.proxy_port.as_ref(), other.proxy_port.as_ref())
        && same(one.digest.as_ref(), other.digest.as_ref());
    earlier.apply && one.flag_in == other.flag_in && fields && texts(one, other)
}

fn texts(one: &Conditions, other: &Conditions) -> bool {
    let has = |conditions: &Conditions| {
        conditions.match_digest.is_some() || conditions.match_pattern.is_some()
    };
    if !has(one) {
        return !one.negate_match_pattern;
    }
    if one.negate_match_pattern || other.negate_match_pattern {
        return one == other;
    }
    let includes = |earlier: Option<&String>, later: Option<&String>| match (earlier, later) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(earlier), Some(later)) => includes(
            &patterns::modified(earlier, one.caseless),
            &patterns::modified(later, other.caseless),
        ),
    };
    includes(one.match_digest.as_ref(), other.match_digest.as_ref())
        && includes(one.match_pattern.as_ref(), other.match_pattern.as_ref())
}

/// One automaton on its way.
struct Walker {
    dfa: DFA,
    cache: Cache,
}

impl Walker {
    fn new(pattern: &str) -> Option<Self> {
        let config = DFA::config()
            .match_kind(MatchKind::All)
            .cache_capacity(CACHE_BYTES)
            // A cache that is cleared would give its states other numbers.
            .minimum_cache_clear_count(Some(0));
        let dfa = DFA::builder()
            .configure(config)
            .syntax(patterns::syntax())
            .thompson(thompson::Config::new().utf8(false))
            .build(pattern)
            .ok()?;
        let cache = dfa.create_cache();
        Some(Self { dfa, cache })
    }

    fn start(&mut self) -> Option<LazyStateID> {
        let start = self
            .dfa
            .start_state_forward(&mut self.cache, &Input::new(""));
        start.ok()
    }

    fn next(&mut self, state: LazyStateID, byte: u8) -> Option<LazyStateID> {
        let next = self.dfa.next_state(&mut self.cache, state, byte).ok()?;
        (!next.is_quit()).then_some(next)
    }

    /// Whether a text that ends here matches.
    fn ends(&mut self, state: LazyStateID) -> Option<bool> {
        let end = self.dfa.next_eoi_state(&mut self.cache, state).ok()?;
        Some(end.is_match())
    }
}

/// Whether `earlier` matches in every text in which `later` does.
fn includes(earlier: &str, later: &str) -> bool {
    if earlier == later {
        return true;
    }
    decide(earlier, later).unwrap_or(false)
}

fn decide(earlier: &str, later: &str) -> Option<bool> {
    let (mut one, mut other) = (Walker::new(earlier)?, Walker::new(later)?);
    let first = (one.start()?, other.start()?, false);
    let mut seen = BTreeSet::from([first]);
    let mut queue = VecDeque::from([first]);
    while let Some((state, its, matched)) = queue.pop_front() {
        if (matched || other.ends(its)?) && !one.ends(state)? {
            return Some(false);
        }
        for byte in 0..=u8::MAX {
            let next = one.next(state, byte)?;
            // Whatever follows, the earlier one has matched.
            if next.is_match() {
                continue;
            }
            let its_next = other.next(its, byte)?;
            let matched = matched || its_next.is_match();
            if its_next.is_dead() && !matched {
                continue;
            }
            let pair = (next, its_next, matched);
            if seen.insert(pair) {
                queue.push_back(pair);
            }
        }
        if seen.len() > PAIRS_MAX {
            return None;
        }
    }
    Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(rule_id: u32, pattern: &str) -> Rule {
        Rule {
            rule_id,
            conditions: Conditions {
                match_digest: Some(pattern.to_owned()),
                caseless: true,
                ..Conditions::default()
            },
            apply: true,
            ..Rule::default()
        }
    }

    fn found(rules: &[Rule]) -> Vec<(u32, Cause)> {
        let found = never_match(rules).into_iter();
        found.map(|one| (one.rule_id, one.cause)).collect()
    }

    #[test]
    fn the_usual_two_rules_in_the_wrong_order_are_found() {
        let wrong = [rule(1, "^SELECT"), rule(2, "^SELECT.*FOR UPDATE$")];
        assert_eq!(found(&wrong), [(2, Cause::Covered { by: 1 })]);
        let right = [rule(1, "^SELECT.*FOR UPDATE$"), rule(2, "^SELECT")];
        assert_eq!(found(&right), []);
    }

    #[test]
    fn what_another_expression_matches_is_decided_and_not_guessed() {
        for (earlier, later, covered) in [
            (".", "^SELECT", true),
            ("^SELECT", "^select 1", true),
            ("SELECT|INSERT", "^INSERT", true),
            ("^SELECT", "SELECT", false),
            ("^SELECT .* FROM a", "^SELECT .* FROM ab", true),
            ("^SELECT .* FROM ab", "^SELECT .* FROM a", false),
            ("^(SELECT|SHOW)", "^SHOW", true),
            ("FROM (a|b)$", "FROM a$", true),
            ("FROM a$", "FROM (a|b)$", false),
            ("", "x", true),
        ] {
            let rules = [rule(1, earlier), rule(2, later)];
            assert_eq!(
                !found(&rules).is_empty(),
                covered,
                "{earlier} before {later}"
            );
        }
    }

    #[test]
    fn a_rule_that_asks_for_less_or_lets_the_asking_go_on_covers_nothing() {
        let mut narrow = rule(1, "^SELECT");
        narrow.conditions.username = Some("a".to_owned());
        let mut open = rule(2, "^SELECT");
        open.apply = false;
        let rules = [narrow.clone(), open, rule(3, "^SELECT 1")];
        assert_eq!(found(&rules), []);
        let mut same = rule(4, "^SELECT 1");
        same.conditions.username = Some("a".to_owned());
        assert_eq!(found(&[narrow, same]), [(4, Cause::Covered { by: 1 })]);
    }

    #[test]
    fn a_flag_that_nobody_sets_leads_nowhere() {
        let mut lost = rule(2, "x");
        lost.conditions.flag_in = 7;
        assert_eq!(found(&[rule(1, "y"), lost.clone()]), [(2, Cause::Flag)]);
        let mut leads = rule(1, "y");
        leads.flag_out = Some(7);
        assert_eq!(found(&[leads, lost]), []);
    }
}
