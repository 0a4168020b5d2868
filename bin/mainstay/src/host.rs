//! What the manager can do on the hosts of a sandbox's servers: they are our own children.

use std::sync::Arc;

use mainstay_failover::Hooks;
use mainstay_manager::{HostControl, Pending};
use mainstay_sandbox::{Flavor, Sandbox, Signal};
use mainstay_topology::ServerName;

/// The supervisor of the sandbox, as the manager's hand on the hosts.
pub(crate) struct SandboxHost {
    pub(crate) sandbox: Arc<Sandbox>,
}

impl HostControl for SandboxHost {
    fn hooks(&self, server: &ServerName) -> Hooks {
        let ours = self
            .sandbox
            .servers()
            .iter()
            .any(|known| known.name == *server);
        // Only MySQL has a statement that replaces a server's data.
        Hooks {
            end_process: ours,
            reseed: ours && self.sandbox.flavor() == Flavor::MySql,
        }
    }

    fn end_process(&self, server: &ServerName) -> Pending<'_, Result<(), String>> {
        let server = server.clone();
        Box::pin(async move {
            let gone = self.sandbox.kill(server.as_str(), Signal::KILL).await;
            gone.map_err(|error| error.to_string())
        })
    }

    fn save_errant(&self, server: &ServerName, gtids: &str) -> Pending<'_, Result<String, String>> {
        let (server, gtids) = (server.clone(), gtids.to_owned());
        Box::pin(async move {
            let sandbox = Arc::clone(&self.sandbox);
            let copy = move || save(&sandbox, server.as_str(), &gtids);
            let saved = tokio::task::spawn_blocking(copy).await;
            saved.map_err(|error| error.to_string())?
        })
    }
}

/// Copies the binary logs aside, with a note that says which transactions they are kept for.
fn save(sandbox: &Sandbox, server: &str, gtids: &str) -> Result<String, String> {
    let folder = sandbox
        .salvage_folder(server)
        .map_err(|error| error.to_string())?;
    let saved = sandbox
        .save_binlogs(server, &folder)
        .map_err(|error| error.to_string())?;
    let note = folder.join("transactions.txt");
    std::fs::write(&note, format!("{gtids}\n"))
        .map_err(|error| format!("cannot write {}: {error}", note.display()))?;
    Ok(format!("{} files in {}", saved.len(), folder.display()))
}
