//! What is probed and how often: keys that balanced servers and tracks share.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use mainstay_health::{HttpProbe, Login, MySqlProbe, Probe, Role, Script, Timing};
use toml::de::DeValue;

use super::account::{self, Keys};
use crate::reader::Section;
use crate::value;

/// Shorter intervals would keep a server busy with answering.
const LEAST: Duration = Duration::from_millis(10);

const KEYS: Keys = Keys {
    user: "user",
    password: "password",
    password_file: "password_file",
};

const ADDRESS: &str = "an IP address and a port, such as \"10.0.0.21:3306\"";

/// The names of the kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Tcp,
    MySql,
    Http,
    Script,
    Process,
    File,
    Route,
}

/// Kinds that make sense for another host.
pub(super) const REMOTE: [(&str, Kind); 4] = [
    ("tcp", Kind::Tcp),
    ("mysql", Kind::MySql),
    ("http", Kind::Http),
    ("script", Kind::Script),
];

#[derive(Debug, Clone, Copy)]
enum Wanted {
    Any,
    Writable,
    Primary,
    Replica,
}

const ROLES: [(&str, Wanted); 4] = [
    ("any", Wanted::Any),
    ("writable", Wanted::Writable),
    ("primary", Wanted::Primary),
    ("replica", Wanted::Replica),
];

/// Reads the keys of a kind. `default` is where a server is that the keys do not name.
pub(super) fn read(
    section: &mut Section<'_, '_, '_>,
    kind: Kind,
    default: Option<SocketAddr>,
    folder: &Path,
) -> Option<Probe> {
    match kind {
        Kind::Tcp => {
            let address = place(section, default)?;
            Some(Probe::Tcp { address })
        }
        Kind::MySql => mysql(section, default, folder).map(Probe::MySql),
        Kind::Http => http(section, default).map(Probe::Http),
        Kind::Script => {
            let command = command(section, "command");
            if !section.has("command") {
                section.missing("command", "a program and its arguments");
            }
            let user = section.text("run_as", "the name of a user of this host");
            let sets_weight = section.boolean("sets_weight", false);
            Some(Probe::Script(Script {
                command: command?,
                user,
                sets_weight,
            }))
        }
        Kind::Process => {
            let name = required(section, "process", "the name of a program");
            let least = section.count("least", 1, 1);
            Some(Probe::Process { name: name?, least })
        }
        Kind::File => {
            let path = required(section, "file", "the path of a file")?;
            Some(Probe::File {
                path: folder.join(path),
            })
        }
        Kind::Route => {
            let destination = required(section, "route", "a network, or \"default\"")?;
            if destination != "default" && !value::is_network(&destination) {
                let sentence = "expected \"default\" or a network, such as \"10.0.0.0/8\"";
                section.wrong("route", sentence.to_owned());
            }
            Some(Probe::Route { destination })
        }
    }
}

/// How often, and how many answers it takes.
pub(super) fn timing(section: &mut Section<'_, '_, '_>) -> Timing {
    let default = Timing::default();
    let interval = section.duration("interval", default.interval, LEAST);
    let retry_interval = default.retry_interval.min(interval);
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Timing {
        interval,
        retry_interval: section.duration("retry_interval", retry_interval, LEAST),
        limit: section.duration("limit", default.limit, LEAST),
        fall: count(section.count("fall", default.fall as usize, 1)),
        rise: count(section.count("rise", default.rise as usize, 1)),
    }
}

/// A program and its arguments.
pub(super) fn command(section: &mut Section<'_, '_, '_>, key: &'static str) -> Option<Vec<String>> {
    let command = section.texts(key, "[\"/usr/local/bin/look\", \"--fast\"]");
    (!command.is_empty()).then_some(command)
}

/// An address with its port.
pub(super) fn socket_address(value: &DeValue<'_>) -> Option<SocketAddr> {
    let address: SocketAddr = value.as_str()?.parse().ok()?;
    (address.port() != 0).then_some(address)
}

fn place(section: &mut Section<'_, '_, '_>, default: Option<SocketAddr>) -> Option<SocketAddr> {
    let named = section.value("address", ADDRESS, socket_address);
    if default.is_none() && !section.has("address") {
        section.missing("address", ADDRESS);
    }
    named.or(default)
}

fn required(
    section: &mut Section<'_, '_, '_>,
    key: &'static str,
    expected: &str,
) -> Option<String> {
    if !section.has(key) {
        section.missing(key, expected);
    }
    section.text(key, expected)
}

fn mysql(
    section: &mut Section<'_, '_, '_>,
    default: Option<SocketAddr>,
    folder: &Path,
) -> Option<MySqlProbe> {
    let address = place(section, default);
    let account = account::read(section, &KEYS, None, folder);
    let query = section.text("query", "a statement, such as \"SELECT 1\"");
    let wanted = section.choice("role", &ROLES).unwrap_or(Wanted::Any);
    let lag_max = section.value("lag_max", "a duration, such as \"10s\"", |value| {
        value::duration(value.as_str()?)
    });
    let role = match wanted {
        Wanted::Any => Role::Any,
        Wanted::Writable => Role::Writable,
        Wanted::Primary => Role::Primary,
        Wanted::Replica => Role::Replica { lag_max },
    };
    if section.has("lag_max") && !matches!(role, Role::Replica { .. }) {
        let sentence = "is of replicas: it needs `role = \"replica\"`".to_owned();
        section.wrong("lag_max", sentence);
    }
    let account = account?;
    Some(MySqlProbe {
        address: address?,
        login: Login {
            user: account.user,
            password: account.password.reveal().to_owned(),
        },
        query: query.unwrap_or_else(|| "SELECT 1".to_owned()),
        role,
    })
}

fn http(section: &mut Section<'_, '_, '_>, default: Option<SocketAddr>) -> Option<HttpProbe> {
    let port = section.value("port", "a port", |value| {
        let port: u16 = value.as_integer()?.as_str().parse().ok()?;
        (port != 0).then_some(port)
    });
    let default = default.map(|at| SocketAddr::new(at.ip(), port.unwrap_or(80)));
    let address = place(section, default);
    let host = section.text("host", "the name of the site");
    let path = section.value("path", "a path from `/`", |value| {
        let path = value.as_str()?;
        // It becomes part of a request.
        let plain = path.bytes().all(|byte| byte.is_ascii_graphic());
        (path.starts_with('/') && plain).then(|| path.to_owned())
    });
    let statuses = section.value("status", "a list of numbers, such as [200, 204]", |value| {
        let items = value.as_array()?.iter();
        let numbers = items.map(|item| item.get_ref().as_integer()?.as_str().parse().ok());
        numbers.collect()
    });
    let contains = section.text("contains", "a text");
    Some(HttpProbe {
        address: address?,
        host,
        path: path.unwrap_or_else(|| "/".to_owned()),
        statuses: statuses.unwrap_or_default(),
        contains,
    })
}
