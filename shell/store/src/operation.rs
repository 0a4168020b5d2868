//! Reading the journal back: operations with their time line.

use mainstay_failover::{OperationId, Purpose};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::purpose;

/// One journaled operation. Times are microseconds since 1970 (UTC).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its id.
    pub id: u64,
    /// Why it existed.
    pub purpose: Purpose,
    /// The reign in which it was to end.
    pub epoch: u64,
    /// The plan it began with, one sentence a line.
    pub plan: String,
    /// When it began.
    pub began_us: u64,
    /// When it ended; `None` while it runs.
    pub finished_us: Option<u64>,
    /// Why it failed; `None` when it did not, or still runs.
    pub failure: Option<String>,
    /// The proof after a failover.
    pub certificate: Option<String>,
    /// Phase changes of the manager that led to it and accompanied it, in order.
    pub phases: Vec<PhaseChange>,
    /// The steps that were run, in order.
    pub steps: Vec<JournalStep>,
}

/// The manager went into another phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhaseChange {
    /// When.
    pub at_us: u64,
    /// The phase.
    pub phase: String,
    /// Why.
    pub reason: String,
}

/// One step that was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalStep {
    /// Its index in the plan.
    pub index: usize,
    /// The server it ran on, if it ran on one.
    pub server: Option<String>,
    /// What it did and why.
    pub sentence: String,
    /// Its SQL, secrets left out.
    pub sql: String,
    /// When it started.
    pub started_us: u64,
    /// When it ended; `None` while it runs.
    pub ended_us: Option<u64>,
    /// How it ended.
    pub outcome: Option<StepOutcome>,
    /// What it had to say, of one that ended well: of a hook what it has printed.
    pub said: Option<String>,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepOutcome {
    /// It succeeded.
    Done,
    /// It failed; the reason is for people.
    Failed(String),
    /// It ran out of time.
    TimedOut,
}

/// Phase changes further back than this did not lead to the operation.
const BEFORE_US: u64 = 60_000_000;

/// The phase in which nothing is the matter.
const CALM: &str = "watching";

const COLUMNS: &str =
    "id, kind, subject, object, epoch, plan, began_us, finished_us, failure, certificate";

pub(crate) fn newest(connection: &Connection, limit: usize) -> rusqlite::Result<Vec<Operation>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let sql = format!("SELECT {COLUMNS} FROM operations ORDER BY id DESC LIMIT ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let heads = statement
        .query_map([limit], head)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    heads
        .into_iter()
        .map(|operation| complete(connection, operation))
        .collect()
}

pub(crate) fn one(connection: &Connection, id: u64) -> rusqlite::Result<Option<Operation>> {
    let sql = format!("SELECT {COLUMNS} FROM operations WHERE id = ?1");
    let found = connection
        .query_row(&sql, [id.cast_signed()], head)
        .optional()?;
    found
        .map(|operation| complete(connection, operation))
        .transpose()
}

pub(crate) fn unfinished(connection: &Connection) -> rusqlite::Result<Vec<(OperationId, Purpose)>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, kind, subject, object FROM operations WHERE finished_us IS NULL ORDER BY id",
    )?;
    let found = statement.query_map([], |row| {
        Ok((OperationId(unsigned(row, 0)?), purpose::read(row, 1)?))
    })?;
    found.collect()
}

pub(crate) fn last(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row("SELECT COALESCE(MAX(id), 0) FROM operations", [], |row| {
        unsigned(row, 0)
    })
}

fn head(row: &Row<'_>) -> rusqlite::Result<Operation> {
    Ok(Operation {
        id: unsigned(row, 0)?,
        purpose: purpose::read(row, 1)?,
        epoch: unsigned(row, 4)?,
        plan: row.get(5)?,
        began_us: unsigned(row, 6)?,
        finished_us: row.get::<_, Option<i64>>(7)?.map(i64::unsigned_abs),
        failure: row.get(8)?,
        certificate: row.get(9)?,
        phases: Vec::new(),
        steps: Vec::new(),
    })
}

fn complete(connection: &Connection, mut operation: Operation) -> rusqlite::Result<Operation> {
    let mut statement = connection.prepare_cached(
        "SELECT position, server, sentence, sql, started_us, ended_us, outcome, detail
         FROM steps WHERE operation = ?1 ORDER BY position",
    )?;
    operation.steps = statement
        .query_map([operation.id.cast_signed()], step)?
        .collect::<rusqlite::Result<_>>()?;
    operation.phases = phases(connection, &operation)?;
    Ok(operation)
}

fn step(row: &Row<'_>) -> rusqlite::Result<JournalStep> {
    let outcome: Option<String> = row.get(6)?;
    let detail: Option<String> = row.get(7)?;
    Ok(JournalStep {
        index: row.get::<_, i64>(0)?.unsigned_abs() as usize,
        server: row.get(1)?,
        sentence: row.get(2)?,
        sql: row.get(3)?,
        started_us: unsigned(row, 4)?,
        ended_us: row.get::<_, Option<i64>>(5)?.map(i64::unsigned_abs),
        said: detail
            .clone()
            .filter(|said| outcome.as_deref() == Some("done") && !said.is_empty()),
        outcome: outcome.map(|text| match text.as_str() {
            "done" => StepOutcome::Done,
            "timed out" => StepOutcome::TimedOut,
            _ => StepOutcome::Failed(detail.unwrap_or_default()),
        }),
    })
}

/// What led to the operation begins after the manager was last calm before it.
fn phases(connection: &Connection, operation: &Operation) -> rusqlite::Result<Vec<PhaseChange>> {
    let from = operation.began_us.saturating_sub(BEFORE_US).cast_signed();
    let until = operation.finished_us.unwrap_or(i64::MAX.unsigned_abs());
    let mut statement = connection.prepare_cached(
        "SELECT at_us, phase, reason FROM phases
         WHERE at_us BETWEEN ?1 AND ?2 ORDER BY at_us, rowid",
    )?;
    let mut changes = statement
        .query_map([from, until.cast_signed()], |row| {
            Ok(PhaseChange {
                at_us: unsigned(row, 0)?,
                phase: row.get(1)?,
                reason: row.get(2)?,
            })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let calm = changes.iter().rposition(|change| {
        change.at_us <= operation.began_us && change.phase.eq_ignore_ascii_case(CALM)
    });
    if let Some(calm) = calm {
        changes.drain(..=calm);
    }
    Ok(changes)
}

fn unsigned(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(index).map(i64::unsigned_abs)
}
