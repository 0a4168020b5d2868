//! MHA: `app1.cnf`, and `masterha_default.cnf` beside it.
//!
//! A parameter of a server counts most, then `[server default]` of the file that has the servers,
//! then that of the other file (MHA's wiki, page "Configuration").

mod grammar;
mod parameters;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::cluster::{Cluster, Login, Server, address, is_name, port};
use crate::format::{ImportError, Imported};
use crate::report::{Fate, Report};
use crate::toml::Toml;
use grammar::{Parameter, Section};

const HEADER: &str = "Made from MHA's files by `mainstay import`. It holds passwords: keep it \
                      readable by its owner only.\nSettings that are not here have their defaults: \
                      examples/mainstay.toml.";
const DEFAULT: &str = "server default";

/// Pings that MHA misses before it holds a server for dead.
const PINGS: u64 = 3;

/// Whether this is such a file, as far as can be told without reading all of it.
pub(crate) fn is_one(text: &str) -> bool {
    let section = |line: &str| {
        let name = line.trim().strip_prefix('[')?.split(']').next()?;
        Some(name == DEFAULT || is_server(name))
    };
    text.lines().any(|line| section(line) == Some(true))
}

/// `[server1]`, `[server_a]`.
fn is_server(name: &str) -> bool {
    name != DEFAULT && name.starts_with("server")
}

/// Reads a file, or several one after the other. `password` is that of the API, which they do not
/// have.
pub(crate) fn import(text: &str, password: &str) -> Result<Imported, ImportError> {
    let sections = grammar::parse(text)?;
    let mut report = Report::default();
    let cluster = cluster(&sections, &mut report);
    for section in &sections {
        say(section, &mut report);
    }

    let mut toml = Toml::default();
    toml.comment(HEADER);
    cluster.write(&mut toml);
    toml.section("api");
    toml.text("password", password);
    Ok(Imported {
        toml: toml.finish(),
        remarks: report.into_remarks(),
    })
}

fn cluster<'f>(sections: &[Section<'f>], report: &mut Report) -> Cluster<'f> {
    let defaults = defaults(sections);
    let default = |key: &str| {
        let mut found = defaults.iter().filter_map(|section| section.get(key));
        found.next().copied()
    };
    let of_all = |key: &str| default(key).map(|found: Parameter<'f>| found.value);
    let mut cluster = Cluster {
        login: Login {
            user: of_all("user").or(Some("root")),
            password: of_all("password"),
        },
        replication: Login {
            user: of_all("repl_user"),
            password: of_all("repl_password"),
        },
        ..Cluster::default()
    };
    let interval = default("ping_interval");
    cluster.hang_after_s = interval.and_then(|interval| hang_after(interval, report));
    let usual_port = of_all("port");
    let mut servers = Vec::new();
    for section in sections.iter().filter(|one| is_server(one.name)) {
        let server = server(section, usual_port, report);
        servers.extend(server.map(|server| (section.name, server)));
    }
    cluster.servers = named(servers);
    if let Some(first) = sections.first() {
        cluster.say_durability(first.line, report);
        say_missing(&cluster, first.line, report);
    }
    cluster
}

/// The defaults, those that count most first: of the file that has the servers, then of the other.
fn defaults<'s, 'f>(sections: &'s [Section<'f>]) -> Vec<&'s Section<'f>> {
    let is_default = |at: &usize| sections[*at].name == DEFAULT;
    let mut found: Vec<_> = (0..sections.len()).filter(is_default).collect();
    let has_servers = |at: usize| {
        let next = sections.get(at + 1);
        next.is_some_and(|next| is_server(next.name))
    };
    found.sort_by_key(|at| !has_servers(*at));
    found.into_iter().map(|at| &sections[at]).collect()
}

