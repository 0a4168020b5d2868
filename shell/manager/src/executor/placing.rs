//! Where a replica without GTIDs goes on in the log of its new source: where both are known to be
//! the same, or, for one that is behind, where its own log ends in the source's by content. That
//! needs both servers to log what they apply.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use mainstay_binlog::{Transactions, align, content};
use mainstay_failover::Start;
use mainstay_mysql::Connection;
use mainstay_topology::coordinate::{reaches, shown, start_in};
use mainstay_topology::{Coordinate, Facts, Logging, ServerName};
use tokio::task::spawn_blocking;

use super::effects::lend;
use super::{Executor, dialect, salvage};
use crate::look::look;
use crate::positions::trim;

/// Files of a log that are compared, the newest ones: a replica that is further behind than they
/// reach gets new data.
const FILES: usize = 2;
/// No more is read of one log.
const BYTES_MAX: u64 = 4 << 30;

/// What a place is found with.
#[derive(Clone, Copy)]
pub(super) struct Placing<'a> {
    pub(super) executor: &'a Executor,
    pub(super) server: &'a ServerName,
    pub(super) source: &'a ServerName,
    pub(super) start: &'a Start,
}

impl Placing<'_> {
    /// The file and the position at which the replica goes on. It has been stopped.
    pub(super) async fn place(self, connection: &mut Connection) -> Result<(String, u64), String> {
        let mut facts = look(connection, "")
            .await
            .map_err(|error| error.to_string())?;
        let Start { uuid, base, equal } = self.start;
        trim(connection, &mut facts, equal).await;
        if let Some(found) = start_in(&facts.executed, equal, uuid) {
            return Ok((found.log_name(base), found.position()));
        }
        let found = self.by_content(&facts).await;
        found.map_err(|reason| {
            format!(
                "it stands at {}, and where that is in the log of {} is not known ({reason}): it \
                 needs the data of another server",
                shown(&facts.executed),
                self.source
            )
        })
    }

    /// Only a replica that is behind is looked for: one that is beyond has what others lack.
    async fn by_content(self, facts: &Facts) -> Result<(String, u64), String> {
        let Start { uuid, base, equal } = self.start;
        let until = Coordinate::of(equal, uuid);
        let until = until.ok_or("nothing is recorded of the beginning of this reign")?;
        if facts.link.is_none() || reaches(&facts.executed, equal) != Some(false) {
            return Err("it is not known to be behind".to_owned());
        }
        if facts.setup.logging != Logging::All {
            return Err("it does not log what it applies".to_owned());
        }
        let folder = self
            .executor
            .salvage
            .join(format!("placing-{}", self.server));
        let read = async {
            let of_replica = self.copy(self.server, None, &folder).await?;
            let last = until.log_name(base);
            let of_source = self.copy(self.source, Some(&last), &folder).await?;
            let aligned =
                spawn_blocking(move || aligned(&of_source, &of_replica, (&last, until.position())));
            aligned.await.expect("reading a log does not panic")
        };
        let found = read.await;
        let _ = fs::remove_dir_all(&folder);
        found
    }

    /// Copies the newest files of a server's log, or those up to this one and all after it.
    async fn copy(
        self,
        server: &ServerName,
        last: Option<&str>,
        folder: &Path,
    ) -> Result<Vec<PathBuf>, String> {
        let mut connection = lend(self.executor, server).await?.keep();
        let logs = connection.query(dialect::BINARY_LOGS).await;
        let logs = logs.map_err(|error| error.to_string())?;
        let name = |row: &mainstay_mysql::Row| row.get_index(0).unwrap_or_default().to_owned();
        let names: Vec<String> = logs.rows.iter().map(name).collect();
        let end = last.map_or(names.len().checked_sub(1), |last| {
            names.iter().position(|name| name == last)
        });
        let end = end.ok_or_else(|| format!("{server} has not the log that is needed"))?;
        let first = end.saturating_sub(FILES - 1);
        let sizes = logs.rows[first..].iter().filter_map(|row| row.get_index(1));
        let bytes: u64 = sizes.filter_map(|size| size.parse::<u64>().ok()).sum();
        if bytes > BYTES_MAX {
            return Err(format!("the log of {server} is too long to be read"));
        }
        let folder = folder.join(server.as_str());
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        salvage::copy(connection, &names[first], &folder).await
    }
}

/// Where the replica's log ends in the source's, which counts up to there.
fn aligned(
    of_source: &[PathBuf],
    of_replica: &[PathBuf],
    (last, until): (&str, u64),
) -> Result<(String, u64), String> {
    let mut places = Vec::new();
    let mut source = Vec::new();
    for path in of_source {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        for (content, end) in contents(path)? {
            if name != last || end <= until {
                source.push(content);
                places.push((name.to_string(), end));
            }
        }
        if name == last {
            break;
        }
    }
    let mut replica = Vec::new();
    for path in of_replica {
        replica.extend(contents(path)?.into_iter().map(|(content, _)| content));
    }
    let number = align(&source, &replica);
    let number = number.ok_or("its log does not end at exactly one place of the other")?;
    Ok(places.swap_remove(number - 1))
}

/// The transactions of a log: what they say, and where they end.
fn contents(path: &Path) -> Result<Vec<(u64, u64)>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let file = File::open(path).map_err(|error| failed(&error))?;
    let mut log = Transactions::new(BufReader::new(file)).map_err(|error| failed(&error))?;
    let mut found = Vec::new();
    while let Some(one) = log.next_transaction().map_err(|error| failed(&error))? {
        found.push((content(&one).map_err(|error| failed(&error))?, one.end));
    }
    Ok(found)
}
