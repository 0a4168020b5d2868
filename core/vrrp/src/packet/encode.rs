//! Writing an advertisement.

use std::net::IpAddr;
use std::time::Duration;

use super::{Advert, Authentication, Checksum, Envelope, Version, checksum};

const ADVERTISEMENT: u8 = 1;

impl Advert {
    /// Its bytes after the IP header. `way` matters for version 3 over IPv4 only.
    pub fn encode(&self, envelope: &Envelope, way: Checksum) -> Vec<u8> {
        // A policy has at most 255 addresses; more could not be counted in the header.
        let count = u8::try_from(self.addresses.len()).unwrap_or(u8::MAX);
        let version = self.version.number() << 4 | ADVERTISEMENT;
        let mut bytes = vec![version, self.id.get(), self.priority, count];
        match self.version {
            Version::V2 => {
                let kind = match self.authentication {
                    Authentication::None => 0,
                    Authentication::Password(_) => 1,
                    Authentication::Other(kind) => kind,
                };
                bytes.extend([kind, units(self.interval, self.version).min(255) as u8]);
            }
            Version::V3 => {
                let interval = units(self.interval, self.version).min(0xfff);
                bytes.extend(interval.to_be_bytes());
            }
        }
        bytes.extend([0, 0]);
        for address in self.addresses.iter().take(usize::from(count)) {
            match address {
                IpAddr::V4(address) => bytes.extend(address.octets()),
                IpAddr::V6(address) => bytes.extend(address.octets()),
            }
        }
        if self.version == Version::V2 {
            // These eight bytes are there without a password too (RFC 3768 §5.3.10).
            bytes.extend(match self.authentication {
                Authentication::Password(password) => password.0,
                Authentication::None | Authentication::Other(_) => [0; 8],
            });
        }
        let with_pseudo =
            self.version == Version::V3 && (way == Checksum::Pseudo || envelope.source.is_ipv6());
        let sum = if with_pseudo {
            checksum::pseudo(&bytes, envelope)
        } else {
            checksum::plain(&bytes)
        };
        bytes[6..8].copy_from_slice(&sum.to_be_bytes());
        bytes
    }
}

/// At least one: zero would be no interval.
fn units(interval: Duration, version: Version) -> u16 {
    let units = interval.as_nanos() / version.unit().as_nanos();
    u16::try_from(units).unwrap_or(u16::MAX).max(1)
}
