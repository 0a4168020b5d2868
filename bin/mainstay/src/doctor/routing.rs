//! Where statements go, as far as the file tells: rules that never match, and all traffic in one
//! hostgroup.

use mainstay_routing::hostgroups::{READERS, WRITERS};
use mainstay_routing::rules::{Cause, Rule, never_match};
use mainstay_settings::{Settings, UserSettings};

use super::finding::{Finding, Grade};

pub(super) fn look(settings: &Settings) -> Vec<Finding> {
    if settings.proxy.is_none() {
        return Vec::new();
    }
    let mut found = unmatched(settings);
    found.extend(catch_alls(&settings.routing.rules));
    found.extend(unknown_users(settings));
    let users = settings.users.iter();
    found.extend(users.filter_map(|user| default_hostgroup(settings, user)));
    found.extend(unsplit(settings));
    found
}

fn unmatched(settings: &Settings) -> Vec<Finding> {
    let rules = &settings.routing.rules;
    let found = never_match(rules).into_iter();
    let findings = found.map(|one| {
        let id = one.rule_id;
        let to = |id: u32| {
            let rule = rules.iter().find(|rule| rule.rule_id == id);
            let to = rule.and_then(|rule| rule.actions.destination_hostgroup);
            to.map_or_else(String::new, |to| format!(" (to hostgroup {to})"))
        };
        let (what, remedy) = match one.cause {
            Cause::Covered { by } => (
                format!(
                    "can never match: rule {by}{} comes first, matches whatever rule {id}{} would, \
                     and ends the asking",
                    to(by),
                    to(id)
                ),
                format!("give rule {id} a rule_id below {by}, or take one of them away"),
            ),
            Cause::Flag => (
                "can never match: no rule sets the flag that its flagIN asks for".to_owned(),
                "set flagIN = 0, or give the rule before it that flagOUT".to_owned(),
            ),
        };
        Finding::new(Grade::Warning, format!("query_rules {id}"), what, remedy)
    });
    findings.collect()
}

/// A rule that asks for nothing decides about everything.
fn catch_alls(rules: &[Rule]) -> Vec<Finding> {
    let all = rules.iter().filter_map(|rule| {
        let to = rule.actions.destination_hostgroup?;
        let asks = &rule.conditions;
        let matches_all = |pattern: Option<&String>| {
            pattern.is_none_or(|text| matches!(text.as_str(), "." | ".*" | "^" | "^.*" | "^.*$"))
        };
        let all = asks.username.is_none()
            && asks.schemaname.is_none()
            && asks.client_addr.is_none()
            && asks.proxy_addr.is_none()
            && asks.proxy_port.is_none()
            && asks.digest.is_none()
            && asks.flag_in == 0
            && !asks.negate_match_pattern
            && matches_all(asks.match_digest.as_ref())
            && matches_all(asks.match_pattern.as_ref());
        all.then(|| {
            Finding::new(
                Grade::Warning,
                format!("query_rules {}", rule.rule_id),
                format!("matches every statement: all reads go to hostgroup {to}"),
                "give it a condition, or leave it out: reads are told from writes without rules",
            )
        })
    });
    all.collect()
}

fn unknown_users(settings: &Settings) -> Vec<Finding> {
    let rules = settings.routing.rules.iter();
    let unknown = rules.filter_map(|rule| {
        let name = rule.conditions.username.as_ref()?;
        let known = settings.users.iter().any(|user| user.name == *name);
        (!known).then(|| {
            Finding::new(
                Grade::Warning,
                format!("query_rules {}", rule.rule_id),
                format!("is about user `{name}`, who cannot log in"),
                "add the user, or take the rule away",
            )
        })
    });
    unknown.collect()
}

/// Whether a rule in force sends statements of this user to somebody else than the writer.
fn has_rules(settings: &Settings, user: &str) -> bool {
    let rules = settings.routing.rules.iter();
    let mut rules = rules.filter(|rule| {
        let about = rule.conditions.username.as_deref();
        about.is_none_or(|name| name == user)
    });
    let fast = settings.routing.fast_routes.iter();
    let mut fast = fast.filter(|route| route.username.is_empty() || route.username == user);
    let elsewhere = |id: Option<u32>| id.is_some_and(|id| id != WRITERS);
    rules.any(|rule| elsewhere(rule.actions.destination_hostgroup))
        || fast.any(|route| route.destination_hostgroup != WRITERS)
}

