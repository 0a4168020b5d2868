//! What a dead primary has on its disk and no replica has received: read from its binary logs, and
//! applied on the server that takes its place, before that accepts writes.
//!
//! Invariants:
//! - nothing is taken for the end of a log while its server may still write: `InnoDB` holds a lock
//!   on its first file as long as the process lives, and here it is held meanwhile;
//! - nothing is applied unless all of it can be; a transaction that is not whole was promised to
//!   nobody.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use mainstay_binlog::{BinlogError, Reader, Script, Statements, Transactions, earlier};
use mainstay_failover::Output;
use mainstay_gtid::GtidSet;
use mainstay_topology::{Family, ServerName};
use rustix::fs::{FlockOperation, fcntl_lock};
use tokio::task::spawn_blocking;

use super::dialect::rewind as sql;
use super::effects::{facts, lend};
use super::{Done, Executor};

/// The file that a living server has locked.
const LOCKED: &str = "ibdata1";
/// The list of the earlier GTIDs is among the first events of a log.
const FIRST_EVENTS: usize = 3;
/// What is put into statements at once.
const BYTES_MAX: usize = 256 << 20;

/// What only the disk has.
struct Tail {
    /// What each transaction is run by, with its GTID.
    transactions: Vec<(String, Statements)>,
    /// Where the last log is torn.
    torn: Option<String>,
}

pub(super) async fn apply(executor: &Executor, server: &ServerName, from: &ServerName) -> Done {
    let directory = executor.data_directories.get(from).cloned();
    let directory = directory.ok_or_else(|| format!("the data of {from} are not on this host"))?;
    let mut connection = lend(executor, server).await?;
    let before = facts(&mut connection).await?;
    let (family, held) = (before.version.family, before.executed);
    let tail = spawn_blocking(move || read(&directory, &held)).await;
    let tail = tail.expect("reading a log does not panic")?;
    let torn = tail
        .torn
        .map(|torn| format!(" ({torn})"))
        .unwrap_or_default();
    if tail.transactions.is_empty() {
        return Ok(Output::Said(format!(
            "the disk of {from} was read to its end and holds nothing that {server} has not{torn}"
        )));
    }
    // Its session is of no use to others afterwards, and whatever becomes of it, the server is made
    // read-only again.
    connection.repair_with(Some(sql::read_only(family)));
    if family == Family::Mysql {
        match connection
            .execute(super::dialect::SUPER_READ_ONLY_OFF)
            .await
        {
            // 5.6 has none.
            Err(error) if error.server_code() == Some(sql::NO_VARIABLE) => {}
            opened => {
                opened.map_err(|error| error.to_string())?;
            }
        }
    }
    let all = tail.transactions.len();
    for (number, (gtid, statements)) in (1..).zip(&tail.transactions) {
        for statement in statements {
            let text = std::str::from_utf8(statement);
            let text = text.map_err(|_| format!("{gtid} holds a statement that is not UTF-8"))?;
            let done = connection.execute(text).await;
            done.map_err(|error| format!("{gtid} of the disk of {from}: {error}"))?;
        }
        executor.tell(server, Some(format!("{number} of {all} transactions")));
    }
    executor.tell(server, None);
    let named: Vec<&str> = tail
        .transactions
        .iter()
        .map(|(gtid, _)| gtid.as_str())
        .collect();
    Ok(Output::Said(format!(
        "{all} transaction(s) that no replica had received were read from the disk of {from}, to \
         its end{torn}, and applied on {server}: {}",
        named.join(", ")
    )))
}

