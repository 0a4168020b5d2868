//! `[dns]`.

use std::time::Duration;

use crate::dns::DnsSettings;
use crate::reader::Section;
use crate::settings::ServerSettings;

const ROLES: [&str; 2] = ["primary", "replica"];

pub(super) fn read(
    mut section: Section<'_, '_, '_>,
    servers: &[ServerSettings],
) -> Option<DnsSettings> {
    let listen = section.value(
        "listen",
        "an IP address and a port, such as \"10.0.0.5:53\"",
        |value| value.as_str()?.parse().ok(),
    );
    let zone = section.value(
        "zone",
        "the name of a domain, such as \"db.example\"",
        |value| {
            let zone = value.as_str()?.trim_end_matches('.').to_ascii_lowercase();
            is_domain(&zone).then_some(zone)
        },
    );
    if !section.has("zone") {
        section.missing("zone", "the names of the cluster are below it");
    }
    let second = Duration::from_secs(1);
    let ttl = section.duration("ttl", second, second);
    let name_servers = section.texts("name_servers", "[\"ns1.example\"]");
    if let Some(wrong) = name_servers
        .iter()
        .find(|name| !is_domain(name.trim_end_matches('.')))
    {
        section.wrong("name_servers", format!("`{wrong}` is no name of a domain"));
    }
    let queries_per_second = section.count("queries_per_second", 200, 0);
    for server in servers {
        if ROLES.contains(&server.name.to_ascii_lowercase().as_str()) {
            let sentence = format!("server `{}` has the name of a role there", server.name);
            section.wrong("zone", sentence);
        }
    }
    section.end();
    let zone = zone?;
    Some(DnsSettings {
        listen: listen.unwrap_or_else(|| ([127, 0, 0, 1], 53).into()),
        ttl,
        name_servers: if name_servers.is_empty() {
            vec![format!("ns.{zone}")]
        } else {
            name_servers
        },
        queries_per_second: u32::try_from(queries_per_second).unwrap_or(u32::MAX),
        zone,
    })
}

/// RFC 1035, 2.3.1: labels of letters, digits and hyphens. Underscores are seen in practice.
fn is_domain(name: &str) -> bool {
    let label = |label: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let ends = label.starts_with('-') || label.ends_with('-');
        (1..=63).contains(&label.len()) && label.chars().all(plain) && !ends
    };
    name.len() <= 240 && name.split('.').all(label)
}
