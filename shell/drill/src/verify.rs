//! What the servers hold after a round, read from each of them directly.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mainstay_mysql::{ConnectOptions, Connection};
use tokio::time::Instant;

use crate::cluster::ServerStatus;
use crate::error::Error;
use crate::load::TABLE;

/// The rows of one server: number of the write and the `server_id` that executed it.
pub type Rows = BTreeMap<u64, u32>;

/// Reads the rows from `first` on of every server; a replica gets up to `patience` to apply what
/// is `wanted`, since being late is not the same as having lost.
pub async fn rows_of_all(
    servers: &[ServerStatus],
    login: &ConnectOptions,
    first: u64,
    wanted: &BTreeSet<u64>,
    patience: Duration,
) -> Result<BTreeMap<String, Rows>, Error> {
    let mut all = BTreeMap::new();
    for server in servers {
        let mut options = login.clone();
        options.host.clone_from(&server.host);
        options.port = server.port;
        let rows = rows_of(&options, first, wanted, patience)
            .await
            .map_err(|source| Error::Verify {
                server: server.name.clone(),
                source,
            })?;
        all.insert(server.name.clone(), rows);
    }
    Ok(all)
}

async fn rows_of(
    options: &ConnectOptions,
    first: u64,
    wanted: &BTreeSet<u64>,
    patience: Duration,
) -> Result<Rows, mainstay_mysql::Error> {
    let give_up = Instant::now() + patience;
    let mut connection = Connection::connect(options).await?;
    loop {
        let select = format!("SELECT id, server_id FROM {TABLE} WHERE id >= {first}");
        let result = connection.query(&select).await?;
        let rows: Rows = result
            .rows
            .iter()
            .filter_map(|row| Some((row.parse("id").ok()?, row.parse("server_id").ok()?)))
            .collect();
        let complete = wanted.iter().all(|id| rows.contains_key(id));
        if complete || Instant::now() >= give_up {
            return Ok(rows);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
