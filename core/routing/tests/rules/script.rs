//! The scenario language.
//!
//! ```text
//! rule 10 | match_digest: ^SELECT | destination_hostgroup: 1 | apply
//! fast app shop 0 -> 5
//! ask app@10.0.0.1 shop | SELECT 1
//!     hostgroup 1 by rule 10
//! ```
//! `execute` asks like `ask`, for the execution of a prepared statement; `flag 3` is the flag that
//! the next statement begins with.

use std::fmt::Write;
use std::net::SocketAddr;

use mainstay_routing::rules::{
    Actions, FastRoute, Multiplex, Query, Rule, Rules, Ruling, WeightedFlag, Workspace,
};
use mainstay_sql::{Digest, digest};

const PROXY: ([u8; 4], u16) = ([192, 0, 2, 1], 6033);

/// Plays a scenario and gives its text with the answers as they are.
pub(crate) fn play(text: &str) -> String {
    let mut out = String::new();
    let (mut rules, mut fast) = (Vec::new(), Vec::new());
    let mut compiled = None;
    let mut flag = 0;
    for line in text.lines().filter(|line| !line.starts_with("    ")) {
        writeln!(out, "{line}").expect("a text grows");
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "rule" => {
                compiled = None;
                rules.push(rule(rest));
            }
            "fast" => {
                compiled = None;
                fast.push(fast_route(rest));
            }
            "forget" => {
                compiled = None;
                rules.clear();
                fast.clear();
            }
            "flag" => flag = rest.parse().expect("a flag"),
            "check" => match Rules::compile(rules.clone(), fast.clone()) {
                Ok(_) => out.push_str("    fine\n"),
                Err(errors) => {
                    for error in errors {
                        writeln!(out, "    {error}").expect("a text grows");
                    }
                }
            },
            "ask" | "execute" => {
                let set = compiled.get_or_insert_with(|| {
                    let made = Rules::compile(rules.clone(), fast.clone());
                    made.unwrap_or_else(|errors| panic!("{line}: {errors:?}"))
                });
                let answer = ask(set, rest, (std::mem::take(&mut flag), verb == "execute"));
                writeln!(out, "    {answer}").expect("a text grows");
            }
            "" | "#" => {}
            other => panic!("`{other}` is no word of a scenario: {line}"),
        }
    }
    out
}

fn ask(rules: &Rules, rest: &str, (flag, executes): (u32, bool)) -> String {
    let (session, sql) = rest.split_once(" | ").expect("`user@client schema | sql`");
    let (who, schema) = session.split_once(' ').unwrap_or((session, ""));
    let (user, client) = who.split_once('@').unwrap_or((who, "127.0.0.1"));
    let mut text = Vec::new();
    let digest = digest(sql.as_bytes(), &mut text);
    let query = Query {
        user,
        schema: schema.as_bytes(),
        client,
        proxy: Some(SocketAddr::from(PROXY)),
        sql: sql.as_bytes(),
        digest,
        digest_text: &text,
        flag,
        executes,
    };
    let mut workspace = Workspace::new(rules, 7);
    let ruling = rules.ask(&query, &mut workspace);
    let hits = rules.ids().zip(workspace.hits());
    let by: Vec<String> = hits
        .filter(|(_, hits)| **hits > 0)
        .map(|(id, _)| id.to_string())
        .collect();
    told(&ruling, &by)
}

fn told(ruling: &Ruling, by: &[String]) -> String {
    let actions = &ruling.actions;
    let mut parts = Vec::new();
    match actions.destination_hostgroup {
        Some(hostgroup) => parts.push(format!("hostgroup {hostgroup}")),
        None => parts.push("no hostgroup".to_owned()),
    }
    let numbers = [
        ("cache_ttl", actions.cache_ttl_ms),
        ("cache_timeout", actions.cache_timeout_ms),
        ("timeout", actions.timeout_ms),
        ("retries", actions.retries.map(u64::from)),
        ("delay", actions.delay_ms),
        ("next flag", actions.next_query_flag_in.map(u64::from)),
        ("mirror", actions.mirror_hostgroup.map(u64::from)),
    ];
    for (name, value) in numbers {
        parts.extend(value.map(|value| format!("{name} {value}")));
    }
    parts.extend(
        actions
            .error_msg
            .as_ref()
            .map(|text| format!("error `{text}`")),
    );
    parts.extend(actions.ok_msg.as_ref().map(|text| format!("OK `{text}`")));
    parts.extend(
        actions
            .multiplex
            .map(|multiplex| format!("multiplex {multiplex:?}")),
    );
    parts.extend(actions.log.map(|log| format!("log {log}")));
    if let Some(text) = &ruling.rewritten {
        parts.push(format!("rewritten `{}`", String::from_utf8_lossy(text)));
    }
    if ruling.flag != 0 {
        parts.push(format!("flag {}", ruling.flag));
    }
    match by {
        [] => parts.join(", "),
        [one] => format!("{} by rule {one}", parts.join(", ")),
        more => format!("{} by rules {}", parts.join(", "), more.join(", ")),
    }
}

