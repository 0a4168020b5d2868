//! The certificates of the proxy: which files they are, made if there are none, and read again when
//! one of them has changed.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Result;
use mainstay_proxy::tls::{
    ClientCertificates, ClientTlsFiles, FilterFiles, ServerTlsFiles, Trust, generate,
};
use mainstay_proxy::{Filters, Network};
use mainstay_session::policy::ClientTls;
use mainstay_settings::{ClientTlsSettings, ProxySettings, ServerTlsMode, ServerTlsSettings};

use crate::output::BadInput;

/// Where certificates are kept that the proxy makes for itself.
const FOLDER: &str = "mainstay.tls";

/// The files in use, and when each had last changed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Certificates {
    files: FilterFiles,
    stamps: Vec<Option<(SystemTime, u64)>>,
    /// What was read last.
    loaded: Option<Arc<Filters>>,
}

impl Certificates {
    /// TLS towards clients, as it was read last.
    pub(crate) fn clients(&self) -> Option<Arc<rustls::ServerConfig>> {
        self.loaded.as_ref()?.clients.clone()
    }

    /// What the settings name; `home` is where files of the proxy's own are.
    pub(crate) fn of(proxy: &ProxySettings, home: &Path) -> Result<Self> {
        let networks = proxy.proxy_protocol_from.iter();
        Ok(Self {
            files: FilterFiles {
                clients: towards_clients(&proxy.client_tls, home, proxy.listen.ip())?,
                servers: towards_servers(&proxy.server_tls),
                believed: networks.filter_map(|text| Network::parse(text)).collect(),
            },
            stamps: Vec::new(),
            loaded: None,
        })
    }

    /// TLS offered with a certificate made in `home`, and preferred towards servers.
    pub(crate) fn made(home: &Path, listen: IpAddr) -> Result<Self> {
        let clients = generate(&home.join(FOLDER), &names(listen))?;
        let servers = ServerTlsFiles {
            trust: Trust::Anybody,
            own: None,
        };
        Ok(Self {
            files: FilterFiles {
                clients: Some(clients),
                servers: Some(servers),
                ..FilterFiles::default()
            },
            stamps: Vec::new(),
            loaded: None,
        })
    }

    /// Reads them.
    pub(crate) fn load(&mut self) -> Result<Arc<Filters>> {
        self.stamps = self.files.stamps();
        let filters = self.files.load();
        let filters = Arc::new(filters.map_err(|error| BadInput(error.to_string()))?);
        self.loaded = Some(Arc::clone(&filters));
        Ok(filters)
    }

    /// Reads them again if a file has changed, or others are named now. A broken one is told once,
    /// and what was in use stays so.
    pub(crate) fn changed(&mut self) -> Option<Arc<Filters>> {
        if self.files.stamps() == self.stamps {
            return None;
        }
        match self.load() {
            Ok(filters) => {
                tracing::info!("the certificates were read again");
                Some(filters)
            }
            Err(error) => {
                tracing::error!("the certificates stay as they were: {error:#}");
                None
            }
        }
    }

    /// Takes up other files; `None` when they are the same, or of no use.
    pub(crate) fn replace(&mut self, proxy: &ProxySettings, home: &Path) -> Option<Arc<Filters>> {
        let mut next = match Self::of(proxy, home) {
            Ok(next) => next,
            Err(error) => {
                tracing::error!("the certificates stay as they were: {error:#}");
                return None;
            }
        };
        if next.files == self.files {
            return self.changed();
        }
        match next.load() {
            Ok(filters) => {
                *self = next;
                Some(filters)
            }
            Err(error) => {
                tracing::error!("the certificates stay as they were: {error:#}");
                None
            }
        }
    }
}

fn towards_clients(
    tls: &ClientTlsSettings,
    home: &Path,
    listen: IpAddr,
) -> Result<Option<ClientTlsFiles>> {
    if tls.mode == ClientTls::Off {
        return Ok(None);
    }
    let made = match &tls.own {
        Some((certificate, key)) => ClientTlsFiles {
            certificate: certificate.clone(),
            key: key.clone(),
            clients: ClientCertificates::Ignored,
        },
        None => generate(&home.join(FOLDER), &names(listen))?,
    };
    let clients = match &tls.client_ca {
        None => ClientCertificates::Ignored,
        Some((ca, false)) => ClientCertificates::Optional(ca.clone()),
        Some((ca, true)) => ClientCertificates::Required(ca.clone()),
    };
    Ok(Some(ClientTlsFiles { clients, ..made }))
}

fn towards_servers(tls: &ServerTlsSettings) -> Option<ServerTlsFiles> {
    // The settings have seen to it that there is an authority where one is needed.
    let ca = || tls.ca.clone().unwrap_or_default();
    let trust = match tls.mode {
        ServerTlsMode::Disabled => return None,
        ServerTlsMode::Preferred | ServerTlsMode::Required => Trust::Anybody,
        ServerTlsMode::VerifyCa => Trust::Authority(ca()),
        ServerTlsMode::VerifyIdentity => Trust::Identity(ca()),
    };
    let own = tls.own.clone();
    Some(ServerTlsFiles { trust, own })
}

/// The names by which clients of this machine may call it.
fn names(listen: IpAddr) -> Vec<String> {
    let mut names = ["localhost", "127.0.0.1", "::1"]
        .map(str::to_owned)
        .to_vec();
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy().into_owned();
    for name in [host, listen.to_string()] {
        if !names.contains(&name) && !name.is_empty() {
            names.push(name);
        }
    }
    names
}
#[cfg(test)]
mod tests {
    use std::fs;
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn a_changed_certificate_is_read_again_and_a_broken_one_changes_nothing() {
        let made = || {
            let home = tempfile::tempdir().expect("a folder");
            let certificates = Certificates::made(home.path(), Ipv4Addr::LOCALHOST.into());
            (home, certificates.expect("a certificate"))
        };
        let ((home, mut certificates), (other, _)) = (made(), made());
        certificates.load().expect("it was just made");
        assert!(certificates.changed().is_none());
        let path = |home: &tempfile::TempDir, name| home.path().join(FOLDER).join(name);
        fs::write(path(&home, "server-cert.pem"), "no certificate").expect("writable");
        assert!(certificates.changed().is_none());
        for name in ["server-cert.pem", "server-key.pem"] {
            fs::copy(path(&other, name), path(&home, name)).expect("both are there");
        }
        assert!(certificates.changed().is_some());
        assert!(certificates.changed().is_none());
    }
}
