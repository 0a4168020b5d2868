//! What is written to the journal. A step is journaled before it runs; how it ended may be written
//! with the next entry, because a step that ran twice does no more than one that ran once.

use mainstay_failover::{Output, Plan, Step, StepResult};
use rusqlite::Transaction;

use crate::purpose;

/// Operations kept.
const OPERATIONS_MAX: u32 = 1_000;

/// Phase changes kept.
const PHASES_MAX: u32 = 10_000;

/// One thing that happened, with the wall clock in microseconds since 1970.
#[derive(Debug, Clone)]
pub enum Entry {
    /// The manager went into another phase.
    Entered {
        /// When.
        at_us: u64,
        /// The phase.
        phase: String,
        /// Why.
        reason: String,
    },
    /// An operation begins.
    Began {
        /// Its id.
        operation: u64,
        /// When.
        at_us: u64,
        /// Its plan, as far as it is known.
        plan: Plan,
    },
    /// A step is about to run.
    Started {
        /// Of which operation.
        operation: u64,
        /// Its index in the plan.
        step: usize,
        /// When.
        at_us: u64,
        /// The step.
        what: Box<Step>,
    },
    /// A step ended.
    Ended {
        /// Of which operation.
        operation: u64,
        /// Its index in the plan.
        step: usize,
        /// When.
        at_us: u64,
        /// How.
        result: StepResult,
    },
    /// An operation ended.
    Finished {
        /// Its id.
        operation: u64,
        /// When.
        at_us: u64,
        /// How.
        outcome: Result<(), String>,
        /// The proof, as text.
        certificate: Option<String>,
    },
}

pub(crate) fn append(transaction: &Transaction<'_>, entry: &Entry) -> rusqlite::Result<()> {
    // The end of an operation whose beginning could not be written changes nothing.
    match entry {
        Entry::Entered {
            at_us,
            phase,
            reason,
        } => transaction
            .prepare_cached("INSERT INTO phases (at_us, phase, reason) VALUES (?1, ?2, ?3)")?
            .execute((at_us.cast_signed(), phase, reason))?,
        Entry::Began {
            operation,
            at_us,
            plan,
        } => transaction
            .prepare_cached(
                "INSERT INTO operations (id, kind, subject, object, epoch, plan, began_us)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((
                operation.cast_signed(),
                purpose::kind(&plan.purpose),
                purpose::subject(&plan.purpose),
                purpose::object(&plan.purpose),
                plan.epoch.0.cast_signed(),
                plan_text(plan),
                at_us.cast_signed(),
            ))?,
        Entry::Started {
            operation,
            step,
            at_us,
            what,
        } => start(transaction, *operation, *step, *at_us, what)?,
        Entry::Ended {
            operation,
            step,
            at_us,
            result,
        } => end(transaction, *operation, *step, *at_us, result)?,
        Entry::Finished {
            operation,
            at_us,
            outcome,
            certificate,
        } => transaction
            .prepare_cached(
                "UPDATE operations SET finished_us = ?2, failure = ?3, certificate = ?4
                 WHERE id = ?1",
            )?
            .execute((
                operation.cast_signed(),
                at_us.cast_signed(),
                outcome.as_ref().err(),
                certificate,
            ))?,
    };
    Ok(())
}

fn start(
    transaction: &Transaction<'_>,
    operation: u64,
    step: usize,
    at_us: u64,
    what: &Step,
) -> rusqlite::Result<usize> {
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO steps (operation, position, server, sentence, sql, started_us)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            operation.cast_signed(),
            step.cast_signed(),
            what.place.as_ref().map(|place| place.name.as_str()),
            &what.sentence,
            what.sql.join(";\n"),
            at_us.cast_signed(),
        ))
}

fn end(
    transaction: &Transaction<'_>,
    operation: u64,
    step: usize,
    at_us: u64,
    result: &StepResult,
) -> rusqlite::Result<usize> {
    let (outcome, detail) = match result {
        StepResult::Done(Output::Said(sentence)) => ("done", Some(sentence)),
        StepResult::Done(_) => ("done", None),
        StepResult::Failed(reason) => ("failed", Some(reason)),
        StepResult::TimedOut => ("timed out", None),
    };
    transaction
        .prepare_cached(
            "UPDATE steps SET ended_us = ?3, outcome = ?4, detail = ?5
             WHERE operation = ?1 AND position = ?2",
        )?
        .execute((
            operation.cast_signed(),
            step.cast_signed(),
            at_us.cast_signed(),
            outcome,
            detail,
        ))
}

/// One sentence a line: a person reads it, nothing parses it.
fn plan_text(plan: &Plan) -> String {
    let lines: Vec<_> = plan
        .steps
        .iter()
        .enumerate()
        .map(|(index, step)| format!("{}. {}", index + 1, step.sentence))
        .collect();
    lines.join("\n")
}

/// Keeps the file bounded.
pub(crate) fn forget_oldest(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute(
        "DELETE FROM steps WHERE operation <= (SELECT COALESCE(MAX(id), 0) - ?1 FROM operations)",
        [OPERATIONS_MAX],
    )?;
    transaction.execute(
        "DELETE FROM operations WHERE id <= (SELECT MAX(id) - ?1 FROM operations)",
        [OPERATIONS_MAX],
    )?;
    transaction.execute(
        "DELETE FROM phases WHERE rowid <= (SELECT MAX(rowid) - ?1 FROM phases)",
        [PHASES_MAX],
    )?;
    Ok(())
}