fn fast_route(rest: &str) -> FastRoute {
    let (key, to) = rest
        .split_once(" -> ")
        .expect("`user schema flag -> hostgroup`");
    let key: Vec<&str> = key.split(' ').collect();
    let [user, schema, flag] = key[..] else {
        panic!("`user schema flag`: {rest}");
    };
    FastRoute {
        username: user.replace('*', ""),
        schemaname: schema.to_owned(),
        flag_in: flag.parse().expect("a flag"),
        destination_hostgroup: to.parse().expect("a hostgroup"),
    }
}

fn rule(rest: &str) -> Rule {
    let mut columns = rest.split(" | ");
    let mut rule = Rule {
        rule_id: columns
            .next()
            .and_then(|id| id.parse().ok())
            .expect("a number"),
        ..Rule::default()
    };
    rule.conditions.caseless = true;
    for column in columns {
        let (key, value) = column.split_once(": ").unwrap_or((column, "1"));
        condition(&mut rule, key, value);
    }
    rule
}

fn condition(rule: &mut Rule, key: &str, value: &str) {
    let text = || Some(value.to_owned());
    let number = || value.parse().expect("a number");
    let conditions = &mut rule.conditions;
    match key {
        "username" => conditions.username = text(),
        "schemaname" => conditions.schemaname = text(),
        "flagIN" => conditions.flag_in = number(),
        "client_addr" => conditions.client_addr = text(),
        "proxy_addr" => conditions.proxy_addr = value.parse().ok(),
        "proxy_port" => conditions.proxy_port = value.parse().ok(),
        "digest" => conditions.digest = Digest::parse(value),
        "match_digest" => conditions.match_digest = text(),
        "match_pattern" => conditions.match_pattern = text(),
        "negate_match_pattern" => conditions.negate_match_pattern = true,
        "re_modifiers" => {
            conditions.caseless = value.contains("CASELESS");
            rule.global = value.contains("GLOBAL");
        }
        "flagOUT" => rule.flag_out = Some(number()),
        "flagOUTs" => {
            rule.flag_outs = value.split(' ').map(weighted).collect();
        }
        "replace_pattern" => rule.replace_pattern = text(),
        "apply" => rule.apply = true,
        _ => action(&mut rule.actions, key, value),
    }
}

fn weighted(text: &str) -> WeightedFlag {
    let (flag, weight) = text
        .split_once('x')
        .expect("`flag x weight` without blanks");
    WeightedFlag {
        flag: flag.parse().expect("a flag"),
        weight: weight.parse().expect("a weight"),
    }
}

fn action(actions: &mut Actions, key: &str, value: &str) {
    let number = || Some(value.parse().expect("a number"));
    let small = || Some(value.parse().expect("a number"));
    match key {
        "destination_hostgroup" => actions.destination_hostgroup = small(),
        "cache_ttl" => actions.cache_ttl_ms = number(),
        "cache_timeout" => actions.cache_timeout_ms = number(),
        "timeout" => actions.timeout_ms = number(),
        "retries" => actions.retries = small(),
        "delay" => actions.delay_ms = number(),
        "next_query_flagIN" => actions.next_query_flag_in = small(),
        "mirror_hostgroup" => actions.mirror_hostgroup = small(),
        "error_msg" => actions.error_msg = Some(value.into()),
        "OK_msg" => actions.ok_msg = Some(value.into()),
        "multiplex" => {
            actions.multiplex = match value {
                "0" => Some(Multiplex::Off),
                "1" => Some(Multiplex::On),
                _ => Some(Multiplex::IgnoreVariables),
            }
        }
        "log" => actions.log = Some(value == "1"),
        other => panic!("`{other}` is no column of a rule"),
    }
}