/// Reads what the server lacks that holds these.
fn read(directory: &Path, held: &GtidSet) -> Result<Tail, String> {
    let _dead = prove_dead(directory)?;
    let logs = logs(directory)?;
    let first = first_log(&logs, held)?;
    let mut tail = Tail {
        transactions: Vec::new(),
        torn: None,
    };
    let mut bytes = 0;
    for (number, path) in (first + 1..).zip(&logs[first..]) {
        let place = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let is_last = number == logs.len();
        let mut log = open(path)?;
        let script = Script::new(log.format());
        let mut begin = Some(script.begin());
        loop {
            let one = match log.next_transaction() {
                Ok(Some(one)) => one,
                Ok(None) => break,
                Err(error) if is_last && error.is_torn() => {
                    tail.torn = Some(place(&error));
                    break;
                }
                Err(error) => return Err(place(&error)),
            };
            let gtid = one
                .gtid
                .ok_or_else(|| place(&"a transaction without a GTID"))?;
            if held.contains(&gtid.set()) {
                continue;
            }
            let mut statements = begin.take().unwrap_or_default();
            statements.extend(script.redo(&one).map_err(|error| place(&error))?);
            bytes += statements.iter().map(Vec::len).sum::<usize>();
            if bytes > BYTES_MAX {
                return Err(place(&"it holds more than can be applied by statements"));
            }
            tail.transactions.push((gtid.to_string(), statements));
        }
    }
    Ok(tail)
}

/// The lock of a process that is gone. As long as this is kept, the server cannot start.
fn prove_dead(directory: &Path) -> Result<File, String> {
    let path = directory.join(LOCKED);
    let file = File::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    fcntl_lock(&file, FlockOperation::NonBlockingLockShared).map_err(|_| {
        format!(
            "its process still has {} locked: what it may still write is not known",
            path.display()
        )
    })?;
    Ok(file)
}

/// The binary logs, the oldest first, by their index.
fn logs(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let place = |error: &dyn std::fmt::Display| format!("{}: {error}", directory.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(|error| place(&error))? {
        let path = entry.map_err(|error| place(&error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".index") && !name.contains("relay") {
            found.push(path);
        }
    }
    let [index] = found.as_slice() else {
        let sentence = format!("{} indexes of binary logs, not one", found.len());
        return Err(place(&sentence));
    };
    let text = fs::read_to_string(index).map_err(|error| place(&error))?;
    let lines = text.lines().filter(|line| !line.is_empty());
    Ok(lines.map(|line| directory.join(line)).collect())
}

/// The newest log before which nothing was written that the server lacks.
fn first_log(logs: &[PathBuf], held: &GtidSet) -> Result<usize, String> {
    for (number, path) in logs.iter().enumerate().rev() {
        let place = |error: &BinlogError| format!("{}: {error}", path.display());
        let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut log = Reader::new(BufReader::new(file)).map_err(|error| place(&error))?;
        for _ in 0..FIRST_EVENTS {
            let event = match log.next_event() {
                Ok(Some(event)) => event,
                Ok(None) => break,
                Err(error) if error.is_torn() => break,
                Err(error) => return Err(place(&error)),
            };
            let before = earlier(&event).map_err(|error| place(&error))?;
            if before.is_some_and(|before| held.contains(&before)) {
                return Ok(number);
            }
        }
    }
    Err("logs that would be needed were purged on its disk".to_owned())
}

fn open(path: &Path) -> Result<Transactions<BufReader<File>>, String> {
    let place = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let file = File::open(path).map_err(|error| place(&error))?;
    Transactions::new(BufReader::new(file)).map_err(|error| place(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_living_server_has_locked_is_not_read() {
        let dir = tempfile::tempdir().expect("a folder");
        let reason = prove_dead(dir.path()).expect_err("there is no such file");
        assert!(reason.contains(LOCKED), "{reason}");
        fs::write(dir.path().join(LOCKED), "").expect("a file");
        prove_dead(dir.path()).expect("nobody has it locked");
    }

    #[test]
    fn relay_logs_are_no_binary_logs() {
        let dir = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            fs::write(dir.path().join(name), text).expect("a file");
        };
        write("relay-bin.index", "./relay-bin.000001\n");
        assert!(logs(dir.path()).is_err());
        write(
            "binlog.index",
            "./binlog.000001\n/elsewhere/binlog.000002\n",
        );
        let found = logs(dir.path()).expect("an index");
        assert_eq!(found.len(), 2);
        assert_eq!(found[1], Path::new("/elsewhere/binlog.000002"));
    }
}
