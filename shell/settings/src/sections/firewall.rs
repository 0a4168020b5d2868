//! `[[firewall_users]]` and `[[firewall_rules]]`, with the column names of ProxySQL's whitelist.

use mainstay_routing::Firewall;
use mainstay_routing::firewall::{FirewallRule, FirewallUser, Mode};
use mainstay_sql::Digest;
use toml::de::DeValue;

use super::Found;
use crate::reader::{Report, Section};

const MODES: [(&str, Mode); 3] = [
    ("OFF", Mode::Off),
    ("DETECTING", Mode::Detecting),
    ("PROTECTING", Mode::Protecting),
];

/// The firewall, which is on as soon as the file speaks of it.
pub(super) fn read(
    users: &[Found<'_, '_>],
    rules: &[Found<'_, '_>],
    report: &mut Report<'_>,
) -> Option<Firewall> {
    let users: Vec<_> = users
        .iter()
        .filter_map(|found| {
            let mut section = Section::new("firewall_users", found.clone(), report);
            let (username, client_address, active) = who(&mut section);
            let mode = section.choice("mode", &MODES);
            if !section.has("mode") {
                section.missing("mode", "one of OFF, DETECTING, PROTECTING");
            }
            section.end();
            let row = FirewallUser {
                username: username?,
                client_address,
                mode: mode?,
            };
            active.then_some(row)
        })
        .collect();
    let rules: Vec<_> = rules
        .iter()
        .filter_map(|found| {
            let mut section = Section::new("firewall_rules", found.clone(), report);
            let (username, client_address, active) = who(&mut section);
            let schemaname = section.value("schemaname", "the name of a schema, or \"\"", text);
            let flag_in = section.value("flagIN", "a whole number from 0", |value| {
                value.as_integer()?.as_str().parse().ok()
            });
            let example = "a digest such as \"0x226CD90D52A2BA0B\"";
            let digest = section.value("digest", example, |value| Digest::parse(value.as_str()?));
            if !section.has("digest") {
                section.missing("digest", "the statement that is allowed");
            }
            section.end();
            let row = FirewallRule {
                username: username?,
                client_address,
                schemaname: schemaname.unwrap_or_default(),
                flag_in: flag_in.unwrap_or_default(),
                digest: digest?,
            };
            active.then_some(row)
        })
        .collect();
    let spoken_of = !users.is_empty() || !rules.is_empty();
    spoken_of.then(|| Firewall::new(users, rules))
}

fn text(value: &DeValue<'_>) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn who(section: &mut Section<'_, '_, '_>) -> (Option<String>, String, bool) {
    let username = section.text("username", "the name of a user");
    if !section.has("username") {
        section.missing("username", "whose statements it is about");
    }
    let client = section.value("client_address", "an IP address, or \"\" for any", text);
    let active = section.boolean("active", true);
    section.knows(&["comment"]);
    (username, client.unwrap_or_default(), active)
}
