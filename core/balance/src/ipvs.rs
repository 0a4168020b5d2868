//! Messages to the kernel's IPVS over generic netlink, and what has to be said to lead it from what
//! it does to what it shall do.
//!
//! Numbers and layouts are those of `include/uapi/linux/ip_vs.h`, `netlink.h` and `genetlink.h`.
//! IPVS is asked what it does before each change, so that a change by another hand, or a crash in
//! the middle, is mended by the next.
//!
//! **Invariant:** services at addresses that the table does not name are not touched.

mod attributes;
mod message;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use crate::{Entry, Forwarding, Protocol, Table};

pub use message::{
    BadMessage, Family, Reply, family_of, family_request, list_destinations, list_services,
    read_destination, read_service, replies,
};

/// A virtual server as IPVS has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// What clients connect to.
    pub address: SocketAddr,
    /// Of what.
    pub protocol: Protocol,
    /// The short name of its scheduler.
    pub scheduler: String,
    /// Seconds for which a client comes back; 0 for never.
    pub persistence: u32,
    /// Who serves.
    pub destinations: Vec<Real>,
}

/// A real server as IPVS has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Real {
    /// Where.
    pub address: SocketAddr,
    /// Its share.
    pub weight: u32,
    /// How packets get there.
    pub method: Method,
}

/// The forwarding methods (`IP_VS_CONN_F_FWD_MASK`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// NAT.
    Masq,
    /// The kernel chose it by itself: the real server is this host.
    Local,
    /// IPIP.
    Tunnel,
    /// By the Ethernet address.
    Direct,
}

/// One thing to tell IPVS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Make a service, without destinations.
    NewService(Service),
    /// Change a service; its destinations and connections stay.
    SetService(Service),
    /// Take a service away.
    DelService(Service),
    /// Add a destination.
    NewDestination(Service, Real),
    /// Change the weight or method of a destination.
    SetDestination(Service, Real),
    /// Take a destination out.
    DelDestination(Service, Real),
}

/// A table as IPVS would list it.
pub fn services(table: &Table) -> Vec<Service> {
    table.entries.iter().map(service).collect()
}

fn service(entry: &Entry) -> Service {
    let method = match entry.forwarding {
        Forwarding::Nat { .. } => Method::Masq,
        Forwarding::Direct { .. } => Method::Direct,
        Forwarding::Tunnel => Method::Tunnel,
    };
    let real = |destination: &crate::Destination| Real {
        address: destination.address,
        weight: destination.weight,
        method,
    };
    let persistence = entry.persistence.map_or(0, |age| age.as_secs().max(1));
    Service {
        address: entry.address,
        protocol: entry.protocol,
        scheduler: entry.scheduler.name().to_owned(),
        persistence: u32::try_from(persistence).unwrap_or(u32::MAX),
        destinations: entry.destinations.iter().map(real).collect(),
    }
}

/// What leads from what IPVS lists to what is wanted. `gone` are services of an earlier table that
/// are wanted no longer.
pub fn operations(listed: &[Service], wanted: &[Service], gone: &[Service]) -> Vec<Operation> {
    let mut found = Vec::new();
    for old in gone
        .iter()
        .filter(|old| !has(wanted, old) && has(listed, old))
    {
        found.push(Operation::DelService(old.clone()));
    }
    for want in wanted {
        let is = listed.iter().find(|is| same(is, want));
        match is {
            None => found.push(Operation::NewService(want.clone())),
            Some(is) if differ(is, want) => found.push(Operation::SetService(want.clone())),
            Some(_) => {}
        }
        let before = is.map_or(&[][..], |is| &is.destinations);
        // Whoever comes in comes in before whoever goes, so that there is always somebody.
        for real in &want.destinations {
            match before.iter().find(|old| old.address == real.address) {
                None => found.push(Operation::NewDestination(want.clone(), *real)),
                Some(old) if !agrees(old, real) => {
                    found.push(Operation::SetDestination(want.clone(), *real));
                }
                Some(_) => {}
            }
        }
        let stays = |old: &&Real| {
            want.destinations
                .iter()
                .any(|real| real.address == old.address)
        };
        for old in before.iter().filter(|old| !stays(old)) {
            found.push(Operation::DelDestination(want.clone(), *old));
        }
    }
    found
}

fn same(a: &Service, b: &Service) -> bool {
    a.address == b.address && a.protocol == b.protocol
}

fn has(services: &[Service], one: &Service) -> bool {
    services.iter().any(|service| same(service, one))
}

fn differ(is: &Service, want: &Service) -> bool {
    is.scheduler != want.scheduler || is.persistence != want.persistence
}

fn agrees(is: &Real, want: &Real) -> bool {
    let same_method = is.method == want.method || is.method == Method::Local;
    is.weight == want.weight && same_method
}
