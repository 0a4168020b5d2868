//! `[[server]]`.

use std::collections::BTreeMap;

use mainstay_topology::Promotion;

use super::Found;
use crate::reader::{Report, Section};
use crate::settings::ServerSettings;
use crate::value;

const PROMOTIONS: [(&str, Promotion); 4] = [
    ("prefer", Promotion::Prefer),
    ("neutral", Promotion::Neutral),
    ("prefer-not", Promotion::PreferNot),
    ("never", Promotion::Never),
];

pub(super) fn read(tables: &[Found<'_, '_>], report: &mut Report<'_>) -> Vec<ServerSettings> {
    if tables.is_empty() {
        report.add(
            0,
            "server",
            "is missing: name each server in a [[server]] section",
        );
    }
    let mut names = BTreeMap::new();
    let mut addresses = BTreeMap::new();
    let mut servers = Vec::new();
    for (number, (table, span)) in (1..).zip(tables) {
        let mut section = Section::new("server", (*table, span.clone()), report);
        let server = one(&mut section);
        if let Some(server) = server {
            if let Some(first) = names.insert(server.name.clone(), number) {
                let sentence = format!("`{}` is the name of server {first} too", server.name);
                section.wrong("name", sentence);
            }
            let address = server.address.to_string();
            if let Some(first) = addresses.insert(address.clone(), number) {
                let sentence = format!("`{address}` is the address of server {first} too");
                section.wrong("address", sentence);
            }
            servers.push(server);
        }
        section.end();
    }
    servers
}

fn one(section: &mut Section<'_, '_, '_>) -> Option<ServerSettings> {
    let name = section.value(
        "name",
        "a name of letters, digits, `-`, `_` and `.`",
        |value| {
            let name = value.as_str()?;
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            let valid = !name.is_empty() && name.chars().all(plain);
            valid.then(|| name.to_owned())
        },
    );
    let expected = "a host and a port, such as \"10.0.0.1:3306\"";
    let address = section.value("address", expected, |value| value::address(value.as_str()?));
    let promotion = section.choice("promotion", &PROMOTIONS);
    for key in ["name", "address"] {
        if !section.has(key) {
            section.missing(key, "every server has a name and an address");
        }
    }
    Some(ServerSettings {
        name: name?,
        address: address?,
        promotion: promotion.unwrap_or_default(),
    })
}
