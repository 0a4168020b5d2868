//! `[[query_rules]]` and `[[fast_routing]]`, with the column names of ProxySQL.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use mainstay_routing::rules::{
    Actions, FastRoute, Multiplex, Rule, RuleError, Rules, WeightedFlag,
};
use mainstay_routing::{HostgroupId, Hostgroups};
use mainstay_sql::Digest;
use toml::de::DeValue;

use super::Found;
use crate::reader::{Report, Section};

const COUNT: &str = "a whole number from 0";

/// Where the keys of each rule are.
type Places<'a, 'd> = BTreeMap<u32, &'a Found<'a, 'd>>;

/// Reads rules and fast routes, and checks that they can be used together.
pub(super) fn read(
    rules: &[Found<'_, '_>],
    fast: &[Found<'_, '_>],
    hostgroups: &Hostgroups,
    report: &mut Report<'_>,
) -> (Vec<Rule>, Vec<FastRoute>) {
    let mut places = Places::new();
    let mut read = Vec::new();
    for found in rules {
        let mut section = Section::new("query_rules", found.clone(), report);
        let (mut rule, active) = rule(&mut section);
        rule.limits = super::hostgroups::limits(&mut section);
        check_hostgroups(&mut section, &rule.actions, hostgroups);
        section.end();
        if active {
            places.entry(rule.rule_id).or_insert(found);
            read.push(rule);
        }
    }
    let fast: Vec<FastRoute> = fast
        .iter()
        .map(|found| {
            let mut section = Section::new("fast_routing", found.clone(), report);
            let route = fast_route(&mut section);
            let known = hostgroups.get(route.destination_hostgroup).is_some();
            if !known {
                section.wrong("destination_hostgroup", nobody(route.destination_hostgroup));
            }
            section.end();
            route
        })
        .collect();
    if let Err(errors) = Rules::compile(read.clone(), Vec::new()) {
        for RuleError {
            rule_id,
            key,
            reason,
        } in errors
        {
            let found = places.get(&rule_id);
            let at = found.map_or(0, |found| place(found, key).start);
            report.add(
                at,
                format!("query_rules.{key}"),
                format!("rule {rule_id}: {reason}"),
            );
        }
    }
    (read, fast)
}

fn place(found: &Found<'_, '_>, key: &str) -> Range<usize> {
    let (table, span) = found;
    table
        .get(key)
        .map_or_else(|| span.clone(), toml::Spanned::span)
}

fn nobody(id: HostgroupId) -> String {
    format!("there is no hostgroup {id}: add it with [[hostgroups]]")
}

fn check_hostgroups(section: &mut Section<'_, '_, '_>, actions: &Actions, known: &Hostgroups) {
    let named = [
        ("destination_hostgroup", actions.destination_hostgroup),
        ("mirror_hostgroup", actions.mirror_hostgroup),
    ];
    for (key, id) in named {
        if let Some(id) = id.filter(|&id| known.get(id).is_none()) {
            section.wrong(key, nobody(id));
        }
    }
}

fn number<T: std::str::FromStr>(value: &DeValue<'_>) -> Option<T> {
    value.as_integer()?.as_str().parse().ok()
}

/// `true`, `false`, or ProxySQL's 1 and 0.
fn truth(value: &DeValue<'_>) -> Option<bool> {
    match value.as_bool() {
        Some(truth) => Some(truth),
        None => match number::<u8>(value)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
    }
}

/// The keys of one section, shorter to write.
struct Keys<'s, 'a, 'd, 't>(&'s mut Section<'a, 'd, 't>);

impl Keys<'_, '_, '_, '_> {
    fn count<T: std::str::FromStr>(&mut self, key: &'static str) -> Option<T> {
        self.0.value(key, COUNT, number)
    }

    fn truth(&mut self, key: &'static str) -> Option<bool> {
        self.0.value(key, "true or false, or 1 or 0", truth)
    }

    fn text(&mut self, key: &'static str) -> Option<String> {
        self.0.text(key, "a text")
    }

    fn shared(&mut self, key: &'static str) -> Option<Arc<str>> {
        self.text(key).map(Arc::from)
    }
}

