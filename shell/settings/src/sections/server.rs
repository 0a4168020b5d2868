//! `[[server]]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use std::time::Duration;

use mainstay_session::policy::{CompressionWish, ServerTls};
use mainstay_topology::{Address, Intent, Promotion};

use super::proxy::SERVER_COMPRESSION;
use super::{Found, part};
use crate::reader::{Report, Section};
use crate::settings::{LagMax, ServerSettings};
use crate::value;

const PROMOTIONS: [(&str, Promotion); 4] = [
    ("prefer", Promotion::Prefer),
    ("neutral", Promotion::Neutral),
    ("prefer-not", Promotion::PreferNot),
    ("never", Promotion::Never),
];

const INTENTS: [(&str, Intent); 3] = [
    ("in-service", Intent::InService),
    ("draining", Intent::Draining),
    ("out", Intent::Out),
];

const TLS: [(&str, ServerTls); 3] = [
    ("disabled", ServerTls::Off),
    ("preferred", ServerTls::Preferred),
    ("required", ServerTls::Required),
];

const LEAST: Duration = Duration::from_millis(1);

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
        let data_directory = section.value("data_directory", "a path from `/`", |value| {
            let path = value.as_str()?;
            path.starts_with('/').then(|| PathBuf::from(path))
        });
        let terms = terms(&mut section);
        let part = part::read(&mut section);
        section.knows(&["comment"]);
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
                data_directory,
                intent: terms.intent,
                connections_max: terms.connections_max,
                replication_lag_max: terms.replication_lag_max,
                latency_max: terms.latency_max,
                tls: terms.tls,
                compression: terms.compression,
                part,
            });
        }
        section.end();
    }
    servers
}

/// What is wanted with a server and asked of it.
struct Terms {
    intent: Intent,
    connections_max: Option<usize>,
    replication_lag_max: Option<LagMax>,
    latency_max: Option<Duration>,
    tls: Option<ServerTls>,
    compression: Option<CompressionWish>,
}

fn terms(section: &mut Section<'_, '_, '_>) -> Terms {
    let off_or = |value: &toml::de::DeValue<'_>| match value.as_str()? {
        "off" => Some(LagMax::Off),
        text => {
            let most = value::duration(text).filter(|one| *one >= LEAST);
            most.map(LagMax::Within)
        }
    };
    let expected = "\"off\" or a duration, such as \"10s\"";
    Terms {
        intent: section.choice("intent", &INTENTS).unwrap_or_default(),
        connections_max: section.value("connections_max", "a whole number from 1", |value| {
            let number: usize = value.as_integer()?.as_str().parse().ok()?;
            (number > 0).then_some(number)
        }),
        replication_lag_max: section.value("replication_lag_max", expected, off_or),
        latency_max: match section.value("latency_max", expected, off_or) {
            Some(LagMax::Within(most)) => Some(most),
            Some(LagMax::Off) | None => None,
        },
        tls: section.choice("tls", &TLS),
        compression: section
            .choice("compression", &SERVER_COMPRESSION)
            .map(|wanted| wanted.map_or(CompressionWish::Off, CompressionWish::With)),
    }
}

/// With a manager the readers are its word: limits of single servers would have no effect.
pub(super) fn check_managed(servers: &[ServerSettings], report: &mut Report<'_>) {
    for server in servers {
        let keys = [
            ("replication_lag_max", server.replication_lag_max.is_some()),
            ("latency_max", server.latency_max.is_some()),
        ];
        for (key, _) in keys.iter().filter(|(_, is_set)| *is_set) {
            let name = &server.name;
            let sentence =
                format!("server `{name}`: has no meaning with [manager]: [cluster] reader_lag_max");
            report.add(0, format!("server.{key}"), sentence);
        }
    }
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
