//! `mainstay binlog`: what is in binary logs, and the SQL that runs or undoes their transactions
//! again.

mod args;
mod selection;

use std::fs::File;
use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use mainstay_binlog::{
    DELIMITER, Event, Rows, Script, Statements, Table, Transaction, Transactions, put_text,
};
use serde_json::{Map, Value, json};

pub(crate) use args::{BinlogAction, BinlogArgs};

use crate::output::{emit, table};
use selection::Selection;

pub(crate) fn run(args: &BinlogArgs) -> Result<ExitCode> {
    match &args.action {
        BinlogAction::List(list) => {
            let selection = Selection::new(&list.which)?;
            let mut found = Vec::new();
            each(&list.which.files, &selection, |file, _, transaction| {
                found.push(Line::of(file, &transaction)?);
                Ok(())
            })?;
            emit(&shown(&found, list.json)?);
        }
        BinlogAction::Redo(which) => {
            let selection = Selection::new(which)?;
            let mut opened = None;
            emit(DELIMITER);
            each(&which.files, &selection, |file, script, transaction| {
                let mut statements = Statements::new();
                if opened.as_deref() != Some(file) {
                    statements.extend(script.begin());
                    opened = Some(file.to_owned());
                }
                statements.extend(script.redo(&transaction)?);
                print(&transaction.title(), &statements)
            })?;
        }
        BinlogAction::Undo(undo) => print_undo(undo)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// All of them in one transaction, the last one first; or nothing at all is printed.
fn print_undo(undo: &args::UndoArgs) -> Result<()> {
    let selection = Selection::new(&undo.which)?;
    let mut undone: Vec<(String, Statements)> = Vec::new();
    let mut begin = Statements::new();
    each(
        &undo.which.files,
        &selection,
        |file, script, transaction| {
            let statements = script.undo(&transaction);
            let statements = statements.with_context(|| file.display().to_string())?;
            begin = script.begin();
            undone.push((transaction.title(), statements));
            Ok(())
        },
    )?;
    if undone.is_empty() {
        bail!("no transaction of these files is selected: nothing to undo");
    }
    if undo.unlogged {
        begin.insert(0, b"SET SESSION sql_log_bin = 0".to_vec());
    }
    begin.push(b"START TRANSACTION".to_vec());
    emit(DELIMITER);
    print("what every connection needs first", &begin)?;
    for (title, statements) in undone.iter().rev() {
        print(&format!("undoes {title}"), statements)?;
    }
    print("", &vec![b"COMMIT".to_vec()])
}

/// Every selected transaction of the files, in order. A torn end is said, and is no error.
fn each(
    files: &[PathBuf],
    selection: &Selection,
    mut act: impl FnMut(&Path, &Script, Transaction) -> Result<()>,
) -> Result<()> {
    for file in files {
        let place = || file.display().to_string();
        let open = File::open(file).with_context(place)?;
        let mut log = Transactions::new(BufReader::new(open)).with_context(place)?;
        let script = Script::new(log.format());
        loop {
            match log.next_transaction() {
                Ok(None) => break,
                Ok(Some(transaction)) => {
                    if selection.holds(&transaction)? {
                        act(file, &script, transaction)?;
                    }
                }
                Err(error) if error.is_torn() => {
                    eprintln!("mainstay: {}: {error}", file.display());
                    break;
                }
                Err(error) => return Err(error).with_context(place),
            }
        }
    }
    Ok(())
}

fn print(title: &str, statements: &Statements) -> Result<()> {
    let mut text = Vec::new();
    put_text(&mut text, title, statements);
    let mut out = std::io::stdout().lock();
    out.write_all(&text).context("standard output")
}

/// A transaction, as `list` shows it.
struct Line {
    file: String,
    at: u64,
    gtid: String,
    unix_seconds: u32,
    tables: Vec<(String, usize)>,
    reversible: bool,
}

impl Line {
    fn of(file: &Path, transaction: &Transaction) -> Result<Self> {
        let gtid = transaction.gtid.map(|gtid| gtid.to_string());
        Ok(Self {
            file: file.display().to_string(),
            at: transaction.at,
            gtid: gtid.unwrap_or_else(|| "-".to_owned()),
            unix_seconds: transaction.events.first().map_or(0, Event::unix_seconds),
            tables: changed(transaction)?,
            reversible: mainstay_binlog::undo(transaction).is_ok(),
        })
    }
}

/// The tables whose rows the transaction changed, and how many rows of each.
fn changed(transaction: &Transaction) -> Result<Vec<(String, usize)>> {
    let mut maps: Vec<Table> = Vec::new();
    let mut changed: Vec<(String, usize)> = Vec::new();
    for event in &transaction.events {
        if let Some(map) = Table::read(event)? {
            maps.push(map);
            continue;
        }
        // The newest map of a number counts.
        for map in maps.iter().rev() {
            let Ok(Some(rows)) = Rows::read(event, map) else {
                continue;
            };
            let name = map.shown();
            match changed.iter_mut().find(|(known, _)| *known == name) {
                Some((_, count)) => *count += rows.count(),
                None => changed.push((name, rows.count())),
            }
            break;
        }
    }
    Ok(changed)
}

fn rows_of(line: &Line) -> Map<String, Value> {
    let tables = line.tables.iter();
    tables.map(|(name, n)| (name.clone(), json!(n))).collect()
}

fn shown(lines: &[Line], as_json: bool) -> Result<String> {
    if as_json {
        let objects: Vec<_> = lines
            .iter()
            .map(|line| {
                json!({
                    "file": line.file,
                    "at": line.at,
                    "gtid": line.gtid,
                    "unix_seconds": line.unix_seconds,
                    "rows": rows_of(line),
                    "reversible": line.reversible,
                })
            })
            .collect();
        return Ok(format!("{}\n", serde_json::to_string_pretty(&objects)?));
    }
    let mut rows = vec![
        ["file", "at", "GTID", "rows", "can be undone"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(lines.iter().map(|line| {
        let tables = line.tables.iter();
        let tables: Vec<_> = tables.map(|(name, n)| format!("{name} {n}")).collect();
        vec![
            line.file.clone(),
            line.at.to_string(),
            line.gtid.clone(),
            tables.join(", "),
            if line.reversible { "yes" } else { "no" }.to_owned(),
        ]
    }));
    Ok(table(&rows))
}
