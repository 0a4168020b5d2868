//! What takes a server back to where it was before its errant transactions: the statements that
//! undo them, the rows that these put back, and the GTIDs that are left.
//!
//! Invariants:
//! - all of them are undone, or nothing is;
//! - a row that a transaction which stays has changed later is never put back.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_gtid::GtidSet;

use crate::{
    BinlogError, Format, Gtid, RowChange, Script, Statements, Transaction, changes, changes_undone,
    undo,
};

/// Rows and bytes of statements beyond which a copy of another server's data is quicker.
const ROWS_MAX: usize = 1_000_000;
const BYTES_MAX: usize = 256 << 20;

type TableName = (Vec<u8>, Vec<u8>);

/// Reads a server's logs in order, told which of their transactions are errant.
#[derive(Debug, Default)]
pub struct Rewind {
    format: Option<Format>,
    /// Newest number of each domain and server that stays (MariaDB).
    kept: BTreeMap<(u32, u32), u64>,
    /// Domains with an errant transaction.
    left: BTreeSet<u32>,
    /// Tables that errant transactions have changed.
    tables: BTreeSet<TableName>,
    /// What undoes each transaction, in the order in which they happened.
    undone: Vec<(String, Statements, Vec<RowChange>)>,
    rows: usize,
    bytes: usize,
}

/// All that a rewinding needs.
#[derive(Debug)]
pub struct Rewound {
    /// What every connection needs first.
    pub begin: Statements,
    /// What undoes each transaction, the newest first, with a title.
    pub statements: Vec<(String, Statements)>,
    /// What that does to rows, in order.
    pub changes: Vec<RowChange>,
    /// The tables that are touched.
    pub tables: BTreeSet<TableName>,
    /// The server's state of its binary log before the first of them (MariaDB): the newest
    /// transaction of a domain comes last.
    pub state: String,
}

impl Rewind {
    /// Goes on with a log: its format, and what the logs before it hold.
    pub fn log(&mut self, format: &Format, earlier: Option<&GtidSet>) -> Result<(), String> {
        if let Some(before) = &self.format
            && before.server_version != format.server_version
        {
            return Err(format!(
                "its logs were written by two versions, {} and {}",
                before.server_version, format.server_version
            ));
        }
        if self.format.is_none()
            && let Some(GtidSet::Mariadb(set)) = earlier
        {
            let newest = set.iter();
            self.kept = newest
                .map(|gtid| ((gtid.domain, gtid.server), gtid.sequence))
                .collect();
        }
        self.format = Some(format.clone());
        Ok(())
    }

    /// Takes the next transaction of the log.
    pub fn add(&mut self, transaction: &Transaction, is_errant: bool) -> Result<(), String> {
        let title = transaction.title();
        let told = |error: BinlogError| error.to_string();
        if !is_errant {
            return self.keep(transaction);
        }
        let script = Script::new(self.format.as_ref().ok_or("there is no log")?);
        let statements = script.undo(transaction).map_err(told)?;
        let changes = changes_undone(&undo(transaction).map_err(told)?).map_err(told)?;
        self.rows += changes.len();
        self.bytes += statements.iter().map(Vec::len).sum::<usize>();
        if self.rows > ROWS_MAX || self.bytes > BYTES_MAX {
            return Err(format!(
                "more than {ROWS_MAX} rows or {} MiB would have to be put back",
                BYTES_MAX >> 20
            ));
        }
        let touched = changes.iter();
        self.tables
            .extend(touched.map(|one| (one.schema.clone(), one.table.clone())));
        if let Some(Gtid::Mariadb(gtid)) = transaction.gtid {
            self.left.insert(gtid.domain);
        }
        self.undone.push((title, statements, changes));
        Ok(())
    }

    /// A transaction that stays.
    fn keep(&mut self, transaction: &Transaction) -> Result<(), String> {
        if let Some(Gtid::Mariadb(gtid)) = transaction.gtid {
            if self.left.contains(&gtid.domain) {
                return Err(format!(
                    "{gtid} stays and comes after errant ones of its domain"
                ));
            }
            self.kept.insert((gtid.domain, gtid.server), gtid.sequence);
        }
        if self.undone.is_empty() {
            return Ok(());
        }
        let changed = changes(transaction).map_err(|error| error.to_string())?;
        let name = |one: &RowChange| (one.schema.clone(), one.table.clone());
        // A statement may have changed any table.
        let unknown = changed.is_empty();
        if unknown || changed.iter().any(|one| self.tables.contains(&name(one))) {
            return Err(format!(
                "{} stays, comes after errant ones and may have changed the same rows",
                transaction.title()
            ));
        }
        Ok(())
    }

    /// All of it, when all logs were read.
    pub fn finish(self) -> Result<Rewound, String> {
        let format = self.format.ok_or("there is no log")?;
        if self.undone.is_empty() {
            return Err("its logs hold none of the transactions".to_owned());
        }
        let mut statements = Vec::new();
        let mut changes = Vec::new();
        for (title, one, rows) in self.undone.into_iter().rev() {
            statements.push((title, one));
            changes.extend(rows);
        }
        let mut kept: Vec<_> = self.kept.into_iter().collect();
        kept.sort_by_key(|((domain, _), sequence)| (*domain, *sequence));
        let texts = kept.into_iter();
        let texts =
            texts.map(|((domain, server), sequence)| format!("{domain}-{server}-{sequence}"));
        Ok(Rewound {
            begin: Script::new(&format).begin(),
            statements,
            changes,
            tables: self.tables,
            state: texts.collect::<Vec<_>>().join(","),
        })
    }
}
