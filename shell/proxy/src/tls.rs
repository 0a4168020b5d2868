//! Certificates and authorities from files, as the filters use them. Which files is said by the
//! settings; when to look at them again, by `bin`.

mod files;
mod generate;
#[cfg(test)]
mod tests;
mod trust;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::filters::{Filters, Network, Towards};
pub use generate::generate;

/// TLS towards clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientTlsFiles {
    /// The certificate and its chain, in PEM.
    pub certificate: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
    /// Certificates of clients.
    pub clients: ClientCertificates,
}

/// What is done about certificates of clients.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ClientCertificates {
    /// They are not asked for.
    #[default]
    Ignored,
    /// Who shows one must show one that an authority of this file has signed.
    Optional(PathBuf),
    /// Everybody must show one that an authority of this file has signed.
    Required(PathBuf),
}

/// TLS towards servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerTlsFiles {
    /// Which certificates of servers are believed.
    pub trust: Trust,
    /// The proxy's own certificate and key, where servers ask for one.
    pub own: Option<(PathBuf, PathBuf)>,
}

/// Which certificates of servers are believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// Any: protects from listeners, not from impostors.
    Anybody,
    /// What an authority of this file has signed, for whatever name.
    Authority(PathBuf),
    /// What an authority of this file has signed for the server's host name or address.
    Identity(PathBuf),
}

/// What the filters are made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilterFiles {
    /// TLS towards clients.
    pub clients: Option<ClientTlsFiles>,
    /// TLS towards servers.
    pub servers: Option<ServerTlsFiles>,
    /// Who may tell, by the PROXY protocol, which client is behind it.
    pub believed: Vec<Network>,
}

/// Why certificates are of no use.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or written.
    #[error("cannot {verb} {path}: {reason}", path = path.display())]
    File {
        /// What was tried.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        reason: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{path} holds no {what} in PEM", path = path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// What is missing.
        what: &'static str,
    },
    /// A certificate, its key and its authority are not usable together.
    #[error("{path}: {reason}", path = path.display())]
    Unusable {
        /// The file of the certificate.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// No certificate could be made.
    #[error("no certificate can be made: {0}")]
    Generate(#[from] rcgen::Error),
}

impl FilterFiles {
    /// Reads the files. Nothing is kept of a failed attempt.
    pub fn load(&self) -> Result<Filters, TlsError> {
        let clients = self.clients.as_ref().map(server_config).transpose()?;
        let servers = self.servers.as_ref().map(client_config).transpose()?;
        Ok(Filters {
            clients: clients.map(Arc::new),
            servers: servers.map(Towards::new),
            believed: self.believed.clone(),
        })
    }

    /// When each file was last changed; a file that cannot be looked at counts as changed once.
    pub fn stamps(&self) -> Vec<Option<(SystemTime, u64)>> {
        let mut files = Vec::new();
        if let Some(clients) = &self.clients {
            files.extend([&clients.certificate, &clients.key]);
            match &clients.clients {
                ClientCertificates::Ignored => {}
                ClientCertificates::Optional(ca) | ClientCertificates::Required(ca) => {
                    files.push(ca);
                }
            }
        }
        if let Some(servers) = &self.servers {
            match &servers.trust {
                Trust::Anybody => {}
                Trust::Authority(ca) | Trust::Identity(ca) => files.push(ca),
            }
            files.extend(servers.own.iter().flat_map(|(one, other)| [one, other]));
        }
        let stamp = |path: &&PathBuf| {
            let seen = std::fs::metadata(path).ok()?;
            Some((seen.modified().ok()?, seen.len()))
        };
        files.iter().map(stamp).collect()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn server_config(files: &ClientTlsFiles) -> Result<ServerConfig, TlsError> {
    let unusable = |reason: String| TlsError::Unusable {
        path: files.certificate.clone(),
        reason,
    };
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(error.to_string()))?;
    let builder = match &files.clients {
        ClientCertificates::Ignored => builder.with_no_client_auth(),
        ClientCertificates::Optional(ca) | ClientCertificates::Required(ca) => {
            let roots = Arc::new(authorities(ca)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
            let verifier = match &files.clients {
                ClientCertificates::Required(_) => verifier,
                ClientCertificates::Ignored | ClientCertificates::Optional(_) => {
                    verifier.allow_unauthenticated()
                }
            };
            let verifier = verifier.build().map_err(|error| TlsError::Unusable {
                path: ca.clone(),
                reason: error.to_string(),
            })?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let chain = files::certificates(&files.certificate)?;
    let key = files::key(&files.key)?;
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| unusable(error.to_string()))?;
    config.ticketer =
        rustls::crypto::ring::Ticketer::new().map_err(|error| unusable(error.to_string()))?;
    Ok(config)
}

fn client_config(files: &ServerTlsFiles) -> Result<ClientConfig, TlsError> {
    let unusable = |path: &PathBuf, reason: rustls::Error| TlsError::Unusable {
        path: path.clone(),
        reason: reason.to_string(),
    };
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&PathBuf::new(), error))?;
    let roots = match &files.trust {
        Trust::Anybody => None,
        Trust::Authority(ca) | Trust::Identity(ca) => Some(authorities(ca)?),
    };
    let builder = match (roots, &files.trust) {
        (Some(roots), Trust::Identity(_)) => builder.with_root_certificates(roots),
        (roots, _) => {
            let verifier = Arc::new(trust::Verifier::new(provider(), roots));
            builder
                .dangerous()
                .with_custom_certificate_verifier(verifier)
        }
    };
    match &files.own {
        None => Ok(builder.with_no_client_auth()),
        Some((certificate, key)) => builder
            .with_client_auth_cert(files::certificates(certificate)?, files::key(key)?)
            .map_err(|error| unusable(certificate, error)),
    }
}

fn authorities(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in files::certificates(path)? {
        roots.add(certificate).map_err(|error| TlsError::Unusable {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
    }
    Ok(roots)
}
