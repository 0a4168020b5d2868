//! Proves that a server has its accounts, and only then forgets the file that made them.

use std::fs;
use std::path::Path;

use mainstay_mysql::{ConnectOptions, Connection};
use mainstay_topology::Address;

use crate::credentials::Credentials;
use crate::layout::accounts_file;
use crate::sandbox::SandboxServer;
use crate::{Result, SandboxError};

/// Logs in as the manager, whose account is the last that the file makes: a server runs that file
/// up to the first error, and starts all the same.
pub(crate) async fn prove(
    server: &SandboxServer,
    directory: &Path,
    credentials: &Credentials,
) -> Result<()> {
    let file = accounts_file(directory);
    if !file.exists() {
        return Ok(());
    }
    let Address { host, port } = &server.address;
    let login = &credentials.manager;
    let options = ConnectOptions::new(host, *port, &login.user, &login.password);
    Connection::connect(&options)
        .await
        .map_err(|error| SandboxError::Accounts {
            server: server.name.to_string(),
            reason: error.to_string(),
            log: directory.join("mysqld.log"),
        })?;
    fs::remove_file(&file).map_err(SandboxError::io("delete", &file))
}
