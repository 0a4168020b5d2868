//! One round after the other: health, load, fault, health, account.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mainstay_mysql::{ConnectOptions, Connection};
use tokio::time::Instant;

use crate::account::Account;
use crate::cluster::{Cluster, ClusterStatus, Fault};
use crate::error::Error;
use crate::load::{Load, Shape, TABLE};
use crate::report::{Report, Round};
use crate::verify::{Rows, rows_of_all};

/// What to drill.
#[derive(Debug, Clone)]
pub struct DrillOptions {
    /// What is done to the cluster.
    pub fault: Fault,
    /// How often.
    pub rounds: u32,
    /// The proxy, and the account that works on the servers too.
    pub proxy: ConnectOptions,
    /// Connections that write, at least 1.
    pub writers: u32,
    /// Connections that read.
    pub readers: u32,
    /// Pause of each client between two statements.
    pub pause: Duration,
    /// Load before the fault.
    pub warm_up: Duration,
    /// How long the cluster may take to be healthy again, all servers included.
    pub recovery_limit: Duration,
}

/// Where a drill is, for a progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Waiting for a healthy cluster before the round.
    Waiting,
    /// Load runs, the fault is to come.
    Loading,
    /// The fault is done; waiting for health.
    Recovering,
    /// Comparing the servers' rows.
    Verifying,
    /// The round is over.
    Finished,
}

/// Runs the drill. `progress` is told the round (from 0) and what it does.
pub async fn run<C: Cluster>(
    cluster: &C,
    options: &DrillOptions,
    progress: impl Fn(u32, Progress),
) -> Result<Report, Error> {
    progress(0, Progress::Waiting);
    let status = healthy(cluster, options.recovery_limit, 0).await?;
    let next_id = Arc::new(AtomicU64::new(prepare_table(&options.proxy).await?));
    let mut before = status;
    let mut rounds = Vec::new();
    for number in 0..options.rounds {
        let tell = |stage| progress(number, stage);
        let (round, after) = run_round(cluster, options, &next_id, before, &tell).await?;
        before = after;
        rounds.push(round);
        tell(Progress::Finished);
    }
    Ok(Report::new(rounds))
}

async fn run_round<C: Cluster>(
    cluster: &C,
    options: &DrillOptions,
    next_id: &Arc<AtomicU64>,
    before: ClusterStatus,
    progress: &impl Fn(Progress),
) -> Result<(Round, ClusterStatus), Error> {
    let first_id = next_id.load(Ordering::Relaxed);
    progress(Progress::Loading);
    let shape = Shape {
        writers: options.writers,
        readers: options.readers,
        pause: options.pause,
    };
    let load = Load::start(&options.proxy, shape, next_id);
    tokio::time::sleep(options.warm_up).await;

    let fault_at = Instant::now();
    cluster.fault(options.fault).await?;
    progress(Progress::Recovering);
    let recovered = healthy(cluster, options.recovery_limit, before.epoch + 1).await;
    let account = load.stop().await;
    let after = recovered?;
    let timeline = cluster
        .timeline(fault_at.elapsed().as_secs_f64() * 1_000.0)
        .await?;

    progress(Progress::Verifying);
    let wanted = account.acknowledged();
    let patience = Duration::from_secs(20);
    let held = rows_of_all(&after.servers, &options.proxy, first_id, &wanted, patience).await?;
    let mut round = settle(options.fault, account, &held);
    round.from = before.primary;
    round.to.clone_from(&after.primary);
    round.timeline = timeline;
    Ok((round, after))
}

/// Compares what clients saw with what the servers hold.
fn settle(fault: Fault, account: Account, held: &BTreeMap<String, Rows>) -> Round {
    let acknowledged = account.acknowledged();
    let unacknowledged = account.unacknowledged();
    let missing_on = |rows: &Rows| {
        acknowledged
            .iter()
            .filter(|id| !rows.contains_key(id))
            .count()
    };
    let missing = acknowledged
        .iter()
        .filter(|id| held.values().any(|rows| !rows.contains_key(id)));
    let present = unacknowledged
        .iter()
        .filter(|id| held.values().any(|rows| rows.contains_key(id)));
    let mut executed_on = Rows::new();
    for rows in held.values() {
        executed_on.extend(rows);
    }
    Round {
        fault,
        write_gap_ms: account.write_gap_ms(),
        read_gap_ms: account.read_gap_ms(),
        acknowledged: acknowledged.len() as u64,
        missing: missing.count() as u64,
        missing_by_server: held
            .iter()
            .map(|(server, rows)| (server.clone(), missing_on(rows) as u64))
            .collect(),
        unacknowledged_present: present.count() as u64,
        two_writers: account.two_writers(&executed_on),
        client_errors: account.errors,
        from: None,
        to: None,
        timeline: Vec::new(),
    }
}

/// Waits until a primary of at least `epoch` serves and everybody replicates from it.
async fn healthy<C: Cluster>(
    cluster: &C,
    limit: Duration,
    epoch: u64,
) -> Result<ClusterStatus, Error> {
    let give_up = Instant::now() + limit;
    loop {
        let status = cluster.status().await?;
        let wrong = match status.wrong.clone() {
            None if status.epoch >= epoch => return Ok(status),
            None => format!("the primary has not moved: still epoch {}", status.epoch),
            Some(wrong) => wrong,
        };
        if Instant::now() >= give_up {
            return Err(Error::NotHealthy {
                seconds: limit.as_secs(),
                why: wrong,
            });
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Makes the table if it is not there, and gives the first number that is free in it.
pub async fn prepare_table(proxy: &ConnectOptions) -> Result<u64, Error> {
    let mut connection = Connection::connect(proxy).await.map_err(Error::Prepare)?;
    let create = format!(
        "CREATE TABLE IF NOT EXISTS {TABLE} (id BIGINT UNSIGNED PRIMARY KEY, \
         server_id INT UNSIGNED NOT NULL) ENGINE=InnoDB"
    );
    connection.execute(&create).await.map_err(Error::Prepare)?;
    let select = format!("SELECT COALESCE(MAX(id), 0) + 1 AS next FROM {TABLE} FOR UPDATE");
    let result = connection.query(&select).await.map_err(Error::Prepare)?;
    Ok(result
        .rows
        .first()
        .and_then(|row| row.parse("next").ok())
        .unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{Write, WriteEnd};

    fn write(id: u64, end: WriteEnd) -> Write {
        Write {
            id,
            writer: 0,
            begun_ms: 0.0,
            ended_ms: 1.0,
            end,
        }
    }

    #[test]
    fn a_write_that_one_server_lacks_is_missing() {
        let account = Account {
            writes: vec![
                write(1, WriteEnd::Acknowledged),
                write(2, WriteEnd::Acknowledged),
                write(3, WriteEnd::Failed(2013)),
            ],
            ..Account::default()
        };
        let held = BTreeMap::from([
            ("db1".to_owned(), Rows::from([(1, 1), (2, 1), (3, 1)])),
            ("db2".to_owned(), Rows::from([(1, 1)])),
        ]);
        let round = settle(Fault::KillPrimary, account, &held);
        assert_eq!(round.acknowledged, 2);
        assert_eq!(round.missing, 1);
        assert_eq!(round.missing_by_server["db2"], 1);
        assert_eq!(round.unacknowledged_present, 1);
    }
}
