//! From where clients may come.

use std::net::IpAddr;

use mainstay_wire::{ErrPacket, ErrorCode};

use crate::policy::Policy;

/// A network: the addresses that begin with the same bits as this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subnet {
    address: IpAddr,
    bits: u8,
}

impl Subnet {
    /// Reads `10.0.0.0/8`, or a single address.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Self { address, bits })
    }

    /// Whether the address is one of the network's; an IPv4 address within IPv6 counts as itself.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let apart = network.to_bits() ^ address.to_bits();
                apart.leading_zeros() >= u32::from(self.bits)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let apart = network.to_bits() ^ address.to_bits();
                apart.leading_zeros() >= u32::from(self.bits)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl Policy {
    /// What a client from this host is told that may not come, as servers word it.
    pub(crate) fn refuses_host(&self, host: &str) -> Option<ErrPacket> {
        let subnets = self.allow_from.as_ref()?;
        // No address: it comes by a socket of this machine.
        let address: IpAddr = host.parse().ok()?;
        if subnets.iter().any(|subnet| subnet.contains(address)) {
            return None;
        }
        let family = if self.server_version.contains("MariaDB") {
            "MariaDB"
        } else {
            "MySQL"
        };
        let text = format!("Host '{host}' is not allowed to connect to this {family} server");
        Some(ErrorCode::HostNotPrivileged.with(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subnet_contains_what_begins_like_it() {
        let contains = |subnet: &str, address: &str| {
            let subnet = Subnet::parse(subnet).expect("a subnet");
            subnet.contains(address.parse().expect("an address"))
        };
        assert!(contains("10.0.0.0/8", "10.9.8.7") && !contains("10.0.0.0/8", "11.0.0.1"));
        assert!(contains("127.0.0.1", "127.0.0.1") && !contains("127.0.0.1", "127.0.0.2"));
        assert!(contains("0.0.0.0/0", "192.0.2.1") && !contains("0.0.0.0/0", "2001:db8::1"));
        assert!(contains("2001:db8::/32", "2001:db8:1::1"));
        assert!(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert_eq!(Subnet::parse("10.0.0.0/33"), None);
        assert_eq!(Subnet::parse("db1"), None);
    }

    #[test]
    fn a_host_that_is_not_allowed_is_told_as_servers_do() {
        let mut policy = Policy::default();
        assert_eq!(policy.refuses_host("192.0.2.1"), None);
        policy.allow_from = Some(vec![Subnet::parse("10.0.0.0/8").expect("a subnet")]);
        assert_eq!(policy.refuses_host("localhost"), None);
        let error = policy.refuses_host("192.0.2.1").expect("it is refused");
        let text = "Host '192.0.2.1' is not allowed to connect to this MySQL server";
        assert_eq!((error.code, error.message.as_str()), (1130, text));
    }
}
