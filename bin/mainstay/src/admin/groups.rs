//! Numbers of hostgroups: here 0 is the writer and 1 the readers, whatever others call them.

use mainstay_admin::{Cell, Refused, Table};
use mainstay_routing::hostgroups::{READERS, WRITERS};

/// What other numbers stand for the writer and the readers.
#[derive(Debug, Clone, Default)]
pub(super) struct Groups {
    writers: Vec<i64>,
    readers: Vec<i64>,
}

impl Groups {
    /// Those of `mysql_replication_hostgroups`.
    pub(super) fn of(tables: &[Table]) -> Self {
        let mut groups = Self::default();
        for table in pairs(tables) {
            for row in &table.rows {
                groups
                    .writers
                    .extend(table.cell(row, "writer_hostgroup").integer());
                groups
                    .readers
                    .extend(table.cell(row, "reader_hostgroup").integer());
            }
        }
        groups
    }

    /// More of them.
    pub(super) fn add(&mut self, other: Self) {
        self.writers.extend(other.writers);
        self.readers.extend(other.readers);
    }

    /// The number that the settings use.
    pub(super) fn ours(&self, number: i64) -> i64 {
        if self.writers.contains(&number) {
            WRITERS.into()
        } else if self.readers.contains(&number) {
            READERS.into()
        } else {
            number
        }
    }

    /// A cell that may hold a number.
    pub(super) fn cell(&self, cell: &Cell) -> Cell {
        cell.integer().map(|number| self.ours(number)).into()
    }

    /// The proxy has one cluster, so one pair.
    pub(super) fn check(tables: &[Table]) -> Result<(), Refused> {
        for table in pairs(tables) {
            if let Some(row) = table.rows.get(1) {
                return Err(Refused {
                    table: table.name.to_owned(),
                    row: table.row_name(row),
                    column: String::new(),
                    reason: "one process has one writer: give each cluster a process of its own"
                        .to_owned(),
                });
            }
        }
        Ok(())
    }
}

fn pairs(tables: &[Table]) -> impl Iterator<Item = &Table> {
    let name = "mysql_replication_hostgroups";
    tables.iter().filter(move |table| table.name == name)
}
