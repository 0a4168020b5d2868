//! An address as it stands on an interface: with the length of its prefix.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// An address and the length of its prefix, such as `10.0.0.100/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefixed {
    /// The address.
    pub address: IpAddr,
    /// 0 to 32, or to 128.
    pub prefix: u8,
}

impl Prefixed {
    /// The address alone: no other is on the same network because of it.
    pub const fn alone(address: IpAddr) -> Self {
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        Self { address, prefix }
    }
}

/// Text that is no address with a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an address and the length of its prefix, such as 10.0.0.100/24")]
pub struct NoAddress;

impl FromStr for Prefixed {
    type Err = NoAddress;

    /// Without a prefix it stands alone.
    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let Some((address, prefix)) = text.split_once('/') else {
            return text.parse().map(Self::alone).map_err(|_| NoAddress);
        };
        let address: IpAddr = address.parse().map_err(|_| NoAddress)?;
        let prefix: u8 = prefix.parse().map_err(|_| NoAddress)?;
        let longest = Self::alone(address).prefix;
        if prefix > longest {
            return Err(NoAddress);
        }
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for Prefixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_it_is_read() {
        for text in ["10.0.0.100/24", "2001:db8::1/64", "10.0.0.1/32"] {
            let parsed: Result<Prefixed, _> = text.parse();
            assert_eq!(parsed.map(|one| one.to_string()).as_deref(), Ok(text));
        }
        let alone: Result<Prefixed, _> = "10.0.0.1".parse();
        assert_eq!(alone.map(|one| one.prefix), Ok(32));
        for wrong in ["", "10.0.0.1/33", "10.0.0/24", "10.0.0.1/", "x/1"] {
            assert_eq!(wrong.parse::<Prefixed>(), Err(NoAddress), "{wrong}");
        }
    }
}
