//! `<role …>`: whose address it is, and what a host of addresses says of it.

use super::grammar::{Section, items};
use crate::cluster::Server;
use crate::report::Report;
use crate::toml::Toml;

/// A host's API, from which the manager hears what it carries.
const API_PORT: u16 = 6080;
/// The first number of a virtual router; each address has one of its own.
const ROUTER_ID: usize = 51;

/// Addresses that follow roles.
#[derive(Debug, Default)]
pub(super) struct Roles<'f> {
    writer: Vec<&'f str>,
    /// One floating address each.
    readers: Vec<&'f str>,
    /// Hosts of the writer's role: only these may be promoted.
    pub(super) may_write: Option<Vec<&'f str>>,
    /// The host that gets the writer's role if it can.
    pub(super) preferred: Option<&'f str>,
    interface: Option<&'f str>,
}

pub(super) fn read<'f>(sections: &[Section<'f>], report: &mut Report) -> Roles<'f> {
    let default = |key: &str| {
        let mut found = sections.iter().rev().filter(|one| one.kind == "host");
        found.find_map(|one| one.value(key))
    };
    let mut roles = Roles {
        interface: default("cluster_interface"),
        ..Roles::default()
    };
    let mut tops = sections.iter().filter(|one| one.kind.is_empty());
    let active = tops.find_map(|one| one.value("active_master_role"));
    for role in sections.iter().filter(|one| one.kind == "role") {
        roles.take(role, active.unwrap_or("writer"), report);
    }
    roles
}

impl<'f> Roles<'f> {
    fn take(&mut self, role: &Section<'f>, active: &str, report: &mut Report) {
        let what = format!("role {}", role.name);
        let addresses = items(role.value("ips").unwrap_or_default());
        let hosts = items(role.value("hosts").unwrap_or_default());
        let is_exclusive = role.value("mode") == Some("exclusive");
        if role.name == active {
            self.writer.extend(addresses);
            self.may_write = Some(hosts.collect());
            self.preferred = role.value("prefer");
            let sentence = "[address_roles] writer: where the primary is; other hosts than these \
                            have promotion = \"never\"";
            report.taken(role.line, &what, sentence);
        } else if is_exclusive {
            let sentence = "an address that is on one host but does not follow the primary: \
                            `[[vip]]` by VRRP alone, docs/vip.md";
            report.left_out(role.line, &what, sentence);
        } else {
            self.readers.extend(addresses);
            let sentence = "[address_roles] readers: spread over all healthy replicas, and on the \
                            primary only when there is none";
            report.changed(role.line, &what, sentence);
        }
        for variable in &role.variables {
            if !["hosts", "ips", "mode", "prefer"].contains(&variable.key) {
                report.left_out(variable.line, variable.key, "is no variable of a role");
            }
        }
    }

    fn names(&self) -> (Option<&'static str>, Vec<String>) {
        let writer = (!self.writer.is_empty()).then_some("writer");
        let readers = 1..=self.readers.len();
        (
            writer,
            readers.map(|number| format!("reader-{number}")).collect(),
        )
    }

    /// Writes `[address_roles]`, and as a comment what each host needs.
    pub(super) fn write(&self, servers: &[(String, &Server)], password: &str, toml: &mut Toml) {
        let (writer, readers) = self.names();
        if writer.is_none() && readers.is_empty() {
            return;
        }
        toml.section("address_roles");
        if let Some(writer) = writer {
            toml.text("writer", writer);
        }
        toml.texts("readers", readers.iter().map(String::as_str));
        toml.text("password", password);
        for (host, server) in servers {
            toml.item("address_roles.host");
            toml.text("server", &server.name);
            toml.text("api", &format!("{host}:{API_PORT}"));
        }
        toml.comment(&self.hosts_file(password));
    }

    /// The settings of a host that carries addresses.
    fn hosts_file(&self, password: &str) -> String {
        let mut toml = Toml::default();
        toml.comment(
            "The hosts carry the addresses: there, `mainstay serve --config vip.toml` with",
        );
        let (writer, readers) = self.names();
        let one = |address: &&'f str| vec![*address];
        let addresses = readers.iter().map(String::as_str);
        let addresses = addresses.zip(self.readers.iter().map(one));
        let writer = writer.map(|name| (name, self.writer.clone()));
        for (id, (name, addresses)) in (ROUTER_ID..).zip(writer.into_iter().chain(addresses)) {
            toml.item("vip");
            toml.text("name", name);
            toml.text("interface", self.interface.unwrap_or("eth0"));
            toml.raw("virtual_router_id", &id.to_string());
            let all: Vec<_> = addresses.into_iter().map(with_prefix).collect();
            toml.texts("addresses", all.iter().map(String::as_str));
            toml.item("vip.track");
            toml.text("kind", "manager");
        }
        toml.section("api");
        toml.text("listen", &format!("0.0.0.0:{API_PORT}"));
        toml.text("password", password);
        format!("\n{}", toml.finish())
    }
}

/// MMM adds single addresses.
fn with_prefix(address: &str) -> String {
    match (address.contains('/'), address.contains(':')) {
        (true, _) => address.to_owned(),
        (false, true) => format!("{address}/128"),
        (false, false) => format!("{address}/32"),
    }
}