fn rule(section: &mut Section<'_, '_, '_>) -> (Rule, bool) {
    let mut rule = Rule::default();
    let modifiers = section.value(
        "re_modifiers",
        "\"CASELESS\", \"GLOBAL\", both with a comma between, or \"\"",
        modifiers,
    );
    (rule.conditions.caseless, rule.global) = modifiers.unwrap_or((true, false));
    let has_id = section.has("rule_id");
    let proxy_addr = section.value("proxy_addr", "an IP address", |value| {
        value.as_str()?.parse().ok()
    });
    let digest = section.value(
        "digest",
        "a digest such as \"0x226CD90D52A2BA0B\"",
        |value| Digest::parse(value.as_str()?),
    );
    let mut keys = Keys(section);
    rule.rule_id = keys.count("rule_id").unwrap_or_default();
    let active = keys.truth("active").unwrap_or(true);
    let conditions = &mut rule.conditions;
    conditions.proxy_addr = proxy_addr;
    conditions.digest = digest;
    conditions.username = keys.text("username");
    conditions.schemaname = keys.text("schemaname");
    conditions.flag_in = keys.count("flagIN").unwrap_or_default();
    conditions.client_addr = keys.text("client_addr");
    conditions.proxy_port = keys.count("proxy_port");
    conditions.match_digest = keys.text("match_digest");
    conditions.match_pattern = keys.text("match_pattern");
    conditions.negate_match_pattern = keys.truth("negate_match_pattern").unwrap_or_default();
    rule.flag_out = keys.count("flagOUT");
    rule.replace_pattern = keys.0.value("replace_pattern", "a text", |value| {
        value.as_str().map(str::to_owned)
    });
    rule.actions = actions(&mut keys);
    rule.apply = keys.truth("apply").unwrap_or_default();
    let flag_outs = "a table such as { flagOUTs = [{ id = 10, weight = 1 }] }";
    rule.flag_outs = section
        .value("attributes", flag_outs, weighted_flags)
        .unwrap_or_default();
    section.knows(&["comment"]);
    if !has_id {
        section.missing("rule_id", "rules are asked in the order of their numbers");
    }
    (rule, active)
}

fn actions(keys: &mut Keys<'_, '_, '_, '_>) -> Actions {
    let multiplex = keys.0.value("multiplex", "0, 1 or 2", |value| {
        match number::<u8>(value)? {
            0 => Some(Multiplex::Off),
            1 => Some(Multiplex::On),
            2 => Some(Multiplex::IgnoreVariables),
            _ => None,
        }
    });
    Actions {
        destination_hostgroup: keys.count("destination_hostgroup"),
        cache_ttl_ms: keys.count("cache_ttl"),
        cache_empty_result: keys.truth("cache_empty_result"),
        cache_timeout_ms: keys.count("cache_timeout"),
        reconnect: keys.truth("reconnect"),
        timeout_ms: keys.count("timeout"),
        retries: keys.count("retries"),
        delay_ms: keys.count("delay"),
        next_query_flag_in: keys.count("next_query_flagIN"),
        mirror_flag_out: keys.count("mirror_flagOUT"),
        mirror_hostgroup: keys.count("mirror_hostgroup"),
        error_msg: keys.shared("error_msg"),
        ok_msg: keys.shared("OK_msg"),
        sticky_conn: keys.truth("sticky_conn"),
        multiplex,
        gtid_from_hostgroup: keys.count("gtid_from_hostgroup"),
        log: keys.truth("log"),
    }
}

/// Whether letters have no case, and whether all matches are replaced.
fn modifiers(value: &DeValue<'_>) -> Option<(bool, bool)> {
    let mut found = (false, false);
    for word in value.as_str()?.split(',').map(str::trim) {
        match word.to_ascii_uppercase().as_str() {
            "CASELESS" => found.0 = true,
            "GLOBAL" => found.1 = true,
            "" => {}
            _ => return None,
        }
    }
    Some(found)
}

fn weighted_flags(value: &DeValue<'_>) -> Option<Vec<WeightedFlag>> {
    let table = value.as_table()?;
    if table.keys().any(|key| key.get_ref() != "flagOUTs") {
        return None;
    }
    let Some(list) = table.get("flagOUTs") else {
        return Some(Vec::new());
    };
    let items = list.get_ref().as_array()?.iter();
    let flag = |item: &toml::Spanned<DeValue<'_>>| {
        let table = item.get_ref().as_table()?;
        Some(WeightedFlag {
            flag: number(table.get("id")?.get_ref())?,
            weight: number(table.get("weight")?.get_ref())?,
        })
    };
    items.map(flag).collect()
}

fn fast_route(section: &mut Section<'_, '_, '_>) -> FastRoute {
    let empty = |value: &DeValue<'_>| value.as_str().map(str::to_owned);
    let username = section.value("username", "the name of a user, or \"\" for all", empty);
    let mut keys = Keys(section);
    let schemaname = keys.text("schemaname");
    let flag_in = keys.count("flagIN").unwrap_or_default();
    let destination_hostgroup: Option<HostgroupId> = keys.count("destination_hostgroup");
    section.knows(&["comment"]);
    if !section.has("schemaname") {
        section.missing("schemaname", "a fast route is for one schema");
    }
    if !section.has("destination_hostgroup") {
        section.missing("destination_hostgroup", "say where its statements go");
    }
    FastRoute {
        username: username.unwrap_or_default(),
        schemaname: schemaname.unwrap_or_default(),
        flag_in,
        destination_hostgroup: destination_hostgroup.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
