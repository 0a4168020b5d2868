//! What the filters of a proxy are made of: certificates, authorities, trusted networks. Shared by
//! its workers, replaced whole when a setting or a file has changed.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::Resumption;
use rustls::{ClientConfig, Connection, ServerConfig};

/// Sessions with one server that are kept to be resumed.
const SERVER_SESSIONS: usize = 8;

/// The settings of the filters. The default offers no TLS and believes nobody.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    /// TLS towards clients.
    pub clients: Option<Arc<ServerConfig>>,
    /// TLS towards servers.
    pub servers: Option<Towards>,
    /// Who may tell, by the PROXY protocol, which client is behind it.
    pub believed: Vec<Network>,
}

impl Filters {
    pub(crate) fn accept(&self) -> Option<Connection> {
        let config = Arc::clone(self.clients.as_ref()?);
        rustls::ServerConnection::new(config).ok().map(Into::into)
    }

    pub(crate) fn connect(&self, address: &str) -> Option<Connection> {
        let config = self.servers.as_ref()?.config(address);
        let (host, _) = address.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = host.to_owned().try_into();
        // A name that no certificate can have: whoever checks names will not believe the server.
        let name = name.or_else(|_| "unnamed".try_into()).ok()?;
        rustls::ClientConnection::new(config, name)
            .ok()
            .map(Into::into)
    }

    pub(crate) fn believes(&self, ip: IpAddr) -> bool {
        self.believed.iter().any(|network| network.contains(ip))
    }
}

/// TLS towards servers: the same for all but what resumes a session, which is each server's own.
#[derive(Debug, Clone)]
pub struct Towards {
    config: Arc<ClientConfig>,
    of_server: Arc<Mutex<BTreeMap<String, Arc<ClientConfig>>>>,
}

impl Towards {
    /// Towards all servers in this way.
    pub fn new(config: ClientConfig) -> Self {
        Self {
            config: Arc::new(config),
            of_server: Arc::default(),
        }
    }

    /// Locked only while a connection begins.
    fn config(&self, address: &str) -> Arc<ClientConfig> {
        let mut of_server = self
            .of_server
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let config = of_server.entry(address.to_owned()).or_insert_with(|| {
            let mut config = ClientConfig::clone(&self.config);
            config.resumption = Resumption::in_memory_sessions(SERVER_SESSIONS);
            Arc::new(config)
        });
        Arc::clone(config)
    }
}

/// Addresses that begin alike, such as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// A network, or a single address; `None` for other text.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address.parse().ok()?, Some(prefix.parse().ok()?)),
            None => (text.parse().ok()?, None),
        };
        let longest = match address {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        let prefix = prefix.unwrap_or(longest);
        (prefix <= longest).then_some(Self { address, prefix })
    }

    /// Whether the address is in it. An IPv4 address is one in an IPv6 socket, too.
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.address, ip.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(ip)) => {
                let differs = u32::from(network) ^ u32::from(ip);
                differs
                    .checked_shr(32 - u32::from(self.prefix))
                    .unwrap_or(0)
                    == 0
            }
            (IpAddr::V6(network), IpAddr::V6(ip)) => {
                let differs = u128::from(network) ^ u128::from(ip);
                differs
                    .checked_shr(128 - u32::from(self.prefix))
                    .unwrap_or(0)
                    == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_the_addresses_that_begin_alike() {
        let holds = |network: &str, ip: &str| {
            let network = Network::parse(network).expect("a network");
            network.contains(ip.parse().expect("an address"))
        };
        assert!(holds("10.0.0.0/8", "10.200.3.4"));
        assert!(!holds("10.0.0.0/8", "11.0.0.0"));
        assert!(holds("0.0.0.0/0", "192.0.2.1"));
        assert!(!holds("0.0.0.0/0", "::1"));
        assert!(holds("192.0.2.1", "192.0.2.1"));
        assert!(holds("192.0.2.1", "::ffff:192.0.2.1"));
        assert!(!holds("192.0.2.1", "192.0.2.2"));
        assert!(holds("2001:db8::/32", "2001:db8:1::1"));
        assert!(!holds("2001:db8::/32", "2001:db9::1"));
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "a/8", "10.0.0.0/x"] {
            assert_eq!(Network::parse(wrong), None, "{wrong}");
        }
    }
}
