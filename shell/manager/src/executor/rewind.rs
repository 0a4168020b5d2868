//! Takes a server back to where it was before the transactions that only it has.
//!
//! ```text
//! saved logs → reversed rows → one transaction with a mark → its own log compared → GTIDs → attach
//! ```
//!
//! Invariants:
//! - the undoing is one transaction, and the mark is a row of it: it has happened exactly when the
//!   mark is there, so whoever carries on never undoes twice;
//! - it is logged: a server that is left alone in the middle has a log which tells what its data
//!   are, and what comes out of undoing that is the same again;
//! - from before the transaction until its GTIDs fit its data the table of the mark is there, and
//!   the server is attached to nobody (`Facts::rewinding`).

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use mainstay_binlog::{Rewind, Rewound, RowChange, Transaction, Transactions, changes};
use mainstay_failover::{Output, Step};
use mainstay_gtid::mariadb::Gtid;
use mainstay_gtid::{Difference, Family as SetFamily, GtidSet};
use mainstay_mysql::{Connection, Error};
use mainstay_topology::{Family, ServerName};
use tokio::task::spawn_blocking;

use super::dialect::rewind::{self as sql, MARK, Mark};
use super::effects::lend;
use super::{Done, Executor, dialect, salvage};

/// Why a server is not rewound.
enum Trouble {
    /// It may succeed later.
    Now(String),
    /// It will not: its data must be replaced.
    Ever(String),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Now(error.to_string())
    }
}

impl From<String> for Trouble {
    fn from(reason: String) -> Self {
        Self::Now(reason)
    }
}

/// What was undone, for people.
struct Undone {
    transactions: usize,
    rows: usize,
    tables: usize,
}

pub(super) async fn run(
    executor: &Executor,
    step: &Step,
    server: &ServerName,
    transactions: Option<&Difference>,
) -> Done {
    let family = step.place.as_ref().map(|place| place.dialect.family());
    let family = family.ok_or_else(|| format!("the family of {server} is not known"))?;
    let work = Work {
        executor,
        server,
        family,
        transactions,
    };
    let done = work.run().await;
    executor.tell(server, None);
    match done {
        Ok(sentence) => {
            // Numbers that are free again are not those that were saved.
            executor.saved().remove(server);
            Ok(Output::Said(sentence))
        }
        Err(Trouble::Now(reason)) => Err(reason),
        Err(Trouble::Ever(reason)) => Ok(Output::Impossible(reason)),
    }
}

struct Work<'a> {
    executor: &'a Executor,
    server: &'a ServerName,
    family: Family,
    transactions: Option<&'a Difference>,
}

