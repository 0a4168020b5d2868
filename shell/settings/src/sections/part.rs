//! What a `[[server]]` says of its part in the cluster: whom it follows, and how.

use std::collections::BTreeSet;

use mainstay_topology::{Foreign, Part, Promotion, ServerName};
use toml::de::DeValue;

use crate::reader::{Report, Section};
use crate::settings::ServerSettings;
use crate::value;

/// What the keys of one server say.
pub(super) fn read(section: &mut Section<'_, '_, '_>) -> Part {
    Part {
        source: section
            .text("source", "the name of a server")
            .map(|name| ServerName::new(&name)),
        channel: section
            .text("channel", "the name of a replication channel")
            .unwrap_or_default(),
        foreign: Foreign {
            domains: list(section, "foreign_domains", "domains, such as [7]", |one| {
                one.as_integer()?.as_str().parse().ok()
            }),
            servers: list(
                section,
                "foreign_servers",
                "a list of server UUIDs",
                |one| Foreign::server(one.as_str()?),
            ),
        },
        delay: section.value("delay", "whole seconds, such as \"1h\"", |value| {
            let delay = value::duration(value.as_str()?)?;
            (delay.subsec_nanos() == 0).then_some(delay)
        }),
        acknowledges: section.value("acknowledges", "true or false", DeValue::as_bool),
        reads: section.value("reads", "true or false", DeValue::as_bool),
        promote_filtered: section.boolean("promote_filtered", false),
    }
}

fn list<T: Ord>(
    section: &mut Section<'_, '_, '_>,
    key: &'static str,
    expected: &str,
    one: impl Fn(&DeValue<'_>) -> Option<T>,
) -> BTreeSet<T> {
    let all = |value: &DeValue<'_>| {
        let items = value.as_array()?.iter();
        items.map(|item| one(item.get_ref())).collect()
    };
    section.value(key, expected, all).unwrap_or_default()
}

/// The two of a pair are servers of the cluster, and follow each other only.
fn check_pair(pair: &[ServerName; 2], servers: &[ServerSettings], report: &mut Report<'_>) {
    for name in pair {
        let server = servers.iter().find(|server| server.name == name.as_str());
        let wrong = match server {
            None => format!("there is no server `{name}`"),
            Some(server) if server.part.source.is_some() => {
                format!("server `{name}` has a `source` of its own")
            }
            Some(server) if server.promotion == Promotion::Never => {
                format!("server `{name}` is never promoted")
            }
            Some(_) => continue,
        };
        report.add(0, "cluster.dual_primary", wrong);
    }
}

/// A source must be another server, and sources must not go round; a pair must be of two servers
/// that may be promoted.
pub(super) fn check(
    pair: Option<&[ServerName; 2]>,
    servers: &[ServerSettings],
    report: &mut Report<'_>,
) {
    if let Some(pair) = pair {
        check_pair(pair, servers, report);
    }
    let source_of = |name: &str| {
        let server = servers.iter().find(|server| server.name == name);
        server.and_then(|server| server.part.source.as_ref())
    };
    for server in servers {
        let Some(source) = &server.part.source else {
            continue;
        };
        let name = &server.name;
        let mut at = Some(source);
        let mut steps = 0;
        while let Some(next) = at.filter(|_| steps <= servers.len()) {
            at = source_of(next.as_str());
            steps += 1;
        }
        let known = servers.iter().any(|one| one.name == source.as_str());
        let wrong = if !known {
            format!("server `{name}`: there is no server `{source}`")
        } else if at.is_some() {
            format!("server `{name}`: its sources go round and never come to the primary")
        } else {
            continue;
        };
        report.add(0, "server.source", wrong);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::Settings;

    fn read(lines: &str) -> Result<Part, String> {
        let text = format!(
            "[[server]]\nname = \"db1\"\naddress = \"127.0.0.1:3301\"\n\
             [[server]]\nname = \"db2\"\naddress = \"127.0.0.1:3302\"\n{lines}\n\
             [manager]\nuser = \"m\"\npassword = \"secret-1\"\n\
             replication_user = \"r\"\nreplication_password = \"secret-2\"\n\
             [api]\npassword = \"secret-3\"\n"
        );
        let settings = Settings::parse(&text, Path::new("/etc/m.toml"));
        let mut servers = settings.map_err(|error| error.to_string())?.members();
        Ok(servers.remove(1).part)
    }

    #[test]
    fn a_server_without_these_keys_is_a_replica_like_any_other() {
        assert_eq!(read("").unwrap(), Part::default());
    }

    #[test]
    fn each_key_is_read() {
        let part = read(
            "source = \"db1\"\nchannel = \"shop\"\nforeign_domains = [7, 8]\ndelay = \"1h\"\n\
             acknowledges = false\nreads = true\npromote_filtered = true",
        )
        .unwrap();
        assert_eq!(part.source, Some(ServerName::new("db1")));
        assert_eq!(part.channel, "shop");
        assert_eq!(part.foreign.domains, [7, 8].into());
        assert_eq!(part.delay, Some(Duration::from_hours(1)));
        assert_eq!((part.acknowledges, part.reads), (Some(false), Some(true)));
        assert!(part.promote_filtered);
    }

    #[test]
    fn a_source_that_is_not_there_or_goes_round_is_a_mistake() {
        let unknown = read("source = \"db9\"").unwrap_err();
        assert!(unknown.contains("there is no server `db9`"), "{unknown}");
        let ring = read("source = \"db2\"").unwrap_err();
        assert!(ring.contains("go round"), "{ring}");
        let half = read("delay = \"1500ms\"").unwrap_err();
        assert!(half.contains("whole seconds"), "{half}");
    }
}