/// MHA misses three pings before it acts; longer patience than ours is kept.
fn hang_after(interval: Parameter<'_>, report: &mut Report) -> Option<u64> {
    let what = "ping_interval";
    let Some(seconds) = interval.value.parse().ok().filter(|&s: &u64| s > 0) else {
        report.left_out(interval.line, what, "is no number of seconds");
        return None;
    };
    let patience = seconds.saturating_mul(PINGS);
    let sentence = format!(
        "hang_after = \"{patience}s\", three pings; a primary whose process has ended is noticed \
         at once"
    );
    report.changed(interval.line, what, sentence);
    Some(patience)
}

fn server(section: &Section<'_>, usual_port: Option<&str>, report: &mut Report) -> Option<Server> {
    let value = |key: &str| section.get(key).map(|found| found.value);
    let Some(host) = value("hostname").or(value("ip")) else {
        report.left_out(section.line, section.name, "has no hostname");
        return None;
    };
    let text = value("port").or(usual_port).unwrap_or("3306");
    let Some(port) = port(text) else {
        let sentence = format!("`{text}` is no port: 1 to 65535");
        report.left_out(section.line, section.name, sentence);
        return None;
    };
    let is_set = |key: &str| value(key).is_some_and(|value| value != "0");
    let promotion = match (is_set("no_master"), is_set("candidate_master")) {
        (true, _) => Some("never"),
        (false, true) => Some("prefer"),
        (false, false) => None,
    };
    for key in ["candidate_master", "no_master"] {
        if let Some(found) = section.get(key) {
            let sentence = format!("promotion = \"{}\"", promotion.unwrap_or("neutral"));
            report.taken(found.line, key, sentence);
        }
    }
    if let Some(found) = section.get("ignore_fail") {
        let sentence = "never needed: a dead replica stops a failover only if an acknowledged \
                        commit could be on it alone";
        report.left_out(found.line, "ignore_fail", sentence);
    }
    Some(Server {
        name: host.to_owned(),
        address: address(value("ip").unwrap_or(host), port),
        promotion,
    })
}

/// By their host names, where these tell them apart; else by those of their sections.
fn named(servers: Vec<(&str, Server)>) -> Vec<Server> {
    let hosts: BTreeSet<_> = servers.iter().map(|(_, one)| one.name.clone()).collect();
    let tell_apart = hosts.len() == servers.len() && hosts.iter().all(|host| is_name(host));
    let renamed = servers.into_iter().map(|(section, mut server)| {
        if !tell_apart {
            section.replace(' ', "-").clone_into(&mut server.name);
        }
        server
    });
    renamed.collect()
}

fn say_missing(cluster: &Cluster<'_>, line: usize, report: &mut Report) {
    let missing = [
        ("password", cluster.login.password),
        ("repl_user", cluster.replication.user),
        ("repl_password", cluster.replication.password),
    ];
    for (key, _) in missing.iter().filter(|(_, value)| value.is_none()) {
        let sentence = "is not in the file: MHA asks the replicas or does without; complete it in \
                        [manager]";
        report.changed(line, key, sentence);
    }
}

/// Says what became of each parameter, but of those that the servers have told of.
fn say(section: &Section<'_>, report: &mut Report) {
    const TOLD: [&str; 4] = [
        "ping_interval",
        "candidate_master",
        "no_master",
        "ignore_fail",
    ];
    if section.name.starts_with("binlog") {
        let sentence = "a server that only keeps binary logs is not read";
        report.left_out(section.line, section.name, sentence);
        return;
    }
    if section.name != DEFAULT && !is_server(section.name) {
        report.left_out(section.line, section.name, "is no section of MHA's");
        return;
    }
    for Parameter { key, line, .. } in &section.parameters {
        if TOLD.contains(key) {
            continue;
        }
        let known = parameters::KNOWN.iter().find(|(known, _, _)| known == key);
        match known {
            Some((_, Fate::Taken, sentence)) => report.taken(*line, key, *sentence),
            Some((_, Fate::Changed, sentence)) => report.changed(*line, key, *sentence),
            Some((_, Fate::LeftOut, sentence)) => report.left_out(*line, key, *sentence),
            None => report.left_out(*line, key, "is no parameter of MHA 0.58"),
        }
    }
}
