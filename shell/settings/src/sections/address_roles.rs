//! `[address_roles]`.

use std::path::Path;

use super::account::{self, Keys};
use crate::reader::Section;
use crate::settings::ServerSettings;
use crate::value;
use crate::vip::{AddressHost, AddressRoles};

const KEYS: Keys = Keys {
    user: "user",
    password: "password",
    password_file: "password_file",
};

pub(super) fn read(
    mut section: Section<'_, '_, '_>,
    servers: &[ServerSettings],
    folder: &Path,
) -> Option<AddressRoles> {
    let account = account::read(&mut section, &KEYS, Some("admin"), folder);
    let writer = section.text("writer", "the name of a [[vip]]");
    let readers = section.texts("readers", "[\"reader-1\", \"reader-2\"]");
    if writer.is_none() && readers.is_empty() {
        section.missing(
            "writer",
            "name the address that follows the primary, or `readers`",
        );
    }
    let mut names: Vec<_> = readers.iter().chain(&writer).collect();
    names.sort();
    let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
    if let Some(name) = twice.and_then(|pair| pair.first()) {
        section.wrong("readers", format!("`{name}` has two roles: give it one"));
    }
    let hosts: Vec<_> = section
        .subs("host", "address_roles.host", |section| {
            host(section, servers)
        })
        .into_iter()
        .flatten()
        .collect();
    if hosts.is_empty() && !section.has("host") {
        section.missing(
            "host",
            "a [[address_roles.host]] for each host that can carry them",
        );
    }
    section.end();
    Some(AddressRoles {
        account: account?,
        writer,
        readers,
        hosts,
    })
}

fn host(mut section: Section<'_, '_, '_>, servers: &[ServerSettings]) -> Option<AddressHost> {
    let server = section.text("server", "the name of a [[server]]");
    let expected = "a host and a port, such as \"10.0.0.1:6080\"";
    let api = section.value("api", expected, |value| value::address(value.as_str()?));
    for key in ["server", "api"] {
        if !section.has(key) {
            section.missing(key, "each host has a `server` and an `api`");
        }
    }
    let unknown = |name: &&String| servers.iter().all(|server| server.name != **name);
    if let Some(name) = server.as_ref().filter(unknown) {
        section.wrong("server", format!("there is no server `{name}`"));
    }
    section.end();
    Some(AddressHost {
        server: server?,
        api: api?,
    })
}
