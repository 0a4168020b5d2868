//! Looks at things: one attempt, within a limit, for balanced servers and for tracks.
//!
//! What an answer means is left to `core/health`; when to look again, to whoever asks.
//!
//! **Invariant:** a look ends within its limit, whatever it looks at, and leaves no process behind.

mod dialect;
mod error;
mod host;
mod http;
mod mysql;
mod script;
mod watch;

use std::time::Duration;

use mainstay_health::Probe;
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

pub use error::Failure;
pub use script::run as run_script;
pub use watch::watch;

/// What passed, with what it said besides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Passed {
    /// The weight that a script gave.
    pub weight: Option<u32>,
}

/// Looks once.
pub async fn look(probe: &Probe, limit: Duration) -> Result<Passed, Failure> {
    let nothing_said = |()| Passed::default();
    let looked = async {
        match probe {
            Probe::Tcp { address } => {
                let connected = TcpStream::connect(address).await;
                connected
                    .map(drop)
                    .map(nothing_said)
                    .map_err(Failure::Connect)
            }
            Probe::MySql(probe) => mysql::look(probe, limit).await.map(nothing_said),
            Probe::Http(probe) => http::look(probe).await.map(nothing_said),
            Probe::Script(script) => script::look(script).await,
            Probe::Process { .. } | Probe::File { .. } | Probe::Route { .. } => {
                let probe = probe.clone();
                let looked = spawn_blocking(move || host::look(&probe)).await;
                looked.unwrap_or(Err(Failure::Stopping)).map(nothing_said)
            }
        }
    };
    timeout(limit, looked)
        .await
        .unwrap_or(Err(Failure::Late(limit)))
}

#[cfg(test)]
mod tests;
