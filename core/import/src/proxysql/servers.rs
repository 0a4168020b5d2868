//! `mysql_servers`: a row for each hostgroup there, one `[[server]]` for each server here.

use std::collections::{BTreeMap, BTreeSet};

use super::Row;
use super::numbers::{Numbers, READERS, WRITER, hostgroup};
use super::rows;
use super::variables::Variables;
use crate::libconfig::Group;
use crate::report::Report;
use crate::toml::Toml;

const TABLE: &str = "mysql_servers";

const COLUMNS: [&str; 14] = [
    "address",
    "hostname",
    "port",
    "hostgroup",
    "hostgroup_id",
    "gtid_port",
    "status",
    "weight",
    "compression",
    "max_connections",
    "max_replication_lag",
    "use_ssl",
    "max_latency_ms",
    "comment",
];

/// ProxySQL's default of `max_connections`: no limit of its own.
const CONNECTIONS_DEFAULT: u64 = 1000;

/// One server.
#[derive(Debug, Default)]
pub(super) struct Server {
    name: String,
    address: String,
    /// With their numbers of now.
    pub(super) hostgroups: BTreeSet<u32>,
    weight: u64,
    intent: Option<&'static str>,
    connections_max: Option<u64>,
    lag_max: Option<u64>,
    latency_max_ms: Option<u64>,
    tls: bool,
    compression: bool,
    comments: Vec<String>,
}

pub(super) fn read(file: &Group, numbers: &Numbers, report: &mut Report) -> Vec<Server> {
    let mut servers: Vec<Server> = Vec::new();
    for row in rows(file, TABLE, report) {
        row.report_unknown(&COLUMNS, report);
        let host = row
            .some_text("address")
            .or_else(|| row.some_text("hostname"));
        let Some(host) = host else {
            report.left_out(row.line, TABLE, "has no address");
            continue;
        };
        let port = row.number("port").unwrap_or(3306);
        let old = hostgroup(&row);
        let Some(group) = numbers.get(old) else {
            let sentence = format!("{host}:{port} is of hostgroup {old}, which is left out");
            report.left_out(row.line, TABLE, sentence);
            continue;
        };
        let Some(address) = address(&host, port) else {
            let sentence = format!("{host}, port {port} is no server that can be reached by TCP");
            report.left_out(row.line, TABLE, sentence);
            continue;
        };
        let known = servers.iter_mut().find(|one| one.address == address);
        if let Some(known) = known {
            known.take(&row, group, report);
            continue;
        }
        let mut server = Server {
            name: host,
            address,
            ..Server::default()
        };
        server.take(&row, group, report);
        servers.push(server);
    }
    give_names(&mut servers);
    servers
}

impl Server {
    /// Takes up a row: of several, the one as a reader says most about reads.
    fn take(&mut self, row: &Row<'_>, group: u32, report: &mut Report) {
        let first = self.hostgroups.is_empty();
        self.hostgroups.insert(group);
        if first || group == READERS {
            self.weight = row.count("weight").unwrap_or(1);
        }
        let set = |column: &str| row.count(column).filter(|&number| number > 0);
        let connections = set("max_connections").filter(|&most| most != CONNECTIONS_DEFAULT);
        self.connections_max = self.connections_max.max(connections);
        self.lag_max = smallest(self.lag_max, set("max_replication_lag"));
        self.latency_max_ms = smallest(self.latency_max_ms, set("max_latency_ms"));
        self.tls |= row.truth("use_ssl", false);
        self.compression |= row.truth("compression", false);
        self.comments.extend(row.some_text("comment"));
        let address = self.address.clone();
        if row.count("gtid_port").is_some_and(|port| port > 0) {
            let sentence = "needs no reader of binlogs: causal_reads = \"session\" is the default";
            report.left_out(row.line, "mysql_servers.gtid_port", sentence);
        }
        if group == READERS && set("max_replication_lag").is_none() {
            let sentence = "was off: with more than 10 s of lag it gets no reads now; \
                            replication_lag_max = \"off\" for any";
            report.changed(row.line, "mysql_servers.max_replication_lag", sentence);
        }
        let status = row.some_text("status").unwrap_or_default();
        match status.to_ascii_uppercase().as_str() {
            "OFFLINE_SOFT" => self.intent = Some("draining"),
            "OFFLINE_HARD" => self.intent = Some("out"),
            "SHUNNED" => {
                let sentence = "is what a proxy finds, not what an operator wants: probes decide";
                report.left_out(row.line, "mysql_servers.status", sentence);
            }
            _ => {}
        }
        report.taken(row.line, TABLE, format!("{address} in hostgroup {group}"));
    }
}

fn smallest(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.into_iter().chain(other).min()
}

/// `host:port` as settings take it; `None` for sockets and what is no host.
fn address(host: &str, port: i64) -> Option<String> {
    let port = u16::try_from(port).ok().filter(|&port| port > 0)?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if bare.parse::<std::net::Ipv6Addr>().is_ok() {
        return Some(format!("[{bare}]:{port}"));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    host.chars().all(plain).then(|| format!("{host}:{port}"))
}

/// Servers are called after their hosts; where that is not enough, after their ports too.
fn give_names(servers: &mut [Server]) {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let mut hosts: BTreeMap<String, usize> = BTreeMap::new();
    for server in servers.iter_mut() {
        server.name = server
            .name
            .chars()
            .map(|c| if plain(c) { c } else { '-' })
            .collect();
        *hosts.entry(server.name.clone()).or_default() += 1;
    }
    for server in servers {
        if hosts.get(&server.name).is_some_and(|&count| count > 1) {
            let port = server.address.rsplit(':').next().unwrap_or_default();
            server.name = format!("{}-{port}", server.name);
        }
    }
}

pub(super) fn write(servers: &[Server], variables: &Variables, toml: &mut Toml) {
    for server in servers {
        toml.item("server");
        for comment in &server.comments {
            toml.comment(comment);
        }
        toml.text("name", &server.name);
        toml.text("address", &server.address);
        let outside = !server.hostgroups.contains(&WRITER) && !server.hostgroups.contains(&READERS);
        if outside {
            toml.comment("In none of the cluster's own hostgroups: last of the readers.");
            toml.text("promotion", "never");
        }
        let weight = if outside { 0 } else { server.weight };
        if weight != 1 {
            toml.raw("weight", &weight.to_string());
        }
        if let Some(most) = server.connections_max {
            toml.raw("connections_max", &most.to_string());
        }
        if let Some(seconds) = server.lag_max {
            toml.text("replication_lag_max", &format!("{seconds}s"));
        }
        if let Some(ms) = server.latency_max_ms.or(variables.latency_max_ms()) {
            toml.text("latency_max", &format!("{ms}ms"));
        }
        if server.tls {
            toml.text("tls", "required");
        }
        if server.compression {
            toml.text("compression", "zlib");
        }
        if let Some(intent) = server.intent {
            toml.text("intent", intent);
        }
    }
}

/// Hostgroups beyond the two that are always there.
pub(super) fn write_hostgroups(servers: &[Server], toml: &mut Toml) {
    let all: BTreeSet<u32> = servers
        .iter()
        .flat_map(|one| one.hostgroups.iter().copied())
        .filter(|&number| number != WRITER && number != READERS)
        .collect();
    for number in all {
        let members = servers
            .iter()
            .filter(|one| one.hostgroups.contains(&number));
        toml.item("hostgroups");
        toml.raw("id", &number.to_string());
        toml.texts("servers", members.map(|one| one.name.as_str()));
    }
}
