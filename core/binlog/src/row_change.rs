//! What happened to single rows, so that two transactions can be compared: whatever way a server
//! cuts rows into events, the rows and their order are the same.

use std::collections::BTreeMap;

use crate::{BinlogError, Change, Rows, Table, Transaction, Undone};

/// What happened to one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowChange {
    /// The schema of its table.
    pub schema: Vec<u8>,
    /// The name of its table.
    pub table: Vec<u8>,
    /// What happened.
    pub change: Change,
    /// The row as it is stored; before and after, when it was changed.
    images: Vec<Vec<u8>>,
}

impl RowChange {
    fn of<'a>(table: &'a Table, rows: &'a Rows) -> impl Iterator<Item = Self> + 'a {
        rows.row_images().map(|images| Self {
            schema: table.schema.clone(),
            table: table.name.clone(),
            change: rows.change,
            images: images.into_iter().map(<[u8]>::to_vec).collect(),
        })
    }

    /// Whether its row is of this table.
    pub fn is_of(&self, schema: &str, table: &str) -> bool {
        self.schema == schema.as_bytes() && self.table == table.as_bytes()
    }
}

/// What a transaction did to rows, in order.
pub fn changes(transaction: &Transaction) -> Result<Vec<RowChange>, BinlogError> {
    let mut tables: BTreeMap<u64, Table> = BTreeMap::new();
    let mut changes = Vec::new();
    for event in &transaction.events {
        if let Some(table) = Table::read(event)? {
            tables.insert(table.id, table);
            continue;
        }
        let table = Rows::table_of(event).and_then(|id| tables.get(&id));
        if let Some(table) = table
            && let Some(rows) = Rows::read(event, table)?
        {
            changes.extend(RowChange::of(table, &rows));
        }
    }
    Ok(changes)
}

/// What undoing does to rows, in order.
pub fn changes_undone(undone: &[Undone]) -> Result<Vec<RowChange>, BinlogError> {
    let mut changes = Vec::new();
    for one in undone {
        if let Some(rows) = Rows::read(&one.rows, &one.table)? {
            changes.extend(RowChange::of(&one.table, &rows));
        }
    }
    Ok(changes)
}