impl Work<'_> {
    async fn run(&self) -> Result<String, Trouble> {
        let mut connection = lend(self.executor, self.server).await?;
        // Its session is of no use to others afterwards, and whatever becomes of it, the server is
        // made read-only again.
        connection.repair_with(Some(sql::read_only(self.family)));
        if connection.query(sql::LOCK).await?.scalar() != Some("1") {
            let reason = "another connection is rewinding it; it is waited for";
            return Err(Trouble::Now(reason.to_owned()));
        }
        for statement in sql::begin(self.family) {
            connection.execute(statement).await?;
        }
        let mut undone = None;
        let mark = match (mark(&mut connection).await?, self.transactions) {
            (Some(mark), Some(transactions)) => {
                let (rewound, own) = self.read(transactions).await?;
                undone = Some(verified(&rewound, own.as_deref())?);
                Some(mark)
            }
            (Some(mark), None) => Some(mark),
            (None, Some(transactions)) => {
                let (mark, all) = self.undo(&mut connection, transactions).await?;
                undone = Some(all);
                Some(mark)
            }
            // It was never begun.
            (None, None) => None,
        };
        if let Some(mark) = &mark {
            self.executor
                .tell(self.server, Some("setting its GTIDs".to_owned()));
            self.install(&mut connection, mark).await?;
        }
        for statement in sql::end(self.family) {
            connection.execute(statement).await?;
        }
        let left = mark.map(|mark| mark.state).unwrap_or_default();
        Ok(match undone {
            Some(undone) => format!(
                "{} transactions undone, {} rows of {} tables put back, each compared with what \
                 was saved; its GTIDs are {left}",
                undone.transactions, undone.rows, undone.tables
            ),
            None => format!("its GTIDs are {left}"),
        })
    }

    /// Undoes them all in one transaction, and reads in the server's log what that has done.
    async fn undo(
        &self,
        connection: &mut Connection,
        transactions: &Difference,
    ) -> Result<(Mark, Undone), Trouble> {
        let (rewound, _) = self.read(transactions).await?;
        possible(connection, &rewound).await?;
        let mark = self.mark_of(connection, transactions, &rewound).await?;
        for statement in sql::make_mark_table() {
            connection.execute(statement).await?;
        }
        connection.execute(sql::NEW_LOG).await?;
        let logs = connection.query(dialect::BINARY_LOGS).await?;
        let newest = logs.rows.last().and_then(|row| row.get_index(0));
        let newest = newest.ok_or_else(|| Trouble::Ever("it has no binary log".to_owned()))?;
        if let Err(error) = self.put_back(connection, &rewound, &mark).await {
            return Err(self.given_up(connection, error).await);
        }
        let own = self.own_transaction(newest.to_owned()).await?;
        let undone = verified(&rewound, own.as_deref())?;
        Ok((mark, undone))
    }

    async fn put_back(
        &self,
        connection: &mut Connection,
        rewound: &Rewound,
        mark: &Mark,
    ) -> Result<(), Error> {
        for statement in sql::whole_rows(self.family) {
            connection.execute(statement).await?;
        }
        for statement in &rewound.begin {
            connection.execute(&text(statement)).await?;
        }
        connection.execute("START TRANSACTION").await?;
        let all = rewound.statements.len();
        for (number, (_, statements)) in (1..).zip(&rewound.statements) {
            for statement in statements {
                connection.execute(&text(statement)).await?;
            }
            let progress = format!("{number} of {all} transactions undone");
            self.executor.tell(self.server, Some(progress));
        }
        connection.execute(&sql::put_mark(mark)).await?;
        connection.execute("COMMIT").await.map(|_| ())
    }

    /// What a failure in the transaction means. One that the server tells, it has rolled back.
    async fn given_up(&self, connection: &mut Connection, error: Error) -> Trouble {
        let passing = |code| sql::PASSING.contains(&code);
        match error.server_code() {
            Some(code) if !passing(code) => {
                let mut cleared = connection.execute("ROLLBACK").await.is_ok();
                for statement in sql::end(self.family) {
                    cleared &= connection.execute(statement).await.is_ok();
                }
                if !cleared {
                    tracing::warn!(server = %self.server, "the table {MARK} may be left on it");
                }
                Trouble::Ever(format!("its rows are not as its log left them: {error}"))
            }
            Some(_) | None => error.into(),
        }
    }

    /// What it is to have executed afterwards.
    async fn mark_of(
        &self,
        connection: &mut Connection,
        transactions: &Difference,
        rewound: &Rewound,
    ) -> Result<Mark, Trouble> {
        let now = connection.query(sql::position(self.family)).await?;
        let now = now.scalar().unwrap_or_default();
        let unreadable = |_| Trouble::Ever(format!("its GTIDs cannot be read: {now}"));
        match transactions {
            Difference::Mysql(errant) => {
                let set = GtidSet::parse(SetFamily::Mysql, now).map_err(unreadable)?;
                let GtidSet::Mysql(executed) = set else {
                    return Err(Trouble::Ever("its GTIDs are not MySQL's".to_owned()));
                };
                let state = executed.subtract(errant).to_string().replace('\n', "");
                let position = String::new();
                Ok(Mark { state, position })
            }
            Difference::Mariadb(_) => {
                let set = GtidSet::parse(SetFamily::Mariadb, now).map_err(unreadable)?;
                let errant =
                    |gtid: &Gtid| mainstay_binlog::Gtid::Mariadb(*gtid).is_among(transactions);
                let kept =
                    GtidSet::parse(SetFamily::Mariadb, &rewound.state).map_err(unreadable)?;
                let (GtidSet::Mariadb(set), GtidSet::Mariadb(kept)) = (set, kept) else {
                    return Err(Trouble::Ever("its GTIDs are not MariaDB's".to_owned()));
                };
                let applied = set.iter().filter(|gtid| !errant(gtid));
                let newest: mainstay_gtid::mariadb::Position = kept.iter().chain(applied).collect();
                let texts: Vec<String> = newest.iter().map(|gtid| gtid.to_string()).collect();
                Ok(Mark {
                    state: rewound.state.clone(),
                    position: texts.join(","),
                })
            }
        }
    }

    /// Sets the GTIDs of the mark, unless they are set, and makes sure that they are.
    async fn install(&self, connection: &mut Connection, mark: &Mark) -> Result<(), Trouble> {
        let state = sql::state(self.family);
        let same = |now: Option<&str>| {
            let parsed = |text: &str| GtidSet::parse(set_family(self.family), text).ok();
            now.and_then(parsed)
                .is_some_and(|now| parsed(&mark.state) == Some(now))
        };
        let attempts = sql::install(self.family, mark);
        for statement in &attempts {
            match connection.execute(statement).await {
                Err(error) if error.server_code() == Some(sql::NO_SUCH_STATEMENT) => {
                    // Before 8.2 it has another name.
                    connection.execute(sql::RESET_BEFORE_8_2).await?;
                }
                other => {
                    other?;
                }
            }
        }
        let now = connection.query(state).await?;
        if same(now.scalar()) {
            return Ok(());
        }
        let now = now.scalar().unwrap_or_default();
        Err(Trouble::Now(format!(
            "its GTIDs are {now}, not {}, after they were set",
            mark.state
        )))
    }

    /// Reads the saved logs: what is to be done, and what a transaction with a mark has done.
    async fn read(
        &self,
        transactions: &Difference,
    ) -> Result<(Rewound, Option<Vec<RowChange>>), Trouble> {
        let logs = {
            let saved = self.executor.saved();
            let saved = saved.get(self.server);
            let saved = saved.filter(|saved| saved.gtids == transactions.to_string());
            saved.map(|saved| saved.logs.clone())
        };
        let logs = logs.ok_or_else(|| "its transactions are not saved yet".to_owned())?;
        let transactions = transactions.clone();
        let read = spawn_blocking(move || read_logs(&logs, &transactions));
        let read = read.await.expect("reading a log does not panic");
        read.map_err(Trouble::Ever)
    }

    /// What the transaction with the mark has done, by the server's log of this name.
    async fn own_transaction(&self, log: String) -> Result<Option<Vec<RowChange>>, Trouble> {
        let connection = lend(self.executor, self.server).await?.keep();
        let folder = self
            .executor
            .salvage
            .join(format!("{}.rewind", self.server));
        let gone = |error: std::io::Error| format!("cannot use {}: {error}", folder.display());
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(gone)?;
        }
        fs::create_dir_all(&folder).map_err(gone)?;
        let logs = salvage::copy(connection, &log, &folder).await;
        let found = logs.and_then(|logs| {
            let mut found = None;
            for log in &logs {
                each(log, |_, one| {
                    found = own_changes(one)?.or(found.take());
                    Ok(())
                })?;
            }
            Ok(found)
        });
        let _ = fs::remove_dir_all(&folder);
        Ok(found?)
    }
}

