//! Undoes transactions of rows: the events that put back what was there before.
//!
//! Only full images (`binlog_row_image=FULL`) hold enough. What foreign keys of `InnoDB` changed by
//! cascade is in no log before `MySQL` 9.6: whoever uses this looks for such keys first.

use std::collections::BTreeMap;

use crate::{BinlogError, Event, Kind, Query, Rows, Table, Transaction};

/// The last event of a statement (`STMT_END_F`): the server closes its tables.
pub(crate) const STATEMENT_END: u16 = 1;
/// The table number of an event that only ends a statement.
const NO_TABLE: u64 = 0x00ff_ffff;

/// A table and its rows: together they are one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// Whose rows.
    pub table: Table,
    /// The `Table_map`.
    pub map: Event,
    /// The rows.
    pub rows: Event,
    /// How many.
    pub count: usize,
}

/// What undoes the transaction, to be run in this order.
pub fn undo(transaction: &Transaction) -> Result<Vec<Undone>, BinlogError> {
    let mut tables: BTreeMap<u64, (Table, &Event)> = BTreeMap::new();
    let mut undone = Vec::new();
    for event in &transaction.events {
        if let Some(table) = Table::read(event)? {
            tables.insert(table.id, (table, event));
            continue;
        }
        let Some(id) = Rows::table_of(event) else {
            without_rows(event)?;
            continue;
        };
        if id == NO_TABLE {
            continue;
        }
        let unknown = || event.malformed("no table map came before it");
        let (table, map) = tables.get(&id).ok_or_else(unknown)?;
        let rows = Rows::read(event, table)?.ok_or_else(|| {
            not_reversible(
                event,
                "it holds parts of JSON values (binlog_row_value_options)",
            )
        })?;
        if !rows.is_full {
            let why = format!(
                "rows of {} are not whole (binlog_row_image is not FULL)",
                table.shown()
            );
            return Err(not_reversible(event, &why));
        }
        let (kind, body) = rows.undone(rows.flags | STATEMENT_END);
        undone.push(Undone {
            table: table.clone(),
            map: (*map).clone(),
            rows: event.rewritten(kind, &body),
            count: rows.count(),
        });
    }
    undone.reverse();
    Ok(undone)
}

/// Whether an event without rows changes nothing: edges, savepoints, and texts for people.
fn without_rows(event: &Event) -> Result<(), BinlogError> {
    match event.kind() {
        Kind::Xid | Kind::AnnotateRows | Kind::RowsQuery => return Ok(()),
        Kind::Query | Kind::QueryCompressed => {}
        other => return Err(not_reversible(event, &format!("it has an event {other}"))),
    }
    let query = Query::read(event)?.unwrap_or_default();
    let is_savepoint = query.text.starts_with(b"SAVEPOINT ");
    if is_savepoint || query.text == b"BEGIN" || query.text == b"COMMIT" {
        return Ok(());
    }
    Err(not_reversible(
        event,
        "it is a statement, not rows (DDL, or binlog_format is not ROW)",
    ))
}

fn not_reversible(event: &Event, why: &str) -> BinlogError {
    BinlogError::NotReversible {
        at: event.at,
        why: why.to_owned(),
    }
}
