//! The arguments of `mainstay binlog`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `mainstay binlog`.
#[derive(Debug, Clone, Args)]
pub(crate) struct BinlogArgs {
    /// What to do with the files.
    #[command(subcommand)]
    pub(crate) action: BinlogAction,
}

/// What can be done with binary logs.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum BinlogAction {
    /// Show the transactions: GTID, rows changed in each table, whether they can be undone.
    List(ListArgs),
    /// Print SQL that runs the transactions again, under their own GTIDs.
    Redo(WhichArgs),
    /// Print SQL that undoes the transactions, the last one first; all of them or none.
    Undo(UndoArgs),
}

/// `mainstay binlog list`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) which: WhichArgs,
    /// Print a JSON array.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `mainstay binlog undo`.
#[derive(Debug, Clone, Args)]
pub(crate) struct UndoArgs {
    #[command(flatten)]
    pub(crate) which: WhichArgs,
    /// Begin with `SET sql_log_bin = 0`: the undoing itself is not replicated.
    #[arg(long)]
    pub(crate) unlogged: bool,
}

/// Which transactions of which files.
#[derive(Debug, Clone, Args)]
pub(crate) struct WhichArgs {
    /// Binary logs, the oldest first.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Only transactions of this GTID set.
    #[arg(long, value_name = "GTIDS")]
    pub(crate) only: Option<String>,
    /// Not those of this GTID set, such as what another server has executed.
    #[arg(long, value_name = "GTIDS")]
    pub(crate) without: Option<String>,
}