fn set_family(family: Family) -> SetFamily {
    match family {
        Family::Mysql => SetFamily::Mysql,
        Family::Mariadb => SetFamily::Mariadb,
    }
}

/// Statements of reversed rows are base 64.
fn text(statement: &[u8]) -> String {
    String::from_utf8_lossy(statement).into_owned()
}

async fn mark(connection: &mut Connection) -> Result<Option<Mark>, Trouble> {
    match connection.query(&sql::read_mark()).await {
        Ok(found) => Ok(found.first().map(|row| Mark {
            state: row.get("state").unwrap_or_default().to_owned(),
            position: row.get("position").unwrap_or_default().to_owned(),
        })),
        Err(error)
            if error
                .server_code()
                .is_some_and(|code| sql::NO_TABLE.contains(&code)) =>
        {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether the server can put rows back as they were: nothing else must change with them, and all
/// of it or nothing must happen.
async fn possible(connection: &mut Connection, rewound: &Rewound) -> Result<(), Trouble> {
    let dumps = connection.query(sql::DUMPS).await?;
    let attached = dumps.rows.iter().any(|row| {
        let command = row.get("Command").unwrap_or_default();
        command.starts_with(sql::DUMP)
    });
    if attached {
        return Err(Trouble::Now("a replica is attached to it".to_owned()));
    }
    let found = connection.query(&sql::engines(&rewound.tables)).await?;
    let strange = found
        .rows
        .iter()
        .find(|row| row.get("engine") != Some("InnoDB"));
    if let Some(row) = strange {
        let (table, engine) = (row.get("name"), row.get("engine"));
        return Err(Trouble::Ever(format!(
            "{} is not of InnoDB but of {}: it cannot be changed in one transaction",
            table.unwrap_or_default(),
            engine.unwrap_or("no engine")
        )));
    }
    if found.rows.len() < rewound.tables.len() {
        let reason = "a table whose rows would be put back is not there any more";
        return Err(Trouble::Ever(reason.to_owned()));
    }
    let cascades = connection.query(&sql::cascades(&rewound.tables)).await?;
    if let Some(row) = cascades.first() {
        return Err(Trouble::Ever(format!(
            "a foreign key of {} changes rows that are in no log",
            row.get("name").unwrap_or_default()
        )));
    }
    Ok(())
}

/// Whether what was done to rows is what should have been.
fn verified(rewound: &Rewound, own: Option<&[RowChange]>) -> Result<Undone, Trouble> {
    let Some(own) = own else {
        let reason = "the transaction that undid them is not in its log";
        return Err(Trouble::Ever(reason.to_owned()));
    };
    if own != rewound.changes {
        let same = own
            .iter()
            .zip(&rewound.changes)
            .take_while(|(one, other)| one == other);
        return Err(Trouble::Ever(format!(
            "undoing them has changed other rows than were saved, from row {} on",
            same.count() + 1
        )));
    }
    Ok(Undone {
        transactions: rewound.statements.len(),
        rows: own.len(),
        tables: rewound.tables.len(),
    })
}

type Read = (Rewound, Option<Vec<RowChange>>);

fn read_logs(logs: &[PathBuf], transactions: &Difference) -> Result<Read, String> {
    let mut rewind = Rewind::default();
    let mut own = None;
    for log in logs {
        let mut is_begun = false;
        each(log, |log, one| {
            if !is_begun {
                rewind.log(log.format(), log.earlier())?;
                is_begun = true;
            }
            if let Some(changes) = own_changes(one)? {
                own = Some(changes);
                return Ok(());
            }
            let errant = one.gtid.is_some_and(|gtid| gtid.is_among(transactions));
            rewind.add(one, errant)
        })?;
    }
    Ok((rewind.finish()?, own))
}

type Log = Transactions<BufReader<File>>;

fn each(
    path: &Path,
    mut act: impl FnMut(&Log, &Transaction) -> Result<(), String>,
) -> Result<(), String> {
    let place = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let file = File::open(path).map_err(|error| place(&error))?;
    let mut log = Transactions::new(BufReader::new(file)).map_err(|error| place(&error))?;
    while let Some(one) = log.next_transaction().map_err(|error| place(&error))? {
        act(&log, &one)?;
    }
    Ok(())
}

/// What a transaction has done to rows besides its mark, if it has one.
fn own_changes(one: &Transaction) -> Result<Option<Vec<RowChange>>, String> {
    let mut changes = changes(one).map_err(|error| error.to_string())?;
    let all = changes.len();
    changes.retain(|change| !change.is_of(sql::SCHEMA, sql::TABLE));
    Ok((changes.len() < all).then_some(changes))
}
