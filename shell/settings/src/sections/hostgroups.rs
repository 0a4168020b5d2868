//! `[[hostgroups]]`.

use mainstay_routing::hostgroups::{Hostgroup, Members, READERS, WRITERS, WhenEmpty};
use mainstay_routing::{Hostgroups, Limits};
use mainstay_topology::ServerName;

use super::Found;
use crate::reader::{Report, Section};
use crate::settings::ServerSettings;

const WHEN_EMPTY: [(&str, WhenEmpty); 3] = [
    ("writer", WhenEmpty::Writer),
    ("wait", WhenEmpty::Wait),
    ("error", WhenEmpty::Error),
];

pub(super) fn read(
    tables: &[Found<'_, '_>],
    servers: &[ServerSettings],
    report: &mut Report<'_>,
) -> Hostgroups {
    let mut groups: Vec<Hostgroup> = Vec::new();
    for found in tables {
        let mut section = Section::new("hostgroups", found.clone(), report);
        let id = section.value("id", "a whole number from 0", |value| {
            value.as_integer()?.as_str().parse().ok()
        });
        let name = section.text("name", "a name");
        let names = section.texts("servers", "[\"db2\", \"db3\"]");
        let when_empty = section.choice("when_empty", &WHEN_EMPTY);
        let limits = limits(&mut section);
        section.knows(&["comment"]);
        let Some(id) = id else {
            if !section.has("id") {
                section.missing("id", "the number by which rules name the hostgroup");
            }
            section.end();
            continue;
        };
        let built_in = id == WRITERS || id == READERS;
        if built_in && section.has("servers") {
            let sentence = "hostgroups 0 and 1 hold the writer and the readers of the cluster";
            section.wrong("servers", sentence.to_owned());
        } else if built_in && section.has("when_empty") {
            let sentence = "hostgroups 0 and 1 do what [proxy] says of writes and of readers";
            section.wrong("when_empty", sentence.to_owned());
        } else if !built_in && names.is_empty() {
            section.missing("servers", "name the servers of the hostgroup");
        }
        let unknown = names
            .iter()
            .find(|name| servers.iter().all(|server| server.name != **name));
        if let Some(unknown) = unknown.filter(|_| !servers.is_empty()) {
            section.wrong("servers", format!("there is no server `{unknown}`"));
        }
        let name = name.unwrap_or_else(|| format!("hostgroup{id}"));
        if groups
            .iter()
            .any(|group| group.id == id || group.name == name)
        {
            let sentence = format!("{id} or `{name}` is that of another hostgroup too");
            section.wrong("id", sentence);
        }
        groups.push(Hostgroup {
            id,
            name,
            members: Members::Servers(names.iter().map(|name| ServerName::new(name)).collect()),
            when_empty: when_empty.unwrap_or(default(id)),
            limits,
        });
        section.end();
    }
    Hostgroups::new(groups)
}

fn default(id: u32) -> WhenEmpty {
    if id == WRITERS {
        WhenEmpty::Wait
    } else {
        WhenEmpty::Writer
    }
}

/// `connections_max`, `queries_per_second` and `bytes_per_second`.
pub(super) fn limits(section: &mut Section<'_, '_, '_>) -> Limits {
    let mut rate = |key| {
        section.value(key, "a whole number from 1", |value| {
            let rate: u64 = value.as_integer()?.as_str().parse().ok()?;
            (rate > 0).then_some(rate)
        })
    };
    let queries_per_second = rate("queries_per_second");
    let bytes_per_second = rate("bytes_per_second");
    let connections_max = rate("connections_max").and_then(|most| usize::try_from(most).ok());
    Limits {
        connections_max,
        queries_per_second,
        bytes_per_second,
    }
}
