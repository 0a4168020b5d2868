//! IPVS, over a socket of generic netlink.

use std::io;
use std::os::fd::OwnedFd;

use mainstay_balance::Table;
use mainstay_balance::ipvs::{
    Family, Operation, Reply, Service, family_of, family_request, list_destinations, list_services,
    operations, read_destination, read_service, replies, services,
};
use rustix::net::netlink::{GENERIC, SocketAddrNetlink};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, recv, send, socket_with,
};

use crate::error::BalancerError;

/// The kernel answers at once, or loads a module first.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(5);

/// As much as the kernel puts in one message of a listing.
const ANSWER_MAX: usize = 64 * 1024;

/// `errno` of what is not there: there is no service, or no destination.
const NOT_THERE: [i32; 2] = [
    rustix::io::Errno::SRCH.raw_os_error(),
    rustix::io::Errno::NOENT.raw_os_error(),
];

/// A word with the kernel's IPVS.
#[derive(Debug)]
pub(crate) struct Ipvs {
    socket: OwnedFd,
    family: Family,
    sequence: u32,
    ours: Vec<Service>,
}

impl Ipvs {
    /// Fails where the kernel has none.
    pub(crate) fn open() -> Result<Self, BalancerError> {
        let socket = connect().map_err(|error| BalancerError::Netlink(error.into()))?;
        let mut opened = Self {
            socket,
            family: Family(0),
            sequence: 0,
            ours: Vec::new(),
        };
        opened.sequence += 1;
        let request = family_request(opened.sequence);
        let answers = match opened.exchange(&request) {
            Ok(answers) => answers,
            Err(BalancerError::Ipvs { .. }) => return Err(BalancerError::NoIpvs),
            Err(error) => return Err(error),
        };
        let family = answers.iter().find_map(|answer| family_of(answer));
        opened.family = family.ok_or(BalancerError::NoIpvs)?;
        Ok(opened)
    }

    pub(crate) fn apply(&mut self, table: &Table) -> Result<(), BalancerError> {
        let wanted = services(table);
        let listed = self.listed()?;
        for operation in operations(&listed, &wanted, &self.ours) {
            tracing::debug!(?operation, "to IPVS");
            self.sequence += 1;
            let message = operation.encode(self.family, self.sequence);
            match self.exchange(&message) {
                // What shall go has gone by itself.
                Err(BalancerError::Ipvs { reason, .. })
                    if takes_away(&operation) && is_not_there(&reason) => {}
                Err(BalancerError::Ipvs { reason, .. }) => {
                    let what = words(&operation);
                    return Err(BalancerError::Ipvs { what, reason });
                }
                done => drop(done?),
            }
        }
        self.ours = wanted;
        Ok(())
    }

    pub(crate) fn is_stale(&mut self, table: &Table) -> Result<bool, BalancerError> {
        let listed = self.listed()?;
        Ok(!operations(&listed, &services(table), &[]).is_empty())
    }

    /// What IPVS does now.
    fn listed(&mut self) -> Result<Vec<Service>, BalancerError> {
        self.sequence += 1;
        let request = list_services(self.family, self.sequence);
        let answers = self.exchange(&request)?;
        let mut found: Vec<_> = answers.iter().filter_map(|one| read_service(one)).collect();
        for service in &mut found {
            self.sequence += 1;
            let request = list_destinations(self.family, service, self.sequence);
            let answers = self.exchange(&request)?;
            let reals = answers
                .iter()
                .filter_map(|one| read_destination(service, one));
            service.destinations = reals.collect();
        }
        Ok(found)
    }

    /// Says something, and hears all of the answer.
    fn exchange(&self, message: &[u8]) -> Result<Vec<Vec<u8>>, BalancerError> {
        let lost = |error: rustix::io::Errno| BalancerError::Netlink(error.into());
        send(&self.socket, message, SendFlags::empty()).map_err(lost)?;
        let mut answers = Vec::new();
        let mut buffer = vec![0; ANSWER_MAX];
        loop {
            let (length, _) =
                recv(&self.socket, &mut buffer[..], RecvFlags::empty()).map_err(lost)?;
            for reply in replies(&buffer[..length])? {
                match reply {
                    Reply::Result(0) | Reply::End => return Ok(answers),
                    Reply::Result(number) => {
                        let what = "a request".to_owned();
                        let reason = io::Error::from_raw_os_error(number);
                        return Err(BalancerError::Ipvs { what, reason });
                    }
                    Reply::Attributes(attributes) => answers.push(attributes),
                }
            }
        }
    }
}

fn connect() -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        flags,
        Some(GENERIC),
    )?;
    for which in [Timeout::Recv, Timeout::Send] {
        set_socket_timeout(&socket, which, Some(LIMIT))?;
    }
    bind(&socket, &SocketAddrNetlink::new(0, 0))?;
    Ok(socket)
}

fn takes_away(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::DelService(_) | Operation::DelDestination(..)
    )
}

fn is_not_there(reason: &io::Error) -> bool {
    reason
        .raw_os_error()
        .is_some_and(|number| NOT_THERE.contains(&number))
}

fn words(operation: &Operation) -> String {
    match operation {
        Operation::NewService(service) => {
            format!(
                "the service {} with scheduler {}",
                service.address, service.scheduler
            )
        }
        Operation::SetService(service) => format!("the change of service {}", service.address),
        Operation::DelService(service) => format!("the end of service {}", service.address),
        Operation::NewDestination(service, real) => {
            format!("the real server {} of {}", real.address, service.address)
        }
        Operation::SetDestination(service, real) => {
            format!(
                "the change of real server {} of {}",
                real.address, service.address
            )
        }
        Operation::DelDestination(service, real) => {
            format!(
                "the end of real server {} of {}",
                real.address, service.address
            )
        }
    }
}
