//! Keeps the transactions that only one server has, before its data are replaced: its binary logs
//! from the first of them on, as they are, and SQL that runs them again. They are read through a
//! connection, so that nothing is needed on the server's host.

use std::fs::{self, DirBuilder, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use mainstay_binlog::{DELIMITER, Kind, Script, Transactions, put_text};
use mainstay_gtid::{Difference, GtidSet};
use mainstay_mysql::Connection;
use mainstay_topology::ServerName;
use tokio::task::spawn_blocking;

use super::effects::lend;
use super::{Executor, dialect};

/// What every binary log begins with.
const MAGIC: &[u8] = b"\xfebin";
const HEADER_BYTES: usize = 19;
/// Where the type stands in an event, and its flags.
const KIND_AT: usize = 4;
const FLAGS_AT: usize = 17;
/// An event that the stream has and the log has not (`LOG_EVENT_ARTIFICIAL_F`).
const ARTIFICIAL: u8 = 0x20;

/// The file of what runs the transactions again.
const SQL: &str = "transactions.sql";

/// What was saved of a server.
#[derive(Debug, Clone)]
pub(crate) struct Saved {
    /// Which transactions, as text.
    pub(super) gtids: String,
    /// The folder.
    pub(super) folder: PathBuf,
    /// The binary logs in it, in order.
    pub(super) logs: Vec<PathBuf>,
}

/// Saves them all, or fails and leaves nothing behind.
pub(super) async fn save(
    executor: &Executor,
    server: &ServerName,
    transactions: &Difference,
) -> Result<Saved, String> {
    let mut connection = lend(executor, server).await?.keep();
    let first = first_log(&mut connection, transactions).await?;
    let folder = new_folder(&executor.salvage, server)?;
    let saved = async {
        let logs = copy(connection, &first, &folder).await?;
        let (folder, transactions) = (folder.clone(), transactions.clone());
        let read = logs.clone();
        let written = spawn_blocking(move || write_sql(&read, &folder, &transactions));
        written
            .await
            .expect("reading a log does not panic")
            .map(|()| logs)
    };
    let saved = saved.await;
    if saved.is_err() {
        let _ = fs::remove_dir_all(&folder);
    }
    saved.map(|logs| Saved {
        gtids: transactions.to_string(),
        folder,
        logs,
    })
}

/// The newest log before which none of the transactions was written.
async fn first_log(
    connection: &mut Connection,
    transactions: &Difference,
) -> Result<String, String> {
    let logs = connection.query(dialect::BINARY_LOGS).await;
    let logs = logs.map_err(|error| error.to_string())?;
    let names = logs.rows.iter().rev();
    let names = names.filter_map(|row| row.get_index(0).map(str::to_owned));
    let mut first = None;
    for name in names {
        let events = connection.query(&dialect::first_events(&name)).await;
        let events = events.map_err(|error| error.to_string())?;
        let earlier = events.rows.iter().find_map(|row| {
            let kind = row.get("Event_type")?;
            let lists = ["Previous_gtids", "Gtid_list"].contains(&kind);
            lists.then(|| row.get("Info").unwrap_or_default().to_owned())
        });
        first = Some(name);
        if earlier.is_some_and(|text| !holds_any(&text, transactions)) {
            break;
        }
    }
    first.ok_or_else(|| "it has no binary logs".to_owned())
}

/// Whether a list of earlier GTIDs, as the server shows it, names one of the transactions.
fn holds_any(earlier: &str, transactions: &Difference) -> bool {
    let text = earlier.trim_matches(['[', ']']);
    match transactions {
        Difference::Mysql(wanted) => match GtidSet::parse(mainstay_gtid::Family::Mysql, text) {
            Ok(GtidSet::Mysql(earlier)) => !earlier.intersect(wanted).is_empty(),
            Ok(GtidSet::Mariadb(_)) | Err(_) => true,
        },
        Difference::Mariadb(ranges) => {
            let Ok(GtidSet::Mariadb(earlier)) =
                GtidSet::parse(mainstay_gtid::Family::Mariadb, text)
            else {
                return true;
            };
            ranges.iter().any(|range| {
                let first = range.first();
                earlier.iter().any(|newest| {
                    (newest.domain, newest.server) == (first.domain, first.server)
                        && newest.sequence >= first.sequence
                })
            })
        }
    }
}

/// The first folder `server-1`, `server-2`, ... that is not there yet, now made, for nobody else.
fn new_folder(salvage: &Path, server: &ServerName) -> Result<PathBuf, String> {
    let failed = |path: &Path, error: io::Error| format!("cannot make {}: {error}", path.display());
    fs::create_dir_all(salvage).map_err(|error| failed(salvage, error))?;
    for number in 1_u32.. {
        let folder = salvage.join(format!("{server}-{number}"));
        match DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => {
                return made
                    .map(|()| folder.clone())
                    .map_err(|error| failed(&folder, error));
            }
        }
    }
    Err(format!("{} is full", salvage.display()))
}

