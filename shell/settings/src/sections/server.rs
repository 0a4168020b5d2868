//! `[[server]]`.

use std::collections::BTreeMap;

use mainstay_topology::{Address, Promotion};

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
        let (name, address) = identity(&mut section);
        let promotion = section.choice("promotion", &PROMOTIONS);
        let weight = section.count("weight", 1, 0);
        let zone = section.text("zone", "a name, such as \"eu-1a\"");
        let socket = section.value("socket", "a path from `/`", |value| {
            let path = value.as_str()?;
            // What the address of a local socket can hold (unix(7)).
            (path.starts_with('/') && path.len() < 108).then(|| path.to_owned())
        });
        // Told whatever else is wrong with either server.
        let twice = name
            .as_ref()
            .and_then(|name| names.insert(name.clone(), number));
        if let (Some(name), Some(first)) = (&name, twice) {
            let sentence = format!("`{name}` is the name of server {first} too");
            section.wrong("name", sentence);
        }
        let text = address.as_ref().map(Address::to_string);
        let twice = text.and_then(|text| Some((addresses.insert(text.clone(), number)?, text)));
        if let Some((first, text)) = twice {
            let sentence = format!("`{text}` is the address of server {first} too");
            section.wrong("address", sentence);
        }
        if let (Some(name), Some(address)) = (name, address) {
            servers.push(ServerSettings {
                name,
                address,
                promotion: promotion.unwrap_or_default(),
                weight: u32::try_from(weight).unwrap_or(u32::MAX),
                zone,
                socket,
            });
        }
        section.end();
    }
    servers
}

/// Its name and its address, without which it is no server.
fn identity(section: &mut Section<'_, '_, '_>) -> (Option<String>, Option<Address>) {
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
    for key in ["name", "address"] {
        if !section.has(key) {
            section.missing(key, "every server has a name and an address");
        }
    }
    (name, address)
}
