//! Replaces a server's data: MySQL copies them itself, for MariaDB the host must have a means.

use std::time::Duration;

use mainstay_failover::{Output, Step};
use mainstay_mysql::{Connection, Error};
use mainstay_topology::{Dialect, ServerName, Target};
use tokio::time::sleep;

use super::effects::{facts, filling, host, lend};
use super::{Done, Executor, dialect, statements};

/// Pause between two looks at a server that restarts.
const RESTART_PAUSE: Duration = Duration::from_millis(250);

/// `ER_RESTART_SERVER_FAILED`: nobody supervises the server, so it stops instead of restarting.
const NOT_SUPERVISED: u16 = 3707;

pub(super) async fn run(
    executor: &Executor,
    step: &Step,
    server: &ServerName,
    donor: &Target,
) -> Done {
    let place = step.place.as_ref();
    let clones = place.is_some_and(|place| match place.dialect {
        Dialect::Mysql80 | Dialect::Mysql8026 | Dialect::Mysql => true,
        Dialect::Mysql56 | Dialect::Mysql57 | Dialect::Mariadb => false,
    });
    if clones {
        clone(executor, step, server, donor).await?;
    } else {
        host(executor, "replace its data", server)?
            .reseed(server, donor)
            .await?;
    }
    // It comes back by itself; until then there is nothing to be done with it.
    loop {
        sleep(RESTART_PAUSE).await;
        if let Ok(mut connection) = lend(executor, server).await
            && facts(&mut connection).await.is_ok()
        {
            return Ok(Output::Done);
        }
    }
}

/// The server ends itself when the copy is complete: a lost connection is success of the last
/// statement, and of no other.
async fn clone(
    executor: &Executor,
    step: &Step,
    server: &ServerName,
    donor: &Target,
) -> Result<(), String> {
    let source = facts(&mut lend(executor, &donor.name).await?)
        .await?
        .semi_sync;
    if source.source_enabled && source.clients == 0 {
        // `CLONE` waits for the commits of its donor, and those would wait for this server.
        let reason = "its commits wait for a replica: attach one first";
        return Err(format!("{} cannot be copied now: {reason}", donor.name));
    }
    for end in [&donor.name, server] {
        let mut connection = lend(executor, end).await?;
        let installed = install(&mut connection).await;
        installed.map_err(|error| format!("{end} has no CLONE plugin: {error}"))?;
    }
    let mut connection = lend(executor, server).await?;
    let [writable, donors, copy] = dialect::clone_from(donor, &executor.login);
    statements::run(
        &mut connection,
        &[writable, donors],
        filling(executor, step),
    )
    .await?;
    match connection.execute(&copy).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_closed() || error.server_code() == Some(NOT_SUPERVISED) => Ok(()),
        Err(error) => Err(format!("the copy from {} failed: {error}", donor.name)),
    }
}

async fn install(connection: &mut Connection) -> Result<(), Error> {
    let state = connection.query(dialect::CLONE_STATE).await?;
    let is = |column| state.first().and_then(|row| row.get(column)) == Some("1");
    if is("installed") {
        return Ok(());
    }
    if is("read_only") {
        connection.execute(dialect::SUPER_READ_ONLY_OFF).await?;
    }
    let installed = connection.execute(dialect::INSTALL_CLONE).await;
    if is("read_only") {
        connection.execute(dialect::SUPER_READ_ONLY_ON).await?;
    }
    installed.map(|_| ())
}
