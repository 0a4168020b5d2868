//! What a sandbox keeps besides its servers: its own ports, and the login of its API.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use mainstay_dashboard::Server as ApiServer;
use mainstay_sandbox::{Flavor, Prepared};
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpSocket};

use crate::args::SandboxArgs;
use crate::output::BadInput;
use crate::runfile::write_private;

/// The ports people know from ProxySQL, and the first port of the servers.
const PROXY_PORT: u16 = 6033;
const ADMIN_PORT: u16 = 6032;
const API_PORT: u16 = 6080;
const FIRST_SERVER_PORT: u16 = 13306;

const FILE: &str = "mainstay.access.json";
/// Written by the library that runs the servers.
const SANDBOX_FILE: &str = "sandbox.json";

/// The file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Access {
    proxy_port: u16,
    admin_port: u16,
    api_port: u16,
    pub(super) api_user: String,
    pub(super) api_password: String,
    #[serde(skip)]
    file: PathBuf,
}

/// Ports that are taken, so that nobody else gets them while the servers start.
pub(super) struct Ports {
    pub(super) proxy: SocketAddr,
    /// Bound and not listening: nobody is given the port, and the proxy can share it.
    _proxy_held: TcpSocket,
    pub(super) admin: TcpListener,
    pub(super) api: ApiServer,
}

impl Access {
    /// What the directory keeps, with the ports that the arguments ask for.
    pub(super) fn open(dir: &Path, args: &SandboxArgs) -> Result<Self> {
        let file = dir.join(FILE);
        let mut access = match fs::read_to_string(&file) {
            Ok(text) => serde_json::from_str(&text)
                .with_context(|| format!("{} is damaged; remove it", file.display()))?,
            Err(_) => Self::new()?,
        };
        access.file = file;
        access.proxy_port = args.proxy_port.unwrap_or(access.proxy_port);
        access.admin_port = args.admin_port.unwrap_or(access.admin_port);
        access.api_port = args.api_port.unwrap_or(access.api_port);
        Ok(access)
    }

    fn new() -> Result<Self> {
        Ok(Self {
            proxy_port: PROXY_PORT,
            admin_port: ADMIN_PORT,
            api_port: API_PORT,
            api_user: "mainstay".to_owned(),
            api_password: random_password()?,
            file: PathBuf::new(),
        })
    }

    /// Takes the ports; keeps what was chosen for 0.
    pub(super) async fn take_ports(&self, prepared: &Prepared) -> Result<Ports> {
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let held = hold(local(self.proxy_port), "--proxy-port").await?;
        let proxy = held.local_addr()?;
        let admin = TcpListener::bind(local(self.admin_port))
            .await
            .map_err(|error| taken(local(self.admin_port), "--admin-port", &error))?;
        let api = ApiServer::bind(local(self.api_port))
            .await
            .map_err(|error| BadInput(format!("{error}; or choose another with --api-port")))?;
        let chosen = Self {
            proxy_port: proxy.port(),
            admin_port: admin.local_addr()?.port(),
            api_port: api
                .address()
                .map_or(self.api_port, |address| address.port()),
            api_user: self.api_user.clone(),
            api_password: self.api_password.clone(),
            file: self.file.clone(),
        };
        debug_assert!(chosen.file.starts_with(prepared.dir()));
        chosen.write()?;
        Ok(Ports {
            proxy,
            _proxy_held: held,
            admin,
            api,
        })
    }

    fn write(&self) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        write_private(&self.file, &text)
    }
}

/// The proxy opens its port itself, once for each worker; until then it is kept for it.
async fn hold(address: SocketAddr, option: &str) -> Result<TcpSocket> {
    let told = |error| taken(address, option, &error);
    // Another proxy of the same user would share it: this one would not.
    let free = TcpListener::bind(address)
        .await
        .map_err(told)?
        .local_addr()?;
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(free).map_err(told)?;
    Ok(socket)
}

fn taken(address: SocketAddr, option: &str, error: &std::io::Error) -> BadInput {
    BadInput(format!(
        "cannot listen on {address} ({error}): stop the program that uses the port, or choose \
         another with {option} (0 takes any free one)"
    ))
}

/// 24 characters of 5 random bits each, none of which needs quoting anywhere.
fn random_password() -> Result<String> {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes).context("the system gives no random bytes")?;
    Ok(bytes
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
        .collect())
}

/// The flavor of the servers that the directory holds.
pub(super) fn kept_flavor(dir: &Path) -> Option<Flavor> {
    let text = fs::read_to_string(dir.join(SANDBOX_FILE)).ok()?;
    let value: serde_json::Value = serde_json::from_str(&text).ok()?;
    value["flavor"].as_str()?.parse().ok()
}

/// A directory keeps its servers' ports (0); a new one begins at the usual place.
pub(super) fn first_port(dir: &Path) -> u16 {
    if dir.join(SANDBOX_FILE).exists() {
        0
    } else {
        FIRST_SERVER_PORT
    }
}
