//! What a donor is asked before, while and after its data are copied.

use std::time::Duration;

use mainstay_gtid::mariadb::MariadbSet;
use mainstay_mysql::{ConnectOptions, Connection};
use mainstay_topology::Address;
use tokio::time::sleep;

use crate::credentials::Credentials;
use crate::dialect::mariadb::{BINLOG_STATE, COMMITS_WAIT};
use crate::sandbox::SandboxServer;
use crate::{Result, SandboxError};

const LOOK_EVERY: Duration = Duration::from_secs(1);
const PATIENCE: u32 = 5;

/// What a running server's binary logs hold.
pub(super) async fn held(server: &SandboxServer, credentials: &Credentials) -> Result<MariadbSet> {
    let state = ask(server, credentials, BINLOG_STATE).await?;
    let set = state.parse::<MariadbSet>();
    set.map_err(|error| refused(server, &error.to_string()))
}

/// Refuses a primary without a replica that acknowledges: its commits wait, and the copy would
/// wait for them. The server that is to be reseeded could not end that, being down for it.
pub(super) async fn require_commits(
    server: &SandboxServer,
    credentials: &Credentials,
) -> Result<()> {
    match ask(server, credentials, COMMITS_WAIT).await?.as_str() {
        "1" => Err(refused(
            server,
            "no replica acknowledges its commits, and a copy would wait for them",
        )),
        _ => Ok(()),
    }
}

/// Returns when the donor has kept a copy from ending for a while: its commits wait, or it hangs.
pub(super) async fn stall(server: &SandboxServer, credentials: &Credentials) -> SandboxError {
    let mut looks = 0;
    loop {
        sleep(LOOK_EVERY).await;
        match require_commits(server, credentials).await {
            Ok(()) => looks = 0,
            Err(error) if looks >= PATIENCE => return error,
            Err(_) => looks += 1,
        }
    }
}

async fn ask(server: &SandboxServer, credentials: &Credentials, sql: &str) -> Result<String> {
    let Address { host, port } = &server.address;
    let login = &credentials.manager;
    let options = ConnectOptions::new(host, *port, &login.user, &login.password);
    let told = async {
        let mut connection = Connection::connect(&options).await?;
        connection.query_within(sql, options.connect_timeout).await
    };
    let answer = told
        .await
        .map_err(|error| refused(server, &error.to_string()))?;
    Ok(answer.scalar().unwrap_or_default().to_owned())
}

fn refused(server: &SandboxServer, reason: &str) -> SandboxError {
    SandboxError::Donor {
        donor: server.name.to_string(),
        reason: reason.to_owned(),
    }
}
