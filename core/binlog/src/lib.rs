//! Binlog events of `MySQL` and `MariaDB`: read, check sums, group into transactions, reverse, and
//! write them as statements that a server runs again.
//!
//! What is read may be the torn file of a crashed server: everything before the tear is given, and
//! where it is torn is said. Opening files and running statements are left to others.
//!
//! Sources: the `MySQL` source documentation, "Binary Log Event" and "Row Based Replication";
//! `MariaDB` Knowledge Base, "Replication Protocol".

mod alignment;
mod column;
mod error;
mod event;
mod format;
mod gtid;
mod history;
mod kind;
mod parse;
mod payload;
mod query;
mod reader;
mod replay;
mod rewind;
mod row_change;
mod rows;
mod table;
mod transaction;
mod undo;

pub use alignment::{align, content};
pub use error::BinlogError;
pub use event::Event;
pub use format::Format;
pub use gtid::Gtid;
pub use history::earlier;
pub use kind::Kind;
pub use query::Query;
pub use reader::Reader;
pub use replay::{DELIMITER, Script, Statements, put_text};
pub use rewind::{Rewind, Rewound};
pub use row_change::{RowChange, changes, changes_undone};
pub use rows::{Change, Rows};
pub use table::Table;
pub use transaction::{Transaction, Transactions};
pub use undo::{Undone, undo};

#[cfg(test)]
mod tests;
