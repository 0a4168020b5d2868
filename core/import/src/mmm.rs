//! MMM: `mmm_common.conf`, `mmm_mon.conf`, `mmm_agent.conf`; what they include stands in its place.

mod grammar;
mod roles;
#[cfg(test)]
mod tests;
mod variables;

use crate::cluster::{Cluster, Login, Server, address, is_name, port};
use crate::format::{ImportError, Imported};
use crate::report::{Fate, Report};
use crate::toml::Toml;
use grammar::{Section, Variable, items};
use roles::Roles;

const HEADER: &str = "Made from MMM's files by `mainstay import`. It holds passwords: keep it \
                      readable by its owner only.\nSettings that are not here have their defaults: \
                      examples/mainstay.toml.";

/// Whether this is such a file, as far as can be told without reading all of it.
pub(crate) fn is_one(text: &str) -> bool {
    let begins = |line: &str| {
        let line = line.trim_start();
        let own = [
            "<host ",
            "<monitor>",
            "<role ",
            "active_master_role",
            "include mmm_",
        ];
        own.iter().any(|word| line.starts_with(word))
    };
    text.lines().any(begins)
}

/// Reads a file. `password` is that of the API, which it does not have.
pub(crate) fn import(text: &str, password: &str) -> Result<Imported, ImportError> {
    let sections = grammar::parse(text)?;
    let mut report = Report::default();
    let roles = roles::read(&sections, &mut report);
    let cluster = cluster(&sections, &roles, &mut report);
    for section in &sections {
        say(section, &mut report);
    }

    let mut toml = Toml::default();
    toml.comment(HEADER);
    cluster.write(&mut toml);
    let hosts: Vec<_> = cluster.servers.iter().map(|one| (host(one), one)).collect();
    roles.write(&hosts, password, &mut toml);
    toml.section("api");
    toml.text("password", password);
    Ok(Imported {
        toml: toml.finish(),
        remarks: report.into_remarks(),
    })
}

/// The host of a server's address.
fn host(server: &Server) -> String {
    let address = server.address.rsplit_once(':');
    address.map_or_else(String::new, |(host, _)| host.to_owned())
}

fn cluster<'f>(sections: &[Section<'f>], roles: &Roles<'f>, report: &mut Report) -> Cluster<'f> {
    let hosts = || sections.iter().filter(|one| one.kind == "host");
    let default = |key: &str| {
        let found = hosts().filter(|one| one.name == "default");
        found.filter_map(|one| one.value(key)).next_back()
    };
    let mut cluster = Cluster {
        login: Login {
            user: default("agent_user"),
            password: default("agent_password"),
        },
        replication: Login {
            user: default("replication_user"),
            password: default("replication_password"),
        },
        waits_for_operator: waits_for_operator(sections, report),
        ..Cluster::default()
    };
    let named = hosts().filter(|one| one.name != "default");
    for section in named.clone() {
        let usual_port = default("mysql_port");
        cluster
            .servers
            .extend(server(section, usual_port, roles, report));
    }
    if let Some(first) = named.clone().next() {
        cluster.say_durability(first.line, report);
    }
    cluster
}

fn server(
    section: &Section<'_>,
    usual_port: Option<&str>,
    roles: &Roles<'_>,
    report: &mut Report,
) -> Option<Server> {
    let (name, line) = (section.name, section.line);
    let what = format!("host {name}");
    if !is_name(name) {
        let sentence = "is no name of a server: letters, digits, `-`, `_` and `.`";
        report.left_out(line, &what, sentence);
        return None;
    }
    let Some(ip) = section.value("ip") else {
        report.left_out(line, &what, "has no ip");
        return None;
    };
    let text = section.value("mysql_port").or(usual_port).unwrap_or("3306");
    let Some(port) = port(text) else {
        let sentence = format!("`{text}` is no port: 1 to 65535");
        report.left_out(line, &what, sentence);
        return None;
    };
    let may_write = roles.may_write.as_ref();
    let promotion = if may_write.is_some_and(|hosts| !hosts.contains(&name)) {
        Some("never")
    } else if roles.preferred == Some(name) {
        Some("prefer")
    } else {
        None
    };
    if let Some(mode) = section.get("mode") {
        let sentence = format!(
            "promotion = \"{}\", by the hosts of the writer's role; who is the primary now is \
             found out",
            promotion.unwrap_or("neutral")
        );
        report.changed(mode.line, "mode", sentence);
    }
    Some(Server {
        name: name.to_owned(),
        address: address(ip, port),
        promotion,
    })
}

/// `auto_set_online 0`, which is MMM's default: a server that returns waits for `set_online`.
fn waits_for_operator(sections: &[Section<'_>], report: &mut Report) -> bool {
    let mut monitors = sections.iter().filter(|one| one.kind == "monitor");
    let Some(found) = monitors.find_map(|one| one.get("auto_set_online")) else {
        return false;
    };
    let waits = found.value == "0";
    let sentence = if waits {
        "auto_rejoin = false: a server that returns waits for `mainstay rejoin`"
    } else {
        "auto_rejoin = true: a server that returns follows as soon as it holds nothing of its own"
    };
    report.changed(found.line, "auto_set_online", sentence);
    waits
}

/// Says what became of each variable, but of those that have been told of.
fn say(section: &Section<'_>, report: &mut Report) {
    let (kind, line) = (section.kind, section.line);
    let known = match kind {
        "" => variables::TOP,
        "monitor" => variables::MONITOR,
        "host" => variables::HOST,
        "check" => variables::CHECK,
        "role" => return,
        _ => {
            let other = variables::SECTIONS.iter().find(|(name, _)| *name == kind);
            let sentence = other.map_or("is no section of MMM's", |(_, sentence)| *sentence);
            report.left_out(line, kind, sentence);
            return;
        }
    };
    for variable in &section.variables {
        let Variable { key, line, .. } = *variable;
        match (key, known.iter().find(|(name, _, _)| *name == key)) {
            ("include", _) if kind.is_empty() => say_included(variable, report),
            ("mode", _) if kind == "host" => {}
            ("mode", _) if kind == "monitor" => say_mode(variable, report),
            ("auto_set_online", _) if kind == "monitor" => {}
            ("max_backlog", _) if kind == "check" => say_backlog(variable, report),
            (_, Some((_, Fate::Taken, sentence))) => report.taken(line, key, *sentence),
            (_, Some((_, Fate::Changed, sentence))) => report.changed(line, key, *sentence),
            (_, Some((_, Fate::LeftOut, sentence))) => report.left_out(line, key, *sentence),
            (_, None) => report.left_out(line, key, "is no variable of MMM 2.2 here"),
        }
    }
}

/// What can be read stands in its place already.
fn say_included(variable: &Variable<'_>, report: &mut Report) {
    let sentence = format!("`{}` is not there: put it beside this file", variable.value);
    report.left_out(variable.line, "include", sentence);
}

fn say_mode(variable: &Variable<'_>, report: &mut Report) {
    let sentence = match variable.value {
        "manual" | "passive" => "set [cluster] auto_failover = false to be asked first",
        _ => "[cluster] auto_failover = true, the default",
    };
    report.changed(variable.line, "mode", sentence);
}

fn say_backlog(variable: &Variable<'_>, report: &mut Report) {
    let seconds = items(variable.value).next().unwrap_or("60");
    let sentence = format!("[cluster] reader_lag_max is 10 s; \"{seconds}s\" is as it was");
    report.changed(variable.line, "max_backlog", sentence);
}