fn default_hostgroup(settings: &Settings, user: &UserSettings) -> Option<Finding> {
    let place = format!("user {}", user.name);
    match user.default_hostgroup? {
        READERS => Some(Finding::new(
            Grade::Warning,
            place,
            "default_hostgroup = 1, the readers: what is no read goes to the writer all the same, \
             and with another proxy writes would fail (1290)",
            "leave default_hostgroup out: reads are told from writes without it",
        )),
        WRITERS if !has_rules(settings, &user.name) => Some(Finding::new(
            Grade::Warning,
            place,
            "default_hostgroup = 0, the writer, and no rule says otherwise: all its traffic goes \
             to one server, and replicas idle",
            "leave default_hostgroup out: reads go to replicas, and see the earlier writes of \
             their session",
        )),
        _ => None,
    }
}

fn unsplit(settings: &Settings) -> Option<Finding> {
    let proxy = settings.proxy.as_ref()?;
    let several = settings.servers.len() > 1;
    (several && !proxy.split_reads && settings.routing.rules.is_empty()).then(|| {
        Finding::new(
            Grade::Warning,
            "[proxy]",
            "split_reads = false, and there are no rules: all traffic goes to one server",
            "leave split_reads out",
        )
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const FILE: &str = "
        [[server]]
        name = \"db1\"
        address = \"127.0.0.1:3301\"
        [[server]]
        name = \"db2\"
        address = \"127.0.0.1:3302\"
        [monitor]
        user = \"m\"
        password = \"p\"
        [proxy]
        [[user]]
        name = \"app\"
        password = \"p\"
        [api]
        password = \"p\"
    ";

    fn found(more: &str) -> String {
        let text = FILE.replace("[api]", &format!("{more}\n[api]"));
        let settings = Settings::parse(&text, Path::new("mainstay.toml"));
        let findings = look(&settings.expect("the file is right"));
        let lines = findings
            .iter()
            .map(|one| format!("{}: {}", one.place, one.what));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn rules(first: (&str, u32), second: (&str, u32)) -> String {
        let rule = |id, (pattern, to): (&str, u32)| {
            format!(
                "[[query_rules]]\nrule_id = {id}\nmatch_digest = \"{pattern}\"\n\
                 destination_hostgroup = {to}\napply = true\n"
            )
        };
        rule(1, first) + &rule(2, second)
    }

    #[test]
    fn a_right_file_has_no_findings() {
        assert_eq!(found(""), "");
        assert_eq!(
            found(&rules(("^SELECT.*FOR UPDATE$", 0), ("^SELECT", 1))),
            ""
        );
    }

    #[test]
    fn the_two_usual_rules_in_the_wrong_order_are_found() {
        let found = found(&rules(("^SELECT", 1), ("^SELECT.*FOR UPDATE$", 0)));
        let wanted = "query_rules 2: can never match: rule 1 (to hostgroup 1) comes first, matches \
                      whatever rule 2 (to hostgroup 0) would, and ends the asking";
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_default_hostgroup_that_gathers_all_traffic_is_found() {
        let user = |more: &str| found(&format!("default_hostgroup = {more}"));
        assert!(user("1").contains("the readers: what is no read"));
        assert!(user("0").contains("all its traffic goes to one server"));
        let split = format!(
            "default_hostgroup = 0\n{}",
            rules(("^SELECT", 1), ("^X", 0))
        );
        assert_eq!(found(&split), "");
    }

    #[test]
    fn a_rule_for_everything_or_for_nobody_is_found() {
        assert!(found(&rules(("^SHOW", 1), (".*", 1))).contains("query_rules 2: matches every"));
        let nobody = rules(("a", 0), ("b", 0)).replacen("apply", "username = \"who\"\napply", 1);
        assert!(found(&nobody).contains("is about user `who`, who cannot log in"));
    }
}
