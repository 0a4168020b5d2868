//! A server that takes a login, answers a query, and is what it must be.

use std::time::Duration;

use mainstay_health::MySqlProbe;
use mainstay_mysql::{ConnectOptions, Connection};

use crate::dialect;
use crate::error::Failure;

pub(crate) async fn look(probe: &MySqlProbe, limit: Duration) -> Result<(), Failure> {
    let (host, port) = (probe.address.ip().to_string(), probe.address.port());
    let login = &probe.login;
    let options =
        ConnectOptions::new(host, port, &login.user, &login.password).with_connect_timeout(limit);
    let mut connection = Connection::connect(&options).await?;
    connection.query(&probe.query).await?;
    if probe.role.needs_facts() {
        let facts = dialect::facts(&mut connection).await?;
        probe.role.check(&facts).map_err(Failure::Unfit)?;
    }
    // Without a goodbye the server counts an aborted connection at each look.
    connection.quit().await;
    Ok(())
}
