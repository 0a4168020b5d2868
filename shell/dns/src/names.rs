//! Who is what, as the answers say it.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// At an address.
    Address(IpAddr),
    /// Under a name that others answer for.
    Name(String),
}

impl Host {
    /// An address where it is one, else a name.
    pub fn new(text: &str) -> Self {
        match text.parse() {
            Ok(ip) => Self::Address(ip),
            Err(_) => Self::Name(text.to_owned()),
        }
    }
}

/// A cluster in names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Grows with each change.
    pub serial: u32,
    /// Who may be written to; `None` while nobody may.
    pub primary: Option<Host>,
    /// Who may be read from.
    pub replicas: Vec<Host>,
    /// Every server by its name.
    pub servers: BTreeMap<String, Host>,
}

impl Names {
    /// The hosts of a name in the zone; `None` for a name that does not exist.
    pub(crate) fn hosts(&self, name: &str) -> Option<Vec<Host>> {
        match name {
            "primary" => Some(self.primary.iter().cloned().collect()),
            // Where nobody else serves reads, the primary does.
            "replica" if self.replicas.is_empty() => Some(self.primary.iter().cloned().collect()),
            "replica" => {
                let mut hosts: Vec<Host> = Vec::new();
                for host in &self.replicas {
                    // Two servers of one host: a set of records has no record twice (RFC 2181, 5).
                    if !hosts.contains(host) {
                        hosts.push(host.clone());
                    }
                }
                Some(hosts)
            }
            _ => self.servers.get(name).map(|host| vec![host.clone()]),
        }
    }
}
