//! How a server is asked what it is, and how it answers, with the old words of either family.

use std::time::Duration;

use mainstay_health::{Facts, Link};
use mainstay_mysql::{Connection, Error, ResultSet, Row};

/// `super_read_only` implies it.
const READ_ONLY: &str = "SELECT @@GLOBAL.read_only";

/// Asks a server what it is.
pub(crate) async fn facts(connection: &mut Connection) -> Result<Facts, Error> {
    let read_only = connection.query(READ_ONLY).await?;
    // A number, or the names of MariaDB 12.
    let read_only = !matches!(read_only.scalar(), Some("0" | "OFF"));
    let links = links(connection).await?;
    let running = |row: &Row| {
        let on = |old: &str, new: &str| row.get(old).or(row.get(new)) == Some("Yes");
        on("Slave_IO_Running", "Replica_IO_Running")
            && on("Slave_SQL_Running", "Replica_SQL_Running")
    };
    let lag = |row: &Row| {
        let seconds = row
            .get("Seconds_Behind_Master")
            .or(row.get("Seconds_Behind_Source"));
        seconds?.parse().ok().map(Duration::from_secs)
    };
    let lags: Option<Vec<_>> = links.rows.iter().map(lag).collect();
    let link = (!links.rows.is_empty()).then(|| Link {
        running: links.rows.iter().all(running),
        lag: lags.and_then(|lags| lags.into_iter().max()),
    });
    Ok(Facts { read_only, link })
}

/// One row for each source.
async fn links(connection: &mut Connection) -> Result<ResultSet, Error> {
    if connection.is_mariadb() {
        return connection.query("SHOW ALL SLAVES STATUS").await;
    }
    match connection.query("SHOW REPLICA STATUS").await {
        // Before MySQL 8.0.22 this is a mistake of syntax.
        Err(Error::Server { code: 1064, .. }) => connection.query("SHOW SLAVE STATUS").await,
        answer => answer,
    }
}