/// Copies the log of this name and all after it, each under its name, to the disk.
pub(super) async fn copy(
    connection: Connection,
    first: &str,
    folder: &Path,
) -> Result<Vec<PathBuf>, String> {
    let dump = connection.dump_binlog(first).await;
    let mut dump = dump.map_err(|error| error.to_string())?;
    let mut copy = Copy::default();
    while let Some(event) = dump.next_event().await.map_err(|error| error.to_string())? {
        let added = copy.add(&event, folder);
        added.map_err(|error| format!("cannot write to {}: {error}", folder.display()))?;
    }
    copy.finish()
        .map_err(|error| format!("cannot write to {}: {error}", folder.display()))
}

/// The logs that are being written.
#[derive(Default)]
struct Copy {
    open: Option<BufWriter<File>>,
    paths: Vec<PathBuf>,
}

impl Copy {
    fn add(&mut self, event: &[u8], folder: &Path) -> io::Result<()> {
        let short = || io::Error::new(io::ErrorKind::InvalidData, "an event without a header");
        let kind = Kind::of(*event.get(KIND_AT).ok_or_else(short)?);
        let is_artificial = event.get(FLAGS_AT).ok_or_else(short)? & ARTIFICIAL != 0;
        if kind == Kind::Rotate && is_artificial {
            // The position, then the name of the log whose events follow.
            let name = event.get(HEADER_BYTES + 8..).ok_or_else(short)?;
            return self.begin(folder.join(file_name(name)));
        }
        match &mut self.open {
            Some(log) if kind != Kind::Heartbeat => log.write_all(event),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, path: PathBuf) -> io::Result<()> {
        if self.paths.last() == Some(&path) {
            return Ok(());
        }
        self.close()?;
        let mut log = BufWriter::new(File::create_new(&path)?);
        log.write_all(MAGIC)?;
        self.open = Some(log);
        self.paths.push(path);
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        match self.open.take() {
            Some(log) => log.into_inner()?.sync_all(),
            None => Ok(()),
        }
    }

    fn finish(mut self) -> io::Result<Vec<PathBuf>> {
        self.close()?;
        Ok(self.paths)
    }
}

/// The last part of what the server calls its log: a path would lead out of the folder.
fn file_name(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let last = name.rsplit('/').next().unwrap_or_default();
    last.trim_matches(['.', '\0']).to_owned()
}

/// Writes what runs the transactions again, and makes sure that none is missing.
fn write_sql(logs: &[PathBuf], folder: &Path, transactions: &Difference) -> Result<(), String> {
    let path = folder.join(SQL);
    let failed = |error: io::Error| format!("cannot write {}: {error}", path.display());
    let mut out = BufWriter::new(File::create_new(&path).map_err(failed)?);
    out.write_all(DELIMITER.as_bytes()).map_err(failed)?;
    let mut found = Vec::new();
    for log in logs {
        let place = |error: &dyn std::fmt::Display| format!("{}: {error}", log.display());
        let file = File::open(log).map_err(|error| place(&error))?;
        let mut log = Transactions::new(BufReader::new(file)).map_err(|error| place(&error))?;
        let script = Script::new(log.format());
        let mut text = Vec::new();
        put_text(&mut text, "", &script.begin());
        while let Some(one) = log.next_transaction().map_err(|error| place(&error))? {
            let Some(gtid) = one.gtid.filter(|gtid| gtid.is_among(transactions)) else {
                continue;
            };
            match script.redo(&one) {
                Ok(statements) => put_text(&mut text, &one.title(), &statements),
                // It is in the copied log all the same.
                Err(error) => text.extend(format!("-- {}: {error}\n", one.title()).into_bytes()),
            }
            found.push(gtid);
            out.write_all(&text).map_err(failed)?;
            text.clear();
        }
    }
    let file = out
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    let is_whole = match transactions {
        Difference::Mysql(set) => found.len() as u64 == set.count(),
        // A range may enclose transactions of others; its last is surely meant.
        Difference::Mariadb(ranges) => ranges.iter().all(|range| {
            let last = mainstay_binlog::Gtid::Mariadb(range.last());
            found.contains(&last)
        }),
    };
    if is_whole {
        return Ok(());
    }
    Err(format!(
        "its binary logs do not hold all of {transactions}: they were purged; copy what is left of \
         its data aside by hand"
    ))
}

#[cfg(test)]
mod tests;
